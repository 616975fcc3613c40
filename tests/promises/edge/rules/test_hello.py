"""Hellos, and what the first bytes of their answers mean."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.promises.edge.rules import hello
from troth.promises.edge.rules.hello import Reply, client_hello, is_whole, read_reply

RANDOM = bytes(range(32))


def record(kind, *messages, version=(3, 3)):
    body = b"".join(bytes((k,)) + len(c).to_bytes(3, "big") + c for k, c in messages)
    return bytes((kind, *version)) + len(body).to_bytes(2, "big") + body


def server_hello(version, suite, *, session=b"", compression=0, extensions=b""):
    body = version.to_bytes(2, "big") + RANDOM + bytes((len(session),)) + session
    body += suite.to_bytes(2, "big") + bytes((compression,))
    return 2, body + (len(extensions).to_bytes(2, "big") + extensions if extensions else b"")


def extension(kind, content):
    return kind.to_bytes(2, "big") + len(content).to_bytes(2, "big") + content


def test_a_client_of_each_age_says_its_version():
    for version in (hello.SSL3, hello.TLS1, hello.TLS1_1, hello.TLS1_2):
        said = client_hello(version=version, random=RANDOM)
        assert said[0] == 22
        assert int.from_bytes(said[9:11], "big") == version
        assert RANDOM in said
    newest = client_hello(version=hello.TLS1_3, random=RANDOM)
    assert int.from_bytes(newest[9:11], "big") == hello.TLS1_2
    assert extension(43, b"\x02\x03\x04") in newest


def test_an_old_client_sends_extensions_only_where_it_names_something():
    bare = client_hello(version=hello.SSL3, random=RANDOM, suites=[10])
    named = client_hello(version=hello.SSL3, random=RANDOM, suites=[10], server_name="a.example")
    tickets = client_hello(version=hello.TLS1, random=RANDOM, suites=[10], ticket=b"ticket")

    assert len(bare) == 5 + 4 + 2 + 32 + 1 + 4 + 2
    assert b"a.example" in named
    assert extension(35, b"ticket") in tickets
    assert extension(15, b"\x01") in client_hello(version=hello.TLS1_2, random=RANDOM, beats=True)


def test_ssl_2():
    said = hello.ssl2_hello(RANDOM)

    assert said[0] & 0x80
    assert int.from_bytes(said[:2], "big") & 0x7FFF == len(said) - 2
    assert said[3:5] == b"\0\x02"
    assert read_reply(bytes((0x80, 11, 4, 0, 1, 0, 2))) == Reply(kind="hello", version=hello.SSL2)


def test_refusals():
    assert read_reply(b"").kind == "closed"
    assert read_reply(b"").is_refusal
    alert = read_reply(bytes((21, 3, 1, 0, 2, 2, 70)))
    assert (alert.kind, alert.alert, alert.is_refusal) == ("alert", "protocol_version", True)
    assert read_reply(bytes((21, 3, 1, 0, 2, 2, 200))).alert == "200"
    assert read_reply(b"HTTP/1.1 400 Bad").kind == "other"
    assert read_reply(bytes((22, 2, 0, 0, 0))).kind == "other"
    assert not read_reply(b"HTTP/1.1 400 Bad").is_refusal


def test_a_server_hello_of_tls_12():
    curve = (12, bytes((3, 0, 24)) + bytes(10))
    found = server_hello(hello.TLS1_2, 0xC02B, session=b"abc", extensions=extension(0xFF01, b"\0"))
    whole = record(22, found, (11, b"chain"), curve, (14, b""))

    reply = read_reply(whole)
    assert (reply.version, reply.suite, reply.session) == (hello.TLS1_2, 0xC02B, b"abc")
    assert reply.group == "P-384"
    assert hello.RENEGOTIATION_INFO in reply.extensions
    assert is_whole(whole)
    assert not is_whole(whole[:-1])
    assert not is_whole(whole[:-5])
    assert not is_whole(whole[:-10])
    assert not is_whole(whole[:-20])
    assert read_reply(whole[:-20]).group == ""


@pytest.mark.parametrize(
    ("suite", "exchange", "group"),
    [
        (0xC02B, bytes((3, 0, 99)), "curve 99"),
        (0xC02B, bytes((1, 0, 99)), ""),
        (0x9E, b"\0\x80" + b"\xff" * 128, "DH 1024"),
        (0xFFF0, b"\0\x01\x01", "DH 1"),
    ],
)
def test_how_keys_are_agreed_upon(suite, exchange, group):
    whole = record(22, server_hello(hello.TLS1_2, suite), (12, exchange), (14, b""))

    assert read_reply(whole).group == group


def test_a_server_hello_of_tls_13():
    more = extension(43, b"\x03\x04") + extension(51, b"\0\x1d" + bytes(4))
    whole = record(22, server_hello(hello.TLS1_2, 0x1301, extensions=more))

    reply = read_reply(whole)
    assert (reply.version, reply.group) == (hello.TLS1_3, "X25519")
    assert is_whole(whole)


@pytest.mark.parametrize(
    "body",
    [
        (2, b"\x03\x03"),
        (2, (0x0399).to_bytes(2, "big") + RANDOM + b"\0\0\0\0"),
        (2, b"\x03\x03" + RANDOM + b"\x09abc\0\0\0"),
        (11, b"no hello at all"),
    ],
)
def test_what_is_no_server_hello(body):
    assert read_reply(record(22, body)).kind == "other"


def test_an_alert_is_whole_at_once():
    assert is_whole(bytes((21, 3, 1, 0, 2, 2, 70)))
    assert not is_whole(b"")


def test_records_alerts_and_tickets():
    ticket = (4, bytes(4) + b"\0\x06ticket")
    flight = record(22, server_hello(hello.TLS1_2, 0xC02B)) + record(22, ticket)
    change, alert = bytes((20, 3, 3, 0, 1, 1)), bytes((21, 3, 3, 0, 2, 2, 10))

    assert hello.read_ticket(flight + change) == b"ticket"
    assert hello.read_ticket(record(22, server_hello(hello.TLS1_2, 0xC02B)) + change) == b""
    assert [kind for kind, _ in hello.records(flight + change + alert)] == [22, 22, 20, 21]
    assert hello.alert_in(flight + alert) == "unexpected_message"
    assert hello.alert_in(flight) == ""
    assert hello.alert_in(bytes((21, 3, 3, 0, 2, 2, 201))) == "201"
    assert [kind for kind, _ in hello.records(hello.early_change())] == [20, 20]
    assert [kind for kind, _ in hello.records(hello.heartbeat())] == [hello.HEARTBEAT]


@given(st.binary(max_size=300))
def test_whatever_comes_is_read_without_an_error(data):
    assert read_reply(data).kind in {"hello", "alert", "closed", "other"}
    is_whole(data)
    hello.read_ticket(data)
    hello.alert_in(data)
