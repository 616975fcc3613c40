"""HTTP/1.1 on a unix socket, read strictly: what breaks a parser is refused, never passed unread.

Everything is bounded: head, headers, body, the time a message may take, connections. An idle
connection is never closed from this side (the edge would lose the request that it is just sending
on it); one that stops within a message is. Fails closed: anything doubtful is answered with 4xx and
the connection ends.
"""

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path
from typing import cast

import httptools

from troth.adapters import sockets
from troth.kernel.request import Headers

SWEEP_S = 0.5
NO_CONTENT = 204  # has no Content-Length (RFC 9110, 8.6)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one listener puts up with.

    Args:
        head_bytes: request line and headers. Envoy's own bound is 60 KiB; it adds a few.
        headers: how many. Envoy's own bound is 100; it adds a few.
        body_bytes: of a body that was handed over.
        held_bytes: of all bodies that are under way, together.
        message: from a message's first byte to its last, and for an answer to be taken.
        connections: at the same time.
    """

    head_bytes: int = 96 * 1024
    headers: int = 128
    body_bytes: int = 1024 * 1024
    held_bytes: int = 256 * 1024 * 1024
    message: timedelta = timedelta(seconds=5)
    connections: int = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A whole request. Header names are in lower case; order and duplicates are kept."""

    method: bytes
    target: bytes
    headers: Headers
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What is answered. Names and values are ours: they hold no line breaks."""

    status: int
    headers: Headers = ()
    body: bytes = b""


OK = Reply(status=200)
_FIRST = {each.value: f"HTTP/1.1 {each.value} {each.phrase}".encode() for each in HTTPStatus}
_OK = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"

# Must not raise. A future is for what must be waited for; on that connection nothing else is
# answered meanwhile (an edge sends one request at a time).
Answer = Callable[[Message], "Reply | asyncio.Future[Reply]"]
Told = Callable[[str, dict[str, object]], None]


def encoded(reply: Reply, *, is_head: bool = False, is_last: bool = False) -> bytes:
    """The reply as bytes; `is_last` announces that the connection ends after it."""
    if reply is OK and not is_last:
        return _OK
    lines = [
        _FIRST.get(reply.status) or b"HTTP/1.1 %d " % reply.status,  # a rule may name its own
        *[b"%b: %b" % header for header in reply.headers],
    ]
    if reply.status != NO_CONTENT:
        lines.append(b"content-length: %d" % len(reply.body))
    if is_last:
        lines.append(b"connection: close")
    return b"\r\n".join((*lines, b"", b"" if is_head else reply.body))


class Door:
    """One listening socket: `open`, then `close` when it is time.

    Args:
        path: of the socket; taken over from whoever listens there.
        answer: gives the reply to each whole message, at once.
        told: an event's name and fields, for what was refused here.
    """

    def __init__(
        self, path: Path, answer: Answer, told: Told, *, limits: Limits | None = None
    ) -> None:
        self.path = path
        self.answer = answer
        self.told = told
        self.limits = limits or Limits()
        self.lines: set[_Line] = set()
        self.held_bytes = 0
        self.is_closing = False
        self._listener: sockets.Listener | None = None
        self._server: asyncio.Server | None = None
        self._sweep: asyncio.TimerHandle | None = None

    async def open(self) -> None:
        """Listen. Raises SocketError."""
        self._listener = sockets.listen_unix(self.path)
        self._group = self.path.parent.stat().st_gid
        loop = asyncio.get_running_loop()
        self._server = await loop.create_unix_server(
            lambda: _Line(self, loop), sock=self._listener.door
        )
        self._sweep = loop.call_later(SWEEP_S, self._look_for_slow, loop)

    async def close(self, grace: timedelta = timedelta(seconds=2)) -> None:
        """Accept nothing more, finish what is under way, end every connection.

        Connections that are idle get half a second in which a request that is on its way is still
        answered (and the answer says that the connection ends).
        """
        self.is_closing = True
        if self._server is None or self._listener is None or self._sweep is None:
            return
        self._sweep.cancel()
        self._server.close()
        self._listener.unlink()
        loop = asyncio.get_running_loop()
        end = loop.time() + grace.total_seconds()
        linger = loop.time() + min(0.5, grace.total_seconds())
        while self.lines and loop.time() < end:
            if loop.time() >= linger:
                for line in tuple(self.lines):
                    line.end_if_idle()
            await asyncio.sleep(0.02)
        for line in tuple(self.lines):
            line.abort()

    def admits(self, transport: asyncio.Transport) -> bool:
        """Whether a new connection is a friend's and there is room for it."""
        try:
            peer = sockets.peer_of(transport.get_extra_info("socket"))
        except OSError as error:
            self.told("door.unknown", {"because": str(error)})
            return False
        if not sockets.is_friend(peer, uid=os.geteuid(), group=self._group):
            self.told("door.stranger", {"uid": peer.uid, "pid": peer.pid})
            return False
        if len(self.lines) >= self.limits.connections:
            self.told("door.full", {"connections": len(self.lines)})
            return False
        return True

    def _look_for_slow(self, loop: asyncio.AbstractEventLoop) -> None:
        before = loop.time() - self.limits.message.total_seconds()
        for line in tuple(self.lines):
            if line.since is not None and line.since < before:
                self.told("door.slow", {})
                line.abort()
        self._sweep = loop.call_later(SWEEP_S, self._look_for_slow, loop)


class _Doubt(Exception):  # noqa: N818 -- never leaves this file
    """A message that is not read on; carries the status of the answer."""


class _Line(asyncio.Protocol):
    """One connection."""

    def __init__(self, door: Door, loop: asyncio.AbstractEventLoop) -> None:
        self._door = door
        self._loop = loop
        self._transport: asyncio.Transport
        self._begun: float | None = None  # when the message under way began
        self._stuck: float | None = None  # since when the peer takes no answers
        self._is_waiting = False  # a message is whole, its answer is not there yet
        self._parser = httptools.HttpRequestParser(self)
        self._body_bytes = 0
        self._fed_bytes = 0  # what the parser is being fed
        self._fresh()

    @property
    def since(self) -> float | None:
        """Since when we wait for the peer to go on; None when the connection is idle."""
        return self._stuck if self._begun is None else self._begun

    def _fresh(self) -> None:
        self._door.held_bytes -= self._body_bytes
        self._target = b""
        self._headers: list[tuple[bytes, bytes]] = []
        self._body: list[bytes] = []
        self._head_bytes = 0
        self._past_bytes = 0  # fed before, with the message's beginning in it
        self._body_bytes = 0
        self._in_head = True

    # -- asyncio -------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A peer connected; strangers are gone before they said a word."""
        self._transport = cast("asyncio.Transport", transport)
        if self._door.is_closing or not self._door.admits(self._transport):
            self._transport.abort()
            return
        self._door.lines.add(self)

    def connection_lost(self, _: Exception | None) -> None:
        """The peer is gone."""
        self._door.lines.discard(self)
        self._fresh()

    def pause_writing(self) -> None:
        """The peer takes no answers: read nothing more. The sweep ends it if it stays so."""
        self._transport.pause_reading()
        self._stuck = self._loop.time()

    def resume_writing(self) -> None:
        """It takes them again."""
        self._transport.resume_reading()
        self._stuck = None

    def data_received(self, data: bytes) -> None:
        """Feed the parser; whatever it cannot swallow ends the connection."""
        while data and not self._transport.is_closing():
            goes_on, rest = self._begun is not None and self._in_head, b""
            self._fed_bytes = len(data)
            try:
                self._parser.feed_data(data)
            except httptools.HttpParserUpgrade as upgrade:
                rest = data[upgrade.args[0] :]  # a handshake is a message like any other here
                self._parser = httptools.HttpRequestParser(self)
            except httptools.HttpParserError as error:
                if self._transport.is_closing():
                    return  # something was sent after the last word
                cause = error.__context__
                self._refuse(cause.args[0] if isinstance(cause, _Doubt) else 400)
                return
            if self._begun is not None:
                self._past_bytes += len(data)
            if goes_on and self._in_head:
                self._head_bytes += len(data)
                if self._head_bytes > self._door.limits.head_bytes:
                    self._refuse(431)
                    return
            data = rest

    # -- httptools -----------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        """The first byte of a message."""
        self._begun = self._loop.time()

    def on_url(self, part: bytes) -> None:
        """The target; a long one comes in pieces."""
        self._target += part
        if len(self._target) > self._door.limits.head_bytes:
            raise _Doubt(414)

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header line. A trailer would be one that nobody was asked about: refused."""
        if not self._in_head:
            raise _Doubt(400)
        if len(self._headers) >= self._door.limits.headers:
            raise _Doubt(431)
        self._headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """The head is whole; a handshake with a body would be read as two messages."""
        self._in_head = False
        most = self._door.limits.head_bytes
        # What was fed holds the head; most messages are shorter than any head may be.
        if self._past_bytes + self._fed_bytes > most and (
            sum(len(name) + len(value) for name, value in self._headers) + len(self._target) > most
        ):
            raise _Doubt(431)
        if self._parser.should_upgrade() and any(
            name == b"transfer-encoding" or (name == b"content-length" and value.strip() != b"0")
            for name, value in self._headers
        ):
            raise _Doubt(400)

    def on_body(self, part: bytes) -> None:
        """A piece of the body."""
        self._body_bytes += len(part)
        self._door.held_bytes += len(part)
        if self._door.held_bytes > self._door.limits.held_bytes:
            raise _Doubt(503)
        if self._body_bytes > self._door.limits.body_bytes:
            raise _Doubt(413)
        self._body.append(part)

    def on_message_complete(self) -> None:
        """A whole message: answer it."""
        method = self._parser.get_method()
        message = Message(
            method=method,
            target=self._target,
            headers=tuple(self._headers),
            body=self._body[0] if len(self._body) == 1 else b"".join(self._body),
        )
        is_last = self._door.is_closing or not self._parser.should_keep_alive()
        self._fresh()
        self._begun = None
        if self._is_waiting:
            self._refuse(400)
            return
        reply = self._door.answer(message)
        if reply is OK and not is_last and not self._transport.is_closing():
            self._transport.write(_OK)
            return
        if isinstance(reply, Reply):
            self._reply(reply, is_head=method == b"HEAD", is_last=is_last)
            return
        self._is_waiting = True
        reply.add_done_callback(
            lambda done: self._waited(done, is_head=method == b"HEAD", is_last=is_last)
        )

    # -- ends ----------------------------------------------------------------------------------

    def _waited(self, done: asyncio.Future[Reply], *, is_head: bool, is_last: bool) -> None:
        self._is_waiting = False
        if done.cancelled() or done.exception() is not None:
            self._refuse(503)
        else:
            is_last = is_last or self._door.is_closing
            self._reply(done.result(), is_head=is_head, is_last=is_last)

    def _reply(self, reply: Reply, *, is_head: bool, is_last: bool) -> None:
        self._send(encoded(reply, is_head=is_head, is_last=is_last), is_last=is_last)

    def _send(self, raw: bytes, *, is_last: bool) -> None:
        if self._transport.is_closing():
            return  # something was sent after the last word
        self._transport.write(raw)
        if is_last:
            self._transport.close()

    def _refuse(self, status: int) -> None:
        self._door.told("door.refused", {"status": status})
        self._send(encoded(Reply(status=status), is_last=True), is_last=True)

    def end_if_idle(self) -> None:
        """Close when no message is under way."""
        if self.since is None and not self._is_waiting:
            self._transport.close()

    def abort(self) -> None:
        """Close at once, whatever is under way."""
        self._transport.abort()
