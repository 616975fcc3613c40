"""From what was reported and seen to a policy in force."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from troth.adapters import config as configuration
from troth.adapters.http import Response
from troth.catalogue import Settings
from troth.roles import csp
from troth.roles.csp import CspError
from troth.roles.places import Places

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
APP = "https://demo.localhost:8443"
TOML = """[troth]
name = "x"
host = "troth.demo.localhost"
[application]
host = "demo.localhost"
upstream = "http://127.0.0.1:1"
[status]
host = "status.demo.localhost"
[edge]
port = 8443
"""
PAGE = b'<script src="/a.js"></script><img src="https://pics.example/a.png">'


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "troth.toml"
    path.write_text(TOML)
    return path


@pytest.fixture
def places(tmp_path):
    made = Places(tmp_path / "data")
    made.prepare()
    return made


def settings(config) -> Settings:
    return configuration.load(config, Settings)


def reported(places, *rows: tuple[str, str], at: datetime = NOW) -> None:
    seen = [
        {"directive": d, "source": s, "count": 3, "first": at.isoformat(), "last": at.isoformat()}
        for d, s in rows
    ]
    (places.spool / "csp.json").write_text(json.dumps(seen))


@pytest.fixture(autouse=True)
def pages(monkeypatch):
    answer = Response(
        status=200,
        reason="",
        headers=(("content-type", "text/html"),),
        body=PAGE,
        http_version="1.1",
        certificate_der=None,
        elapsed_s=0.1,
    )
    monkeypatch.setattr(csp, "crawled", lambda vantage, settings: [("page", answer)])


def test_reports_and_pages_become_a_policy(config, places):
    reported(places, ("connect-src", "wss://live.example"), ("style-src-elem", APP))

    proposal = csp.learn(settings(config), places)

    assert proposal.policy == (
        "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; "
        "connect-src 'self' wss://live.example; img-src 'self' https://pics.example"
    )
    assert proposal.pages == 1
    assert "wss://live.example" in proposal.text


def test_a_person_may_reject_a_source(config, places):
    reported(places, ("script-src-elem", "https://stranger.example"))

    proposal = csp.learn(settings(config), places, ["https://stranger.example"])

    assert "stranger" not in proposal.policy
    assert any(row.is_rejected for row in proposal.rows)


def test_learnt_written_enforced(config, places):
    reported(places, ("connect-src", "wss://live.example"))
    csp.write(config, places, csp.learn(settings(config), places))
    assert settings(config).edge.csp.mode == "report-only"

    csp.enforce(config, settings(config), places, NOW)

    assert settings(config).edge.csp.mode == "enforced"
    assert "wss://live.example" in settings(config).edge.csp.policy


def test_no_policy_no_enforcement(config, places):
    with pytest.raises(CspError, match="no policy yet"):
        csp.enforce(config, settings(config), places, NOW, anyway=True)


def test_what_it_would_stop_is_named(config, places):
    csp.write(config, places, csp.learn(settings(config), places))
    reported(places, ("font-src", "https://fonts.example"))

    with pytest.raises(CspError, match=r"font-src https://fonts\.example"):
        csp.enforce(config, settings(config), places, NOW)
    csp.enforce(config, settings(config), places, NOW + timedelta(days=8))
    assert settings(config).edge.csp.mode == "enforced"


def test_or_is_stopped_anyway(config, places):
    csp.write(config, places, csp.learn(settings(config), places))
    reported(places, ("font-src", "https://fonts.example"))

    csp.enforce(config, settings(config), places, NOW, anyway=True)
    assert settings(config).edge.csp.mode == "enforced"
