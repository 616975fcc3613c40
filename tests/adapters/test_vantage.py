"""A vantage: one request for forty looks, and a client of its own for each attack."""

import hashlib
import ssl
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from troth.adapters import http, tcp
from troth.adapters.chance import seeded
from troth.adapters.vantage import Vantage, address_of
from troth.kernel.evidence import Signer
from troth.kernel.probing import HEADER, read, synthetic_client
from troth.kernel.site import Site

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def made(port, authority=None, **kw):
    base = f"https://demo.localhost:{port}" if authority else f"http://demo.localhost:{port}"
    site = Site(
        name="Demo",
        app=base,
        http=base,
        troth=base,
        status=base,
        ca_file=authority.ca if authority else "",
    )
    now = datetime(2026, 11, 21, tzinfo=UTC)
    return Vantage(site=site, name="local", now=now, rng=seeded(1), **kw)


def test_the_same_get_is_asked_once_a_round(serve, answer):
    server = serve(answer(OK))
    vantage = made(server.port)

    first = vantage.fetch(f"{vantage.site.app}/")
    assert vantage.fetch(f"{vantage.site.app}/") is first
    assert len(server.peers) == 1
    vantage.fetch(f"{vantage.site.app}/other")
    vantage.fetch(f"{vantage.site.app}/", headers=(("a", "b"),))
    vantage.fetch(f"{vantage.site.app}/", method="HEAD")
    assert len(server.peers) == 4
    assert vantage.fetch(f"{vantage.site.app}/", fresh=True) is not first
    vantage.fetch(f"{vantage.site.app}/", method="POST")
    vantage.fetch(f"{vantage.site.app}/", method="POST")
    assert len(server.peers) == 7


def test_another_method_is_remembered_only_when_asked_to_and_without_a_body(serve, answer):
    server = serve(answer(OK))
    vantage = made(server.port)
    url = f"{vantage.site.app}/"

    first = vantage.fetch(url, method="POST", once=True)
    assert vantage.fetch(url, method="POST", once=True) is first
    assert len(server.peers) == 1
    vantage.fetch(url, method="POST")
    vantage.fetch(url, method="POST", once=True, body=b"x")
    vantage.fetch(url)

    assert len(server.peers) == 4


def test_a_failure_is_remembered_too(serve, answer):
    server = serve(answer(b"nonsense\r\n\r\n"))
    vantage = made(server.port)

    for _ in range(3):
        with pytest.raises(http.HttpError):
            vantage.fetch(f"{vantage.site.app}/")
    assert len(server.peers) == 1


def test_a_client_of_its_own_remembers_nothing_and_comes_from_elsewhere(serve, answer):
    server = serve(answer(OK))
    vantage = made(server.port)
    vantage.fetch(f"{vantage.site.app}/")
    one, other = vantage.as_client("a.attack"), vantage.as_client("b.attack")

    one.fetch(f"{vantage.site.app}/")
    other.fetch(f"{vantage.site.app}/")

    assert server.peers[1:] == [synthetic_client("a.attack"), synthetic_client("b.attack")]
    assert len(set(server.peers)) == 3


def test_synthetic_clients_are_loopback_steady_and_spread():
    names = [f"promise-{n}.attack" for n in range(200)]
    addresses = [synthetic_client(name) for name in names]

    assert addresses == [synthetic_client(name) for name in names]
    assert all(a.startswith("127.66.") and not a.endswith((".0", ".255")) for a in addresses)
    assert len(set(addresses)) > 195


def test_with_a_key_a_client_is_named_by_a_header_that_no_request_shares():
    signer = Signer("ed25519:" + "0f" * 16, lambda said: bytes(64))
    vantage = made(1, signer=signer, by_header=True)
    one, url = vantage.as_client("a.attack"), f"{vantage.site.app}/x"

    named = [dict(one.introduction(url))[HEADER.decode()].encode() for _ in range(2)]
    said = [read(value)[0] for value in named]

    assert one.has_clients
    assert one.source == ""
    assert one.address == said[0].client == synthetic_client("a.attack")
    assert said[0].key == "0f" * 16
    assert said[0].nonce != said[1].nonce
    assert vantage.introduction(url) == ()
    assert one.introduction("https://elsewhere.example/x") == ()
    assert one.introduction(vantage.site.app + ".elsewhere.example/x") == ()
    assert one.as_address("127.66.255.1").address == "127.66.255.1"


def test_the_header_goes_with_each_request_and_is_no_part_of_what_is_remembered(serve):
    asked = []

    def listen(connection):
        asked.append(connection.recv(65536).lower())
        connection.sendall(OK)

    server = serve(listen)
    signer = Signer("ed25519:" + "0f" * 16, lambda said: bytes(64))
    client = made(server.port, signer=signer, by_header=True).as_client("a.attack")

    for path in ("/", "/", "/other"):
        client.fetch(f"{client.site.app}{path}", headers=(("accept", "a/b"),))

    assert len(asked) == 2
    assert all(request.count(HEADER + b":") == 1 for request in asked)


def test_a_loopback_source_is_for_loopback_only(serve, answer):
    server = serve(answer(OK))
    vantage = made(server.port, source="127.66.1.1")
    vantage.fetch(f"{vantage.site.app}/")

    assert server.peers == ["127.66.1.1"]
    assert vantage._source_for("https://192.0.2.1/") == ""


def test_what_certificate_was_served(serve, answer, authority):
    server = serve(answer(OK), authority.context())
    vantage = made(server.port, authority)

    der = ssl.PEM_cert_to_DER_cert(Path(authority.certificate).read_text())
    assert vantage.certificate_sha256 == hashlib.sha256(der).hexdigest()
    assert made(1, authority).certificate_sha256 == "0" * 64
    assert vantage.handshake(vantage.site.app).is_verified
    assert vantage.group(vantage.site.app)


def test_raw_bytes_inside_and_outside_tls(serve, answer, authority):
    inside = serve(answer(OK), authority.context())
    outside = serve(answer(OK))
    vantage = made(inside.port, authority)

    assert vantage.exchange(vantage.site.app, b"GET / HTTP/1.1\r\n\r\n").endswith(b"ok")
    raw = f"tcp://demo.localhost:{outside.port}"
    assert vantage.exchange(raw, b"GET / HTTP/1.1\r\n\r\n").endswith(b"ok")
    assert vantage.context() is vantage.context()


def test_addresses():
    assert address_of("https://a.example") == ("a.example", 443)
    assert address_of("tcp://127.0.0.1:99") == ("127.0.0.1", 99)
    with pytest.raises(ValueError, match="tcp://a"):
        address_of("tcp://a")


def test_where_addresses_do_a_key_is_not_used(serve, answer):
    server = serve(answer(OK))
    signer = Signer("ed25519:" + "0f" * 16, lambda said: bytes(64))
    client = made(server.port, signer=signer).as_client("a.attack")

    client.fetch(f"{client.site.app}/")

    assert server.peers == [client.address] == [synthetic_client("a.attack")]
    assert client.introduction(f"{client.site.app}/") == ()


def test_a_site_elsewhere_is_not_here_and_one_without_an_answer_is_not_either(serve, answer):
    server = serve(answer(OK))

    assert tcp.is_here("127.0.0.1", server.port)
    assert not tcp.is_here("192.0.2.1", 443)  # Source: RFC 5737, TEST-NET-1: nobody's
    site = replace(made(1).site, app="https://192.0.2.1")
    elsewhere = replace(made(1), site=site)
    assert not elsewhere.is_here
    assert not elsewhere.has_clients
    assert elsewhere.as_client("a").source == ""


def test_whether_a_site_is_on_loopback():
    assert made(1).is_on_loopback
    assert tcp.is_loopback("127.5.5.5")
