"""Bans and lists: who is refused, until when, and whom the operator allowed."""

from datetime import UTC, datetime, timedelta

from troth.kernel.request import FINE, Ban, Known, Request
from troth.promises.guard.enforce.bans import banned, gates, listed
from troth.promises.guard.rules.ranges import Ranges

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def ask(client):
    return Request(method=b"GET", target=b"/", host=b"a", headers=(), client=client)


def known(subject="192.0.2.1", lasts=90.5, **lists):
    ban = Ban(subject=subject, cause="x:y", since=NOW, until=NOW + timedelta(seconds=lasts))
    return Known(now=NOW, bans={subject: ban}, lists=lists)


def test_a_ban_is_refused_with_its_cause_and_end():
    refusal = banned(ask("192.0.2.1"), known()).refusal

    assert (refusal.slug, refusal.code, refusal.status) == ("auto-response", "x:y", 403)
    assert refusal.headers == ((b"retry-after", b"91"),)
    assert banned(ask("192.0.2.2"), known()) is FINE
    assert banned(ask(""), known()) is FINE
    assert banned(ask("192.0.2.1"), Known(now=NOW)) is FINE


def test_a_ban_ends_by_itself():
    assert banned(ask("192.0.2.1"), known(lasts=0)) is FINE


def test_an_ipv6_ban_is_about_the_64():
    about = known("2001:db8:1:2::/64")

    assert banned(ask("2001:db8:1:2:ffff::9"), about).refusal
    assert banned(ask("2001:db8:1:3::1"), about) is FINE


def test_lists_by_name():
    lists = {"drop": Ranges(["198.51.100.0/24"]), "other": Ranges(["2001:db8::/32"])}

    refusal = listed(ask("198.51.100.7"), known(**lists)).refusal
    assert (refusal.slug, refusal.code, refusal.status) == ("ip-blocklist", "drop", 403)
    assert listed(ask("2001:db8::1"), known(**lists)).refusal.code == "other"
    assert listed(ask("203.0.113.1"), known(**lists)) is FINE
    assert listed(ask(""), known(**lists)) is FINE


def test_whom_the_operator_allowed_passes_both():
    allowed = Ranges(["192.0.2.1"])

    assert banned(ask("192.0.2.1"), known(allowed=allowed)) is FINE
    assert listed(ask("192.0.2.1"), known(allowed=allowed, all=Ranges(["0.0.0.0/0"]))) is FINE
    assert listed(ask("192.0.2.1"), known(all=Ranges(["0.0.0.0/0"]), allowed=allowed)) is FINE


def test_bans_come_first():
    assert gates() == (banned, listed)
