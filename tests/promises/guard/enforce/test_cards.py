"""Card numbers are refused in whatever part of a request they stand."""

import json
from urllib.parse import quote

import pytest

from troth.promises.guard.enforce import cards
from troth.promises.guard.settings.cards import Cards

CARD = b"4111 1111 1111 1111"
BARE = b"4111111111111111"
FORM, JSON = b"application/x-www-form-urlencoded", b"application/json"
MULTIPART = (
    b'--b\r\nContent-Disposition: form-data; name="n"\r\n\r\n%b\r\n'
    b'--b\r\nContent-Disposition: form-data; name="f"; filename="a.bin"\r\n'
    b"Content-Type: application/octet-stream\r\n\r\n%b\r\n--b--\r\n"
)
WIDE = "".join(chr(0xFF10 + int(digit)) for digit in BARE.decode()).encode()


@pytest.fixture
def refused(world, make):
    """The code with which a request is refused; empty when it passes."""

    def of(request, settings=None):
        world.checks = cards.checks(settings or Cards())
        decision = world.judge(request)
        return (decision.refusal.code, decision.refusal.slug) if decision.refusal else decision

    return of


@pytest.mark.parametrize(
    ("target", "headers", "body", "kind", "code"),
    [
        (b"/pay/4111111111111111", (), b"", FORM, "path"),
        (b"/pay/4111%201111%201111%201111", (), b"", FORM, "path"),
        (b"/pay/%34111111111111111", (), b"", FORM, "path"),
        (b"/pay/%2534111111111111111", (), b"", FORM, "path"),
        (b"/?n=4111+1111+1111+1111", (), b"", FORM, "query"),
        (b"/?n=4111-1111-1111-1111&x=1", (), b"", FORM, "query"),
        (b"/?4111111111111111", (), b"", FORM, "query"),
        (b"/", ((b"x-note", CARD),), b"", FORM, "header"),
        (b"/", ((b"user-agent", b"curl " + BARE),), b"", FORM, "header"),
        (b"/", ((b"referer", b"https://a/?n=" + BARE),), b"", FORM, "header"),
        (b"/", ((b"cookie", b"a=1; n=4111%201111%201111%201111"),), b"", FORM, "cookie"),
        (b"/", ((b"cookie", b"4111111111111111=1"),), b"", FORM, "cookie"),
        (b"/", (), b"a=1&n=4111+1111+1111+1111", FORM, "body"),
        (b"/", (), b"4111111111111111=x", FORM, "body"),
        (b"/", (), b'{"a":[{"n":4111111111111111}]}', JSON, "body"),
        (b"/", (), b'{"n":"4111-1111-1111-1111"}', JSON, "body"),
        (b"/", (), b'{"n":"\\u0034111111111111111"}', JSON, "body"),
        (b"/", (), b'{"n":"' + WIDE + b'"}', JSON, "body"),
        (b"/", (), json.dumps({"n": WIDE.decode()}).encode(), JSON, "body"),
        (b"/", (), b'{"n":4111111111111111', JSON, "body"),
        (b"/", (), MULTIPART % (CARD, b""), b"multipart/form-data; boundary=b", "body"),
        (b"/", (), b"broken " + CARD, b"multipart/form-data; boundary=b", "body"),
        (b"/", (), b"<n>%b</n>" % CARD, b"application/xml", "body"),
        (b"/", (), b"<n>%b</n>" % CARD, b"application/soap+xml", "body"),
        (b"/", (), b"name,number\nann,%b\n" % BARE, b"text/csv", "body"),
        (b"/", (), b"n: " + BARE, b"", "body"),
    ],
)
def test_wherever_it_stands(  # noqa: PLR0917 -- a request has parts
    refused, make, target, headers, body, kind, code
):
    request = make.post(target, body, *headers, kind=kind)

    assert refused(request) == (code, "no-card-data-stored")


@pytest.mark.parametrize(
    ("target", "headers", "body", "kind"),
    [
        (b"/pay/4111111111111112", (), b"", FORM),
        (b"/", ((b"x-datadog-trace-id", BARE),), b"", FORM),
        (b"/", (), MULTIPART % (b"x", BARE), b"multipart/form-data; boundary=b"),
        (b"/", (), b"\x00\x01 " + BARE, b"application/octet-stream"),
        (b"/", (), b"a=1", FORM),
        (b"/", (), b"", FORM),
    ],
)
def test_what_is_let_through(refused, make, target, headers, body, kind):
    assert refused(make.post(target, body, *headers, kind=kind)).refusal is None


def test_an_exempt_path_is_the_applications_business(refused, make):
    settings = Cards(exempt=("/orders/",))

    assert refused(make.post(b"/orders/4111111111111111"), settings).refusal is None
    assert refused(make.post(b"/orders/../4111111111111111"), settings)[0] == "path"
    assert refused(make.post(b"/orders%2f4111111111111111"), settings)[0] == "path"


def test_they_may_be_counted_only(refused, make):
    decision = refused(make.post(b"/?n=" + quote(CARD).encode()), Cards(refuse=False))

    assert decision.refusal is None
    assert decision.counted == ("cards.seen",)


def test_the_refusal_repeats_nothing_of_it(refused, make):
    code = refused(make.post(b"/4111111111111111"))

    assert "4111" not in repr(code)
