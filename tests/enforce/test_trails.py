"""What is remembered: marks, in bounds, for a while."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.enforce.trails import MAX_KINDS, Trails
from troth.kernel.trail import BEGAN, MAX_MARKS, Note, members, within

NOW = datetime(2026, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def note(key="k:a", member="", **more):
    return Note(key=key, member=member, window=MINUTE, **more)


def seconds(trails, key="k:a"):
    return [(mark.at - NOW).total_seconds() for mark in trails.get(key, ())]


def test_marks_are_kept_in_order_and_by_key():
    trails = Trails()
    trails.mark((note(member="x"), note("k:b")), NOW)
    trails.mark((note(member="y"),), NOW + timedelta(seconds=1))

    assert [mark.member for mark in trails["k:a"]] == ["x", "y"]
    assert sorted(trails) == ["k:a", "k:b"]
    assert len(trails) == 2
    assert members(trails["k:a"]) == {"x", "y"}
    with pytest.raises(KeyError):
        trails["k:c"]


def test_what_is_older_than_its_window_goes():
    trails = Trails()
    for second in (0, 30, 61):
        trails.mark((note(),), NOW + timedelta(seconds=second))

    assert seconds(trails) == [30, 61]
    assert len(within(trails["k:a"], NOW + timedelta(seconds=91), MINUTE)) == 1


def test_marks_can_be_taken_away():
    trails = Trails()
    trails.mark([note(member=member) for member in "xyxx"], NOW)
    trails.mark((note(member="x", is_undone=True, at_most=1),), NOW)
    assert [mark.member for mark in trails["k:a"]] == ["x", "y", "x"]
    trails.mark((note(member="x", is_undone=True),), NOW)
    assert [mark.member for mark in trails["k:a"]] == ["y"]
    trails.mark((note(is_undone=True), note("k:none", is_undone=True)), NOW)

    assert list(trails) == []


def test_a_flood_of_one_kind_pushes_out_its_own_oldest_only():
    trails = Trails(most=10)
    trails.mark((note("other:a"),), NOW)
    trails.mark([note(f"k:{number}") for number in range(100)], NOW)

    assert "other:a" in trails
    assert len(trails) == 11
    assert "k:99" in trails
    assert "k:89" not in trails


def test_what_is_over_makes_room_by_itself():
    trails = Trails()
    trails.mark([note(f"k:{number}") for number in range(100)], NOW)
    later = NOW + 2 * MINUTE
    for number in range(50):
        trails.mark((note(f"k:later{number}"),), later)

    assert len(trails) == 50


def test_kinds_and_marks_have_an_end():
    trails = Trails()
    trails.mark([note(f"kind{number}:a") for number in range(MAX_KINDS + 9)], NOW)
    trails.mark([note("kind0:b")] * (MAX_MARKS + 9), NOW)

    assert len(trails) == MAX_KINDS + 1
    assert len(trails["kind0:b"]) == MAX_MARKS


def test_it_says_when_it_began():
    assert [mark.at for mark in Trails(NOW)[BEGAN]] == [NOW]
    assert BEGAN not in Trails()


def test_threads_do_not_disturb_each_other():
    trails = Trails()

    def work():
        for _ in range(500):
            trails.mark((note(),), NOW)
            assert trails["k:a"]

    threads = [threading.Thread(target=work) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    assert len(trails["k:a"]) == MAX_MARKS


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 90), st.booleans()), max_size=40))
def test_it_is_what_a_list_would_be(steps):
    trails, model, at = Trails(), [], NOW
    for member, pause, is_undone in steps:
        at += timedelta(seconds=pause)
        trails.mark((note(member=member, is_undone=is_undone, at_most=1),), at)
        if is_undone:
            last = max((i for i, (_, m) in enumerate(model) if m == member), default=None)
            if last is not None:
                del model[last]
        else:
            model = [(t, m) for t, m in model if t > at - MINUTE] + [(at, member)]

    assert [(mark.at, mark.member) for mark in trails.get("k:a", ())] == model
