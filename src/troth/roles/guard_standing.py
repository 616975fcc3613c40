"""What a guard knows of its visitors, beside the request: counters, bans, lists, trails.

The first guard counts in its own memory, and its standby in another (after a change-over everybody
has one burst more). Where `[counters] url` is set every guard counts there, and several may decide.
"""

import asyncio
from collections.abc import Callable, Container, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from troth.adapters import clock, config
from troth.adapters.counters import CountersError, Memory
from troth.adapters.counters.remote import Remote
from troth.adapters.log import Secret
from troth.catalogue import Settings
from troth.enforce.bans import Bans
from troth.enforce.decide import Decision
from troth.enforce.keeper import Means
from troth.enforce.snapshot import Told
from troth.enforce.trails import Trails
from troth.kernel.request import Ask, Known, Strike, Tally
from troth.promises.guard.enforce.limits import ALLOWED
from troth.promises.guard.rules.bans import Sentence
from troth.promises.guard.rules.ranges import Ranges
from troth.roles import guard_bans, guard_lists, state
from troth.roles.guards import active
from troth.roles.places import Places

LOOK_AGAIN_S = 60.0


class Standing:
    """Counters, bans and lists of one guard.

    Args:
        settings: the whole of troth.toml.
        places: the data directory.
        index: of the guard.
        told: where events go.
        trails: what is remembered besides.
    """

    def __init__(
        self, settings: Settings, places: Places, index: int, told: Told, trails: Trails
    ) -> None:
        active(settings)
        self._told = told
        self._trails = trails
        self._memory = Memory()
        self._evicted = 0
        self.remote = _remote(settings, told)
        self.bans = Bans(_sentence(settings), Ranges, told)
        self.desk = guard_bans.Desk(places, index, self.bans, told, clock.now)
        self.lists = guard_lists.Lists(settings.guard.lists, places.spool, told, clock.now)
        self.desk.lists = self.lists.shown
        self.desk.load()

    def means(self, means: Means) -> Means:
        """The same means, with these."""
        return replace(means, take=self._memory.take, known=self.known, settle=self.settle)

    @property
    def ask(self) -> Callable[[tuple[Ask, ...]], "asyncio.Future[dict[str, Tally]]"] | None:
        """How counters elsewhere are asked; None where they are at hand."""
        return self.remote.ask if self.remote is not None else None

    def reread(self, path: Path, *, is_taken: bool) -> None:
        """Take up the settings of a file that was found good; nothing where it was not."""
        if is_taken:
            self.renew(config.load(path, Settings))

    def renew(self, settings: Settings) -> None:
        """Other settings; the counters' address counts from the next start."""
        self.bans.rules = _sentence(settings)
        self.lists.renew(settings.guard.lists)

    def known(self, now: datetime) -> Known:
        """What a check may know at this moment."""
        lists: Mapping[str, Container[str]] = {ALLOWED: self.bans.allowed, **self.lists.by_name}
        return Known(now=now, bans=self.bans.by_subject, lists=lists, trails=self._trails)

    def settle(self, decision: Decision, now: datetime) -> None:
        """Mark what was noted and count what was struck; whom it is one too many for is banned."""
        self._trails.mark(decision.notes, now)
        if not decision.strikes:
            return
        asks = tuple(strike.ask for strike in decision.strikes)
        if self.remote is None:
            self.bans.struck(decision.strikes, self._memory.take(asks), now)
        else:
            asked = self.remote.ask(asks)
            asked.add_done_callback(lambda done: self._struck(decision.strikes, done))

    async def open(self) -> None:
        """Open the desk. Raises SocketError."""
        await self.desk.open()

    async def run(self) -> None:
        """Desk, lists, counters elsewhere; until it is cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.desk.run())
            group.create_task(self.lists.run())
            group.create_task(self._look())
            if self.remote is not None:
                group.create_task(self.remote.run())

    def _struck(
        self, strikes: tuple[Strike, ...], done: "asyncio.Future[dict[str, Tally]]"
    ) -> None:
        if not done.cancelled() and done.exception() is None:
            self.bans.struck(strikes, done.result(), clock.now())

    async def _look(self) -> None:
        """Say what an operator should know: counters that were evicted, a server that forgets."""
        while True:
            if self.remote is not None:
                try:
                    warning = await self.remote.look()
                except CountersError as error:
                    warning = error.hint()
                if warning:
                    self._told("counters.doubtful", {"because": warning})
            if self._memory.evicted != self._evicted:
                self._evicted = self._memory.evicted
                self._told("counters.full", {"evicted": self._evicted, "kept": len(self._memory)})
            await asyncio.sleep(LOOK_AGAIN_S)


def _sentence(settings: Settings) -> Sentence:
    return Sentence(settings.guard.bans, settings.edge.trusted_proxies)


def _remote(settings: Settings, told: Told) -> Remote | None:
    if not settings.counters.url:
        return None
    url = Secret(state.secret(settings.counters.url, "[counters] url"))
    return Remote(url, told, timeout=timedelta(milliseconds=settings.counters.timeout_ms))
