"""What a guard knows of its visitors, beside the request: counters, bans, lists, trails.

The first guard has them in its own memory, and its standby in another (after a change-over
everybody has one burst more, and a clean sheet). Where `[counters] url` is set every guard of every
machine has the same counters, trails and bans, and several may decide. Applications with the guard
in their own process (`roles.within`) stand on the same.

Without the server: counters and trails fail closed, or open on the routes that the operator chose
(`[guard] fail_open_paths`); bans and lists are known here and go on acting.
"""

import asyncio
import threading
from collections.abc import Container, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from troth.adapters import clock, config
from troth.adapters.counters import CountersError, Memory
from troth.adapters.counters.board import Board
from troth.adapters.counters.remote import Remote
from troth.adapters.log import Secret
from troth.catalogue import Settings
from troth.enforce.bans import Bans
from troth.enforce.decide import Decision, Question
from troth.enforce.keeper import Means
from troth.enforce.snapshot import Told
from troth.enforce.trails import Trails as Marked
from troth.kernel.request import Known, Strike, Taken, Wanted
from troth.kernel.trail import ELSEWHERE, Trails
from troth.promises.guard.enforce.limits import ALLOWED
from troth.promises.guard.rules.bans import Sentence
from troth.promises.guard.rules.ranges import Ranges
from troth.roles import guard_bans, guard_lists, state
from troth.roles.guard_keys import Keys
from troth.roles.guard_shared import Sharer
from troth.roles.guards import active
from troth.roles.places import Places

LOOK_AGAIN_S = 60.0


class Standing:
    """Counters, bans, lists and trails of one process.

    Args:
        settings: the whole of troth.toml.
        places: the data directory.
        index: of the guard, whose desk it opens; None within an application, which has no desk.
        told: where events go.
        keys: what is shared is named with them.
        mark: random; see `guard_shared.Sharer`.

    Raises:
        Failure: several guards that do not share, an address or a key that cannot be used.
    """

    def __init__(
        self,
        settings: Settings,
        places: Places,
        index: int | None,
        told: Told,
        keys: Keys,
        mark: str,
    ) -> None:
        active(settings)
        self._told = told
        self._memory = Memory()
        self._turn = threading.Lock()  # around bans, where requests come in several threads
        self._evicted = 0
        self.remote = _remote(settings, told, keys)
        self._trails: Trails = Marked(clock.now()) if self.remote is None else ELSEWHERE
        self.bans = Bans(_sentence(settings), Ranges, told)
        self.desk = None
        self.lists = guard_lists.Lists(
            settings.guard.lists, places.spool, told, clock.now, is_shown=index is not None
        )
        if index is not None:
            self.desk = guard_bans.Desk(places, index, self.bans, told, clock.now)
            self.desk.lists = self.lists.shown
            self.desk.load()
        self.sharer = None
        if self.remote is not None and not index:  # the others of this machine follow its desk
            self.sharer = Sharer(_board(settings), self.bans, told, clock.now, mark)

    def means(self, means: Means) -> Means:
        """The same means, with these."""
        return replace(
            means,
            take=self._memory.take,
            elsewhere=self if self.remote is not None else None,
            known=self.known,
            settle=self.settle,
        )

    def ask(self, question: Question) -> "asyncio.Future[Taken]":
        """Ask counters and trails that are elsewhere."""
        assert self.remote is not None  # noqa: S101 -- nobody asks without
        if isinstance(question, Wanted):
            return self.remote.ask(question.asks, question.looks)
        return self.remote.ask(question)

    def wait(self, _: Question) -> Taken:
        """Never: an event loop that waits serves nobody."""
        raise CountersError("an event loop does not wait")

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
        if not (decision.notes or decision.strikes):
            return
        asks = tuple(strike.ask for strike in decision.strikes)
        if self.remote is None:
            with self._turn:
                if isinstance(self._trails, Marked):
                    self._trails.mark(decision.notes, now)
                if asks:
                    self.bans.struck(decision.strikes, self._memory.take(asks), now)
            return
        self.remote.mark(decision.notes)
        if asks:
            asked = self.remote.ask(asks)
            asked.add_done_callback(lambda done: self._struck(decision.strikes, done))

    async def open(self) -> None:
        """Open the desk. Raises SocketError."""
        if self.desk is not None:
            await self.desk.open()

    async def run(self) -> None:
        """Desk, lists, what is elsewhere; until it is cancelled."""
        async with asyncio.TaskGroup() as group:
            if self.desk is not None:
                group.create_task(self.desk.run())
            group.create_task(self.lists.run())
            group.create_task(self._look())
            if self.remote is not None:
                group.create_task(self.remote.run())
            if self.sharer is not None:
                group.create_task(self.sharer.run())

    def _struck(self, strikes: tuple[Strike, ...], done: "asyncio.Future[Taken]") -> None:
        if not done.cancelled() and done.exception() is None:
            self.bans.struck(strikes, done.result().tallies, clock.now())

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


def _remote(settings: Settings, told: Told, keys: Keys) -> Remote | None:
    if not settings.counters.url:
        return None
    return Remote(_url(settings), told, timeout=_timeout(settings), key=keys.of("trails"))


def _board(settings: Settings) -> Board:
    return Board(_url(settings), timeout=_timeout(settings))


def _url(settings: Settings) -> Secret:
    return Secret(state.secret(settings.counters.url, "[counters] url"))


def _timeout(settings: Settings) -> timedelta:
    return timedelta(milliseconds=settings.counters.timeout_ms)
