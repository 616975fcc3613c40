"""HSTS goes up by steps, never down, and only while what it rests on was seen to hold."""

from datetime import UTC, datetime

import pytest

from troth.adapters import config as configuration
from troth.catalogue import Settings
from troth.kernel.model import Verdict
from troth.prove.run import Seen
from troth.roles import hsts, prove
from troth.roles.hsts import HstsError, raise_
from troth.roles.places import Places
from troth.roles.prove import Proof

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
TOML = """[troth]
name = "x"
host = "troth.demo.localhost"
[application]
host = "demo.localhost"
upstream = "http://127.0.0.1:1"
[status]
host = "status.demo.localhost"
[edge.hsts]
max_age_s = 300 # begins short
"""


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "troth.toml"
    path.write_text(TOML)
    return path


def settings(config) -> Settings:
    return configuration.load(config, Settings)


@pytest.fixture
def look(monkeypatch):
    """Say what is seen: by slug another verdict than pass."""

    def see(**others):
        def proven(given, places, promises, told):
            return [
                Proof(
                    promise,
                    tuple(
                        Seen(
                            check=check,
                            verdict=others.get(promise.slug.replace("-", "_"), Verdict.PASS),
                            reason="told so",
                            collected=NOW,
                        )
                        for check in promise.checks
                    ),
                    "",
                    "",
                )
                for promise in promises
            ]

        monkeypatch.setattr(prove, "prove", proven)

    return see


def test_by_steps_to_a_year_and_no_further(config, tmp_path, look):
    look()
    steps = []
    for _ in range(2):
        done = raise_(config, settings(config), Places(tmp_path), NOW)
        steps.append((done.before_s, done.after_s))

    assert steps == [(300, 86_400), (86_400, 31_536_000)]
    assert "until 2027-11-21 12:00 UTC" in done.binds
    assert "# begins short" in config.read_text()
    with pytest.raises(HstsError, match="stands at 31536000 s already"):
        raise_(config, settings(config), Places(tmp_path), NOW)


def test_longer_than_a_step_is_never_shortened(config, tmp_path, look):
    look()
    config.write_text(TOML.replace("300", "90000"))

    assert raise_(config, settings(config), Places(tmp_path), NOW).after_s == 31_536_000


@pytest.mark.parametrize("slug", [slug.replace("-", "_") for slug in hsts.RESTS_ON])
@pytest.mark.parametrize("verdict", [Verdict.FAIL, Verdict.ERROR])
def test_what_it_rests_on_must_be_seen_to_hold(config, tmp_path, look, slug, verdict):
    look(**{slug: verdict})

    with pytest.raises(HstsError, match="told so"):
        raise_(config, settings(config), Places(tmp_path), NOW)
    assert config.read_text() == TOML
