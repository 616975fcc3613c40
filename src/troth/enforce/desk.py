"""The upload desk: named uploads lie here on disk until they were looked at; then they go on.

    edge -> guard (headers) -> desk: receive, look, ask the guard -> edge -> application

Nothing of an upload reaches the application before all of it was looked at. Fails closed: one that
cannot be read is 4xx, one that finds no room, or that nobody could look at or release, is 503. A
desk that is killed has released nothing that it had not looked at, and its files, which have no
names, are gone with it.
"""

import asyncio
import os
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from troth.adapters import sockets
from troth.adapters.scratch import Room, Scratch, ScratchError
from troth.enforce import judged, page, wire
from troth.enforce.incoming import Bounds, Doubt, Incoming
from troth.enforce.release import Unreleased, release
from troth.engines.uploads import Looked
from troth.kernel.request import Headers, Request

GUARD = b"guard"
LINGER_S = 5.0
LOOKING = 2  # at once: more would only share the same processor
GUARD_S = 10.0
MAX_REPLY_BYTES = 256 * 1024
WRITE_AT = 256 * 1024
AGAIN = ((b"retry-after", b"30"),)

Look = Callable[[Request, Scratch], Looked]
Told = Callable[[str, dict[str, object]], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What the desk works by; swapped whole.

    Args:
        look: looks at a body that lies whole. Slow: called in a thread.
        max_bytes: of a body on the route of a path.
        bounds: of a request's head and time.
        passes_unlooked: an upload that the guard could not be asked about goes on.
        prefix: below which Troth answers.
    """

    look: Look
    max_bytes: Callable[[bytes], int]
    bounds: Bounds
    passes_unlooked: bool = False
    prefix: str = "/-/"


class Desk:
    """One listening socket: `open`, then `close` when it is time.

    Args:
        path: of the socket; taken over from whoever listens there.
        guards: sockets of the guards' side doors, asked in order.
        released: socket of the edge on which released uploads go on.
        folder: where bodies lie.
        room: how much may lie there.
        policy: what it works by.
        told: an event's name and fields.
        new_id: a fresh event id for what is refused here; hex digits.
    """

    def __init__(  # noqa: PLR0913 -- each is one of its neighbours
        self,
        path: Path,
        *,
        guards: tuple[Path, ...],
        released: Path,
        folder: Path,
        room: Room,
        policy: Policy,
        told: Told,
        new_id: Callable[[], str],
    ) -> None:
        self.path = path
        self.policy = policy
        self.room = room
        self.counts: Counter[str] = Counter()
        self._guards = guards
        self._released = released
        self._folder = folder
        self._told = told
        self._new_id = new_id
        self._looking = asyncio.Semaphore(LOOKING)
        self._tasks: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Listen. Raises SocketError."""
        self._listener = sockets.listen_unix(self.path)
        self._group = self.path.parent.stat().st_gid
        self._server = await asyncio.start_unix_server(
            self._serve, sock=self._listener.door, limit=WRITE_AT
        )

    async def close(self, grace_s: float = 20.0) -> None:
        """Take nothing more, finish what is under way, end the rest."""
        self._server.close()
        self._listener.unlink()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=grace_s)
        for task in self._tasks:
            task.cancel()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 -- a stream's callback is one
        self._tasks.add(task)
        try:
            if self._is_friend(writer):
                await self._upload(reader, writer)
        finally:
            self._tasks.discard(task)
            writer.close()

    def _is_friend(self, writer: asyncio.StreamWriter) -> bool:
        try:
            peer = sockets.peer_of(writer.get_extra_info("socket"))
        except OSError:
            return False
        return sockets.is_friend(peer, uid=os.geteuid(), group=self._group)

    async def _upload(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        incoming = Incoming(reader, self.policy.bounds)
        scratch: Scratch | None = None
        try:
            await incoming.head()
            scratch = await self._received(incoming)
            refused = await self._judged(incoming, scratch)
            if refused is None:
                self.counts["released"] += 1
                await release(self._released, incoming, scratch, reader, writer)
                return
        except Doubt as doubt:
            if not doubt.status:
                self.counts["gone"] += 1
                return
            refused = self._no(doubt.status, doubt.code, incoming)
        except ScratchError as error:
            self._told("uploads.full", {"because": error.hint(), "bytes": self.room.bytes})
            refused = self._no(503, "no-room", incoming)
        except Unreleased as error:
            self._told("uploads.unreleased", {"because": str(error)})
            refused = self._no(503, "unreleased", incoming)
        finally:
            if scratch is not None:
                scratch.close()
        self.counts["refused"] += 1
        await _say(refused, reader, writer)

    async def _received(self, incoming: Incoming) -> Scratch:
        """The body, whole, on disk."""
        limit = self.policy.max_bytes(incoming.target.partition(b"?")[0])
        if incoming.declared > limit:
            raise Doubt(413, "too-large")
        scratch = Scratch(self._folder, self.room)
        try:
            await _fill(scratch, incoming, limit)
        except BaseException:
            scratch.close()
            raise
        return scratch

    async def _judged(self, incoming: Incoming, scratch: Scratch) -> wire.Reply | None:
        """What is said instead of the application; None lets it go on."""
        headers = tuple((name.lower(), value) for name, value in incoming.headers)
        request = Request(method=incoming.method, target=incoming.target, host=b"", headers=headers)
        async with self._looking:
            try:
                looked = await asyncio.to_thread(self.policy.look, request, scratch)
            except Exception as error:  # noqa: BLE001 -- a machine's loop: a bug refuses
                self._told("uploads.failed", {"bug": repr(error)})
                return self._no(503, "failed", incoming)
        if looked.fault is None and not looked.outline:
            return None
        asked = judged.question(
            incoming.method, incoming.target, headers, looked.outline or b"", looked.fault
        )
        for guard in self._guards:
            with suppress(OSError, TimeoutError, ValueError, asyncio.IncompleteReadError):
                async with asyncio.timeout(GUARD_S):
                    return await judged.ask(guard, asked)
        self._told("uploads.unjudged", {})
        if self.policy.passes_unlooked and looked.fault is None:
            return None
        return self._no(503, "guard-gone", incoming)

    def _no(self, status: int, code: str, incoming: Incoming) -> wire.Reply:
        """The desk's own no, where the guard is not asked for one."""
        event = self._new_id()
        self._told("uploads.refused", {"id": event, "status": status, "code": code})
        headers: Headers = tuple((name.lower(), value) for name, value in incoming.headers)
        said = page.refusal(status, GUARD.decode(), event, headers, prefix=self.policy.prefix)
        more = AGAIN if status == page.UNAVAILABLE else ()
        kept = tuple(pair for pair in said.headers if not more or pair[0] != b"retry-after")
        return wire.Reply(status=said.status, headers=(*kept, *more), body=said.body)


async def _fill(scratch: Scratch, incoming: Incoming, limit: int) -> None:
    """Write the body as it comes. Raises Doubt, ScratchError."""
    held: list[bytes] = []
    size = waiting = 0
    async for piece in incoming.body():
        size += len(piece)
        waiting += len(piece)
        if size > limit:
            raise Doubt(413, "too-large")
        held.append(piece)
        if waiting >= WRITE_AT:
            await asyncio.to_thread(scratch.write, b"".join(held))
            held, waiting = [], 0
    if held:
        await asyncio.to_thread(scratch.write, b"".join(held))


async def _say(
    reply: wire.Reply, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Answer, then read on for a while: who is reset while it sends may not read the answer."""
    with suppress(OSError, TimeoutError):
        writer.write(wire.encoded(reply, is_last=True))
        await writer.drain()
        writer.write_eof()
        async with asyncio.timeout(LINGER_S):
            while await reader.read(WRITE_AT):
                pass
