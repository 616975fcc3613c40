"""The relay: bytes pass both ways, and may be answered on the way."""

import socket
import socketserver
import threading

import pytest

from troth.adapters import tcp
from troth.adapters.relay import relaying


class _Echo(socketserver.BaseRequestHandler):
    def handle(self):
        while piece := self.request.recv(1024):
            self.request.sendall(piece.upper())


@pytest.fixture
def echo():
    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

    with Server(("127.0.0.1", 0), _Echo) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def said(port, payload, size):
    return tcp.exchange(
        "127.0.0.1", port, payload, limit_bytes=size, is_enough=lambda got: len(got) >= size
    )


def test_bytes_pass(echo):
    with relaying("127.0.0.1", echo) as port:
        assert said(port, b"hello", 5) == b"HELLO"
        assert said(port, b"again", 5) == b"AGAIN"


def test_what_is_interfered_with(echo):
    def interfere(piece):
        return (b"", b"mine") if piece.startswith(b"secret") else (piece, b"")

    with relaying("127.0.0.1", echo, interfere=interfere) as port:
        assert said(port, b"secret", 4) == b"mine"
        assert said(port, b"other", 5) == b"OTHER"


def test_the_port_is_free_afterwards(echo):
    with relaying("127.0.0.1", echo) as port:
        pass
    assert not tcp.can_connect("127.0.0.1", port)


def test_a_port_that_is_taken(echo):
    with pytest.raises(tcp.TcpError, match="cannot listen"):
        relaying("127.0.0.1", echo, listen_on=echo).__enter__()


def test_nobody_behind_it_is_a_close():
    with socket.create_server(("127.0.0.1", 0)) as door:
        free = door.getsockname()[1]
    with relaying("127.0.0.1", free) as port:
        assert said(port, b"", 1) == b""
