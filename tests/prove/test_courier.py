"""The courier: in order, patient for a minute, and nothing counts without the ledger's yes."""

import json
from datetime import timedelta

import pytest

from troth.adapters import sockets
from troth.prove import courier as room
from troth.prove.courier import MAX_WAITING, PATIENCE, Courier, CourierError


class Desk:
    """A ledger that says what a test wants; `away` raises instead."""

    def __init__(self):
        self.heard, self.away, self.answers = [], False, []

    def ask(self, path, line, *, timeout_s, limit_bytes):
        if self.away:
            raise sockets.SocketError("cannot be asked", where=str(path))
        asked = json.loads(line)
        self.heard.append(asked)
        if self.answers:
            return self.answers.pop(0)
        return json.dumps({"ok": True, "sequence": 4, "source": "log:1"}).encode()

    def rounds(self):
        return [asked["envelope"] for asked in self.heard if asked["do"] == "round"]


@pytest.fixture
def desk(monkeypatch):
    made = Desk()
    monkeypatch.setattr(room.sockets, "ask", made.ask)
    return made


@pytest.fixture
def told():
    return []


@pytest.fixture
def courier(desk, told, tmp_path):
    return Courier(
        tmp_path / "ledger.sock",
        name="local",
        public=bytes(32),
        told=lambda event, fields: told.append((event, fields)),
    )


def test_it_introduces_itself_and_delivers_in_order(courier, desk, clock):
    courier.take(b"one", clock())
    courier.take(b"two", clock())

    assert courier.deliver(clock()) == 2
    assert [asked["do"] for asked in desk.heard] == ["hello", "round", "round"]
    assert desk.rounds() == ["one", "two"]
    assert courier.waiting == 0
    assert courier.enrol() == 4


def test_while_the_ledger_is_away_rounds_wait_a_minute(courier, desk, clock, told):
    desk.away = True
    for n in range(5):
        courier.take(f"{n}".encode(), clock.go(seconds=20))
        with pytest.raises(CourierError, match="does not answer"):
            courier.deliver(clock())
    desk.away = False

    courier.deliver(clock())

    assert desk.rounds() == ["1", "2", "3", "4"]
    assert [event for event, _ in told] == ["round.lost"]
    assert timedelta(seconds=60) == PATIENCE


def test_what_waits_is_bounded(courier, desk, clock, told):
    desk.away = True
    for n in range(MAX_WAITING + 10):
        courier.take(f"{n}".encode(), clock())
    with pytest.raises(CourierError):
        courier.deliver(clock())

    assert courier.waiting == MAX_WAITING
    assert len(told) == 10


def test_what_was_refused_is_told_and_dropped(courier, desk, clock, told):
    courier.enrol()
    no = {"ok": False, "code": "replay", "why": "a sequence number that was used before"}
    desk.answers = [json.dumps(no).encode()]
    courier.take(b"one", clock())
    courier.take(b"two", clock())

    assert courier.deliver(clock()) == 1
    assert told == [("round.refused", {"why": no["why"], "code": "replay"})]


def test_a_ledger_that_forgot_us_is_told_again(courier, desk, clock):
    courier.enrol()
    desk.answers = [json.dumps({"ok": False, "code": "unknown-vantage"}).encode()]
    courier.take(b"one", clock())

    assert courier.deliver(clock()) == 1
    assert [asked["do"] for asked in desk.heard] == ["hello", "round", "hello", "round"]


@pytest.mark.parametrize("answer", [b"", b"nonsense", b"[]", b"null", b"3"])
def test_no_answer_is_no_yes(courier, desk, clock, answer):
    courier.enrol()
    desk.answers = [answer]
    courier.take(b"one", clock())

    with pytest.raises(CourierError):
        courier.deliver(clock())
    assert courier.waiting == 1


def test_a_ledger_that_does_not_take_us(courier, desk):
    desk.answers = [json.dumps({"ok": False, "why": "another key is enrolled"}).encode()]

    with pytest.raises(CourierError, match="another key"):
        courier.enrol()
