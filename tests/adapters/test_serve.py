"""The door by which we serve: bounded and strict, on a unix socket and by TLS."""

import asyncio
import socket
import ssl
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest

from troth.adapters import chance
from troth.adapters.serve import Answer, Door, Limits, ServeError
from troth.adapters.tls import TlsError
from troth.engines.certificates import authority

HOST = "status.demo.localhost"
LIMITS = Limits(
    head_bytes=2048, headers=10, head_s=0.6, idle_s=1.2, write_s=0.6, requests=3, connections=4,
    per_peer=3,
)  # fmt: skip


def answer(request):
    if request.target == "/bug":
        raise RuntimeError("a bug")
    if request.target == "/large":
        return Answer(status=200, body=b"x" * 30_000_000)
    if request.target == "/same":
        return Answer(status=304, headers=(("etag", '"x"'),))
    return Answer(status=200, headers=(("x-own", "1"),), body=f"{request.target}\n".encode())


def refuse(status):
    return Answer(status=status, headers=(("x-own", "1"),), body=b"refused")


class Served:
    def __init__(self) -> None:
        self.told = []
        self.door = Door(answer, refuse, lambda name, _: self.told.append(name), limits=LIMITS)
        self.loop = asyncio.new_event_loop()

    def call(self, work):
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(10)


@contextmanager
def running(opening):
    served = Served()
    thread = threading.Thread(target=served.loop.run_forever)
    thread.start()
    try:
        yield served, served.call(opening(served.door))
    finally:
        served.call(served.door.close())
        served.loop.call_soon_threadsafe(served.loop.stop)
        thread.join()
        served.loop.close()


@pytest.fixture
def unix(tmp_path):
    path = tmp_path / "status.sock"
    with running(lambda door: door.open_unix(path)) as (served, _):
        served.path = path
        yield served


def connected(served):
    line = socket.socket(socket.AF_UNIX)
    line.settimeout(8)
    line.connect(str(served.path))
    return line


def said(line):
    got = b""
    try:
        while piece := line.recv(65536):
            got += piece
    except ConnectionResetError:
        pass
    return got


def talk(served, raw):
    with connected(served) as line:
        line.sendall(raw)
        return said(line)


def get(target="/", method="GET", *more):
    lines = [f"{method} {target} HTTP/1.1", "Host: x", "Connection: close", *more]
    return "\r\n".join((*lines, "", "")).encode()


def test_a_request_is_answered(unix):
    head, _, body = talk(unix, get("/a?b")).partition(b"\r\n\r\n")

    assert head.startswith(b"HTTP/1.1 200 OK\r\nx-own: 1\r\n")
    assert b"content-length: 5" in head
    assert body == b"/a?b\n"


def test_head_and_304_have_no_body(unix):
    head = talk(unix, get("/a", "HEAD"))
    same = talk(unix, get("/same"))

    assert b"content-length: 3" in head
    assert head.endswith(b"\r\n\r\n")
    assert same.startswith(b"HTTP/1.1 304")
    assert b"content-length" not in same


def test_requests_in_a_row_are_answered_in_order_up_to_the_bound(unix):
    one = b"GET /%d HTTP/1.1\r\nHost: x\r\n\r\n"

    got = talk(unix, b"".join(one % n for n in range(5)))

    assert [n for n in range(5) if b"/%d\n" % n in got] == [0, 1, 2]


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
        (b"GET / HTTP/1.0\r\nHost: a\r\n\r\n", 505),
        (b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello", 413),
        (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 413),
        (b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n", 400),
        (b"GET /" + b"a" * 4000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414),
        (b"GET / HTTP/1.1\r\nHost: a\r\n" + b"x: y\r\n" * 20 + b"\r\n", 431),
        (b"GET / HTTP/1.1\r\nHost: a\r\nx: " + b"y" * 4000, 431),
        (b"GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n", 400),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    ],
)
def test_what_cannot_be_read_is_refused_and_the_line_ends(unix, raw, status):
    got = talk(unix, raw)

    assert got.startswith(b"HTTP/1.1 "), got
    assert int(got[9:12]) in {status, 400}
    assert b"x-own: 1" in got
    assert b"connection: close" in got
    assert got.count(b"HTTP/1.1") == 1


def test_a_bug_is_a_500_that_is_told(unix):
    assert talk(unix, get("/bug")).startswith(b"HTTP/1.1 500")
    assert unix.told == ["door.failed"]


@pytest.mark.parametrize("beginning", [b"", b"GET / HTTP/1.1\r\nHost:"])
def test_a_slow_head_is_ended(unix, beginning):
    with connected(unix) as line:
        line.sendall(beginning)
        assert said(line) == b""


def wait_until(holds, within_s=8):
    end = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_reader_that_takes_nothing_is_ended(unix):
    with connected(unix) as line:
        line.sendall(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n")
        wait_until(lambda: unix.door.lines)
        wait_until(lambda: not unix.door.lines)


def test_no_more_connections_than_bounded(unix):
    lines = [connected(unix) for _ in range(LIMITS.connections)]
    for line in lines:
        line.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert line.recv(100).startswith(b"HTTP/1.1 200")

    with connected(unix) as extra:
        assert said(extra) == b""

    assert "door.full" in unix.told
    for line in lines:
        line.close()


# -- TLS -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def pem(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    authority.keep(folder, (HOST,), name="Test", now=datetime.now(UTC), rng=chance.system())
    return folder


@pytest.fixture
def tls(pem):
    def opening(door):
        return door.open_tls("127.0.0.1", 0, pem / f"{HOST}.pem", pem / f"{HOST}.key")

    with running(opening) as (served, port):
        served.port, served.pem = port, pem
        yield served


def secure(served, minimum=ssl.TLSVersion.TLSv1_2, maximum=ssl.TLSVersion.TLSv1_3):
    context = ssl.create_default_context(cafile=str(served.pem / "ca.pem"))
    context.minimum_version, context.maximum_version = minimum, maximum
    line = socket.create_connection(("127.0.0.1", served.port), timeout=8)
    return context.wrap_socket(line, server_hostname=HOST)


def test_by_tls_everybody_is_answered(tls):
    with secure(tls) as line:
        line.sendall(get("/a"))
        assert b"/a\n" in said(line)
        assert line.version() == "TLSv1.3"


def test_one_address_gets_no_more_than_its_share(tls):
    lines = [secure(tls) for _ in range(LIMITS.per_peer)]
    for line in lines:
        line.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert line.recv(100).startswith(b"HTTP/1.1 200")

    with secure(tls) as extra:
        assert said(extra) == b""
    for line in lines:
        line.close()


def test_a_new_certificate_is_taken_up_and_a_bad_one_is_not(tls):
    certificate = tls.pem / f"{HOST}.pem"
    honest = certificate.read_bytes()
    assert tls.door.renew() is False
    certificate.write_bytes(b"no certificate")
    with pytest.raises(TlsError):
        tls.door.renew()
    with secure(tls) as line:
        assert line.getpeercert()
    certificate.write_bytes(honest)
    assert tls.door.renew() is True


def test_a_port_that_is_taken_is_one_clear_error(tls, pem):
    async def again():
        await Door(answer, refuse, lambda *_: None).open_tls(
            "127.0.0.1", tls.port, pem / f"{HOST}.pem", pem / f"{HOST}.key"
        )

    with pytest.raises(ServeError, match="cannot listen"):
        asyncio.run(again())
