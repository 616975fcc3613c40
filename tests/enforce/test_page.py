"""What a visitor reads: four languages, two forms, nothing of the request."""

import json
import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.enforce.page import html, preferred, refusal, wants_json

EVENT = "0123456789abcdef"


def accept_language(*values):
    return tuple((b"accept-language", value) for value in values)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ((), "en"),
        ((b"de",), "de"),
        ((b"de-CH, en;q=0.5",), "de"),
        ((b"fr;q=0.3, it;q=0.7",), "it"),
        ((b"es, pt",), "en"),
        ((b"es, fr;q=0.1",), "fr"),
        ((b"de;q=0, it;q=0.1",), "it"),
        ((b"de;q=x",), "en"),
        ((b"de;level=1",), "en"),
        ((b"es", b"it"), "it"),
        ((b"\xff\xfe;;;,,,=",), "en"),
        ((b"x," * 100 + b"de",), "en"),
    ],
)
def test_the_visitors_language(values, expected):
    assert preferred(accept_language(*values)) == expected


@given(st.binary(max_size=200))
def test_any_preference_is_read(value):
    assert preferred(accept_language(value)) in {"en", "it", "de", "fr"}


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ((), False),
        ((b"*/*",), False),
        ((b"application/json",), True),
        ((b"application/problem+json, */*;q=0.1",), True),
        ((b"text/html,application/json",), False),
        ((b"application/json", b"text/html"), False),
    ],
)
def test_who_wants_json(accept, expected):
    assert wants_json(tuple((b"accept", value) for value in accept)) is expected


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.seen = set()

    def handle_starttag(self, tag, attrs):
        self.seen.add(tag)
        assert not {name for name, _ in attrs} & {"style", "onclick", "onload"}


@pytest.mark.parametrize("language", ["en", "it", "de", "fr"])
@pytest.mark.parametrize("status", [400, 403, 503])
def test_a_page_in_each_language(language, status):
    reply = refusal(status, "origin-check", EVENT, accept_language(language.encode()), prefix="/-/")

    headers, text = dict(reply.headers), reply.body.decode()
    assert reply.status == status
    assert headers[b"content-language"] == language.encode()
    assert headers[b"troth-refused"] == b"origin-check"
    assert headers[b"cache-control"] == b"no-store"
    assert (b"retry-after" in headers) is (status == 503)
    assert f'lang="{language}"' in text
    assert EVENT in text
    tags = Tags()
    tags.feed(text)
    assert not tags.seen & {"script", "style", "iframe", "form", "img"}
    assert re.findall(r'href="([^"]*)"', text) == ["/-/page.css"]


def test_the_languages_say_different_things():
    pages = {html(status, language, "", prefix="/-/", is_answer=is_answer)
             for status, is_answer in ((403, False), (503, False), (500, True))
             for language in ("en", "it", "de", "fr")}  # fmt: skip

    assert len(pages) == 12


def test_a_program_gets_json():
    reply = refusal(403, "origin-check", EVENT, ((b"accept", b"application/json"),), prefix="/-/")

    assert json.loads(reply.body) == {"error": "refused", "promise": "origin-check", "event": EVENT}
    assert dict(reply.headers)[b"content-type"] == b"application/json"


@given(st.lists(st.tuples(st.sampled_from([b"accept", b"accept-language", b"cookie"]),
                          st.binary(max_size=50)), max_size=5))  # fmt: skip
def test_nothing_of_the_request_comes_back(headers):
    reply = refusal(403, "s", EVENT, tuple(headers), prefix="/-/")
    plain = refusal(403, "s", EVENT, (), prefix="/-/")
    forms = {plain.body, b'{"error": "refused", "promise": "s", "event": "0123456789abcdef"}'}
    forms |= {html(403, language, EVENT, prefix="/-/").encode() for language in ("it", "de", "fr")}

    assert reply.body in forms
