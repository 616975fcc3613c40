"""Rates and header values."""

from datetime import timedelta

import pytest

from troth.kernel.request import Tally
from troth.promises.guard.rules import limits


def test_rates():
    assert limits.rate("600/min") == (600, timedelta(minutes=1))
    assert limits.rate("1/day") == (1, timedelta(days=1))


@pytest.mark.parametrize(
    ("path", "prefix", "is_it"),
    [("/a", "/a", True), ("/a/b", "/a", True), ("/ab", "/a", False), ("/x", "/", True),
     ("/", "/a", False)],
)  # fmt: skip
def test_below(path, prefix, is_it):
    assert limits.is_below(path, prefix) is is_it


def test_seconds_are_rounded_up():
    assert [limits.seconds(timedelta(milliseconds=ms)) for ms in (0, 1, 1000, 1001)] == [0, 1, 1, 2]


def test_the_fields():
    tally = Tally(is_over=False, remaining=3, reset=timedelta(seconds=1.5))

    assert limits.policy("app", 600, timedelta(minutes=1)) == '"app";q=600;w=60'
    assert limits.state([("app", tally), ("b", tally)]) == b'"app";r=3;t=2, "b";r=3;t=2'
