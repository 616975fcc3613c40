"""Bans at the edge: whom the guard keeps out, Envoy refuses by itself, and the kernel if it may.

Follows the guard's desk and writes a file that Envoy watches: no connection is drained for it. All
of it fails open to the guard, which refuses the same: while no desk answers, what was known stays
in the file until it ends.
"""

import asyncio
import contextlib
import json
import threading
from collections.abc import Awaitable
from datetime import datetime, timedelta

from troth.adapters import clock, files, nftables
from troth.adapters.files import FileError
from troth.adapters.log import Log
from troth.adapters.nftables import Held, NftError
from troth.enforce.bans import Bans as Known
from troth.enforce.bans import Delta
from troth.promises.guard.enforce import edge
from troth.promises.guard.rules.bans import Sentence
from troth.promises.guard.rules.ranges import Ranges
from troth.promises.guard.settings.addresses import Bans as Settings
from troth.roles.edge_plan import BANS
from troth.roles.guard_bans import MAX_LINE_BYTES, deltas, desk
from troth.roles.places import Places

MOST = 10_000  # Envoy takes a third of a second to read so many
AGAIN_S = 0.25
PAUSE_S = 0.01  # changes that come together are written together
REST = timedelta(seconds=30)


class Bans:
    """What the edge knows of bans, and where it is written.

    Args:
        places: the data directory.
        settings: `[guard.bans]`.
        log: where events go.
        ports: of the edge; what one address holds open there is counted, where the kernel may.
    """

    def __init__(
        self, places: Places, settings: Settings, log: Log, ports: tuple[int, ...] = ()
    ) -> None:
        self._places = places
        self._log = log
        self._known = Known(Sentence(settings), Ranges, lambda *_: None)
        self._changed = asyncio.Event()
        self._written: tuple[list[str], Settings] | None = None
        self._filtered: tuple[list[str], Held | None] | None = None  # what the kernel was told
        self._ports = ports
        self._turn = threading.Lock()  # around the packet filter, which a thread sets
        self._is_over = False
        self._problem = ""
        self.settings = settings

    def prepare(self) -> None:
        """Put a file in place, for Envoy to begin with. Raises FileError."""
        if not (self._places.edge / BANS).exists():
            self._write([])

    async def run(self) -> None:
        """Follow and write until it is cancelled; then the kernel forgets what we told it."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._follow())
                group.create_task(self._keep())
        finally:
            self._forget()

    async def _follow(self) -> None:
        """The first guard, or while it is not there who stands by."""
        while True:
            for index in (0, 1):
                try:
                    await self._followed(index)
                except (OSError, ValueError, asyncio.LimitOverrunError):
                    continue
            await asyncio.sleep(AGAIN_S)

    async def _followed(self, index: int) -> None:
        reader, writer = await asyncio.open_unix_connection(
            str(desk(self._places, index)), limit=MAX_LINE_BYTES
        )
        try:
            writer.write(b'{"do":"follow"}\n')
            whole: list[Delta] = []
            is_whole = False
            async for delta in deltas(reader):
                if is_whole:
                    self._known.read([delta], clock.now())
                elif delta.do == "whole":
                    self._known.replace(whole, clock.now())
                    is_whole = True
                else:
                    whole.append(delta)
                    continue
                self._changed.set()
        finally:
            writer.close()

    async def _keep(self) -> None:
        """Write what changed, and what ended."""
        loop = asyncio.get_running_loop()
        while True:
            self._changed.clear()
            now = clock.now()
            live = self._known.live(now) if self.settings.edge or self.settings.nftables else []
            subjects = edge.shown((ban.subject for ban in live), self._known.allowed, MOST)
            ends = {ban.subject: ban.until for ban in live}
            began = loop.time()
            if (subjects, self.settings) != self._written:
                await self._told(asyncio.to_thread(self._put, subjects, ends, now))
            soonest = min((ends[subject] - now for subject in subjects), default=REST)
            await asyncio.sleep(max(PAUSE_S, loop.time() - began))  # half of the time, at most
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(min(soonest, REST).total_seconds(), PAUSE_S)):
                    await self._changed.wait()

    def _put(self, subjects: list[str], ends: dict[str, datetime], now: datetime) -> None:
        settings = self.settings
        if settings.edge:
            self._write(subjects)
        self._written = (subjects, settings)
        held = Held(settings.connections, self._ports) if settings.connections else None
        wanted = (subjects, held if self._ports else None) if settings.nftables else None
        with self._turn:
            if wanted == self._filtered or self._is_over:
                return
            if wanted is None:
                nftables.clear()
            else:
                left = ((subject, ends[subject] - now) for subject in subjects)
                nftables.set_banned(left, wanted[1])
            self._filtered = wanted

    async def _told(self, work: Awaitable[None]) -> None:
        try:
            await work
        except (FileError, NftError) as error:
            if error.hint() != self._problem:
                self._log.event("bans.not-at-edge", why=error.hint())
            self._problem = error.hint()
        else:
            self._problem = ""

    def _forget(self) -> None:
        """Take our table away, after whatever a thread is still putting there."""
        with self._turn:
            self._is_over = True
            if self._filtered is None:
                return
            try:
                nftables.clear()
            except NftError as error:
                self._log.event("bans.not-at-edge", why=error.hint())

    def _write(self, subjects: list[str]) -> None:
        raw = json.dumps(edge.banned(subjects, clock.now().isoformat())).encode()
        files.write_atomic(self._places.edge / BANS, raw, mode=0o640, durable=False)
