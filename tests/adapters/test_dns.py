"""The DNS door against a small resolver on loopback, honest and otherwise."""

import socket
import struct
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.adapters import dns
from troth.adapters.chance import seeded
from troth.adapters.dns import TYPES, DnsError, Resolver

ALIAS = b"\xc0\x0c"  # the question's name


def wire(name):
    return b"".join(bytes([len(x)]) + x.encode() for x in name.split(".")) + b"\0"


def record(kind, data, name=ALIAS):
    return name + struct.pack(">HHIH", TYPES[kind], 1, 60, len(data)) + data


def reply(asked, *records, flags=0x8180):
    question = asked[12 : asked.index(b"\0", 12) + 5]
    head = struct.pack(">5H", flags, 1, len(records), 0, 0)
    return asked[:2] + head + question + b"".join(records)


class Server:
    """A resolver that says what it is told to, over UDP and over TCP."""

    def __init__(self, over_udp, over_tcp):
        self.over_udp, self.over_tcp = over_udp, over_tcp
        self.tcp = socket.create_server(("127.0.0.1", 0))
        self.port = self.tcp.getsockname()[1]
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind(("127.0.0.1", self.port))
        self.threads = [threading.Thread(target=work) for work in (self.hear, self.accept)]
        for thread in self.threads:
            thread.start()

    def hear(self):
        while True:
            asked, peer = self.udp.recvfrom(4096)
            if asked == b"end":
                return
            for answer in self.over_udp(asked):
                self.udp.sendto(answer, peer)

    def accept(self):
        while True:
            try:
                door, _ = self.tcp.accept()
            except OSError:
                return
            with door:
                door.settimeout(5)
                size = int.from_bytes(door.recv(2), "big")
                answer = self.over_tcp(door.recv(size))
                door.sendall(len(answer).to_bytes(2, "big") + answer)

    def close(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as door:
            door.sendto(b"end", ("127.0.0.1", self.port))
        self.tcp.shutdown(socket.SHUT_RDWR)
        self.tcp.close()
        for thread in self.threads:
            thread.join(10)
        self.udp.close()


@pytest.fixture
def resolver():
    servers = []

    def start(over_udp, over_tcp=None):
        servers.append(Server(over_udp, over_tcp))
        return Resolver("127.0.0.1", servers[-1].port)

    yield start
    for server in servers:
        server.close()


def ask(resolver, kind="A", name="www.Example.com", timeout_s=3.0):
    return dns.query(name, kind, resolver=resolver, rng=seeded(1), timeout_s=timeout_s)


@pytest.mark.parametrize(
    ("kind", "data", "text"),
    [
        ("A", bytes([192, 0, 2, 1]), "192.0.2.1"),
        ("AAAA", bytes(15) + b"\x01", "::1"),
        ("CNAME", wire("other.example"), "other.example"),
        ("MX", b"\0\x0a" + b"\x04mail" + ALIAS, "10 mail.www.example.com"),
        ("TXT", b"\x03abc\x04 def", "abc def"),
        ("CAA", b"\0\x05issueca.example", '0 issue "ca.example"'),
        ("CAA", b"\x80\x05ISSUE;", '128 issue ";"'),
    ],
)
def test_each_kind_of_record(resolver, kind, data, text):
    found = ask(resolver(lambda asked: [reply(asked, record(kind, data))]), kind)

    assert (found.exists, found.records, found.is_authentic) == (True, (text,), False)


def test_an_alias_on_the_way_is_not_an_answer(resolver):
    def answer(asked):
        alias = record("CNAME", wire("other.example"))
        return [reply(asked, alias, record("A", bytes([192, 0, 2, 7])), flags=0x81A0)]

    found = ask(resolver(answer))

    assert found.records == ("192.0.2.7",)
    assert found.is_authentic


def test_no_such_name_and_no_such_record(resolver):
    assert ask(resolver(lambda asked: [reply(asked)])).exists
    missing = ask(resolver(lambda asked: [reply(asked, flags=0x8183)]))
    assert (missing.exists, missing.records) == (False, ())


def test_a_cut_off_answer_is_asked_for_again_over_tcp(resolver):
    long = [record("TXT", b"\xff" + bytes([65]) * 255) for _ in range(20)]
    found = ask(
        resolver(lambda asked: [reply(asked, flags=0x8380)], lambda asked: reply(asked, *long)),
        "TXT",
    )

    assert found.records == ("A" * 255,) * 20


@pytest.mark.parametrize("code", [1, 2, 4, 5])
def test_a_resolver_that_fails_is_not_an_empty_answer(resolver, code):
    with pytest.raises(DnsError, match=f"code {code}"):
        ask(resolver(lambda asked: [reply(asked, flags=0x8180 | code)]))


def test_silence_and_nobody(resolver):
    with pytest.raises(DnsError, match="no answer"):
        ask(resolver(lambda asked: []), timeout_s=0.2)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as door:
        door.bind(("127.0.0.1", 0))
        port = door.getsockname()[1]
    with pytest.raises(DnsError, match="no answer"):
        ask(Resolver("127.0.0.1", port), timeout_s=0.5)


def test_a_guess_is_not_listened_to(resolver):
    def answer(asked):
        wrong = reply(asked, record("A", bytes([203, 0, 113, 9])))
        other = bytes([wrong[0] ^ 1]) + wrong[1:]
        elsewhere = wrong.replace(b"example", b"exemple").replace(b"Example", b"exemple")
        return [other, elsewhere, b"", reply(asked, record("A", bytes([192, 0, 2, 1])))]

    assert ask(resolver(answer)).records == ("192.0.2.1",)


@pytest.mark.parametrize(
    "name", ["", "a..b", "a b", "x" * 64, "-a.example", "é.example", "a." * 200]
)
def test_what_is_no_name(name):
    with pytest.raises(DnsError, match="not a host name"):
        ask(Resolver("127.0.0.1", 1), name=name)


@given(st.binary(max_size=200), st.sampled_from(sorted(TYPES)), st.booleans())
def test_any_bytes_are_read_or_refused(tail, kind, framed):
    question = dns._question("a.example", TYPES[kind])
    head = struct.pack(">6H", 7, 0x8180, 1, 3, 0, 0) + question if framed else b""
    try:
        found = dns._read(head + tail, 7, question, kind)
    except (DnsError, IndexError, struct.error, UnicodeDecodeError, ValueError):
        return
    assert all(isinstance(text, str) for text in found.records)


def test_whom_the_system_asks(tmp_path):
    path = tmp_path / "resolv.conf"
    path.write_text("# none\nsearch example\nnameserver 192.0.2.53\nnameserver ::1\n")
    assert dns.system_resolver(path) == Resolver("192.0.2.53")
    path.write_text("search example\n")
    with pytest.raises(DnsError, match="no nameserver"):
        dns.system_resolver(path)
    with pytest.raises(DnsError, match="cannot be read"):
        dns.system_resolver(tmp_path / "none")
