"""The HTTP door against real servers: order, bounds, and no half answer."""

import ssl
from pathlib import Path

import pytest

from troth.adapters import http, tcp, tls

OK = (
    b"HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nx: y\r\nSet-Cookie: b=2\r\n"
    b"Content-Length: 5\r\n\r\nhello"
)


def test_headers_keep_order_case_and_duplicates(serve, answer):
    server = serve(answer(OK))

    response = http.fetch(f"http://demo.localhost:{server.port}/")

    assert (response.status, response.reason, response.body) == (200, "OK", b"hello")
    assert response.headers[:3] == (("Set-Cookie", "a=1"), ("x", "y"), ("Set-Cookie", "b=2"))
    assert response.all("set-cookie") == ("a=1", "b=2")
    assert response.one("Set-Cookie") is None
    assert response.one("X") == "y"
    assert response.http_version == "1.1"
    assert response.certificate_der is None
    assert response.elapsed_s > 0


def test_https_verifies_and_keeps_the_certificate(serve, answer, authority):
    server = serve(answer(OK), authority.context())

    response = http.fetch(f"https://demo.localhost:{server.port}/", ca_file=authority.ca)

    assert response.certificate_der
    pem = Path(authority.certificate).read_text()
    assert response.certificate_der == ssl.PEM_cert_to_DER_cert(pem)


def test_an_unknown_authority_is_refused(serve, answer, authority):
    server = serve(answer(OK), authority.context())

    with pytest.raises(tls.TlsError, match="not trusted"):
        http.fetch(f"https://demo.localhost:{server.port}/")
    with pytest.raises(tls.TlsError, match="not trusted"):
        http.fetch(f"https://other.localhost:{server.port}/", ca_file=authority.ca)


def test_the_source_address_is_ours_to_choose(serve, answer):
    server = serve(answer(OK))

    http.fetch(f"http://127.0.0.1:{server.port}/", source="127.66.3.4")

    assert server.peers == ["127.66.3.4"]


def test_what_is_sent(serve):
    seen = []

    def handle(connection):
        data = b""
        while not data.endswith(b"body"):
            data += connection.recv(65536)
        seen.append(data)
        connection.sendall(OK)

    server = serve(handle)
    http.fetch(
        f"http://demo.localhost:{server.port}/a?b=c",
        method="POST",
        headers=(("host", "evil.example"), ("X-Twice", "1"), ("X-Twice", "2")),
        body=b"body",
    )

    head = seen[0].decode()
    assert head.startswith("POST /a?b=c HTTP/1.1\r\n")
    assert head.lower().count("host: ") == 1
    assert "host: evil.example" in head
    assert "Content-Length: 4" in head
    assert "X-Twice: 1\r\nX-Twice: 2" in head


@pytest.mark.parametrize(
    ("raw", "body"),
    [
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", b"hello"),
        (b"HTTP/1.0 200 OK\r\n\r\nuntil the end", b"until the end"),
        (b"HTTP/1.1 103 Early\r\nLink: x\r\n\r\n" + OK, b"hello"),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", b""),
        (b"HTTP/1.1 301 Moved\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n", b""),
    ],
)
def test_each_way_a_body_can_end(serve, answer, raw, body):
    server = serve(answer(raw))

    response = http.fetch(f"http://127.0.0.1:{server.port}/")

    assert response.body == body
    assert response.one("Link") is None


def test_head_has_no_body(serve, answer):
    server = serve(answer(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n"))

    assert http.fetch(f"http://127.0.0.1:{server.port}/", method="HEAD").status == 200


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nshort", "cut off"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel", "cut off"),
        (b"HTTP/1.1 200 OK\r\nContent-Le", "cut off"),
        (b"", "cut off"),
        (b"SSH-2.0-OpenSSH\r\n", "not an HTTP answer"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3000\r\n\r\n" + b"x" * 3000, "longer than 1000"),
        (b"HTTP/1.1 200 OK\r\n" + b"a: " + b"b" * 200_000 + b"\r\n\r\n", "headers longer"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello", "not an HTTP"),
    ],
)
def test_no_half_answer(serve, answer, raw, message):
    server = serve(answer(raw))

    with pytest.raises(http.HttpError, match=message):
        http.fetch(f"http://127.0.0.1:{server.port}/", limit_bytes=1000)


def test_a_drip_does_not_outlast_the_deadline(serve):
    def drip(connection):
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nx: ")
        connection.settimeout(0.05)
        while True:
            try:
                if not connection.recv(1):
                    return
            except TimeoutError:
                connection.sendall(b"y")

    server = serve(drip)

    with pytest.raises(TimeoutError):
        http.fetch(f"http://127.0.0.1:{server.port}/", timeout_s=0.4)


@pytest.mark.parametrize(
    "url", ["ftp://x/", "https://", "http://a@b/", "http://x:0/", "http://x:99999/", "/x"]
)
def test_what_is_no_address_of_ours(url):
    with pytest.raises(http.HttpError):
        http.fetch(url)


@pytest.mark.parametrize(
    "extra",
    [
        {"method": "GET /x HTTP/1.1\r\nX"},
        {"headers": (("a", "b\r\nc: d"),)},
        {"headers": (("a b", "c"),)},
        {"target": "/a b"},
        {"target": "/\r\nx"},
        {"target": "/\u20ac"},
    ],
)
def test_one_request_stays_one(extra):
    with pytest.raises(http.HttpError):
        http.fetch("http://127.0.0.1:1/", **extra)


def test_nobody_there():
    with pytest.raises(tcp.TcpError, match="cannot be reached"):
        http.fetch("http://127.0.0.1:1/", timeout_s=2)
