"""Counters in a real Redis: as exact as those in the process, and closed when it is gone."""

import asyncio
import random
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from troth.adapters.counters import CountersError, Memory
from troth.adapters.counters.remote import MAX_BATCH, MAX_WAITING, Remote
from troth.adapters.log import Secret
from troth.kernel.request import Ask

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
            return [(await remote.ask([one()]))["k:a"] for _ in range(4)]

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

    look, full, after = run(scene())

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
                here, there = memory.take(asks), await remote.ask(asks)
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
            return [tally["k:a"].is_over for tally in await asyncio.gather(*asked)]

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

    assert run(scene())["k:a"].remaining == 1


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

    assert not passed["k:before"].is_over
    assert lost
    assert {type(each) for each in lost} == {CountersError}
    assert not back["k:a"].is_over
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
