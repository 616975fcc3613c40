"""Counters in the process: never more than the rate, whoever tries to have them forgotten."""

import random
import threading
from datetime import timedelta
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from troth.adapters.counters import Memory, memory
from troth.kernel.request import Ask

SECOND = 1_000_000_000
MINUTE = timedelta(minutes=1)


class Reference:
    """A bucket of exact fractions that is told what was admitted: may this come as well?

    It knows nothing of arrival times: `burst` tokens, refilled at limit/period, never above burst.
    """

    def __init__(self, limit, period, burst):
        self.rate = Fraction(limit) / Fraction(int(period.total_seconds() * 10**6), 10**6)
        self.burst, self.tokens, self.at = Fraction(burst), Fraction(burst), None

    def now(self, ns):
        at = Fraction(ns, SECOND)
        if self.at is not None:
            self.tokens = min(self.burst, self.tokens + (at - self.at) * self.rate)
        self.at = at
        return self.tokens

    def admits(self, ns, cost):
        return self.now(ns) >= cost

    def took(self, cost):
        self.tokens -= cost


class Clock:
    def __init__(self, ns=10**15):
        self.ns = ns

    def __call__(self):
        return self.ns


def one(key="k:a", limit=6, period=MINUTE, burst=3, cost=1):
    return Ask(key=key, limit=limit, period=period, burst=burst, cost=cost)


def test_a_burst_then_the_rate():
    clock = Clock()
    counters = Memory(now_ns=clock)

    said = [counters.take([one()])["k:a"] for _ in range(4)]

    assert [tally.is_over for tally in said] == [False, False, False, True]
    assert [tally.remaining for tally in said] == [2, 1, 0, 0]
    assert [tally.reset.total_seconds() for tally in said] == [10, 20, 30, 30]
    assert [tally.retry_after.total_seconds() for tally in said] == [0, 0, 0, 10]
    clock.ns += 10 * SECOND - 1
    assert counters.take([one()])["k:a"].is_over
    clock.ns += 1
    assert not counters.take([one()])["k:a"].is_over
    assert counters.take([one()])["k:a"].is_over


def test_looking_takes_nothing():
    counters = Memory(now_ns=Clock())

    looks = [counters.take([one(cost=0)])["k:a"] for _ in range(5)]
    assert {(tally.is_over, tally.remaining, len(counters)) for tally in looks} == {(False, 3, 0)}
    for _ in range(3):
        counters.take([one()])

    full = counters.take([one(cost=0)])["k:a"]
    assert (full.is_over, full.remaining, full.retry_after) == (True, 0, timedelta(seconds=10))


def test_what_is_over_takes_nothing_and_others_are_taken_from():
    counters = Memory(now_ns=Clock())

    said = counters.take([one(cost=4), one("k:b"), one("other:a", cost=2)])

    assert said["k:a"].is_over
    assert (said["k:a"].remaining, said["k:b"].remaining, said["other:a"].remaining) == (3, 2, 1)


RATES = st.tuples(st.integers(1, 50), st.sampled_from([1, 7, 60, 3600]), st.integers(1, 50)).map(
    lambda r: (r[0], timedelta(seconds=r[1]), min(r[0], r[2]))
)
STEPS = st.lists(st.tuples(st.integers(0, 5 * SECOND), st.integers(0, 3)), max_size=60)


@settings(max_examples=150, deadline=None)
@given(RATES, STEPS)
def test_nothing_is_admitted_that_the_reference_would_not(rate, steps):
    limit, period, burst = rate
    clock, reference = Clock(), Reference(limit, period, burst)
    counters = Memory(now_ns=clock)
    slack = Fraction(burst + 1, 10**9) * reference.rate + Fraction(1, 10**6)

    for pause, cost in steps:
        clock.ns += pause
        tally = counters.take([one(limit=limit, period=period, burst=burst, cost=cost)])["k:a"]
        tokens = reference.now(clock.ns)
        if cost and not tally.is_over:
            assert reference.admits(clock.ns, cost)
            reference.took(cost)
            tokens -= cost
        elif cost:
            assert tokens < cost + slack  # refused for a nanosecond's rounding at most
        assert tokens - 1 - slack < tally.remaining <= tokens


def test_a_seeded_crowd_is_never_over_admitted():
    rng, clock = random.Random(20260101), Clock()
    counters = Memory(now_ns=clock)
    rates = {"a": (600, MINUTE, 200), "b": (7, timedelta(seconds=1), 3), "c": (1, MINUTE, 1)}
    references, admitted = {}, 0

    for _ in range(20_000):
        clock.ns += rng.choice([0, 1, 999, 10**6, 10**8, rng.randrange(3 * SECOND)])
        asks = []
        for kind in rng.sample(sorted(rates), rng.randint(1, 3)):
            limit, period, burst = rates[kind]
            key = f"{kind}:{rng.randrange(8)}"
            references.setdefault(key, Reference(limit, period, burst))
            asks.append(one(key, limit, period, burst))
        for key, tally in counters.take(asks).items():
            if not tally.is_over:
                assert references[key].admits(clock.ns, 1), key
                references[key].took(1)
                admitted += 1

    assert admitted > 5000


def test_a_flood_of_others_does_not_have_a_counter_forgotten():
    clock = Clock()
    counters = Memory(now_ns=clock, capacity=100)
    while not counters.take([one("k:attacker", 100, MINUTE, 20)])["k:attacker"].is_over:
        pass

    for number in range(5000):
        counters.take([one(f"k:{number}", 100, MINUTE, 20)])
        assert len(counters) <= 100

    assert counters.evicted == 5000 - 99
    assert counters.take([one("k:attacker", 100, MINUTE, 20)])["k:attacker"].is_over


def test_a_flood_of_one_kind_leaves_the_others():
    counters = Memory(now_ns=Clock(), capacity=100)
    for number in range(20):
        counters.take([one(f"account:{number}")])

    for number in range(1000):
        counters.take([one(f"token:{number}"), one(f"token:{number}", cost=2)])

    said = [counters.take([one(f"account:{n}", cost=0)])[f"account:{n}"] for n in range(20)]
    assert {tally.remaining for tally in said} == {2}


def test_what_is_empty_goes_by_itself():
    clock = Clock()
    counters = Memory(now_ns=clock)
    for number in range(1000):
        counters.take([one(f"k:{number}")])

    clock.ns += 3600 * SECOND
    for number in range(1000):
        counters.take([one(f"k:new{number}")])

    assert len(counters) == 1000
    assert counters.evicted == 0


def test_a_counter_in_use_is_never_taken_for_an_empty_one():
    clock = Clock()
    counters = Memory(now_ns=clock)
    for _ in range(100):
        clock.ns += 9 * SECOND
        counters.take([one("k:busy"), one(f"k:{clock.ns}")])

    assert counters.take([one("k:busy", cost=0)])["k:busy"].remaining < 2


def test_kinds_are_bounded():
    counters = Memory(now_ns=Clock())
    for number in range(1000):
        counters.take([one(f"{number}:a")])

    assert len(counters._kinds) == memory.MAX_KINDS + 1
    assert counters.take([one("999:a", cost=0)])["999:a"].remaining == 2


@pytest.mark.parametrize("back", [SECOND, 3600 * SECOND])
def test_a_clock_that_goes_back_locks_nobody_out(back):
    clock = Clock()
    counters = Memory(now_ns=clock)
    for _ in range(3):
        counters.take([one()])

    clock.ns -= back
    tally = counters.take([one()])["k:a"]

    assert tally.is_over
    assert tally.retry_after <= timedelta(seconds=10)
    clock.ns += 10 * SECOND
    assert not counters.take([one()])["k:a"].is_over


def test_threads_together_get_no_more_than_one():
    counters, admitted = Memory(now_ns=Clock()), []
    ask = one(limit=1000, burst=500)

    def work():
        admitted.append(sum(not counters.take([ask])["k:a"].is_over for _ in range(1000)))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sum(admitted) == 500
