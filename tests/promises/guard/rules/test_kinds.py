"""Kinds of values: what many have in common, bounded."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.promises.guard.rules.kinds import (
    KINDS,
    MAX_NAMES,
    MAX_ROUTES,
    Learnt,
    Seen,
    fits,
    kinds_of,
    name_of,
    route_of,
)

UUID = "123e4567-e89b-12d3-a456-426614174000"


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["1", "0"], "boolean"), (["7", "19", "0"], "integer"), (["7", "1.5"], "number"),
        ([UUID], "uuid"), (["2026-01-31"], "date"), (["2026-01-31T10:00:00Z"], "datetime"),
        (["a@b.example", "c+d@e.example"], "email"), (["red", "dark-blue", "7"], "slug"),
        (["hello there"], ""), (["7", "' OR 1=1"], ""), (["x" * 5000], ""), (["naïve"], ""),
    ],
)  # fmt: skip
def test_the_narrowest_kind_of_all(values: list[str], kind: str):
    seen = Seen()
    for value in (*values, ""):
        seen.add(value)

    assert seen.kind == kind
    assert seen.count == len(values)


@pytest.mark.parametrize(
    "attack", ["1 OR 1=1", "1;ls", "<b>", "../x", "${x}", "a\n", "1\n", "{{1}}"]
)
def test_no_attack_is_of_any_kind(attack: str):
    assert not kinds_of(attack)


@given(st.text(max_size=50))
def test_a_value_fits_exactly_its_kinds(value: str):
    for kind in KINDS:
        assert fits(value, kind, 4096) == (not value or kind in kinds_of(value))


def test_length_counts():
    assert fits("123", "integer", 3)
    assert not fits("1234", "integer", 3)


@pytest.mark.parametrize(
    ("path", "route"),
    [("/users/17", "/users/{id}"), (f"/a/{UUID}/b/3", "/a/{id}/b/{id2}"), ("/", "/"),
     ("/users/me", "/users/me")],
)  # fmt: skip
def test_identifiers_are_named(path: str, route: str):
    assert route_of(path) == route


def test_places_in_lists_are_one():
    assert name_of("items.3.id") == "items.*.id"
    assert name_of("a.10") == "a.*"
    assert name_of("v2.x") == "v2.x"


def test_memory_is_bounded():
    learnt = Learnt()
    for route in range(MAX_ROUTES + 50):
        learnt.add(f"/{route}", "a", "1")
    for name in range(MAX_NAMES + 50):
        learnt.add("/0", f"n{name}", "1")
    learnt.add("/1", "x" * 200, "1")

    assert len(learnt.routes) == MAX_ROUTES
    assert len(learnt.routes["/0"]) == MAX_NAMES
    assert len(learnt.routes["/1"]) == 1
