"""The search of the logs."""

import pytest

from liars import public
from troth.engines.transparency import search
from troth.engines.transparency.errors import TransparencyError

KEY = "a" * 64


def test_what_is_on_record():
    with public.searching([public.entry(KEY, "a.example", "b.example")]) as address:
        (found,) = search.search(address, "a.example")

    assert (found.names, found.key_sha256) == (("a.example", "b.example"), KEY)
    assert found.not_after.tzinfo


@pytest.mark.parametrize(
    "entries",
    [
        [{"dns_names": []}],
        [public.entry("short", "a.example")],
        [public.entry(KEY, "a.example") | {"not_after": "2026-11-01T00:00:00"}],
    ],
)
def test_an_answer_of_another_shape(entries):
    with public.searching(entries) as address, pytest.raises(TransparencyError):
        search.search(address, "a.example")


def test_an_answer_that_is_none():
    with public.searching([], status=429) as address, pytest.raises(TransparencyError, match="429"):
        search.search(address, "a.example")
