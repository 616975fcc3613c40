"""A guard and an application that do as a test tells them."""

import asyncio
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from troth.enforce import wire

WITHIN_S = 30
Answer = tuple[int, dict[str, str], bytes]


@dataclass
class Stand:
    """What stands at the other end of a unix socket: answers by `answer`, remembers all asked."""

    answer: Callable[[str, dict[str, str], bytes], Answer] = lambda _path, _headers, _body: (
        200,
        {},
        b"",
    )
    asked: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)


class _Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    request_queue_size = 128
    stand: Stand

    def handle_error(self, *_: object) -> None:
        """The edge gave up waiting; that is what some tests want."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, *args: object) -> None:
        pass

    def parse_request(self) -> bool:
        is_fine = super().parse_request()
        if is_fine:
            self.__dict__[f"do_{self.command}"] = self._reply
        return is_fine

    def _reply(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.stand.asked.append((self.path, headers, body))
        status, more, content = self.server.stand.answer(self.path, headers, body)
        self.send_response_only(status)
        for name, value in more.items():
            self.send_header(name, value)
        is_chunked = "Transfer-Encoding" in more
        if status not in {101, 204, 304} and not is_chunked:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(
                b"%x\r\n%b\r\n0\r\n\r\n" % (len(content), content) if is_chunked else content
            )


@contextmanager
def standing(path: Path) -> Iterator[Stand]:
    """Listen at `path` until the end of the `with`."""
    path.unlink(missing_ok=True)
    with _Server(str(path), _Handler) as server:
        server.stand = Stand()
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server.stand
        finally:
            server.shutdown()
            thread.join()
            path.unlink(missing_ok=True)


@pytest.fixture
def stand(open_place: Path) -> Callable[[str], object]:
    """`with stand("name") as one:` listens at `<folder>/name.sock`; see `sock`."""
    return lambda name: standing(open_place / f"{name}.sock")


@pytest.fixture
def sock(open_place: Path) -> Callable[[str], Path]:
    """The path of a stand's socket."""
    return lambda name: open_place / f"{name}.sock"


@contextmanager
def opened(*doors: tuple[Path, wire.Answer]) -> Iterator[None]:
    is_open, loop, stop = threading.Event(), asyncio.new_event_loop(), asyncio.Event()

    async def serve() -> None:
        opened = [wire.Door(path, answer, lambda *_: None) for path, answer in doors]
        for door in opened:
            await door.open()
        is_open.set()
        await stop.wait()
        for door in opened:
            await door.close()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    assert is_open.wait(WITHIN_S)
    try:
        yield
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(WITHIN_S)
        loop.close()


@pytest.fixture
def serving() -> Callable[..., object]:
    """`with serving((path, answer), ...):` doors of a guard, in a thread of their own."""
    return opened
