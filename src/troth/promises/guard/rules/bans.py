"""How long somebody is kept out."""

from datetime import datetime, timedelta

from troth.kernel.request import Ban
from troth.promises.guard.rules.addresses import LOGIN
from troth.promises.guard.rules.ranges import Ranges
from troth.promises.guard.settings.addresses import Bans


class Sentence:
    """How long somebody is banned: escalation, drills, and who never is.

    Args:
        settings: `[guard.bans]`.
        trusted: further networks that are never banned (proxies in front of us).
    """

    def __init__(self, settings: Bans, trusted: tuple[str, ...] = ()) -> None:
        self._settings = settings
        self._protected = Ranges((*settings.protected, *trusted))
        self._drills = Ranges(settings.drills)

    def is_drill(self, subject: str) -> bool:
        """Whether it is one of our own attackers."""
        return subject.partition("/")[0] in self._drills

    def is_protected(self, subject: str) -> bool:
        """Whether it is never banned by itself; of login routes alone anybody may be."""
        if subject.startswith(LOGIN):
            return False
        return not self.is_drill(subject) and self._protected.meets(subject)

    def ordered(self, subject: str, cause: str, length: timedelta, now: datetime) -> Ban | None:
        """The ban that an operator wants: as long as they say, but for our own attackers."""
        if not subject or self.is_protected(subject) or length <= timedelta(0):
            return None
        if self.is_drill(subject):
            length = min(length, timedelta(seconds=self._settings.drill_s))
        return Ban(subject=subject, cause=cause, since=now, until=now + length)

    def ban(
        self, subject: str, cause: str, length: timedelta, before: Ban | None, now: datetime
    ) -> Ban | None:
        """The ban that is due; None for who is protected.

        Args:
            subject: `client_key` of an address.
            cause: see `Ban`.
            length: of a first one.
            before: the last ban on the same subject, though it has ended; None when there is none
                that anybody remembers.
            now: the moment.
        """
        if not subject or self.is_protected(subject) or length <= timedelta(0):
            return None
        forgotten = timedelta(seconds=self._settings.forget_s)
        in_row = before is not None and now < before.until + forgotten
        times = before.times + 1 if before is not None and in_row else 1
        most = self._settings.drill_s if self.is_drill(subject) else self._settings.longest_s
        # The exponent is bounded: 10**16 times a second is longer than any `longest_s`.
        longer_s = length.total_seconds() * self._settings.factor ** min(times - 1, 16)
        until = now + timedelta(seconds=min(longer_s, most))
        if before is not None and before.until > until:
            until = before.until
        return Ban(subject=subject, cause=cause, since=now, until=until, times=times)
