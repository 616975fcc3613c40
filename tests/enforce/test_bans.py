"""Bans in memory: placed, escalated, followed, read again."""

from datetime import UTC, datetime, timedelta

import pytest

from troth.enforce import bans as module
from troth.enforce.bans import Bans, Delta
from troth.kernel.request import Ask, Ban, Strike, Tally
from troth.promises.guard.rules.bans import Sentence
from troth.promises.guard.rules.ranges import Ranges
from troth.promises.guard.settings.addresses import Bans as Settings

NOW = datetime(2026, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


class Play:
    def __init__(self):
        self.events, self.deltas = [], []
        self.bans = Bans(Sentence(Settings()), Ranges, lambda *event: self.events.append(event))
        self.bans.followers.append(self.deltas.append)

    def strike(self, subject="192.0.2.1", is_over=True, now=NOW, key="k:a"):
        ask = Ask(key=key, limit=1, period=MINUTE, burst=1)
        strike = Strike(ask=ask, subject=subject, cause="x:y", length=MINUTE)
        tally = Tally(is_over=is_over, remaining=0, reset=MINUTE)
        return self.bans.struck((strike,), {key: tally}, now)


def test_one_strike_too_many():
    play = Play()

    assert play.strike(is_over=False) == ()
    (ban,) = play.strike()

    assert play.bans.by_subject == {"192.0.2.1": ban}
    assert (ban.cause, ban.until) == ("x:y", NOW + MINUTE)
    assert [(delta.n, delta.do, delta.subject) for delta in play.deltas] == [
        (1, "ban", "192.0.2.1")
    ]
    assert play.events[0][0] == "ban.ban"


def test_what_was_under_way_makes_it_no_longer():
    play = Play()
    play.strike()

    assert play.strike(now=NOW + MINUTE / 2) == ()
    (again,) = play.strike(now=NOW + MINUTE)
    assert (again.times, again.until - again.since) == (2, 4 * MINUTE)


def test_nobody_is_banned_who_is_protected_or_not_named():
    play = Play()

    assert play.strike("127.0.0.1") == play.strike("") == ()
    assert play.bans.struck((Strike(ask=Ask(key="z", limit=1, period=MINUTE, burst=1),
                                    subject="192.0.2.1"),), {}, NOW) == ()  # fmt: skip


def test_lifting_forgets():
    play = Play()
    play.strike()

    assert play.bans.lift("192.0.2.1")
    assert not play.bans.lift("192.0.2.1")
    assert play.strike()[0].times == 1
    assert [delta.n for delta in play.deltas] == [1, 2, 3]


def test_allowing_and_its_end():
    play = Play()
    play.bans.allow("198.51.100.0/24", NOW + MINUTE)

    assert "198.51.100.7" in play.bans.allowed
    with pytest.raises(ValueError, match="nonsense"):
        play.bans.allow("nonsense", NOW + MINUTE)
    assert "198.51.100.7" in play.bans.allowed
    play.bans.expire(NOW + MINUTE)
    assert "198.51.100.7" not in play.bans.allowed
    assert not play.bans.disallow("198.51.100.0/24")


def test_the_deltas_make_the_same_bans():
    play, other = Play(), Play()
    play.strike()
    play.strike("192.0.2.2")
    play.bans.lift("192.0.2.1")
    play.bans.allow("10.0.0.0/8", NOW + MINUTE)

    other.bans.read(play.deltas, NOW)
    assert other.bans.by_subject == play.bans.by_subject
    assert other.bans.number == play.bans.number == 4
    assert "10.1.2.3" in other.bans.allowed

    third = Play()
    third.strike("203.0.113.1")
    third.bans.replace(play.bans.state(), NOW)
    assert third.bans.by_subject == play.bans.by_subject
    assert third.bans.allowed.until == play.bans.allowed.until


def test_a_ban_is_not_replaced_by_a_shorter_one():
    play = Play()
    long = Ban(subject="s", cause="c", since=NOW, until=NOW + 5 * MINUTE)
    short = Ban(subject="s", cause="c", since=NOW, until=NOW + MINUTE)

    assert play.bans.place(long)
    assert not play.bans.place(short)
    assert play.bans.live(NOW) == [long]
    assert play.bans.live(NOW + 5 * MINUTE) == []


def test_a_clock_that_was_put_back_makes_no_ban_endless():
    play = Play()
    future = Delta(
        n=1, do="ban", subject="192.0.2.1", cause="c",
        since=NOW + timedelta(days=400), until=NOW + timedelta(days=400) + MINUTE,
    )  # fmt: skip

    play.bans.read([future], NOW)

    assert play.bans.by_subject["192.0.2.1"].until == NOW + MINUTE


def test_what_ended_long_ago_is_forgotten():
    play = Play()
    play.strike()

    play.bans.expire(NOW + MINUTE + module.REMEMBERED - MINUTE / 2)
    assert play.bans.by_subject
    play.bans.expire(NOW + MINUTE + module.REMEMBERED)
    assert not play.bans.by_subject


def test_they_are_bounded(monkeypatch):
    monkeypatch.setattr(module, "MOST", 10)
    monkeypatch.setattr(module, "MOST_ALLOWED", 2)
    play = Play()
    for number in range(50):
        play.bans.place(
            Ban(subject=f"s{number}", cause="c", since=NOW, until=NOW + MINUTE * (number + 1))
        )

    assert set(play.bans.by_subject) == {f"s{number}" for number in range(40, 50)}
    for _ in range(2000):
        play.bans.lift("s49")
        play.bans.place(Ban(subject="s49", cause="c", since=NOW, until=NOW + MINUTE * 99))
    assert len(play.bans._ends) < 1100
    play.bans.allow("10.0.0.1", NOW + MINUTE)
    play.bans.allow("10.0.0.2", NOW + MINUTE)
    with pytest.raises(ValueError, match="allowed already"):
        play.bans.allow("10.0.0.3", NOW + MINUTE)


@pytest.mark.parametrize(
    "wrong", [Delta(n=1, do="x", subject="s"), Delta(n=1, do="ban", subject="s")]
)
def test_nonsense_is_an_error(wrong):
    with pytest.raises(ValueError, match="no change"):
        Play().bans.read([wrong], NOW)
