"""Counters in a real Redis: as exact as those in the process, and closed when it is gone."""

import asyncio
import itertools
import random
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from troth.adapters.counters import CountersError, Memory
from troth.adapters.counters.remote import MAX_BATCH, MAX_WAITING, Remote
from troth.adapters.log import Secret
from troth.enforce.trails import Trails
from troth.kernel.request import Ask
from troth.kernel.trail import BEGAN, MAX_MARKS, Look, Note

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
PATIENT = timedelta(seconds=20)


def one(key="k:a", limit=6, period=DAY, burst=3, cost=1):
    return Ask(key=key, limit=limit, period=period, burst=burst, cost=cost)


@asynccontextmanager
async def counters(url, told=None, within=PATIENT):
    remote = Remote(
        Secret(url),
        (lambda *event: told.append(event)) if told is not None else lambda *_: None,
        timeout=within,
    )
    async with asyncio.TaskGroup() as group:
        running = group.create_task(remote.run())
        try:
            yield remote
        finally:
            running.cancel()


def run(scene):
    return asyncio.run(asyncio.wait_for(scene, 60))


def test_a_burst_and_no_more(redis):
    async def scene():
        async with counters(redis.url) as remote:
            return [(await remote.ask([one()])).tallies["k:a"] for _ in range(4)]

    said = run(scene())

    assert [tally.is_over for tally in said] == [False, False, False, True]
    assert [tally.remaining for tally in said] == [2, 1, 0, 0]
    assert timedelta(hours=3.9) < said[3].retry_after <= timedelta(hours=4)
    assert timedelta(hours=11.9) < said[3].reset <= timedelta(hours=12)


def test_looking_takes_nothing_and_costs_are_taken_whole(redis):
    async def scene():
        async with counters(redis.url) as remote:
            look = await remote.ask([one(cost=0), one(cost=4)])
            full = await remote.ask([one(cost=3)])
            return look, full, await remote.ask([one(cost=0)])

    look, full, after = (taken.tallies for taken in run(scene()))

    assert look["k:a"].is_over  # of two with one key, the last is said
    assert (full["k:a"].is_over, full["k:a"].remaining) == (False, 0)
    assert (after["k:a"].is_over, after["k:a"].remaining) == (True, 0)
    assert after["k:a"].retry_after > timedelta(hours=3.9)


def test_both_kinds_of_counters_answer_alike(redis):
    """Periods of days: what passes between the two questions is less than one request's worth."""
    rng = random.Random(7)
    memory = Memory()

    async def scene():
        async with counters(redis.url) as remote:
            for _ in range(400):
                asks = [
                    one(f"{kind}:{rng.randrange(4)}", limit, DAY, burst, rng.randrange(3))
                    for kind, limit, burst in rng.sample(
                        [("a", 9, 9), ("b", 50, 7), ("c", 1, 1)], 2
                    )
                ]
                here, there = memory.take(asks), (await remote.ask(asks)).tallies
                for key, tally in here.items():
                    other = there[key]
                    assert (tally.is_over, tally.remaining) == (other.is_over, other.remaining)
                    assert abs(tally.reset - other.reset) < MINUTE
                    assert abs(tally.retry_after - other.retry_after) < MINUTE

    run(scene())


def test_guards_together_admit_no_more_than_one(redis):
    async def scene():
        async with counters(redis.url) as one_guard, counters(redis.url) as another:
            asked = [guard.ask([one(limit=500, burst=500)]) for guard in (one_guard, another)
                     for _ in range(700)]  # fmt: skip
            return [taken.tallies["k:a"].is_over for taken in await asyncio.gather(*asked)]

    assert run(scene()).count(False) == 500


def test_many_requests_share_a_round_trip(redis):
    async def scene():
        async with counters(redis.url) as remote:
            await remote.ask([one()])
            before = await remote._client.info("commandstats")
            await asyncio.gather(*(remote.ask([one(f"k:{n}"), one(f"l:{n}")]) for n in range(200)))
            after = await remote._client.info("commandstats")
        calls = [each["cmdstat_evalsha"]["calls"] for each in (before, after)]
        return calls[1] - calls[0]

    assert run(scene()) <= 2 * 200 * 2 / MAX_BATCH + 2


def test_what_is_empty_is_forgotten_by_the_server(redis):
    async def scene():
        async with counters(redis.url) as remote:
            await remote.ask([one(period=MINUTE)])
            return await remote._client.pttl("{troth}:k:a")

    assert 0 < run(scene()) <= 10_002


def test_a_server_that_began_anew_is_told_the_script_again(redis):
    async def scene():
        async with counters(redis.url) as remote:
            await remote.ask([one()])
            await remote._client.script_flush()
            return await remote.ask([one()])

    assert run(scene()).tallies["k:a"].remaining == 1


def test_killed_in_the_middle_everything_is_refused_and_then_it_is_back(redis):
    told = []

    async def scene():
        async with counters(redis.url, told, timedelta(seconds=1)) as remote:
            passed = await remote.ask([one("k:before")])
            under_way = [remote.ask([one(f"k:{n}", 10**6, MINUTE, 1000)]) for n in range(5000)]
            await asyncio.sleep(0)
            redis.kill()
            said = await asyncio.gather(*under_way, return_exceptions=True)
            lost = [each for each in said if isinstance(each, Exception)]
            with pytest.raises(CountersError):
                await remote.ask([one()])
            redis.start()
            while True:
                try:
                    back = await remote.ask([one()])
                    break
                except CountersError:
                    await asyncio.sleep(0.02)
            return passed, lost, back

    passed, lost, back = run(scene())

    assert not passed.tallies["k:before"].is_over
    assert lost
    assert {type(each) for each in lost} == {CountersError}
    assert not back.tallies["k:a"].is_over
    assert [event[0] for event in told] == ["counters.gone", "counters.back"]


def test_a_server_that_hangs_makes_nobody_wait_longer_than_said(redis):
    async def scene():
        async with counters(redis.url, within=timedelta(milliseconds=300)) as remote:
            await remote.ask([one()])
            redis.child.send_signal(19)  # SIGSTOP
            try:
                with pytest.raises(CountersError):
                    await remote.ask([one()])
            finally:
                redis.child.send_signal(18)

    run(scene())


def test_nobody_there_and_too_many_waiting(tmp_path):
    async def scene():
        async with counters(f"unix://{tmp_path}/none.sock") as remote:
            with pytest.raises(CountersError):
                await remote.look()
            asked = [remote.ask([one()] * 10) for _ in range(MAX_WAITING // 10 + 1)]
            assert isinstance(asked[-1].exception(), CountersError)
            said = await asyncio.gather(*asked, return_exceptions=True)
            assert {type(each) for each in said} == {CountersError}

    run(scene())


def test_an_address_that_is_none_is_not_repeated():
    with pytest.raises(CountersError) as caught:
        Remote(Secret("nonsense://:s3cret@host"), lambda *_: None, timeout=PATIENT)

    assert "s3cret" not in str(caught.value)


def test_a_server_that_would_forget_is_told(redis):
    async def scene():
        async with counters(redis.url) as remote:
            fine = await remote.look()
            await remote._client.config_set("maxmemory-policy", "allkeys-lru")
            return fine, await remote.look()

    fine, warned = run(scene())

    assert fine == ""
    assert "allkeys-lru" in warned


# -- trails --------------------------------------------------------------------------------------

KEY = b"k" * 32


def note(member="", key="login-at:ann", window=DAY, **how):
    return Note(key=key, member=member, window=window, **how)


def undone(member="", key="login-at:ann", at_most=0):
    return Note(key=key, member=member, is_undone=True, at_most=at_most)


def words(trail):
    return [mark.member for mark in trail]


def test_what_is_marked_is_read_by_every_guard_in_the_moment_of_marking(redis):
    look = Look(keys=("login-at:ann",), notes=(note("192.0.2.1"),))

    async def scene():
        async with counters(redis.url) as here, counters(redis.url) as there:
            asked = [guard.ask([], [look]) for guard in (here, there) for _ in range(20)]
            taken = await asyncio.gather(*asked)
            return sorted(len(each.trails["login-at:ann"]) for each in taken)

    assert run(scene()) == list(range(40))  # each saw exactly those that came before it


def test_trails_elsewhere_are_as_those_at_hand(redis):
    rng = random.Random(11)
    keys = ("a:1", "a:2", "b:1")
    at_hand = Trails()

    async def scene():
        async with counters(redis.url) as remote:
            for _ in range(300):
                key, member = rng.choice(keys), rng.choice(["x", "y", "z", ""])
                made = rng.choice(
                    [note(member, key), note(member, key), undone(member, key), undone("", key, 1)]
                )
                remote.mark([made])
                at_hand.mark([made], remote._now())
                there = (await remote.ask([], [Look(keys=keys)])).trails
                for each in keys:
                    assert words(there[each]) == words(at_hand.get(each, ()))

    run(scene())


def test_a_trail_is_bounded_dated_by_our_clock_and_forgotten(redis):
    async def scene():
        async with counters(redis.url) as remote:
            remote.mark([note(str(number)) for number in range(MAX_MARKS + 9)])
            remote.mark([note("soon", "b:1", timedelta(milliseconds=40))])
            before = remote._now()
            taken = await remote.ask([one()], [Look(keys=("login-at:ann", BEGAN))])
            ttls = [await remote._client.pttl(key) for key in await remote._client.keys("*trail*")]
            while await remote._client.exists(f"{{troth}}:{remote._named('b:1')}"):
                await asyncio.sleep(0.01)
            return taken, ttls, before, await remote.ask([], [Look(keys=("b:1", BEGAN))])

    taken, ttls, before, after = run(scene())

    marks = taken.trails["login-at:ann"]
    assert len(marks) == MAX_MARKS
    assert marks[-1].member == str(MAX_MARKS + 8)
    assert all(abs(mark.at - before) < MINUTE for mark in marks)
    assert all(a.at <= b.at for a, b in itertools.pairwise(marks))
    assert max(ttls) <= DAY / timedelta(milliseconds=1)
    assert not taken.tallies["k:a"].is_over
    assert after.trails["b:1"] == ()
    assert abs(after.trails[BEGAN][0].at - taken.trails[BEGAN][0].at) < MINUTE


def test_marks_of_different_interest_share_a_trail(redis):
    """What is of interest for an hour does not go with what is for a second."""

    async def scene():
        async with counters(redis.url) as remote:
            remote.mark([note("long"), note("short", window=timedelta(seconds=1))])
            await remote.ask([], [Look(keys=())])
            (key,) = await remote._client.keys("*trail*")
            return await remote._client.pttl(key)

    assert run(scene()) > 3_600_000


def test_the_server_is_told_no_name_and_no_key(redis):
    async def scene():
        async with counters(redis.url) as remote:
            remote._key = KEY
            remote.mark([note("m", "login-at:ann@example.com")])
            await remote.ask([], [Look(keys=("login-at:ann@example.com",))])
            keys = [key.decode() for key in await remote._client.keys("*")]
            remote._key = b"o" * 32
            return keys, await remote.ask([], [Look(keys=("login-at:ann@example.com",))])

    keys, with_another_key = run(scene())

    (trail,) = [key for key in keys if "trail" in key]
    assert trail.startswith("{troth}:trail:login-at:")
    assert "ann" not in trail
    assert with_another_key.trails["login-at:ann@example.com"] == ()


def test_one_round_trip_for_counters_trails_and_marks(redis):
    look = Look(keys=("a:1", "a:2", "a:3"), notes=(note("m", "a:1"), note("m", "a:2")))

    async def scene():
        async with counters(redis.url) as remote:
            await remote.ask([one()])
            calls = (await remote._client.info("commandstats"))["cmdstat_evalsha"]["calls"]
            await remote.ask([one("k:1"), one("k:2")], [look])
            after = await remote._client.info("commandstats")
            return calls, after["cmdstat_evalsha"]["calls"]

    before, after = run(scene())

    assert after - before == 1
