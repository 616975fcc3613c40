"""The board in a real Redis: one order for all, ends, what is lost, and closed when it is gone."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from troth.adapters.counters import CountersError, board
from troth.adapters.counters.board import Board
from troth.adapters.log import Secret

LATER = datetime.now(UTC) + timedelta(hours=1)
PATIENT = timedelta(seconds=20)


def run(scene):
    return asyncio.run(asyncio.wait_for(scene, 60))


def on(url, timeout=PATIENT):
    return Board(Secret(url), timeout=timeout)


def test_everything_is_told_in_one_order_and_stands_until_it_ends(redis):
    async def scene():
        here, there = on(redis.url), on(redis.url)
        first = await here.whole("m1")
        await here.put("a", b"1", LATER, is_last_word=False)
        await there.put("b", b"2", LATER, is_last_word=False)
        await there.drop("a", b"3")
        await there.drop("never", b"4")
        after, told = await here.told(first.after)
        _, nothing = await there.told(after)
        whole = await there.whole("m2")
        await here.close()
        await there.close()
        return first, told, nothing, whole

    first, told, nothing, whole = run(scene())

    assert (first.mark, first.is_new, first.lines) == ("m1", True, ())
    assert told == (b"1", b"2", b"3")
    assert nothing == ()
    assert (whole.mark, whole.is_new, whole.lines) == ("m1", False, (b"2",))


def test_nothing_is_made_shorter_but_by_the_last_word(redis):
    sooner = LATER - timedelta(minutes=30)

    async def scene():
        one = on(redis.url)
        await one.put("a", b"long", LATER, is_last_word=False)
        await one.put("a", b"short", sooner, is_last_word=False)
        before = (await one.whole("m")).lines
        await one.put("a", b"said", sooner, is_last_word=True)
        after = (await one.whole("m")).lines
        await one.close()
        return before, after

    assert run(scene()) == ((b"long",), (b"said",))


def test_what_ended_goes_and_so_does_what_is_too_much(redis, monkeypatch):
    monkeypatch.setattr(board, "MOST", 3)

    async def scene():
        one = on(redis.url)
        await one.put("over", b"over", LATER - timedelta(days=2), is_last_word=False)
        for number in range(5):
            until = LATER + timedelta(minutes=number)
            await one.put(f"n{number}", b"%d" % number, until, is_last_word=False)
        lines = (await one.whole("m")).lines
        await one.close()
        return lines

    assert sorted(run(scene())) == [b"2", b"3", b"4"]


def test_who_listens_is_told_at_once_and_a_dead_server_is_no_silence(redis):
    async def scene():
        here, there = on(redis.url), on(redis.url)
        listening = asyncio.ensure_future(here.told("0-0"))
        await there.put("a", b"1", LATER, is_last_word=False)
        _, told = await listening
        listening = asyncio.ensure_future(here.told("0-0"))
        await listening
        redis.kill()
        for call in (
            lambda: here.told("0-0"),
            lambda: there.whole("m"),
            lambda: there.put("b", b"2", LATER, is_last_word=False),
        ):
            with pytest.raises(CountersError):
                await call()
        redis.start()
        whole = await there.whole("m")
        await here.close()
        await there.close()
        return told, whole

    told, whole = run(scene())

    assert told == (b"1",)
    assert whole.is_new
