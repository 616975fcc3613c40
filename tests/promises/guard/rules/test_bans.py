"""How long somebody is kept out."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from troth.promises.guard.rules.bans import Sentence
from troth.promises.guard.settings.addresses import Bans

NOW = datetime(2026, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def ban(sentence=None, subject="192.0.2.1", length=MINUTE, before=None, now=NOW):
    return (sentence or Sentence(Bans())).ban(subject, "x:y", length, before, now)


def test_each_in_a_row_is_longer():
    first = ban()
    assert (first.until - NOW, first.times, first.cause) == (MINUTE, 1, "x:y")

    again = ban(before=first, now=first.until + timedelta(hours=23))
    assert (again.until - again.since, again.times) == (4 * MINUTE, 2)

    third = ban(before=again, now=again.until)
    assert (third.until - third.since, third.times) == (16 * MINUTE, 3)


def test_after_a_while_it_is_forgotten():
    first = ban()

    assert ban(before=first, now=first.until + timedelta(days=1)).times == 1


def test_a_ban_is_never_made_shorter():
    long = ban(length=timedelta(hours=5))

    assert ban(before=long, now=NOW + MINUTE).until == long.until


@settings(max_examples=50)
@given(st.integers(1, 10**6), st.integers(1, 10**9))
def test_there_is_a_longest(length_s, times):
    before = ban()
    before = type(before)(subject="s", cause="c", since=NOW, until=NOW, times=times)

    assert ban(length=timedelta(seconds=length_s), before=before).until <= NOW + timedelta(days=7)


@pytest.mark.parametrize("subject", ["127.0.0.1", "::/64", "10.1.2.3", ""])
def test_who_is_never_banned(subject):
    sentence = Sentence(Bans(), trusted=("10.0.0.0/8",))

    assert ban(sentence, subject) is None
    assert ban(sentence, "10.1.2.3" if subject == "" else subject, timedelta(0)) is None


def test_our_own_attackers_are_banned_shortly():
    sentence = Sentence(Bans())

    found = ban(sentence, "127.66.3.4", timedelta(hours=1))

    assert found.until - NOW == timedelta(seconds=Bans().drill_s)
    assert sentence.is_drill("127.66.3.4")
    assert not sentence.is_drill("192.0.2.1")


@pytest.mark.parametrize("subject", ["login:127.0.0.1", "login:10.0.0.1", "login:127.66.0.1"])
def test_of_login_routes_alone_anybody_may_be_kept_out_and_for_the_whole_time(subject):
    sentence = Sentence(Bans(), trusted=("10.0.0.0/8",))
    placed = ban(sentence, subject, timedelta(minutes=15))

    assert placed.until - placed.since == timedelta(minutes=15)
