"""What is due: at once when it never ran, then once in each slot, never twice."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from troth.kernel.model import Check, Method
from troth.prove.due import due, next_due, offset

START = datetime(2026, 11, 21, 12, 0, 7, tzinfo=UTC)
methods = st.sampled_from(list(Method))
intervals = st.integers(1, 7 * 86_400).map(lambda s: timedelta(seconds=s))
times = st.integers(0, 10**9).map(lambda s: START + timedelta(milliseconds=s))


def check(id_: str = "a.b", method: Method = Method.LOOK, interval=timedelta(seconds=20)) -> Check:
    return Check(
        id=id_,
        method=method,
        interval=interval,
        ttl=interval * 3,
        probe="",
        judge="",
        command="",
    )


checks = st.builds(check, st.text("abc.", min_size=1, max_size=8), methods, intervals)


def test_what_never_ran_is_due_at_once_in_the_order_given():
    several = [check("z.a"), check("a.b", Method.DRILL), check("m.c", Method.SCAN)]

    assert due(several, {}, START) == tuple(several)


def test_looks_and_scans_tick_together_and_attacks_spread():
    looks = [check(f"{n}.a") for n in "abcdef"]
    attacks = [check(f"{n}.a", Method.ATTACK, timedelta(minutes=5)) for n in "abcdef"]
    ran = {one.id: START for one in looks}

    assert {next_due([one], ran, START) for one in looks} == {
        datetime(2026, 11, 21, 12, 0, 20, tzinfo=UTC)
    }
    assert (
        len({next_due([one], ran, START) for one in attacks} | {offset(one) for one in attacks}) > 5
    )


@given(checks, times)
def test_not_twice_in_one_moment(one, now):
    assert due([one], {one.id: now}, now) == ()


@given(checks, times)
def test_due_again_within_one_interval_and_exactly_when_told(one, now):
    ran = {one.id: now}
    again = next_due([one], ran, now)

    assert now < again <= now + one.interval
    assert due([one], ran, again) == (one,)
    assert due([one], ran, again - timedelta(microseconds=1)) == ()


@given(checks, times, st.integers(1, 10**6))
def test_after_a_clock_went_back_nothing_waits(one, now, seconds):
    back = now - one.interval - timedelta(seconds=seconds)

    assert due([one], {one.id: now}, back) == (one,)


@given(st.lists(checks, unique_by=lambda c: c.id, max_size=6), times)
def test_a_day_of_ticks_runs_each_as_often_as_it_says(several, now):
    several = [c for c in several if c.interval >= timedelta(minutes=30)]
    ran: dict[str, datetime] = {}
    count = dict.fromkeys((c.id for c in several), 0)
    moment = now
    while moment < now + timedelta(days=1):
        for one in due(several, ran, moment):
            ran[one.id] = moment
            count[one.id] += 1
        moment = max(next_due(several, ran, moment) or now + timedelta(days=1), moment)

    for one in several:
        whole = timedelta(days=1) // one.interval
        assert whole <= count[one.id] <= whole + 2


@given(st.lists(checks, max_size=5), times)
def test_the_next_moment_is_now_exactly_when_something_is_due(several, now):
    nearest = next_due(several, {}, now)

    assert nearest == (now if several else None)


def test_to_forget_is_to_run_at_once():
    one, other = check("a.a"), check("b.b")
    ran = {one.id: START, other.id: START}

    assert due([one, other], {k: v for k, v in ran.items() if k != one.id}, START) == (one,)
