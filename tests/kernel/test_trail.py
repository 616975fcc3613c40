"""Trails that are elsewhere: what was marked in advance, and what is left to do about it."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.enforce.trails import Trails
from troth.kernel.trail import ELSEWHERE, NOTHING, Looked, Mark, Note, left

NOW = datetime(2026, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


def note(member="", key="k:a", **how):
    return Note(key=key, member=member, window=HOUR, **how)


def undone(member="", key="k:a", at_most=0):
    return Note(key=key, member=member, is_undone=True, at_most=at_most)


def test_what_was_made_and_is_wanted_is_done():
    assert left((note("a"), note("b")), (note("b"), note("a"))) == ()
    assert left((), (note("a"),)) == (note("a"),)


def test_what_was_made_and_is_not_wanted_is_taken_away_once():
    assert left((note("a"),), ()) == (undone("a", at_most=1),)
    assert left((note("a"), note("a")), (note("a"),)) == (undone("a", at_most=1),)


def test_what_is_undone_whole_takes_what_was_made_with_it():
    moved = (undone("a"), note("a"))

    assert left((note("a"),), moved) == moved
    assert left((note("a"),), (undone(),)) == (undone(),)


adding = st.builds(note, st.sampled_from("ab"), st.sampled_from(["k:a", "k:b"]))
wanting = adding | st.builds(undone, st.sampled_from("ab"), st.sampled_from(["k:a", "k:b"]))


@given(st.lists(adding), st.lists(adding, max_size=4), st.lists(wanting, max_size=4))
def test_in_the_end_it_is_as_if_only_what_is_wanted_had_been_written(before, made, wanted):
    """As far as anybody can tell: who is on a trail, and how often."""
    ours, theirs = Trails(), Trails()
    for trails in (ours, theirs):
        trails.mark(before, NOW)
    ours.mark(made, NOW)
    ours.mark(left(made, wanted), NOW)
    theirs.mark(wanted, NOW)

    for key in ("k:a", "k:b"):
        counts = [
            sorted(mark.member for mark in trails.get(key, NOTHING)) for trails in (ours, theirs)
        ]
        assert counts[0] == counts[1]


def test_what_nobody_looked_at_is_not_nothing():
    looked = Looked({"k:a": (Mark(NOW),)})

    assert looked["k:a"] == looked.get("k:a") == (Mark(NOW),)
    assert (list(looked), len(looked)) == (["k:a"], 1)
    with pytest.raises(AssertionError, match="nobody looked at: k"):
        looked.get("k:b", NOTHING)
    with pytest.raises(AssertionError):
        ELSEWHERE.get("k:a")
