"""Tokens of HTML, against libinjection's own cases."""

import sys
from pathlib import Path

import pytest

from troth.engines.seclang.inject.htmltokens import Kind, in_quotes, in_tag, in_text

sys.path.insert(0, str(Path(__file__).parents[1]))

import libinjection

CASES = Path(__file__).parents[5] / "shared" / "corpora" / "libinjection" / "tests"
KINDS = {
    b"TAG_NAME_OPEN": Kind.TAG,
    b"TAG_CLOSE": Kind.CLOSED,
    b"ATTR_NAME": Kind.NAME,
    b"ATTR_VALUE": Kind.VALUE,
    b"TAG_COMMENT": Kind.COMMENT,
    b"DOCTYPE": Kind.DOCTYPE,
}


@pytest.mark.shared
def test_the_public_cases():
    cases = sorted(CASES.glob("test-html5-*.txt"))
    if not cases:
        pytest.skip("no cases in ../shared")
    wrong = []
    for path in cases:
        value, expected = libinjection.case(path)
        lines = [line.split(b",", 2) for line in expected.splitlines()]
        told = [(KINDS[kind], text.strip()) for kind, _, text in lines if kind in KINDS]
        if [(kind, text.strip()) for kind, text in in_text(value, all_told=True)] != told:
            wrong.append(path.name)

    assert wrong == []


def test_a_value_may_stand_in_a_tag_or_in_quotes():
    whole = [(Kind.NAME, b"a"), (Kind.VALUE, b"b"), (Kind.NAME, b"c"), (Kind.TAG, b"e")]

    assert list(in_tag(b"a='b' c>d<e", all_told=True)) == whole
    assert list(in_quotes(b"x'a=b c>d<e", b"'", all_told=True)) == [(Kind.VALUE, b"x"), *whole]
    assert list(in_quotes(b"x", b'"')) == [(Kind.VALUE, b"x")]


@pytest.mark.parametrize("value", [b"<p>x</p>" * 9, b"<a b=c d='e'>", b"<!x><?y>", b"<i a=b c>"])
def test_what_is_nothing_is_passed_over(value: bytes):
    assert list(in_text(value)) == []
    assert list(in_text(value, all_told=True)) != []
