"""The TCP door: names, bounds, and silence told apart from a refusal."""

import socket
import threading
import time

import pytest

from troth.adapters import tcp
from troth.adapters.tcp import Reach, TcpError


@pytest.fixture
def closed_port():
    with socket.create_server(("127.0.0.1", 0)) as door:
        return int(door.getsockname()[1])


@pytest.mark.parametrize("name", ["localhost", "demo.localhost", "A.B.LOCALHOST", "x.localhost."])
def test_localhost_names_are_loopback(name):
    assert tcp.resolve(name) == ("127.0.0.1",)
    assert tcp.is_loopback(name)


@pytest.mark.parametrize(
    ("name", "address"),
    [("127.66.1.2", "127.66.1.2"), ("[::1]", "::1"), ("192.0.2.1", "192.0.2.1")],
)
def test_literals_are_themselves(name, address):
    assert tcp.resolve(name) == (address,)


def test_a_name_that_only_looks_local():
    assert not tcp.is_local_name("localhost.example")
    assert not tcp.is_local_name("notlocalhost")
    assert not tcp.is_loopback("192.0.2.1")


@pytest.mark.parametrize("name", ["", "a..b", "x" * 300])
def test_what_has_no_address(name):
    with pytest.raises(TcpError, match="cannot be resolved"):
        tcp.resolve(name)


def test_an_exchange_ends_with_the_peer(serve):
    def handle(door):
        assert door.recv(100) == b"ping"
        door.sendall(b"pong")

    assert tcp.exchange("demo.localhost", serve(handle).port, b"ping") == b"pong"


def test_an_exchange_ends_when_enough_came_or_at_the_limit(serve):
    def handle(door):
        door.recv(100)
        door.sendall(b"x" * 1000)
        door.recv(100)

    port = serve(handle).port
    assert tcp.exchange("127.0.0.1", port, b"?", limit_bytes=10) == b"x" * 10
    got = tcp.exchange("127.0.0.1", port, b"?", is_enough=lambda data: len(data) >= 500)
    assert len(got) == 1000


def test_a_peer_that_just_closes_said_nothing(serve):
    assert tcp.exchange("127.0.0.1", serve(lambda door: door.recv(100)).port, b"hello") == b""


def test_silence_is_a_timeout_and_not_an_answer(serve):
    port = serve(lambda door: door.recv(100) and door.recv(100)).port
    began = time.monotonic()

    with pytest.raises(TimeoutError):
        tcp.exchange("127.0.0.1", port, b"hello", timeout_s=0.2)
    assert time.monotonic() - began < 5


def test_a_drain_takes_no_more_than_it_is_told_to(serve):
    def handle(door):
        door.recv(100)
        door.sendall(b"alert and more")
        door.recv(100)

    port = serve(handle).port
    with tcp.connect("127.0.0.1", port, timeout_s=5) as door:
        door.sendall(b"hello")
        first = tcp.drain(door, deadline=time.monotonic() + 5, limit_bytes=1)
        rest = tcp.drain(door, deadline=time.monotonic() + 5, limit_bytes=4)

    assert first + rest == b"alert"


def test_a_refusal_and_an_open_door(serve, closed_port):
    port = serve(lambda door: None).port

    assert tcp.can_connect("127.0.0.1", port)
    assert not tcp.can_connect("127.0.0.1", closed_port)
    assert tcp.reach("127.0.0.1", closed_port) is Reach.REFUSED
    with pytest.raises(TcpError, match="cannot be reached"):
        tcp.connect("127.0.0.1", closed_port, timeout_s=2)


def test_a_sweep_finds_exactly_what_is_open(serve, closed_port):
    ports = {serve(lambda door: None).port for _ in range(3)}
    around = {p for port in ports for p in range(port - 200, port + 200)} | {closed_port}

    found = tcp.sweep("127.0.0.1", around, source="127.66.9.9")

    assert set(found) == around
    assert ports <= {port for port, reach in found.items() if reach is Reach.OPEN}
    assert found[closed_port] is Reach.REFUSED


def test_a_sweep_keeps_to_its_rate(closed_port):
    began = time.monotonic()
    tcp.sweep("127.0.0.1", range(20_000, 20_050), rate_per_s=200)

    assert time.monotonic() - began >= 49 / 200


def test_a_sweep_that_cannot_look_says_so():
    with pytest.raises(TcpError, match="cannot come from"):
        tcp.sweep("127.0.0.1", [1], source="192.0.2.77")


def test_who_listens_here(serve, closed_port):
    port = serve(lambda door: None).port

    mine = [one for one in tcp.listening() if one.port == port]

    assert [one.address for one in mine] == ["127.0.0.1"]
    assert not [one for one in tcp.listening() if one.port == closed_port]


def test_who_listens_on_ipv6():
    try:
        door = socket.create_server(("::1", 0), family=socket.AF_INET6)
    except OSError:
        pytest.skip("no IPv6 loopback here")
    with door:
        port = door.getsockname()[1]
        assert [one.address for one in tcp.listening() if one.port == port] == ["::1"]


def test_a_datagram_and_its_answer():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as door:
        door.bind(("127.0.0.1", 0))
        door.settimeout(5)
        port = door.getsockname()[1]

        def echo():
            said, peer = door.recvfrom(100)
            door.sendto(said + b"!", peer)

        thread = threading.Thread(target=echo)
        thread.start()
        assert tcp.datagram("demo.localhost", port, b"hello", source="127.66.1.2") == b"hello!"
        thread.join()


def test_a_datagram_that_nobody_answers():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as door:
        door.bind(("127.0.0.1", 0))
        silent = door.getsockname()[1]
        assert tcp.datagram("127.0.0.1", silent, b"x", timeout_s=0.05) == b""
    assert tcp.datagram("127.0.0.1", silent, b"x", timeout_s=0.5) == b""  # refused


def test_a_datagram_that_cannot_be_sent():
    with pytest.raises(tcp.TcpError):
        tcp.datagram("127.0.0.1", 9, b"x", source="192.0.2.1")
