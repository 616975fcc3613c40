"""The upload desk as a process, between a guard and an edge that do as a test tells them."""

import os
import resource
import signal
import socket
import socketserver
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPResponse
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from troth.engines.uploads.eicar import TEST
from troth.roles.places import Places

WITHIN_S = 30
MEBIBYTE = 1024 * 1024
CONFIG = """
[troth]
name = "Demo"
host = "troth.demo.localhost"
[application]
host = "demo.localhost"
upstream = "http://127.0.0.1:1"
[status]
host = "status.demo.localhost"
[edge]
upload_paths = ["/up/"]
[guard.uploads]
"""


@dataclass
class Seen:
    """What came to one side, and what it says."""

    came: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)
    status: int = 200


class _Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    seen: Seen


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, *_: object) -> None:
        pass

    def do_POST(self) -> None:
        length = int(self.headers["content-length"])
        body = self.rfile.read(length)
        if len(body) < length:
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.seen.came.append((self.command, self.path, headers, body))
        is_found = "x-troth-found" in headers
        self.send_response_only(403 if is_found else self.server.seen.status)
        self.send_header("content-length", "4")
        self.send_header("troth-refused" if is_found else "x-said", "somebody")
        self.end_headers()
        self.wfile.write(b"said")

    do_PUT = do_POST  # noqa: N815 -- as the standard library spells it


@contextmanager
def standing(path: Path) -> Iterator[Seen]:
    with _Server(str(path), _Handler) as server:
        server.seen = Seen()
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server.seen
        server.shutdown()
        thread.join(WITHIN_S)


class Desk:
    """The process, and the two sides."""

    def __init__(self, folder: Path) -> None:
        self.places = Places(folder / "data")
        self.places.prepare()
        self.config = folder / "troth.toml"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, more: str = "") -> None:
        self.config.write_text(CONFIG + more)
        place = self.places.run / "ready"
        place.unlink(missing_ok=True)
        argv = [sys.executable, "-m", "troth.roles.uploads"]
        argv += ["--config", str(self.config), "--data", str(self.places.data)]
        log = self.places.logs / "uploads.log"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear, log.open("ab") as output:
            ear.bind(str(place))
            ear.settimeout(WITHIN_S)
            env = os.environ | {"NOTIFY_SOCKET": str(place)}
            self.process = subprocess.Popen(argv, env=env, stdout=output, stderr=output)
            assert b"READY=1" in ear.recv(4096), log.read_text()

    def kill(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait(WITHIN_S)

    def connect(self) -> socket.socket:
        line = socket.socket(socket.AF_UNIX)
        line.settimeout(WITHIN_S)
        line.connect(str(self.places.socket("uploads")))
        return line

    def send(self, body: bytes, *more: str, kind: str = "application/pdf") -> tuple[int, dict]:
        lines = ["POST /up/x?y=z HTTP/1.1", "Host: a", f"Content-Type: {kind}", *more]
        with self.connect() as line:
            if not any(each.startswith("Transfer") for each in more):
                lines.append(f"Content-Length: {len(body)}")
            line.sendall("\r\n".join([*lines, "", ""]).encode())
            return self.finish(line, body)

    @staticmethod
    def finish(line: socket.socket, body: bytes) -> tuple[int, dict]:
        def send() -> None:
            try:
                line.sendall(body)
            except OSError:
                return

        thread = threading.Thread(target=send)
        thread.start()
        answer = HTTPResponse(line)
        answer.begin()
        answer.read()
        thread.join(WITHIN_S)
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}

    def memory(self, name: str) -> int:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split(f"{name}:")[1].split()[0]) * 1024


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.kill()


@pytest.fixture
def guard(desk: Desk) -> Iterator[Seen]:
    with standing(desk.places.socket("guard-uploads-0")) as seen:
        yield seen


@pytest.fixture
def app(desk: Desk) -> Iterator[Seen]:
    with standing(desk.places.socket("released")) as seen:
        yield seen


def test_what_is_let_on_is_the_same(desk, guard, app):
    desk.start()
    pdf = b"%PDF-1.4 " * 100_000

    status, headers = desk.send(pdf, "X-Own: 1", "X-Own: 2")

    assert (status, headers["x-said"]) == (200, "somebody")
    (method, target, seen, body), = app.came  # fmt: skip
    assert (method, target, body == pdf) == ("POST", "/up/x?y=z", True)
    assert (seen["host"], seen["content-length"]) == ("a", str(len(pdf)))
    assert guard.came == []  # nothing in it is for rules to read
    chunked = b"%x\r\n%b\r\n0\r\n\r\n" % (len(pdf), pdf)
    assert desk.send(chunked, "Transfer-Encoding: chunked")[0] == 200
    assert app.came[1][3] == pdf


def test_what_is_refused_goes_nowhere(desk, guard, app):
    desk.start()

    assert desk.send(TEST, kind="text/plain")[1]["troth-refused"] == "somebody"
    assert "x-troth-found" in guard.came[0][2]
    guard.status = 418
    assert desk.send(b"a=b", kind="application/x-www-form-urlencoded")[0] == 418
    assert guard.came[1][3] == b"a=b"
    assert app.came == []


@pytest.mark.parametrize(
    ("body", "more", "status"),
    [
        (b"x" * 3000, [], 413),
        (b"bb8\r\n" + b"x" * 3000 + b"\r\n0\r\n\r\n", ["Transfer-Encoding: chunked"], 413),
        (b"5\r\nhello\r\n0\r\nX-Trailer: 1\r\n\r\n", ["Transfer-Encoding: chunked"], 400),
        (b"zz\r\n", ["Transfer-Encoding: chunked"], 400),
        (b"x", [f"X: {'y' * 500_000}"], 431),
        (b"x", [f"X{each}: y" for each in range(200)], 431),
    ],
    ids=["long", "long-in-chunks", "trailer", "no-chunk", "head", "headers"],
)
def test_what_is_not_read_on(desk, guard, app, body, more, status):
    desk.start('[[guard.uploads.routes]]\npath = "/up/"\nmax_bytes = 2048\n')

    assert desk.send(body, *more)[0] == status
    assert app.came == []


def test_without_a_guard_nothing_passes_but_by_the_operators_choice(desk, app):
    desk.start()
    fields = {"body": b"a=b", "kind": "application/x-www-form-urlencoded"}

    status, headers = desk.send(**fields)

    assert (status, headers["retry-after"], app.came) == (503, "30", [])
    desk.kill()
    desk.start('when_gone = "pass"')
    assert desk.send(**fields)[0] == 200
    assert desk.send(TEST, kind="text/plain")[0] == 503  # what was found is refused all the same


def test_without_a_scanner_nothing_passes(desk, guard, app):
    desk.start(f'clamd = "{desk.places.run}/none.sock"')

    assert desk.send(b"%PDF-1.4")[0] == 403  # by the guard's word, who is told why
    assert "x-troth-found" in guard.came[0][2]
    assert app.came == []


def test_without_an_edge_nothing_is_lost_and_nothing_hangs(desk, guard):
    desk.start()

    assert desk.send(b"%PDF-1.4")[0] == 503


def test_killed_in_the_middle_nothing_goes_on_and_nothing_stays(desk, guard, app):
    desk.start()
    with desk.connect() as line:
        line.sendall(b"POST /up/x HTTP/1.1\r\nHost: a\r\nContent-Length: 4194304\r\n\r\n")
        line.sendall(b"%PDF-1.4" * 131_072)
        desk.kill()
    (desk.places.uploads / "upload-left").write_bytes(b"by a kernel without O_TMPFILE")
    desk.start()

    assert app.came == []
    assert list(desk.places.uploads.iterdir()) == []
    assert desk.places.uploads.stat().st_mode & 0o777 == 0o700
    assert desk.send(b"%PDF-1.4")[0] == 200


def test_a_visitor_who_goes_leaves_nothing(desk, guard, app, until):
    desk.start("at_once = 1")
    with desk.connect() as line:
        line.sendall(b"POST /up/x HTTP/1.1\r\nHost: a\r\nContent-Length: 4194304\r\n\r\n%PDF")

    until(lambda: desk.send(b"%PDF-1.4")[0] == 200)  # the only place is free again
    assert len(app.came) == 1


def test_too_many_at_once_are_told_to_come_again(desk, guard, app, until):
    desk.start("at_once = 1")
    with desk.connect() as line:
        line.sendall(b"POST /up/x HTTP/1.1\r\nHost: a\r\nContent-Length: 8\r\n\r\n%PDF")
        until(lambda: desk.send(b"%PDF-1.4")[0] == 503)
        assert desk.finish(line, b"-1.4")[0] == 200


def test_a_full_disk_refuses_and_recovers(desk, guard, app):
    desk.start()
    resource.prlimit(desk.process.pid, resource.RLIMIT_FSIZE, (MEBIBYTE, MEBIBYTE))

    status, headers = desk.send(b"%PDF-1.4" * 400_000)

    assert (status, headers["retry-after"]) == (503, "30")
    assert app.came == []
    assert desk.send(b"%PDF-1.4")[0] == 200


def test_who_stops_sending_is_not_waited_for(desk, guard, app):
    desk.start("idle_s = 1")
    with desk.connect() as line:
        line.sendall(b"POST /up/x HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n%PDF")

        assert desk.finish(line, b"")[0] == 408
    assert app.came == []


def test_fifty_megabytes_take_no_more_memory_than_their_pieces(desk, guard, app):
    desk.start()
    desk.send(b"%PDF-1.4" * 131_072)  # a mebibyte: what is made once is made
    before = desk.memory("VmHWM")

    assert desk.send(b"%PDF-1.4" * (50 * 131_072))[0] == 200

    assert len(app.came[1][3]) == 50 * MEBIBYTE
    assert desk.memory("VmHWM") - before < 25 * MEBIBYTE


def test_another_policy_is_taken_up(desk, guard, app, until):
    desk.start()
    desk.config.write_text(
        CONFIG + '[[guard.uploads.routes]]\npath = "/up/"\nmax_bytes = 2048\n', "utf-8"
    )
    desk.process.send_signal(signal.SIGHUP)

    until(lambda: desk.send(b"%PDF-1.4 " * 300)[0] == 413)
    desk.config.write_text("nonsense = [", "utf-8")
    desk.process.send_signal(signal.SIGHUP)
    until(lambda: "uploads.kept" in (desk.places.logs / "uploads.log").read_text())
    assert desk.send(b"%PDF-1.4 " * 300)[0] == 413
