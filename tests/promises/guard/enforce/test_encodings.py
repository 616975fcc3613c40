"""A compressed body is seen as the application would read it."""

import gzip

import pytest

from troth.kernel.request import Refusal, Request
from troth.promises.guard.enforce.encodings import opened
from troth.promises.guard.settings.waf import Rules


def packed(text: bytes) -> bytes:
    """The same at every run: names of tests are made of it."""
    return gzip.compress(text, mtime=0)


def asked(body, *encodings):
    headers = tuple((b"content-encoding", each) for each in encodings)
    return Request(method=b"POST", target=b"/", host=b"a", headers=headers, body=body)


@pytest.mark.parametrize("request_", [asked(None), asked(b""), asked(b"x"), asked(None, b"br")])
def test_what_is_not_compressed_stays_what_it_is(request_):
    assert opened(Rules())(request_) is request_


def test_a_body_is_uncompressed():
    seen = opened(Rules())(asked(packed(b"q=1"), b"gzip"))

    assert seen.body == b"q=1"


@pytest.mark.parametrize(
    ("body", "encoding", "code", "status"),
    [
        (b"x", b"br", "body-encoding", 415),
        (b"x", b"gzip", "body-broken", 400),
        (packed(bytes(2**20 + 1)), b"gzip", "body-too-long", 413),
    ],
)
def test_what_cannot_be_read_is_refused_but_where_rules_watch(body, encoding, code, status):
    refused = opened(Rules())(asked(body, encoding))

    assert isinstance(refused, Refusal)
    assert (refused.code, refused.status) == (code, status)
    watched = asked(body, encoding)
    assert opened(Rules(mode="watch"))(watched) is watched
