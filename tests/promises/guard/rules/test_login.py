"""What guessing costs, whatever the order in which attempts are made and answered."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from troth.enforce.trails import Trails
from troth.kernel.request import Ban, Known
from troth.promises.guard.rules import login
from troth.promises.guard.rules.login import Attempt
from troth.promises.guard.settings.login import Lockout

NOW = datetime(2026, 1, 1, tzinfo=UTC)
# The owner sits behind the same address as an attacker, and has a password that is sprayed.
MINE = Attempt(client="192.0.2.0", account="account0", secret="word0", device="mine")


@dataclass
class World:
    """Trails and bans, and a clock; what is struck is banned at once."""

    lockout: Lockout = field(default_factory=Lockout)
    now: datetime = NOW
    trails: Trails = field(default_factory=Trails)
    bans: dict = field(default_factory=dict)
    guesses: int = 0

    @property
    def known(self):
        return Known(now=self.now, trails=self.trails, bans=self.bans)

    def begin(self, attempt):
        """Whether it was let through."""
        if login.refusal(attempt, self.lockout, self.known) is not None:
            return False
        self.trails.mark(login.opening(attempt, self.known), self.now)
        self.guesses += 1
        return True

    def end(self, attempt, *, is_right=False):
        made = login.success if is_right else login.failure
        counted = made(attempt, self.lockout, self.known)
        self.trails.mark(counted.notes, self.now)
        for strike in counted.strikes:
            until = self.now + strike.length
            self.bans[strike.subject] = Ban(
                subject=strike.subject, cause=strike.cause, since=self.now, until=until
            )


def attempts(clients=3, accounts=3, secrets=4):
    return st.builds(
        Attempt,
        client=st.integers(0, clients - 1).map("192.0.2.{}".format),
        account=st.integers(0, accounts - 1).map("account{}".format),
        secret=st.integers(0, secrets - 1).map("word{}".format),
    )


STEPS = st.lists(
    st.tuples(attempts(), st.sampled_from(["begin", "end", "both"]), st.integers(0, 5)),
    max_size=60,
)


@settings(max_examples=60, deadline=None)
@given(STEPS, st.integers(1, 6))
def test_no_address_gets_more_guesses_than_it_may(steps, failures):
    """In a window in which nobody succeeds, however attempts overlap."""
    world = World(lockout=Lockout(failures=failures, account_failures=100, same_password=200))
    let = dict.fromkeys((f"192.0.2.{n}" for n in range(3)), 0)
    open_attempts = []
    for attempt, step, pause in steps:
        world.now += timedelta(milliseconds=pause)
        if step != "end" and world.begin(attempt):
            let[attempt.client] += 1
            open_attempts.append(attempt)
        if step != "begin" and open_attempts:
            world.end(open_attempts.pop(0))

    assert max(let.values()) <= failures


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 10_000), st.booleans()), min_size=5, max_size=120))
def test_an_account_gets_few_guesses_from_however_many_addresses(tries):
    """Each from an address of its own: the free ones, then one for each delay that has passed."""
    world = World()
    for number, (pause_ms, is_answered) in enumerate(tries):
        world.now += timedelta(milliseconds=pause_ms)
        attempt = Attempt(client=f"10.0.{number // 250}.{number % 250}", account="victim")
        if world.begin(attempt) and is_answered:
            world.end(attempt)

    free, seconds = world.lockout.account_failures, (world.now - NOW).total_seconds()
    doublings = sum(1 for each in range(12) if 2**each - 1 <= seconds)
    by_time = seconds / world.lockout.longest_delay_s
    unanswered = seconds / login.OPEN.total_seconds() * free
    assert world.guesses <= free + doublings + by_time + unanswered + 1


@settings(max_examples=60, deadline=None)
@given(STEPS)
def test_strangers_never_keep_a_known_device_out(steps):
    world = World()
    begun = []
    for attempt, step, pause in steps:
        world.now += timedelta(seconds=pause)
        if step != "end" and world.begin(attempt):
            begun.append(attempt)
        if step != "begin" and begun:
            world.end(begun.pop())
        assert login.refusal(MINE, world.lockout, world.known) is None


@settings(max_examples=60, deadline=None)
@given(STEPS, attempts())
def test_who_succeeds_leaves_nothing_of_that_account_behind_there(steps, lucky):
    world = World(lockout=Lockout(failures=200, account_failures=100, same_password=200))
    for attempt, _, _ in steps:
        if world.begin(attempt):
            world.end(attempt)
    others = {
        key: [mark for mark in trail if mark.member not in {lucky.account, lucky.client}]
        for key, trail in world.trails.items()
        if not key.startswith("login-fine")
    }
    assert world.begin(lucky)
    world.end(lucky, is_right=True)

    for key, trail in world.trails.items():
        if key == f"login-from:{lucky.client}":
            assert lucky.account not in {mark.member for mark in trail}
        if key == f"login-at:{lucky.account}":
            assert lucky.client not in {mark.member for mark in trail}
        if not key.startswith("login-fine"):
            kept = [m for m in trail if m.member not in {lucky.account, lucky.client}]
            assert kept == others.get(key, [])


@settings(max_examples=40, deadline=None)
@given(STEPS)
def test_nothing_stays_open_that_was_answered(steps):
    world = World(lockout=Lockout(failures=200, account_failures=100, same_password=200))
    for attempt, _, _ in steps:
        assert world.begin(attempt)
        world.end(attempt)

    assert [key for key in world.trails if key.startswith("open-")] == []


@given(st.integers(0, 100), st.integers(1, 3600))
def test_a_delay_grows_to_its_longest(more, longest):
    lockout = Lockout(longest_delay_s=longest)

    assert login.delay(more, lockout) <= login.delay(more + 1, lockout)
    assert login.delay(more, lockout) <= timedelta(seconds=longest)


@pytest.mark.parametrize("name", ["Ann@Example.org", " ann@example.org ", "ANN@EXAMPLE.ORG"])
def test_one_account_however_it_is_written(name):
    assert login.named(name) == "ann@example.org"


def test_an_attempt_without_address_or_account_is_only_open_and_gone():
    world = World()
    nobody = Attempt(client="")
    assert world.begin(nobody)
    world.end(nobody)
    world.end(nobody, is_right=True)

    assert list(world.trails) == []


def test_a_strike_is_a_ban_at_once():
    world = World(lockout=Lockout(failures=1))
    attempt = Attempt(client="192.0.2.1", account="a")
    (strike,) = login.failure(attempt, world.lockout, world.known).strikes

    assert strike.ask.cost > strike.ask.burst
    assert strike.subject == "login:192.0.2.1"
