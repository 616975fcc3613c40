"""Blocklists as others publish them."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.promises.guard.rules import feeds


def test_lines():
    raw = b"""# FireHOL
192.0.2.0/24 ; SBL1
198.51.100.7
2001:db8::/32,more

nonsense
; remark
"""
    found = feeds.read(raw, "cidr")

    assert found.networks == ("192.0.2.0/24", "198.51.100.7", "2001:db8::/32")
    assert found.skipped == 1


def test_decisions_of_crowdsec():
    said = [
        {"type": "ban", "scope": "Ip", "value": "192.0.2.1", "origin": "CAPI", "duration": "4h"},
        {"type": "ban", "scope": "range", "value": "198.51.100.0/24"},
        {"type": "captcha", "scope": "Ip", "value": "203.0.113.1"},
        {"type": "ban", "scope": "Country", "value": "XX"},
    ]

    for raw in (said, {"new": said, "deleted": []}):
        found = feeds.read(json.dumps(raw).encode(), "crowdsec")
        assert found.networks == ("192.0.2.1", "198.51.100.0/24")
    assert feeds.read(b"null", "crowdsec").networks == ()
    assert feeds.read(b'{"new": null}', "crowdsec").networks == ()


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        (b"<html><body>Not found</body></html>", "cidr"),
        (b"0.0.0.0/0\n", "cidr"),
        (b"10.0.0.0/7\n", "cidr"),
        (b"::/0", "cidr"),
        (b"not json", "crowdsec"),
        (b'{"error": "x"}', "crowdsec"),
        (b"[1]", "crowdsec"),
        (b"[" * 100_000, "crowdsec"),
        (b'[{"type": "ban", "scope": "ip", "value": "0.0.0.0/0"}]', "crowdsec"),
    ],
)
def test_what_is_no_list_bans_nobody(raw, kind):
    with pytest.raises(ValueError, match=r"."):
        feeds.read(raw, kind)


def test_too_long(monkeypatch):
    monkeypatch.setattr(feeds, "MAX_NETWORKS", 2)
    with pytest.raises(ValueError, match="more than 2"):
        feeds.read(b"10.0.0.1\n10.0.0.2\n10.0.0.3\n", "cidr")


@given(st.binary(max_size=200))
def test_anything_at_all_is_read_or_refused(raw):
    for kind in ("cidr", "crowdsec"):
        try:
            feeds.read(raw, kind)
        except ValueError:
            continue


def test_a_source_is_shown_without_its_secrets():
    assert feeds.shown("https://u:p@h.example:8/p?key=s") == "https://h.example:8/p"
    assert feeds.shown("https://h.example/p") == "https://h.example/p"
    assert feeds.shown("file:/etc/list") == "file:/etc/list"
