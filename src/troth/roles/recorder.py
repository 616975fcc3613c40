"""What a deciding process writes down of its decisions: events, and refused requests to explain.

Both go to spools (`adapters.spool`): no request waits for them, and what there is no room for is
counted and told. Many refusals for one reason teach little: of each (promise, rule, path) at most
`SAMPLE` requests an hour are kept.
"""

import json
from collections import OrderedDict
from dataclasses import replace
from datetime import datetime, timedelta

from troth.adapters.spool import Bounds, Spool, Told
from troth.enforce import events, requests
from troth.enforce.bans import Bans, Delta
from troth.enforce.decide import Decision
from troth.enforce.keeper import Means
from troth.kernel.request import Ban, Request
from troth.promises.guard.rules.ranges import Ranges
from troth.promises.guard.settings import Events, GuardSettings
from troth.roles.learn import FILE as LEARNT
from troth.roles.learn import Watch
from troth.roles.places import Places

SAMPLE = 20
HOUR_S = 3600
MAX_KINDS = 10_000
EVENTS, REQUESTS = "events", "requests"  # in the spool
NEVER = 0


class Recorder:
    """The spools of one process.

    Args:
        places: of the data directory.
        settings: how much is kept, and whether kinds of parameters are learnt.
        told: where what is lost is told, from the spools' threads.
    """

    def __init__(self, places: Places, settings: GuardSettings, told: Told) -> None:
        self.watch = Watch(places.spool / LEARNT)
        self._allowed_every = settings.events.allowed_every
        self._open(places, settings.events, told)
        self.renew(settings)

    def renew(self, settings: GuardSettings) -> None:
        """Other settings; how much is kept counts from the next start."""
        self.watch.is_on = settings.learn.watch
        self.watch.drills = Ranges(settings.bans.drills)

    def _open(self, places: Places, settings: Events, told: Told) -> None:
        total = settings.max_bytes
        segment = min(4 * 1024 * 1024, total // 4)
        self.events = Spool(
            places.spool / EVENTS,
            told,
            Bounds(segment_bytes=segment, total_bytes=total, keep=timedelta(days=90)),
        )
        self._keeps = settings.explain_days > 0
        self.requests = Spool(
            places.spool / REQUESTS,
            told,
            Bounds(
                queued=500,
                segment_bytes=min(4 * 1024 * 1024, settings.explain_bytes // 4),
                total_bytes=settings.explain_bytes,
                keep=timedelta(days=max(settings.explain_days, 1)) * 40 / 41,
                mode=0o600,
            ),
        )
        self._kinds: OrderedDict[tuple[str, str, bytes], int] = OrderedDict()
        self._hour = 0

    def means(self, means: Means) -> Means:
        """The same means, writing down what is decided."""
        return replace(
            means,
            wrote=self.wrote,
            kept=self.kept,
            passed=self.watch.passed,
            allowed_every=self._allowed_every,
        )

    def wrote(self, event: events.Event) -> None:
        """Take an event."""
        self.events.put(lambda: json.dumps(events.record(event), separators=(",", ":")).encode())

    def ban_events(self, bans: Bans, means: Means) -> None:
        """Make an event of each ban that is placed from now on."""

        def placed(delta: Delta) -> None:
            if delta.do == "ban" and delta.since is not None and delta.until is not None:
                ban = Ban(
                    subject=delta.subject,
                    cause=delta.cause,
                    since=delta.since,
                    until=delta.until,
                    times=delta.times,
                )
                said = events.banned(means.new_id(), means.now(), ban)
                self.events.put(lambda: json.dumps(said, separators=(",", ":")).encode())

        bans.followers.append(placed)

    def kept(self, event: str, request: Request, decision: Decision, now: datetime) -> None:
        """Take a refused request, unless there were many like it within the hour."""
        if self._keeps and self._is_new(request, decision, now):
            self.requests.put(lambda: requests.record(event, request, decision, now))

    def close(self) -> None:
        """Write what is queued."""
        self.events.close()
        self.requests.close()

    def _is_new(self, request: Request, decision: Decision, now: datetime) -> bool:
        hour = int(now.timestamp()) // HOUR_S
        if hour != self._hour:
            self._hour = hour
            self._kinds.clear()
        rule = decision.hits[0].rule if decision.hits else ""
        slug = decision.refusal.slug if decision.refusal else ""
        kind = (slug, rule, request.path[:128])
        count = self._kinds.get(kind, NEVER) + 1
        self._kinds[kind] = count
        if len(self._kinds) > MAX_KINDS:
            self._kinds.popitem(last=False)
        return count <= SAMPLE
