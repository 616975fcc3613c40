"""How a page shows a value with markup in it."""

import html

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.promises.guard.rules.escaping import Shown, links, planted, shown

WORD = "troth-abcdef"
VALUE = planted(WORD)
SAFE = html.escape(VALUE)


@pytest.mark.parametrize(
    ("page", "seen"),
    [
        (f"<p>{SAFE}</p>", Shown(1, 0)),
        (f"<p>{SAFE}<b>x</b>{SAFE}</p>", Shown(2, 0)),
        (f'<input value="{SAFE}">', Shown(1, 0)),
        (f"<textarea>{SAFE}</textarea>", Shown(1, 0)),
        (f"<p>{WORD}&quot;</p>", Shown(1, 0)),
        (f"<p>{VALUE}</p>", Shown(1, 1)),
        (f'<input value="{VALUE}">', Shown(0, 1)),
        (f"<input value='{VALUE}'>", Shown(0, 1)),
        (f'<a title="{VALUE.replace("<", "&lt;").replace(">", "&gt;")}">', Shown(0, 1)),
        ("<p>nothing</p>", Shown(0, 0)),
        (f"<script>let a = '{WORD}'</script>", Shown(0, 0)),
    ],
)
def test_text_and_markup(page, seen):
    assert shown(f"<!doctype html><html>{page}</html>", WORD) == seen


@given(st.text(max_size=80))
def test_any_page_is_read(text):
    assert shown(text, WORD) == Shown()
    assert shown(f"{html.escape(text)}<p>{VALUE}", WORD).as_markup == 1


def test_links_and_forms():
    assert links('<a href="/b/1">x</a><a>y</a><form action=/c></form>') == ["/b/1", "/c"]
