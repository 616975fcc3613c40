"""Bans of two machines through a real Redis: made, lifted, lost and found again."""

import asyncio
import shutil
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from tests.adapters.counters.conftest import Server

from troth.adapters import clock
from troth.adapters.counters.board import Board
from troth.adapters.log import Secret
from troth.enforce.bans import Bans
from troth.kernel.request import Ban
from troth.promises.guard.rules.bans import Sentence
from troth.promises.guard.rules.ranges import Ranges
from troth.promises.guard.settings.addresses import Bans as Settings
from troth.roles.guard_shared import Sharer

HOUR = timedelta(hours=1)


@pytest.fixture
def redis(tmp_path):
    if not shutil.which("redis-server"):
        pytest.skip("no redis-server here (Debian: apt install redis-server)")
    server = Server(tmp_path)
    server.start()
    yield server
    server.kill()


def ban(subject, until=None):
    now = datetime.now(UTC)
    return Ban(subject=subject, cause="operator", since=now, until=until or now + HOUR)


class Machine:
    """What one machine knows, and what it told."""

    def __init__(self, url, mark):
        self.told = []
        self.bans = Bans(Sentence(Settings()), Ranges, lambda *_: None)
        self.sharer = Sharer(
            Board(Secret(url), timeout=timedelta(seconds=20)),
            self.bans,
            lambda name, fields: self.told.append(name),
            clock.now,
            mark,
        )

    @property
    def banned(self):
        return set(self.bans.by_subject)

    @asynccontextmanager
    async def runs(self):
        async with asyncio.TaskGroup() as group:
            task = group.create_task(self.sharer.run())
            try:
                yield self
            finally:
                task.cancel()


async def until(condition):
    async with asyncio.timeout(40):
        while not condition():
            await asyncio.sleep(0.002)


def run(scene):
    return asyncio.run(asyncio.wait_for(scene, 60))


def test_a_ban_here_is_a_ban_there_and_so_is_its_end(redis):
    async def scene():
        async with Machine(redis.url, "a").runs() as a, Machine(redis.url, "b").runs() as b:
            a.bans.place(ban("192.0.2.1"))
            b.bans.place(ban("2001:db8::/64"))
            await until(lambda: a.banned == b.banned == {"192.0.2.1", "2001:db8::/64"})
            b.bans.lift("192.0.2.1")
            a.bans.allow("198.51.100.0/24", datetime.now(UTC) + HOUR)
            await until(lambda: a.banned == {"2001:db8::/64"})
            await until(lambda: "198.51.100.7" in b.bans.allowed)
            b.bans.disallow("198.51.100.0/24")
            await until(lambda: "198.51.100.7" not in a.bans.allowed)

    run(scene())


def test_who_begins_takes_over_the_board_in_place_of_a_journal(redis):
    async def scene():
        async with Machine(redis.url, "a").runs() as a:
            a.bans.place(ban("192.0.2.1"))
            await until(lambda: not a.sharer._unsaid)
            late = Machine(redis.url, "b")
            late.bans.read([], clock.now())
            late.bans.followers.remove(late.sharer._note)
            late.bans.place(ban("192.0.2.9"))  # of a journal: lifted while it was away
            late.bans.followers.append(late.sharer._note)
            late.bans.place(ban("192.0.2.5"))  # made before it reached the board
            async with late.runs():
                await until(lambda: a.banned == late.banned == {"192.0.2.1", "192.0.2.5"})

    run(scene())


def test_while_the_board_is_gone_bans_act_and_are_told_when_it_is_back_though_it_was_lost(redis):
    async def scene():
        async with Machine(redis.url, "a").runs() as a, Machine(redis.url, "b").runs() as b:
            a.bans.place(ban("192.0.2.1"))
            await until(lambda: "192.0.2.1" in b.banned)
            redis.kill()
            a.bans.place(ban("192.0.2.2"))
            b.bans.place(ban("192.0.2.3"))
            await until(lambda: "bans.unshared" in a.told and "bans.unshared" in b.told)
            assert a.banned == {"192.0.2.1", "192.0.2.2"}
            redis.start()  # with nothing in it
            everything = {"192.0.2.1", "192.0.2.2", "192.0.2.3"}
            await until(lambda: a.banned == b.banned == everything)
            async with Machine(redis.url, "c").runs() as c:
                await until(lambda: c.banned == everything)
            return a.told, b.told

    for told in run(scene()):
        assert told.count("bans.unshared") == 1


def test_an_order_of_the_operator_that_makes_a_ban_shorter_holds_everywhere(redis):
    soon = datetime.now(UTC) + timedelta(minutes=5)

    async def scene():
        async with Machine(redis.url, "a").runs() as a, Machine(redis.url, "b").runs() as b:
            a.bans.place(ban("192.0.2.1"))
            await until(lambda: "192.0.2.1" in b.banned)
            b.bans.lift("192.0.2.1")
            b.bans.place(ban("192.0.2.1", soon))
            await until(lambda: not b.sharer._unsaid)
            await until(lambda: a.bans.by_subject.get("192.0.2.1", ban("x")).until == soon)
            await until(lambda: b.bans.by_subject.get("192.0.2.1", ban("x")).until == soon)

    run(scene())


def test_a_line_that_is_none_is_left_out(redis):
    async def scene():
        async with Machine(redis.url, "a").runs() as a, Machine(redis.url, "b").runs() as b:
            board = Board(Secret(redis.url), timeout=timedelta(seconds=20))
            await board.put("x", b"nonsense", datetime.now(UTC) + HOUR, is_last_word=False)
            await board.put("y", b'{"n":0,"do":"?","subject":"z"}', datetime.now(UTC) + HOUR,
                            is_last_word=False)  # fmt: skip
            await board.close()
            a.bans.place(ban("192.0.2.1"))
            await until(lambda: b.banned == {"192.0.2.1"})

    run(scene())
