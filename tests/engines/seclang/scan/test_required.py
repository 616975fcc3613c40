"""A gate that says no is right: then there is nothing to find."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from troth.engines.seclang.scan import pattern, required
from troth.engines.seclang.scan.rx import rx

_ATOMS = st.sampled_from(
    ["a", "b", "ab", "[ab]", "[^a]", ".", r"\d", r"\s", "^", "$", r"\b", "(?i:aB)", "x", r"\.", ""]
)
_PATTERNS = st.recursive(
    _ATOMS,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=4).map("".join),
        st.lists(inner, min_size=2, max_size=3).map(lambda ways: f"(?:{'|'.join(ways)})"),
        st.tuples(inner, st.sampled_from(["*", "+", "?", "{2}", "{1,3}", "{0}"])).map(
            lambda pair: f"(?:{pair[0]}){pair[1]}"
        ),
        inner.map(lambda part: f"({part})"),
    ),
    max_leaves=8,
)
_VALUES = st.text(st.sampled_from("aAbBx1. \n-"), max_size=12).map(str.encode)


@settings(max_examples=300, deadline=None)
@given(_PATTERNS, st.lists(_VALUES, max_size=8))
def test_every_match_holds_a_literal_of_the_clause(argument: str, values: list[bytes]):
    clause = required.clause(pattern.read(argument))
    find = rx(argument)

    for value in values:
        if clause is not None and find(value) is not None:
            assert any(literal in value.lower() for literal in clause)


@pytest.mark.parametrize(
    ("argument", "clause"),
    [
        (r"(?i)union.{0,9}select", {b"select"}),
        (r"\s*[;|&`]\s*(?:l+s|c+at)\b", {b";", b"|", b"&", b"`"}),
        (r"a*", None),
        (r"[^a]+", None),
        (r"(?:x|)y", {b"y"}),
        (r"foo(?!bar)", {b"foo"}),
    ],
)
def test_the_rarest_clause_is_chosen(argument: str, clause: set[bytes] | None):
    found = required.clause(pattern.read(argument))

    assert found == (None if clause is None else frozenset(clause))
