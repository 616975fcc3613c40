"""Bans at the edge: the file that Envoy watches, and the packet filter."""

import asyncio
import json
import time
from contextlib import asynccontextmanager
from datetime import timedelta

import msgspec
import pytest

from troth.adapters import clock
from troth.adapters.log import Log
from troth.enforce.bans import Bans as Known
from troth.promises.guard.rules.bans import Sentence
from troth.promises.guard.rules.ranges import Ranges
from troth.promises.guard.settings.addresses import Bans as Settings
from troth.roles.edge_bans import Bans
from troth.roles.guard_bans import Desk
from troth.roles.places import Places

WITHIN_S = 30
MINUTE = timedelta(minutes=1)


@pytest.fixture
def places(tmp_path_factory):
    made = Places(tmp_path_factory.mktemp("e"))
    made.prepare()
    return made


@pytest.fixture
def nft(tmp_path, monkeypatch):
    """A program that writes down what it is given, each time anew."""
    program = tmp_path / "nft"
    program.write_text(f"#!/bin/sh\ncd {tmp_path}\n/bin/cat > given.new\n/bin/mv given.new given\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    return tmp_path / "given"


def settings(**said):
    return msgspec.convert(said, Settings)


@asynccontextmanager
async def guard(places):
    known = Known(Sentence(Settings()), Ranges, lambda *_: None)
    desk = Desk(places, 0, known, lambda *_: None, clock.now)
    desk.load()
    await desk.open()
    async with asyncio.TaskGroup() as group:
        task = group.create_task(desk.run())
        yield known
        task.cancel()


@asynccontextmanager
async def edge(places, chosen, log):
    bans = Bans(places, chosen, Log("edge", clock.now, log))
    bans.prepare()
    async with asyncio.TaskGroup() as group:
        task = group.create_task(bans.run())
        yield bans
        task.cancel()


def written(places):
    (resource,) = json.loads((places.edge / "bans.json").read_text())["resources"]
    tree = resource["typed_config"]["matcher"].get("matcher_tree")
    if tree is None:
        return []
    (matcher,) = tree["custom_match"]["typed_config"]["range_matchers"]
    return sorted(f"{each['address_prefix']}/{each['prefix_len']}" for each in matcher["ranges"])


async def until(condition):
    end = time.monotonic() + WITHIN_S
    while not condition():
        assert time.monotonic() < end
        await asyncio.sleep(0.005)


def strike(known, subject, length=MINUTE):
    return known.due(subject, "x:y", length, clock.now())


def play(scene):
    asyncio.run(asyncio.wait_for(scene, 60))


@pytest.fixture
def log(tmp_path):
    with (tmp_path / "log").open("wb") as file:
        yield file.fileno()


def test_what_is_in_force_is_written_until_it_ends(places, log):
    async def scene():
        async with guard(places) as known, edge(places, settings(), log):
            assert written(places) == []
            strike(known, "192.0.2.1")
            strike(known, "2001:db8:1:2::/64")
            strike(known, "192.0.2.9", timedelta(milliseconds=500))
            await until(lambda: len(written(places)) == 3)
            await until(lambda: written(places) == ["192.0.2.1/32", "2001:db8:1:2::/64"])
            known.allow("192.0.2.0/24", clock.now() + MINUTE)
            await until(lambda: written(places) == ["2001:db8:1:2::/64"])
            known.lift("2001:db8:1:2::/64")
            await until(lambda: written(places) == [])

    play(scene())


def test_while_no_guard_answers_what_was_known_stays(places, log):
    async def scene():
        async with edge(places, settings(), log):
            async with guard(places) as known:
                strike(known, "192.0.2.1")
                await until(lambda: written(places) == ["192.0.2.1/32"])
            async with guard(places) as known:  # from its journal
                strike(known, "192.0.2.2")
                await until(lambda: len(written(places)) == 2)

    play(scene())


def test_turned_off(places, log):
    async def scene():
        async with guard(places) as known, edge(places, settings(edge=False), log) as bans:
            strike(known, "192.0.2.1")
            await until(lambda: bans._known.by_subject)
            assert written(places) == []

    play(scene())


def test_the_kernel_is_told_and_forgets_in_the_end(places, nft, log):
    async def scene():
        async with guard(places) as known, edge(places, settings(nftables=True), log):
            strike(known, "192.0.2.1")
            await until(lambda: nft.exists() and "192.0.2.1 timeout" in nft.read_text())
        assert nft.read_text() == "table inet troth\ndelete table inet troth\n"

    play(scene())


def test_a_kernel_that_may_not_be_told_is_said_and_the_edge_goes_on(places, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with (tmp_path / "log").open("wb") as log:

        async def scene():
            async with guard(places) as known, edge(places, settings(nftables=True), log.fileno()):
                strike(known, "192.0.2.1")
                await until(lambda: written(places) == ["192.0.2.1/32"])
                await until(lambda: "bans.not-at-edge" in (tmp_path / "log").read_text())

        play(scene())
    assert "CAP_NET_ADMIN" in (tmp_path / "log").read_text()
