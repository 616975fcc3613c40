"""What the guard waits for, and hears of."""

from datetime import UTC, datetime, timedelta

import pytest

from troth.enforce import awaited, wire
from troth.enforce.awaited import Waiting
from troth.enforce.keeper import Keeper, Means
from troth.enforce.snapshot import Current, Snapshot
from troth.kernel.request import Awaited, Opinion, Response
from troth.kernel.site import Site
from troth.kernel.trail import Note

SITE = Site(name="n", app="https://a", http="http://a", troth="https://t", status="https://s")
NOTE = Note(key="k", window=timedelta(seconds=1))


class World:
    def __init__(self):
        self.now = datetime(2026, 1, 1, tzinfo=UTC)
        self.heard, self.settled, self.told, self.ids = [], [], [], iter(range(100_000))
        self.opinion = Opinion(counted="seen", notes=(NOTE,), answer=((b"set-cookie", b"a=b"),))
        snapshot = Snapshot(
            checks=(), site=SITE, prefix="/-/", max_body_bytes=1, config="", made=self.now
        )
        self.keeper = Keeper(
            Current(snapshot, lambda *_: None),
            Means(
                now=lambda: self.now,
                new_id=lambda: "event",
                told=lambda name, fields: self.told.append((name, fields)),
                settle=lambda decision, _: self.settled.append(decision.notes),
            ),
        )
        self.waiting = Waiting(
            self.keeper, index=1, now=lambda: self.now, new_id=lambda: f"{next(self.ids):032x}"
        )

    def ask(self, response, known):
        self.heard.append(response)
        if isinstance(self.opinion, Exception):
            raise self.opinion
        return self.opinion

    def name(self, *, reads_body=False):
        ((header, value),) = self.waiting.header((Awaited(ask=self.ask, reads_body=reads_body),))
        assert header == b"x-troth-awaited"
        guard, _, name = value.partition(b".")
        assert guard == b"1"
        return name

    def tell(self, name, *headers, body=b"", method=b"POST", status=b"200"):
        told = wire.Message(
            method=method, target=b"/" + name, headers=((b"status", status), *headers), body=body
        )
        return self.waiting.answer(told)


@pytest.fixture
def world():
    return World()


def test_what_is_told_is_decided_counted_and_given_back(world):
    reply = world.tell(world.name(), (b"location", b"/x"), status=b"302")

    assert world.heard == [Response(status=302, headers=((b"location", b"/x"),))]
    assert (reply.status, reply.headers) == (200, ((b"set-cookie", b"a=b"),))
    assert world.settled == [(NOTE,)]
    assert world.keeper.counts == {"seen": 1}


def test_a_name_is_good_for_one_answer(world):
    name = world.name()

    assert world.tell(name).status == 200
    assert world.tell(name).status == 404
    assert len(world.heard) == 1


@pytest.mark.parametrize("name", [b"", b"x", b"\xff", b"0" * 32])
def test_nothing_is_believed_under_another_name(world, name):
    world.name(reads_body=True)

    assert world.tell(name).status == 404
    assert world.heard == []


def test_what_is_no_report_is_none(world):
    assert world.tell(world.name(), method=b"GET").status == 404
    assert world.tell(world.name(), status=b"x").status == 404
    assert world.heard == []


def test_a_body_is_shown_to_who_wants_it(world):
    world.tell(world.name(), body=b"secret")
    world.tell(world.name(reads_body=True), body=b"wrong password")

    assert [one.body for one in world.heard] == [None, b"wrong password"]


def test_who_waits_for_nothing_gets_no_name(world):
    assert world.waiting.header(()) == ()
    assert len(world.waiting) == 0


def test_what_nobody_tells_of_is_forgotten(world):
    name = world.name()
    world.now += awaited.LASTS
    world.name()

    assert len(world.waiting) == 1
    assert world.tell(name).status == 404


def test_there_is_an_end_to_waiting(world):
    first = world.name()
    for _ in range(awaited.MAX_WAITING):
        world.name()

    assert len(world.waiting) == awaited.MAX_WAITING
    assert world.tell(first).status == 404


def test_a_bug_is_told_and_harms_nobody(world):
    world.opinion = ZeroDivisionError()

    assert world.tell(world.name()).headers == ()
    assert world.told == [("guard.unheard", {"bug": "ZeroDivisionError()"})]
    assert world.keeper.counts == {"unheard": 1}
