"""One HTTP/1.1 request from the edge, its body handed on as it comes: what the desk reads.

Strict and bounded as `wire`: what breaks the parser, has trailers or goes on after its end is
refused. A connection carries one request.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import httptools

from troth.kernel.request import Headers

CHUNK = 256 * 1024


class Doubt(Exception):  # noqa: N818 -- what becomes a refusal is no error
    """A request that is not read on: the status of the answer (0: nobody is there), and why."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(code)
        self.status = status
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What a request may be.

    Args:
        head_bytes: request line and headers; Envoy's own bound is 60 KiB, it adds a few.
        headers: how many.
        receive_s: for the whole of it.
        idle_s: between two of its pieces.
    """

    head_bytes: int = 96 * 1024
    headers: int = 128
    receive_s: float = 600
    idle_s: float = 30


class Incoming:
    """A request under way: `head`, then `body` to its end."""

    def __init__(self, reader: asyncio.StreamReader, bounds: Bounds) -> None:
        self._reader = reader
        self._bounds = bounds
        self._parser = httptools.HttpRequestParser(self)
        self._parts: list[bytes] = []
        self._headers: list[tuple[bytes, bytes]] = []
        self._is_headed = False
        self._is_whole = False
        self._until = asyncio.get_running_loop().time() + bounds.receive_s
        self.target = b""

    @property
    def method(self) -> bytes:
        """As sent."""
        method: bytes = self._parser.get_method()
        return method

    @property
    def headers(self) -> Headers:
        """As sent, in order."""
        return tuple(self._headers)

    @property
    def declared(self) -> int:
        """The length that was declared; 0 for none."""
        found = [value for name, value in self._headers if name.lower() == b"content-length"]
        return int(found[0]) if found and found[0].isdigit() else 0

    async def head(self) -> None:
        """Read until the head is whole. Raises Doubt."""
        size = 0
        while not self._is_headed:
            size += await self._feed()
            if size > self._bounds.head_bytes + CHUNK:
                raise Doubt(431, "head")

    async def body(self) -> AsyncIterator[bytes]:
        """The body's pieces. Raises Doubt."""
        while True:
            parts, self._parts = self._parts, []
            if parts:
                yield b"".join(parts)
            if self._is_whole:
                return
            await self._feed()

    async def _feed(self) -> int:
        loop = asyncio.get_running_loop()
        until = min(loop.time() + self._bounds.idle_s, self._until)
        try:
            async with asyncio.timeout_at(until):
                data = await self._reader.read(CHUNK)
        except TimeoutError as error:
            raise Doubt(408, "too-slow") from error
        except OSError as error:
            raise Doubt(0, "gone") from error
        if not data:
            raise Doubt(0, "gone")
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            cause = error.__context__
            raise cause if isinstance(cause, Doubt) else Doubt(400, "malformed") from error
        return len(data)

    # -- httptools -----------------------------------------------------------------------------

    def on_url(self, part: bytes) -> None:
        """The target; a long one comes in pieces."""
        self.target += part
        if len(self.target) > self._bounds.head_bytes:
            raise Doubt(414, "head")

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header line; a trailer would be one that nobody was asked about."""
        if self._is_headed:
            raise Doubt(400, "malformed")
        if len(self._headers) >= self._bounds.headers:
            raise Doubt(431, "head")
        self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        """The head is whole."""
        self._is_headed = True

    def on_body(self, part: bytes) -> None:
        """A piece of the body."""
        if self._is_whole:
            raise Doubt(400, "malformed")
        self._parts.append(part)

    def on_message_begin(self) -> None:
        """A second request on the connection is none of ours."""
        if self._is_whole:
            raise Doubt(400, "malformed")

    def on_message_complete(self) -> None:
        """The body is whole."""
        self._is_whole = True
