"""The desk as a process has it: bans by hand, followers, journals, kills."""

import asyncio
import json
import time
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest

from troth.adapters import clock, sockets
from troth.enforce.bans import Bans
from troth.promises.guard.rules.bans import Sentence
from troth.promises.guard.rules.ranges import Ranges
from troth.promises.guard.settings.addresses import Bans as Settings
from troth.roles.guard_bans import Desk, desk
from troth.roles.places import Places

MINUTE = timedelta(minutes=1)
WITHIN_S = 30


class Guard:
    def __init__(self, places, index, now=clock.now):
        self.events = []
        told = lambda *event: self.events.append(event)  # noqa: E731
        self.bans = Bans(Sentence(Settings()), Ranges, told)
        self.desk = Desk(places, index, self.bans, told, now)
        self.path = desk(places, index)
        self.desk.load()

    @property
    def subjects(self):
        return {ban.subject for ban in self.bans.live(clock.now())}

    async def ask(self, do, **fields):
        line = json.dumps({"do": do, **fields}).encode()
        return json.loads(await asyncio.to_thread(sockets.ask, self.path, line, timeout_s=WITHIN_S))

    def strike(self, subject):
        return self.bans.due(subject, "x:y", MINUTE, clock.now())


@asynccontextmanager
async def running(places, index):
    guard = Guard(places, index)
    await guard.desk.open()
    async with asyncio.TaskGroup() as group:
        task = group.create_task(guard.desk.run())
        try:
            yield guard
        finally:
            task.cancel()


async def until(condition):
    end = time.monotonic() + WITHIN_S
    while not condition():
        assert time.monotonic() < end
        await asyncio.sleep(0.005)


@pytest.fixture
def places(short_tmp):
    made = Places(short_tmp)
    made.prepare()
    return made


@pytest.fixture
def short_tmp(tmp_path_factory):
    return tmp_path_factory.mktemp("g")


def play(scene):
    asyncio.run(asyncio.wait_for(scene, 60))


def test_by_hand(places):
    async def scene():
        async with running(places, 0) as guard:
            said = await guard.ask("ban", address="2001:db8::7", for_s=60, because="noise")
            assert (said["ok"], said["subject"]) == (True, "2001:db8::/64")
            shown = await guard.ask("bans")
            assert [(ban["subject"], ban["cause"]) for ban in shown["bans"]] == [
                ("2001:db8::/64", "operator:noise")
            ]
            assert (await guard.ask("unban", address="2001:db8::9"))["was"]
            assert not (await guard.ask("unban", address="2001:db8::9"))["was"]
            assert (await guard.ask("allow", network="10.0.0.0/8"))["ok"]
            assert "10.1.2.3" in guard.bans.allowed
            assert (await guard.ask("disallow", network="10.0.0.0/8"))["was"]

    play(scene())


@pytest.mark.parametrize(
    ("do", "fields", "why"),
    [
        ("ban", {"address": "127.0.0.1", "for_s": 60}, "protected"),
        ("ban", {"address": "192.0.2.0/24", "for_s": 60}, "no address"),
        ("ban", {"address": "192.0.2.1", "for_s": 0}, "for_s"),
        ("allow", {"network": "nonsense"}, "nonsense"),
        ("dance", {}, "dance"),
    ],
)
def test_what_is_refused_says_why(places, do, fields, why):
    async def scene():
        async with running(places, 0) as guard:
            said = await guard.ask(do, **fields)
            assert not said["ok"]
            assert why in said["why"]
            assert (await guard.ask("bans"))["count"] == 0

    play(scene())


def test_a_drill_is_banned_shortly_by_hand_too(places):
    async def scene():
        async with running(places, 0) as guard:
            said = await guard.ask("ban", address="127.66.1.2", for_s=9999)
            left = datetime.fromisoformat(said["until"]) - datetime.now(UTC)
            assert left <= timedelta(seconds=30)

    play(scene())


def test_all_follow_the_first_and_it_hears_of_theirs(places):
    async def scene():
        async with AsyncExitStack() as stack:
            first = await stack.enter_async_context(running(places, 0))
            first.strike("192.0.2.1")
            others = [await stack.enter_async_context(running(places, n)) for n in (1, 2)]
            await until(lambda: all(each.subjects == {"192.0.2.1"} for each in others))
            await until(lambda: all(each.desk._leader for each in others))
            others[0].strike("192.0.2.2")
            await until(lambda: all(len(each.subjects) == 2 for each in (first, *others)))
            first.bans.lift("192.0.2.1")
            await until(lambda: all(each.subjects == {"192.0.2.2"} for each in others))

    play(scene())


def test_who_follows_a_follower_hears_it_all(places):
    async def scene():
        async with running(places, 1) as standby:
            reader, writer = await asyncio.open_unix_connection(str(standby.path))
            writer.write(b'{"do":"follow"}\n')
            assert json.loads(await reader.readline())["do"] == "whole"
            async with running(places, 0) as first:
                first.strike("192.0.2.1")
                assert await reader.read() == b""  # it begins anew
                writer.close()
                await until(lambda: standby.desk._leader and standby.subjects)
                reader, writer = await asyncio.open_unix_connection(str(standby.path))
                writer.write(b'{"do":"follow"}\n')
                said = [json.loads(await reader.readline()) for _ in range(2)]
                assert [each["do"] for each in said] == ["ban", "whole"]
                first.bans.lift("192.0.2.1")
                assert json.loads(await reader.readline())["do"] == "lift"
                writer.close()

    play(scene())


def test_who_was_alone_offers_what_it_banned_meanwhile(places):
    async def scene():
        async with running(places, 1) as standby:
            async with running(places, 0) as first:
                first.strike("192.0.2.1")
                await until(lambda: standby.subjects == {"192.0.2.1"})
            await until(lambda: standby.desk._leader is None)
            standby.strike("192.0.2.2")
            async with running(places, 0) as first:
                await until(lambda: first.subjects == {"192.0.2.1", "192.0.2.2"})
                await until(lambda: standby.subjects == {"192.0.2.1", "192.0.2.2"})

    play(scene())


def test_what_was_lifted_while_another_was_away_does_not_come_back(places):
    async def scene():
        async with running(places, 0) as first:
            async with running(places, 1) as standby:
                first.strike("192.0.2.1")
                await until(lambda: standby.subjects)
            first.bans.lift("192.0.2.1")
            async with running(places, 1) as standby:
                await until(lambda: standby.desk._leader)
                assert standby.subjects == first.subjects == set()

    play(scene())


def test_a_broken_journal_is_kept_aside_and_told(places):
    Guard(places, 0).strike("192.0.2.1")
    path = places.spool / "guard-bans-0.jsonl"
    with path.open("ab") as file:
        file.write(b'\x00garbage\n{"n":9,"do":"dance","subject":"s"}\n{"n":')

    again = Guard(places, 0)

    assert again.subjects == {"192.0.2.1"}
    ((name, fields),) = again.events
    assert (name, fields["lost"]) == ("bans.damaged", 1)
    assert b"garbage" in next(places.spool.glob("*.broken-*")).read_bytes()
    assert Guard(places, 0).events == []


def test_a_journal_that_cannot_be_written_stops_no_ban(places):
    guard = Guard(places, 0)
    guard.desk._journal.path = places.data / "none" / "j"
    guard.desk._journal.close()

    assert guard.strike("192.0.2.1")
    assert guard.subjects == {"192.0.2.1"}
    assert [name for name, _ in guard.events] == ["bans.unsaved", "ban.ban"]


def test_a_follower_that_does_not_read_is_dropped(places, monkeypatch):
    monkeypatch.setattr("troth.roles.guard_bans.MAX_HELD_BYTES", 50_000)

    async def scene():
        async with running(places, 0) as guard:
            _, writer = await asyncio.open_unix_connection(str(guard.path))
            writer.transport.pause_reading()
            writer.write(b'{"do":"follow"}\n')
            await until(lambda: guard.desk._following)
            for number in range(20_000):
                guard.strike(f"10.0.{number // 256}.{number % 256}")
                if not guard.desk._following:
                    break
            assert not guard.desk._following
            writer.close()

    play(scene())
