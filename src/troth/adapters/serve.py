"""The only door by which a role of ours serves HTTP itself: bounded, strict, files and memory only.

HTTP/1.1 by llhttp, over a unix socket or our own TLS. Only GET and HEAD have an answer, so a body
is refused. Everything is bounded: head, headers, time for a head, time idle, time that a slow
reader may take, requests on one connection, connections. Fails closed: what cannot be read is
answered with 4xx and the connection ends; a bug in the answer is 500 and told.
"""

import asyncio
import os
import socket
import ssl
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import cast

import httptools

from troth.adapters import sockets, tls
from troth.kernel.errors import Failure

SWEEP_S = 0.5


class ServeError(Failure):
    """A door that cannot be opened."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one door puts up with.

    Args:
        head_bytes: request line and headers.
        headers: how many.
        head_s: from a request's first byte (or the connection) to the end of its head.
        idle_s: between requests.
        write_s: for an answer to be taken.
        requests: on one connection.
        connections: at the same time.
        per_peer: of those, from one address; a unix socket has no addresses.
    """

    head_bytes: int = 16 * 1024
    headers: int = 64
    head_s: float = 10
    idle_s: float = 60
    write_s: float = 30
    requests: int = 1000
    connections: int = 512
    per_peer: int = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A whole request. Header names are in lower case; of repeated ones the first counts."""

    method: str
    target: str
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What is answered. Names and values are ours: they hold no line breaks."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


Answering = Callable[[Request], Answer]
Refusing = Callable[[int], Answer]  # the answer to what could not be read, by its status
Told = Callable[[str, dict[str, object]], None]


class Door:
    """One listener: `open_unix` or `open_tls`, then `close`.

    Args:
        answer: gives the answer to each whole request, at once.
        refuse: gives the answer to what could not be read, with our headers.
        told: an event's name and fields.
    """

    def __init__(
        self, answer: Answering, refuse: Refusing, told: Told, *, limits: Limits | None = None
    ) -> None:
        self.answer = answer
        self.refuse = refuse
        self.told = told
        self.limits = limits or Limits()
        self.lines: set[_Line] = set()
        self.peers: Counter[str] = Counter()
        self.gone = asyncio.Event()  # set when the last connection ended
        self._listener: sockets.Listener | None = None
        self._server: asyncio.Server | None = None
        self._sweep: asyncio.TimerHandle | None = None
        self._group = -1
        self._context: ssl.SSLContext | None = None
        self._pem = (Path(), Path())
        self._mark = (0, 0)

    async def open_unix(self, path: Path) -> None:
        """Listen at a unix socket for friends (`sockets.is_friend`). Raises SocketError."""
        self._listener = sockets.listen_unix(path)
        self._group = path.parent.stat().st_gid
        loop = asyncio.get_running_loop()
        self._server = await loop.create_unix_server(
            lambda: _Line(self, loop), sock=self._listener.door
        )
        self._look_for_slow(loop)

    async def open_tls(
        self, address: str, port: int, certificate: Path, key: Path, *, is_shared: bool = False
    ) -> int:
        """Listen for everybody, by TLS; the port. Raises ServeError or TlsError.

        `is_shared`: beside another of the same user that listens there in the same way, so that
        one life of a role takes over from the one before.
        """
        loop = asyncio.get_running_loop()
        self._pem = (certificate, key)
        self._mark = _mark(certificate)
        self._context = context = tls.server_context(str(certificate), str(key))
        try:
            self._server = await loop.create_server(
                lambda: _Line(self, loop),
                address,
                port,
                ssl=context,
                ssl_handshake_timeout=self.limits.head_s,
                ssl_shutdown_timeout=1,
                reuse_address=True,
                reuse_port=is_shared,
            )
        except OSError as error:
            raise ServeError(
                f"cannot listen: {error.strerror or error}",
                where=f"{address}:{port}",
                mend="stop what holds the port, or choose another",
            ) from error
        self._look_for_slow(loop)
        return int(self._server.sockets[0].getsockname()[1])

    def renew(self) -> bool:
        """Take up a new certificate if its file changed; whether it did.

        Raises TlsError for one that cannot be used; the old one then stays.
        """
        if self._context is None or _mark(self._pem[0]) == self._mark:
            return False
        self._mark = _mark(self._pem[0])
        certificate, key = map(str, self._pem)
        tls.server_context(certificate, key)  # a trial, because a context takes half a pair too
        self._context.load_cert_chain(certificate, key)
        return True

    async def close(self, grace_s: float = 0.5) -> None:
        """Accept nothing more, let what is written go out, and end every connection."""
        if self._sweep is not None:
            self._sweep.cancel()
        if self._server is not None:
            self._server.close()
        if self._listener is not None:
            self._listener.unlink()
        for line in tuple(self.lines):
            line.end()
        self.gone.clear()
        if self.lines:
            with suppress(TimeoutError):
                async with asyncio.timeout(grace_s):
                    await self.gone.wait()
        for line in tuple(self.lines):
            line.abort()
        await asyncio.sleep(0)

    def admits(self, transport: asyncio.Transport) -> bool:
        """Whether there is room for a new connection, and on a unix socket whether it may come."""
        peer = transport.get_extra_info("socket")
        if self._listener is not None:
            try:
                friend = sockets.is_friend(
                    sockets.peer_of(peer), uid=os.geteuid(), group=self._group
                )
            except OSError:
                friend = False
            if not friend:
                self.told("door.stranger", {})
                return False
        if len(self.lines) >= self.limits.connections:
            self.told("door.full", {"connections": len(self.lines)})
            return False
        return self.peers[_address(transport)] < self.limits.per_peer or not _address(transport)

    def _look_for_slow(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        for line in tuple(self.lines):
            if line.deadline < now:
                line.abort()
        self._sweep = loop.call_later(SWEEP_S, self._look_for_slow, loop)


def _address(transport: asyncio.Transport) -> str:
    """The peer's address, an IPv6 one by its /64; empty for a unix socket."""
    peer = transport.get_extra_info("peername")
    if not isinstance(peer, tuple) or not peer:
        return ""
    host = str(peer[0])
    if ":" not in host:
        return host
    return socket.inet_pton(socket.AF_INET6, host.partition("%")[0])[:8].hex()


def _mark(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except OSError:
        return (0, 0)
    return found.st_ino, found.st_mtime_ns


class _Doubt(Exception):  # noqa: N818 -- never leaves this file
    """A request that is not read on; carries the status of the answer."""


class _Line(asyncio.Protocol):
    """One connection."""

    def __init__(self, door: Door, loop: asyncio.AbstractEventLoop) -> None:
        self._door = door
        self._loop = loop
        self._transport: asyncio.Transport | None = None
        self._peer = ""
        self._answered = 0
        self._parser = httptools.HttpRequestParser(self)
        self._unheard = 0  # bytes fed since the last head was whole
        self._fresh()
        self.deadline = loop.time() + door.limits.head_s

    def _fresh(self) -> None:
        self._target = b""
        self._headers: list[tuple[bytes, bytes]] = []

    # -- asyncio -------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A peer connected; where there is no room it is gone at once."""
        self._transport = cast("asyncio.Transport", transport)
        if not self._door.admits(self._transport):
            self._transport.abort()
            return
        self._peer = _address(self._transport)
        self._door.lines.add(self)
        self._door.peers[self._peer] += 1

    def connection_lost(self, _: Exception | None) -> None:
        """The peer is gone."""
        if self in self._door.lines:
            self._door.lines.discard(self)
            self._door.peers[self._peer] -= 1
            if not self._door.peers[self._peer]:
                del self._door.peers[self._peer]
            if not self._door.lines:
                self._door.gone.set()
        self._transport = None

    def pause_writing(self) -> None:
        """The peer takes no answers: read nothing more, and not for ever."""
        if self._transport is not None:
            self._transport.pause_reading()
            self.deadline = self._loop.time() + self._door.limits.write_s

    def resume_writing(self) -> None:
        """It takes them again."""
        if self._transport is not None:
            self._transport.resume_reading()
            self.deadline = self._loop.time() + self._door.limits.idle_s

    def data_received(self, data: bytes) -> None:
        """Feed the parser; whatever it cannot swallow ends the connection."""
        if self._transport is None or self._transport.is_closing():
            return
        self._unheard += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._refuse(400)
        except httptools.HttpParserError as error:
            cause = error.__context__
            self._refuse(cause.args[0] if isinstance(cause, _Doubt) else 400)
        else:
            if self._unheard > self._door.limits.head_bytes:
                self._refuse(431)

    # -- httptools -----------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        self._fresh()
        self.deadline = self._loop.time() + self._door.limits.head_s

    def on_url(self, part: bytes) -> None:
        """The target; a long one comes in pieces."""
        self._target += part
        if len(self._target) > self._door.limits.head_bytes:
            raise _Doubt(414)

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header line."""
        if len(self._headers) >= self._door.limits.headers:
            raise _Doubt(431)
        self._headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """The head is whole. A body, or an upgrade, is nothing that we take."""
        names = dict(self._headers)
        if b"transfer-encoding" in names or names.get(b"content-length", b"0").strip() != b"0":
            raise _Doubt(413)
        if self._parser.should_upgrade() or self._parser.get_http_version() != "1.1":
            raise _Doubt(400 if self._parser.should_upgrade() else 505)
        if sum(name == b"host" for name, _ in self._headers) != 1:
            raise _Doubt(400)  # Source: RFC 9112, 3.2
        self._unheard = 0

    def on_message_complete(self) -> None:
        """A whole request: answer it."""
        if self._transport is None or self._transport.is_closing():
            return
        method = self._parser.get_method().decode("ascii", "replace")
        headers: dict[str, str] = {}
        for name, value in self._headers:
            headers.setdefault(name.decode("latin-1"), value.decode("latin-1"))
        self._answered += 1
        is_last = (
            not self._parser.should_keep_alive() or self._answered >= self._door.limits.requests
        )
        self.deadline = self._loop.time() + self._door.limits.idle_s
        try:
            answer = self._door.answer(
                Request(method=method, target=self._target.decode("latin-1"), headers=headers)
            )
        except Exception as error:  # noqa: BLE001 -- a machine's loop: a bug is 500, never a hang
            self._door.told("door.failed", {"bug": repr(error)})
            answer, is_last = self._door.refuse(500), True
        self._send(answer, is_head=method == "HEAD", is_last=is_last)

    # -- ends ----------------------------------------------------------------------------------

    def _send(self, answer: Answer, *, is_head: bool, is_last: bool) -> None:
        if self._transport is not None:
            self._transport.write(encoded(answer, is_head=is_head, is_last=is_last))
            if is_last:
                self._transport.close()
                self.deadline = self._loop.time() + self._door.limits.write_s

    def _refuse(self, status: int) -> None:
        self._send(self._door.refuse(status), is_head=False, is_last=True)

    def end(self) -> None:
        """Close after what is written."""
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Close at once."""
        if self._transport is not None:
            self._transport.abort()


def encoded(answer: Answer, *, is_head: bool = False, is_last: bool = False) -> bytes:
    """The answer as bytes; `is_last` announces that the connection ends after it."""
    lines = [
        f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}",
        *(f"{name}: {value}" for name, value in answer.headers),
    ]
    if answer.status != HTTPStatus.NOT_MODIFIED:
        lines.append(f"content-length: {len(answer.body)}")
    if is_last:
        lines.append("connection: close")
    has_body = not is_head and answer.status != HTTPStatus.NOT_MODIFIED
    head = "\r\n".join((*lines, "", "")).encode("latin-1")
    return head + answer.body if has_body else head
