import pytest

from troth.engines.seclang import wire

HOST = b"Host: a.example\r\n"


def test_a_request_is_taken_apart():
    got = wire.read(b"POST /a?b HTTP/1.1\r\n" + HOST + b"Content-Length: 3\r\n\r\nabcd", client="c")

    message = got.message
    assert (message.method, message.uri, message.protocol) == (b"POST", b"/a?b", b"HTTP/1.1")
    assert message.headers == ((b"Host", b"a.example"), (b"Content-Length", b"3"))
    assert (message.body, message.client, got.status, got.is_unanswered) == (
        b"abc",
        "c",
        None,
        False,
    )


def test_chunks_are_joined_and_the_length_beside_them_is_gone():
    raw = (
        b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\nContent-Length: 9\r\n\r\n"
        b"3\r\nabc\r\n1;x\r\nd\r\n0\r\n\r\n"
    )

    message = wire.read(raw).message
    assert message.body == b"abcd"
    assert b"Content-Length" not in dict(message.headers)


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b" GET / HTTP/1.1\r\n" + HOST, 400),
        (b"GET \\ HTTP/1.1\r\n" + HOST, 400),
        (b"GET /a#b HTTP/1.1\r\n" + HOST, 400),
        (b"GET /a b HTTP/1.1\r\n" + HOST, 400),
        (b"GET / HTTP/0.9\r\n" + HOST, 400),
        (b"GET / HTTP/1.1\r\n", 400),
        (b"GET / HTTP/1.1\r\n" + HOST + HOST, 400),
        (b"GET / HTTP/1.1\r\nHost: a%00\r\n", 400),
        (b"GET / HTTP/1.1\r\n" + HOST + b"Content-Length: x\r\n", 400),
        (b"GET / HTTP/1.1\r\n" + HOST + b"X: a\rb: c\r\n", 400),
        (b"GET / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n", 400),
        (b"CONNECT a.example HTTP/1.1\r\n" + HOST, 400),
        (b"CONNECT a.example:80 HTTP/1.1\r\n" + HOST, None),
        (b"OPTIONS * HTTP/1.1\r\n" + HOST, None),
        (b"GET / HTTP/1.0\r\n", None),
        (b"GET /a%2fb HTTP/1.1\r\n" + HOST, 404),
    ],
)
def test_what_a_server_refuses_by_itself(raw, status):
    assert wire.read(raw + b"\r\n").status == status


@pytest.mark.parametrize(
    "raw", [b"", b"GET /\r\n\r\n", b"P / HTTP/1.1\r\nContent-Length: 9\r\n\r\na"]
)
def test_where_no_answer_comes(raw):
    assert wire.read(raw).is_unanswered
