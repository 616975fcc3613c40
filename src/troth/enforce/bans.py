"""Who is kept out, and until when: in memory, in a journal, and with whoever follows.

Each change is a numbered delta. It acts here at once, is written to the journal (so it survives a
kill; a power cut may cost the last seconds), and is told to followers: the standby, other guards of
this machine, the edge. Everything ends by itself, by the wall clock: one that is put back makes
bans last longer, one that is put forward lets them end early.

Bounded: when there are too many, the one that ends first goes. A journal that cannot be written
fails open: the ban acts, and the failure is told.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from heapq import heapify, heappop, heappush
from typing import Protocol

from msgspec import Struct

from troth.kernel.request import Ban, Strike, Tally

MOST = 100_000
MOST_ALLOWED = 10_000
REMEMBERED = timedelta(days=30)  # after a ban's end, for the escalation
FOREVER = timedelta(days=36_500)

Told = Callable[[str, dict[str, object]], None]


class Rules(Protocol):
    """What is due, as an area's rules say (`promises/guard/rules/bans.py`)."""

    def ban(
        self, subject: str, cause: str, length: timedelta, before: Ban | None, now: datetime
    ) -> Ban | None:
        """The ban that is due; None for who is never banned."""

    def ordered(self, subject: str, cause: str, length: timedelta, now: datetime) -> Ban | None:
        """The ban that an operator wants; None for who is never banned."""


class Delta(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """One change, as it is written and told.

    Args:
        n: its number; grows by one.
        do: what happened.
        subject: whom it is about; of `allow` and `disallow` an address or network.
        cause, since, until, times: of a ban; `until` of an allowance, too.
    """

    n: int
    do: str  # ban, lift, allow, disallow
    subject: str
    cause: str = ""
    since: datetime | None = None
    until: datetime | None = None
    times: int = 1


class Allowed:
    """Whom the operator allowed: a container of addresses for `Known.lists`.

    Args:
        contains: makes a container of networks.
    """

    def __init__(self, contains: Callable[[Iterable[str]], "Asked"]) -> None:
        self._contains = contains
        self._ranges: Asked = contains(())
        self.until: dict[str, datetime] = {}

    def __contains__(self, address: object) -> bool:
        return bool(self.until) and address in self._ranges

    def set(self, network: str, until: datetime | None) -> None:
        """Allow until then; None ends it. Raises ValueError for what is no network."""
        wanted = dict(self.until)
        wanted.pop(network, None)
        if until is not None:
            wanted[network] = until
        self._ranges = self._contains(wanted)
        self.until = wanted


class Asked(Protocol):
    """Something that can be asked whether it holds an address."""

    def __contains__(self, address: object, /) -> bool:
        """Whether it does."""


class Bans:
    """All bans of one guard.

    Args:
        rules: what is due.
        contains: makes a container of networks.
        told: where events go.
    """

    def __init__(
        self, rules: Rules, contains: Callable[[Iterable[str]], Asked], told: Told
    ) -> None:
        self.rules = rules
        self.by_subject: dict[str, Ban] = {}
        self.allowed = Allowed(contains)
        self.number = 0
        self.followers: list[Callable[[Delta], None]] = []
        self._told = told
        self._ends: list[tuple[datetime, str]] = []  # a heap; may hold what is no longer so

    def struck(
        self, strikes: Sequence[Strike], tallies: Mapping[str, Tally], now: datetime
    ) -> tuple[Ban, ...]:
        """Ban whom a strike was one too many for; those who are banned by this."""
        placed = []
        for strike in strikes:
            tally = tallies.get(strike.ask.key)
            if strike.subject and tally is not None and tally.is_over:
                ban = self.due(strike.subject, strike.cause, strike.length, now)
                if ban is not None:
                    placed.append(ban)
        return tuple(placed)

    def due(self, subject: str, cause: str, length: timedelta, now: datetime) -> Ban | None:
        """Ban somebody by the rules; None where nothing came of it: protected, or banned already.

        One who is banned already is not banned longer for what was under way when it happened.
        """
        before = self.by_subject.get(subject)
        if before is not None and before.until > now:
            return None
        ban = self.rules.ban(subject, cause, length, before, now)
        if ban is not None:
            self.place(ban)
        return ban

    def place(self, ban: Ban) -> bool:
        """Put a ban in force as it is, the operator's or another guard's; never makes one shorter.

        Whether anything changed.
        """
        known = self.by_subject.get(ban.subject)
        if known is not None and known.until >= ban.until:
            return False
        self._change(
            Delta(
                n=self.number + 1, do="ban", subject=ban.subject, cause=ban.cause,
                since=ban.since, until=ban.until, times=ban.times,
            )
        )  # fmt: skip
        return True

    def lift(self, subject: str) -> bool:
        """End a ban and forget that it was; whether there was one."""
        if subject not in self.by_subject:
            return False
        self._change(Delta(n=self.number + 1, do="lift", subject=subject))
        return True

    def allow(self, network: str, until: datetime) -> None:
        """Let an address or network pass bans and lists. Raises ValueError for what is neither."""
        if len(self.allowed.until) >= MOST_ALLOWED and network not in self.allowed.until:
            raise ValueError(f"{MOST_ALLOWED} are allowed already")
        self._change(Delta(n=self.number + 1, do="allow", subject=network, until=until))

    def disallow(self, network: str) -> bool:
        """End that; whether it was so."""
        if network not in self.allowed.until:
            return False
        self._change(Delta(n=self.number + 1, do="disallow", subject=network))
        return True

    def live(self, now: datetime) -> list[Ban]:
        """Those in force, the latest first."""
        found = [ban for ban in self.by_subject.values() if ban.until > now]
        return sorted(found, key=lambda ban: ban.since, reverse=True)

    def state(self) -> list[Delta]:
        """Everything as deltas, for a new follower or a new journal."""
        bans = [
            Delta(n=self.number, do="ban", subject=ban.subject, cause=ban.cause,
                  since=ban.since, until=ban.until, times=ban.times)
            for ban in self.by_subject.values()
        ]  # fmt: skip
        return bans + [
            Delta(n=self.number, do="allow", subject=network, until=until)
            for network, until in self.allowed.until.items()
        ]

    def replace(self, deltas: Iterable[Delta], now: datetime) -> None:
        """Take over what another guard says is everything."""
        self.by_subject.clear()
        self._ends.clear()
        for network in tuple(self.allowed.until):
            self.allowed.set(network, None)
        self.read(deltas, now)

    def read(self, deltas: Iterable[Delta], now: datetime) -> None:
        """Take in what a journal or another guard says, in order; tells nobody.

        A ban that begins in the future (the clock was put back since) begins now. Raises ValueError
        for a delta that says nothing sensible.
        """
        for delta in deltas:
            if delta.since is not None and delta.until is not None and delta.since > now:
                delta = Delta(  # noqa: PLW2901 -- the same, moved
                    n=delta.n, do=delta.do, subject=delta.subject, cause=delta.cause,
                    since=now, until=now + (delta.until - delta.since), times=delta.times,
                )  # fmt: skip
            self._apply(delta)
            self.number = max(self.number, delta.n)
        self.expire(now)

    def expire(self, now: datetime) -> None:
        """Forget what ended long ago, and allowances that ended."""
        while self._ends and self._ends[0][0] + REMEMBERED <= now:
            self._drop_first()
        for network, until in list(self.allowed.until.items()):
            if until <= now:
                self.disallow(network)

    def _change(self, delta: Delta) -> None:
        self._apply(delta)
        self.number = delta.n
        for follower in tuple(self.followers):
            follower(delta)
        fields = {"subject": delta.subject, "number": delta.n}
        if delta.do == "ban":
            fields |= {"cause": delta.cause, "until": str(delta.until), "times": delta.times}
        self._told(f"ban.{delta.do}", dict(fields))

    def _apply(self, delta: Delta) -> None:
        match delta.do:
            case "ban" if delta.since is not None and delta.until is not None:
                ban = Ban(
                    subject=delta.subject, cause=delta.cause, since=delta.since,
                    until=delta.until, times=delta.times,
                )  # fmt: skip
                self.by_subject[ban.subject] = ban
                heappush(self._ends, (ban.until, ban.subject))
                while len(self.by_subject) > MOST:
                    self._drop_first()
                if len(self._ends) > 2 * len(self.by_subject) + 1000:
                    self._ends = [(ban.until, name) for name, ban in self.by_subject.items()]
                    heapify(self._ends)
            case "lift":
                self.by_subject.pop(delta.subject, None)
            case "allow" if delta.until is not None:
                self.allowed.set(delta.subject, delta.until)
            case "disallow":
                self.allowed.set(delta.subject, None)
            case _:
                raise ValueError(f"no change of bans: {delta.do}")

    def _drop_first(self) -> None:
        until, subject = heappop(self._ends)
        ban = self.by_subject.get(subject)
        if ban is not None and ban.until == until:
            del self.by_subject[subject]
