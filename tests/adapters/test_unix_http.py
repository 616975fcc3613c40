import socketserver
import threading
from datetime import timedelta

import pytest

from troth.adapters import unix_http
from troth.adapters.unix_http import UnixHttpError


@pytest.fixture
def door(tmp_path):
    """Listens at a socket and answers every connection with `door.answer`; None: never."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self):
            self.request.recv(4096)
            if server.answer is None:
                server.release.wait(20)
            else:
                self.request.sendall(server.answer)

    server = socketserver.ThreadingUnixStreamServer(str(tmp_path / "s"), Handler)
    server.daemon_threads, server.answer, server.release = True, b"", threading.Event()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.release.set()
    server.shutdown()
    thread.join()
    server.server_close()


def test_an_answer(door, tmp_path):
    door.answer = b"HTTP/1.1 404 No\r\nContent-Length: 3\r\n\r\nabc"

    answer = unix_http.request(tmp_path / "s", "/x", method="POST")

    assert (answer.status, answer.text) == (404, "abc")


CUT_OFF = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc"


@pytest.mark.parametrize("said", [b"", b"nonsense\r\n\r\n", CUT_OFF])
def test_no_answer_raises(door, tmp_path, said):
    door.answer = said

    with pytest.raises(UnixHttpError, match="does not answer /x"):
        unix_http.request(tmp_path / "s", "/x")


def test_too_slow_raises(door, tmp_path):
    door.answer = None

    with pytest.raises(UnixHttpError, match="timed out"):
        unix_http.request(tmp_path / "s", "/x", timeout=timedelta(seconds=0.05))


def test_too_long_raises(door, tmp_path, monkeypatch):
    monkeypatch.setattr(unix_http, "CAP_BYTES", 10)
    door.answer = b"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n" + b"x" * 11

    with pytest.raises(UnixHttpError, match="longer than 10 bytes"):
        unix_http.request(tmp_path / "s", "/x")


def test_nobody_there(tmp_path):
    with pytest.raises(UnixHttpError) as caught:
        unix_http.request(tmp_path / "nobody", "/x")

    assert caught.value.where == str(tmp_path / "nobody")
