"""Policy reports: candidates and nothing else, bounded, never believed."""

import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.enforce.reports import (
    LEGACY,
    MAX_BATCH,
    MAX_CANDIDATES,
    MAX_REPORT_BYTES,
    MODERN,
    Candidate,
    Learnt,
    ReportError,
    load,
    origin_of,
    read,
)

OWN = frozenset({"https://app.example"})
NOW = datetime(2026, 1, 1, tzinfo=UTC)
PAGE = "https://app.example/private?token=1"


def legacy(blocked, directive="img-src", page=PAGE, **more):
    report = {"document-uri": page, "effective-directive": directive, "blocked-uri": blocked}
    return json.dumps({"csp-report": {**report, **more}}).encode()


def modern(*blocked, page=PAGE, kind="csp-violation"):
    return json.dumps([
        {"type": kind, "age": 1, "url": page, "user_agent": "x",
         "body": {"documentURL": page, "effectiveDirective": "script-src-elem", "blockedURL": one}}
        for one in blocked
    ]).encode()  # fmt: skip


@pytest.mark.parametrize(
    ("blocked", "source"),
    [
        ("https://cdn.example/a.png?user=1#x", "https://cdn.example"),
        ("HTTPS://CDN.example:8443/", "https://cdn.example:8443"),
        ("wss://live.example/x", "wss://live.example"),
        ("inline", "inline"),
        ("data", "data"),
        ("blob", "blob"),
    ],
)
def test_a_report_is_reduced_to_an_origin_or_a_word(blocked, source):
    assert read(legacy(blocked), LEGACY, OWN) == (Candidate("img-src", source),)
    assert read(modern(blocked), MODERN, OWN) == (Candidate("script-src-elem", source),)


@pytest.mark.parametrize(
    "blocked",
    ["", "chrome-extension://abc/x.js", "moz-extension", "about:blank", "/relative", "javascript:1",
     "https://user:pass@cdn.example/", "https://[::1", "https://", "https://a b/", "https://*/",
     "https://cdn.example;script-src *", "https://" + "a" * 300],
)  # fmt: skip
def test_what_could_not_stand_in_a_policy_is_left_out(blocked):
    assert read(legacy(blocked), LEGACY, OWN) == ()
    assert read(modern(blocked), MODERN, OWN) == ()


def test_what_a_probe_planted_is_not_learnt():
    planted = "https://app.example/page?x=1&troth-canary"
    assert read(legacy("inline", page=planted), LEGACY, OWN) == ()
    assert read(modern("https://stranger.example/", page=planted), MODERN, OWN) == ()


def test_what_is_told_of_other_pages_or_directives_is_left_out():
    assert read(legacy("data", page="https://stranger.example/"), LEGACY, OWN) == ()
    assert read(legacy("data", page=""), LEGACY, OWN) == ()
    assert read(legacy("data", directive="base-uri"), LEGACY, OWN) == ()
    assert read(modern("data", kind="deprecation"), MODERN, OWN) == ()
    assert read(b"[]", MODERN, OWN) == ()
    assert read(modern(None), MODERN, OWN) == ()


def test_an_older_browser_names_the_directive_with_its_sources():
    raw = legacy("data", directive="", **{"violated-directive": "img-src 'self' https://x"})

    assert read(raw, LEGACY + "; charset=utf-8", OWN) == (Candidate("img-src", "data"),)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", LEGACY),
        (b"{", LEGACY),
        (b"{}", LEGACY),
        (b"[]", LEGACY),
        (b'{"csp-report": 1}', LEGACY),
        (b'{"csp-report": {"blocked-uri": 1}}', LEGACY),
        (b"\xff", LEGACY),
        (b"{}", MODERN),
        (b"[1]", MODERN),
        (b'[{"type": "csp-violation", "body": 1}]', MODERN),
        (b"[" * 10_000, MODERN),
        (legacy("data"), "application/json"),
        (legacy("data"), ""),
        (b" " * (MAX_REPORT_BYTES + 1), LEGACY),
        (json.dumps([{"type": "x", "body": {}}] * (MAX_BATCH + 1)).encode(), MODERN),
    ],
)
def test_what_is_no_report_is_refused(body, kind):
    with pytest.raises(ReportError):
        read(body, kind, OWN)


@given(st.binary(max_size=300), st.sampled_from([LEGACY, MODERN]))
def test_garbage_is_refused_or_read(body, kind):
    with suppress(ReportError):
        assert all(isinstance(one, Candidate) for one in read(body, kind, OWN))


@given(st.text(max_size=60))
def test_an_origin_is_one_that_a_policy_can_name(address):
    found = origin_of(address)

    assert found == "" or not set(found) & set(" ;,'\"*@\n\t")


def test_candidates_are_counted_and_survive(tmp_path):
    place, one = tmp_path / "csp.json", Candidate("img-src", "data")
    learnt = Learnt(place)
    learnt.save()
    assert not place.exists()

    learnt.add([one, one], NOW)
    learnt.save()
    again = Learnt(place)
    again.add([one], NOW + timedelta(days=1))
    again.save()

    (seen,) = load(place)
    assert (seen.directive, seen.source, seen.count) == ("img-src", "data", 3)
    assert (seen.first, seen.last) == (NOW, NOW + timedelta(days=1))
    assert b"token" not in place.read_bytes()


def test_what_does_not_fit_is_counted(tmp_path):
    learnt = Learnt(tmp_path / "csp.json")

    learnt.add([Candidate("img-src", f"https://{n}.example") for n in range(600)], NOW)
    learnt.save()

    assert len(load(tmp_path / "csp.json")) == MAX_CANDIDATES
    assert learnt.dropped == 100


def test_a_damaged_file_stops_nothing(tmp_path):
    (tmp_path / "csp.json").write_bytes(b'[{"directive": 1}]')

    assert load(tmp_path / "csp.json") == []
    assert load(tmp_path / "none.json") == []
