"""What the desk does with an upload that was let through: to the application, and the answer back.

The way leads through a listener of the edge on a unix socket, so that TLS to the application, its
health, retries and what is done to its answers stay in one place. The request goes as it came, with
the length of the body that lies whole in place of chunks (RFC 9112, 6: framing is each hop's own).
"""

import asyncio
from contextlib import suppress
from pathlib import Path

from troth.enforce.incoming import Incoming
from troth.engines.uploads import Content

PIECE = 256 * 1024
OF_THE_WIRE = (b"content-length", b"transfer-encoding", b"connection", b"expect", b"keep-alive")


class Unreleased(Exception):  # noqa: N818 -- becomes a refusal
    """Nobody took it."""


async def release(
    place: Path,
    incoming: Incoming,
    content: Content,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
) -> int:
    """Send it on and its answer back as it comes; how many bytes the answer had.

    Ends when the answer ends, or when the visitor is gone. Raises Unreleased when nobody listens.
    """
    try:
        back, out = await asyncio.open_unix_connection(str(place), limit=PIECE)
    except OSError as error:
        raise Unreleased(str(error)) from error
    async with asyncio.TaskGroup() as group:
        sending = group.create_task(_send(out, _head(incoming, content), content))
        answering = group.create_task(_answer(back, writer))
        gone = group.create_task(_gone(reader))
        await asyncio.wait((answering, gone), return_when=asyncio.FIRST_COMPLETED)
        for task in (sending, answering, gone):
            task.cancel()
        out.close()
    return answering.result() if answering.done() and not answering.cancelled() else 0


def _head(incoming: Incoming, content: Content) -> bytes:
    lines = [
        b"%b %b HTTP/1.1" % (incoming.method, incoming.target),
        *(b"%b: %b" % pair for pair in incoming.headers if pair[0].lower() not in OF_THE_WIRE),
        b"content-length: %d" % content.size,
        b"connection: close",
    ]
    return b"\r\n".join((*lines, b"", b""))


async def _send(out: asyncio.StreamWriter, head: bytes, content: Content) -> None:
    """Whoever listens no longer has answered already, or will not."""
    with suppress(OSError):
        out.write(head)
        at = 0
        while at < content.size:
            piece = await asyncio.to_thread(content.read, at, PIECE)
            if not piece:
                return
            out.write(piece)
            await out.drain()
            at += len(piece)
        await out.drain()


async def _answer(back: asyncio.StreamReader, writer: asyncio.StreamWriter) -> int:
    size = 0
    with suppress(OSError):
        while piece := await back.read(PIECE):
            writer.write(piece)
            await writer.drain()
            size += len(piece)
    return size


async def _gone(reader: asyncio.StreamReader) -> None:
    """Until the visitor is gone; a request goes on no further than its end."""
    with suppress(OSError):
        await reader.read(1)
