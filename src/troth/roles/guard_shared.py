"""Bans of all machines: what is banned here is written on the board, and what stands there acts.

One guard of a machine does it (the others follow its desk), and each application with the guard in
its own process. Every change is taken in the board's order, ours as well, so all end up with the
same. A ban acts where it was made at once, elsewhere when it is told: milliseconds.

Fails open, to what is known here: while the board is gone bans act on the machine that made them,
and are written when it is back; nothing that was known is forgotten. Who begins takes over the
board's bans in place of the journal's; where the board itself was lost, everybody writes what they
know on the new one.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from datetime import datetime

import msgspec

from troth.adapters.counters import CountersError
from troth.adapters.counters.board import Board
from troth.enforce.bans import MOST, REMEMBERED, Bans, Delta
from troth.enforce.snapshot import Told
from troth.kernel.request import Ban

AGAIN_S = 0.25


class Sharer:
    """Keeps the bans of this process and those on the board the same.

    Args:
        board: where all read and write.
        bans: of this process; changed only from the event loop that runs this.
        told: where events go.
        now: the clock.
        mark: random; names the board where it has no name yet.
    """

    def __init__(
        self, board: Board, bans: Bans, told: Told, now: Callable[[], datetime], mark: str
    ) -> None:
        self._board, self._bans, self._told, self._now, self._mark = board, bans, told, now, mark
        self._known = ""  # the mark of the board that we follow
        self._unsaid: deque[Delta] = deque(maxlen=MOST)
        self._changed = asyncio.Event()
        self._is_taking = False
        self._is_gone = False
        bans.followers.append(self._note)

    async def run(self) -> None:
        """Say and hear until it is cancelled."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._say())
                group.create_task(self._hear())
        finally:
            await self._board.close()

    def _note(self, delta: Delta) -> None:
        if not self._is_taking:
            self._unsaid.append(delta)
            self._changed.set()

    # -- what we say -----------------------------------------------------------------------------

    async def _say(self) -> None:
        while True:
            await self._changed.wait()
            if not self._unsaid:
                self._changed.clear()
                continue
            try:
                await self._write(self._unsaid[0])
            except CountersError as error:
                self._tell_gone(error)
                await asyncio.sleep(AGAIN_S)
                continue
            self._unsaid.popleft()

    async def _write(self, delta: Delta) -> None:
        line = msgspec.json.encode(msgspec.structs.replace(delta, n=0))
        kind = "allow" if delta.do in ("allow", "disallow") else "ban"
        name = f"{kind}:{delta.subject}"
        if delta.until is None:
            await self._board.drop(name, line)
        elif delta.do == "allow":
            await self._board.put(name, line, delta.until, is_last_word=True)
        else:  # it is remembered after its end, for the escalation
            await self._board.put(name, line, delta.until + REMEMBERED, is_last_word=False)

    # -- what we hear ----------------------------------------------------------------------------

    async def _hear(self) -> None:
        while True:
            try:
                after = await self._begin()
                while True:
                    after, lines = await self._board.told(after)
                    self._take(map(_delta, lines))
            except CountersError as error:
                self._tell_gone(error)
            await asyncio.sleep(AGAIN_S)

    async def _begin(self) -> str:
        """Take over the board, or fill a new one; where to go on listening."""
        whole = await self._board.whole(self._mark)
        theirs = [delta for line in whole.lines if (delta := _delta(line)) is not None]
        is_lost = whole.is_new or self._known not in ("", whole.mark)
        if is_lost:
            self._unsaid.extend(delta for delta in self._bans.state() if delta not in self._unsaid)
            self._changed.set()
        else:
            ours = {(delta.do, delta.subject) for delta in self._unsaid}
            self._take(self._unsaid_elsewhere(theirs, ours))
        self._take(theirs)
        self._known = whole.mark
        self._is_gone = False
        self._told("bans.shared", {"count": len(theirs), "new": whole.is_new})
        return whole.after

    def _unsaid_elsewhere(self, theirs: list[Delta], ours: set[tuple[str, str]]) -> list[Delta]:
        """What ends because it stands here and not on the board, unless we did not say it yet."""
        stands = ours | {(delta.do, delta.subject) for delta in theirs}
        ends = {"ban": "lift", "allow": "disallow"}
        return [
            Delta(n=0, do=ends[delta.do], subject=delta.subject)
            for delta in self._bans.state()
            if (delta.do, delta.subject) not in stands
        ]

    def _take(self, deltas: Iterable[Delta | None]) -> None:
        """Put in force what is told; the journal and our followers hear of it as of any change."""
        self._is_taking = True
        try:
            for delta in deltas:
                if delta is not None:
                    self._one(delta)
        finally:
            self._is_taking = False

    def _one(self, delta: Delta) -> None:
        match delta.do:
            case "ban" if delta.since is not None and delta.until is not None:
                if delta.until + REMEMBERED > self._now():
                    self._bans.place(
                        Ban(subject=delta.subject, cause=delta.cause, since=delta.since,
                            until=delta.until, times=delta.times)
                    )  # fmt: skip
            case "lift":
                self._bans.lift(delta.subject)
            case "allow" if delta.until is not None:
                if self._bans.allowed.until.get(delta.subject) != delta.until > self._now():
                    self._bans.allow(delta.subject, delta.until)
            case "disallow":
                self._bans.disallow(delta.subject)

    def _tell_gone(self, error: CountersError) -> None:
        if not self._is_gone:
            self._told("bans.unshared", {"because": error.hint()})
        self._is_gone = True


def _delta(line: bytes) -> Delta | None:
    """A change, or None for a line that is none: another version's, or nonsense."""
    try:
        return msgspec.json.decode(line, type=Delta)
    except msgspec.DecodeError:
        return None
