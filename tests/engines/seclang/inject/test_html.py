"""Markup that runs, as libinjection sees it."""

import random
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from troth.engines.seclang.inject import html, htmlwords
from troth.engines.seclang.scan.database import single

sys.path.insert(0, str(Path(__file__).parents[1]))

import libinjection

PARTS = [
    *b"""< > / = ' " ` ! ? % - -- --> --!> <!-- <! </ <a <b> </b> <script <svg doctype [CDATA[ ]]> ]
    on onclick= href= style javascript: data: &#106;ava &#x6a &#10; &# xmlns [if xml import entity
    attributename= x a 1 view-source: VBScript &#00000000000118bscript &#x110000; &""".split(),
    *(b" ", b"\0", b"\n", b"\t", b"\x0b", b"\x80", b"j\nava", b"jav\0a", b"src =", b"</b >"),
    b"entity ",
]  # fmt: skip
WORDS = [
    *(b"on" + event for event in sorted(htmlwords.EVENTS)[::9]),
    *(b"<" + tag for tag in sorted(htmlwords.TAGS)),
    *(name + b"=" for name in sorted(htmlwords.ADDRESSES | htmlwords.ATTRIBUTES)),
]


@pytest.mark.parametrize("seed", range(4))
def test_libinjection_says_the_same(seed: int):
    rng = random.Random(seed)
    for _ in range(4000):
        value = libinjection.made(rng, [*PARTS, *PARTS, *WORDS], 0.15)

        assert (html.find(value) is not None) == libinjection.xss(value), value


def test_nothing_is_found_without_the_sign():
    is_signed, rng = single(html.SIGN), random.Random(5)
    values = [libinjection.made(rng, [*PARTS, *PARTS, *WORDS], 0.15) for _ in range(6000)]

    assert is_signed is not None
    assert [v for v in values if not is_signed(v) and html.find(v) is not None] == []
    assert not any(map(is_signed, (b"hello", b"1 < 2", b"<b>bold</b>", b"a=b", b"to be")))


@pytest.mark.parametrize(
    "value",
    [b"", b"hello", b"1 < 2", b"<b>bold</b>", b"<a href='/x'>x</a>", b"a=b", b"<on>"],
)
def test_what_people_write(value: bytes):
    assert html.find(value) is None


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (b"<script>", "element"),
        (b"<SVG/onload=x>", "element"),
        (b"<a onclick=x>", "attribute"),
        (b"x' onclick=x", "attribute"),
        (b"onclick=x>", "attribute"),
        (b"<a href=' java\nscript:x'>", "attribute"),
        (b"<a href=&#106;avascript:x>", "attribute"),
        (b"<set attributename=onclick>", "attribute"),
        (b"<!doctype x>", "doctype"),
        (b"<!-- ` -->", "comment"),
        (b"<?xml ?>", "comment"),
        (b"</ ` >", "comment"),
    ],
)
def test_attacks(value: bytes, why: str):
    assert html.find(value) == why
    assert libinjection.xss(value)


def test_a_byte_that_libinjection_takes_for_the_end_is_none():
    value = b"<a \xff onclick=x>"

    assert html.find(value) == "attribute"
    assert not libinjection.xss(value)


@settings(max_examples=80, deadline=None)
@given(value=st.binary(max_size=60))
def test_any_bytes_are_judged_alike(value: bytes):
    value = value.replace(b"\xff", b"")

    assert (html.find(value) is not None) == libinjection.xss(value)


@pytest.mark.parametrize("part", [b"<b>", b"<b a=b>", b"a=b ", b"<!>", b"</>", b"<!--", b"<a b='"])
def test_a_long_value_is_read_to_its_end(part: bytes):
    assert html.find(part * 3000) is None
    assert html.find(part * 3000 + b"'-->> <script>") == "element"
