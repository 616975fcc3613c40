"""Everything that the edge itself answers: a page, the own header set, each header once."""

import json
import socket

import pytest

from troth.adapters import http, tls
from troth.enforce.envoy.replies import PAGES, page
from troth.kernel.fragment import Header

OWN = (
    "strict-transport-security",
    "content-security-policy",
    "x-content-type-options",
    "x-frame-options",
    "referrer-policy",
    "permissions-policy",
    "cross-origin-opener-policy",
    "cross-origin-embedder-policy",
    "cross-origin-resource-policy",
    "origin-agent-cluster",
    "x-permitted-cross-domain-policies",
    "cache-control",
)
FIRST_OWN = "default-src 'none'; style-src 'self'"


def expect_own(answer, *, is_tls=True):
    names = OWN if is_tls else OWN[1:]
    counts = {name: len(answer.all(name)) for name in names}
    assert counts == dict.fromkeys(names, 1)
    assert answer.one("content-security-policy").startswith(FIRST_OWN)
    assert answer.one("server") is None
    assert is_tls or not answer.all("strict-transport-security")


def raw(edge, data: bytes) -> bytes:
    """Bytes that no client of ours would send, over TLS."""
    with socket.create_connection(("127.0.0.1", edge.plan.port), timeout=20) as door:
        context = tls.client_context(ca_file=edge.ca_file, alpn=("http/1.1",))
        with context.wrap_socket(door, server_hostname=edge.plan.app_host) as secured:
            secured.sendall(data)
            answer = b""
            while piece := secured.recv(65536):
                answer += piece
    return answer


def parsed(data: bytes) -> http.Response:
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    pairs = tuple((name, value.strip()) for name, _, value in (one.partition(":") for one in lines))
    return http.Response(
        status=int(first.split()[1]),
        reason="",
        headers=pairs,
        body=body,
        http_version="1.1",
        certificate_der=None,
        elapsed_s=0,
    )


def test_a_page_holds_no_inline_style_or_script():
    text = page("Title & more", "A <sentence>.", 404, prefix="/-/")

    assert "Title &amp; more" in text
    assert "A &lt;sentence&gt;." in text
    assert "<style" not in text
    assert "<script" not in text
    assert '<link rel="stylesheet" href="/-/page.css">' in text


def test_every_page_has_its_own_status():
    assert len({status for status, _, _ in PAGES}) == len(PAGES)


def test_unknown_host(edge):
    answer = edge.ask(headers={"Host": "evil.example"})

    assert answer.status == 421
    assert "evil.example" not in answer.text + str(answer.headers)
    expect_own(answer)


def test_unknown_host_as_json(edge):
    answer = edge.ask(headers={"Host": "evil.example", "Accept": "application/json"})

    assert answer.one("content-type") == "application/problem+json"
    assert json.loads(answer.text)["status"] == 421
    expect_own(answer)


def test_a_browser_that_takes_anything_gets_a_page(edge):
    answer = edge.ask(headers={"Host": "evil.example", "Accept": "text/html,*/*;q=0.8"})

    assert answer.one("content-type") == "text/html; charset=utf-8"
    assert "<h1>Wrong address</h1>" in answer.text


def test_application_down(edge):
    with edge.altered(upstream=edge.plan.upstream.__class__(socket="/nowhere.sock")):
        answer = edge.ask()

    assert answer.status == 503
    assert answer.one("retry-after") == "5"
    assert "nowhere" not in answer.text
    expect_own(answer)


def test_troths_own_role_down(edge):
    answer = edge.ask("/trust/", host=edge.plan.troth_host)

    assert answer.status == 503
    expect_own(answer)


def test_body_too_large(edge):
    with edge.altered(max_body_bytes=2048):
        answer = edge.ask(method="POST", body=b"x" * 4096)

    assert answer.status == 413
    expect_own(answer)


@pytest.mark.parametrize("target", ["/a%2fb", "/a%5Cb"])
def test_escaped_slashes_are_sent_back_unescaped(edge, target):
    answer = edge.ask(target=target)

    assert answer.status == 307
    expect_own(answer)


def test_header_too_large(edge):
    answer = edge.ask(headers={"X-Long": "x" * 70_000})

    assert answer.status == 431
    expect_own(answer)


def test_too_many_headers(edge):
    answer = edge.ask(headers=[(f"X-{number}", "x") for number in range(120)])

    assert answer.status == 431
    expect_own(answer)


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1\r\n\r\n",  # no Host
        b"GET / HTTP/1.1\r\nHost: demo.localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: demo.localhost\r\nTransfer-Encoding: what\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: demo.localhost\r\nX-Bad: \x01\r\n\r\n",
        b"GET /\x01 HTTP/1.1\r\nHost: demo.localhost\r\n\r\n",
        b"nonsense\r\n\r\n",
    ],
)
def test_what_is_no_http_is_refused_by_the_codec_with_the_own_set(edge, head):
    answer = parsed(raw(edge, head))

    assert answer.status in {400, 501}
    expect_own(answer)


def test_http_1_0_gets_a_page(edge):
    answer = parsed(raw(edge, b"GET / HTTP/1.0\r\nHost: demo.localhost\r\n\r\n"))

    assert answer.status == 426
    assert "<h1>Too old</h1>" in answer.text
    expect_own(answer)


def test_plain_http_never_says_hsts(edge):
    for method in ("GET", "POST"):
        answer = http.fetch(edge.plain_url("/x"), method=method)
        expect_own(answer, is_tls=False)


def test_the_style_sheet_is_there_for_both_hosts(edge):
    for host in edge.plan.hosts:
        answer = edge.ask("/-/page.css", host=host)

        assert answer.status == 200
        assert answer.one("content-type") == "text/css; charset=utf-8"
        assert "font:" in answer.text
        expect_own(answer)


def test_header_values_are_taken_literally(edge):
    (first, *rest) = edge.fragments
    odd = first.__class__(promise="odd", own=(Header("x-odd", "100 %REQ(:PATH)%"),))

    with edge.altered([first, *rest, odd]):
        answer = edge.ask(headers={"Host": "evil.example"})

    assert answer.one("x-odd") == "100 %REQ(:PATH)%"
