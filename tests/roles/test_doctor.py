"""What is odd on a machine is named with its mend."""

from datetime import UTC, datetime, timedelta

import pytest

from troth.roles import doctor, running
from troth.roles.places import Places

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
TOML = """[troth]
name = "x"
host = "troth.demo.localhost"
[application]
host = "demo.localhost"
upstream = "unix:{echo}"
[status]
host = "status.nowhere.invalid"
port = 28744
[edge]
addresses = ["127.0.0.1"]
port = 28743
http_port = 28780
"""


@pytest.fixture
def config(tmp_path, echo):
    path = tmp_path / "troth.toml"
    path.write_text(TOML.format(echo=echo))
    return path


@pytest.fixture
def places(tmp_path):
    made = Places(tmp_path / "data")
    made.prepare()
    return made


def found(config, places, now=NOW):
    return {one.what: one for one in doctor.examine(config, places, now)}


def test_a_machine_that_can_run_it(config, places):
    seen = found(config, places)

    for what in ("python", "envoy", "postgresql", "configuration", "disk"):
        assert seen[what].word == "fine", seen[what]
    odd = [one for one in seen.values() if one.word != "fine"]
    assert all(one.mend or one.what == "configuration" for one in odd)
    assert doctor.fails(odd) == 1
    assert doctor.fails([]) == 0


def test_a_name_that_does_not_resolve(config, places):
    one = next(
        one
        for one in doctor.examine(config, places, NOW)
        if one.what == "name" and one.word == "odd"
    )

    assert one.told.startswith("status.nowhere.invalid")
    assert "DNS" in one.mend


def test_keys_that_others_may_read(config, places):
    (places.keys / "ledger.key").write_text("x")
    (places.keys / "ledger.key").chmod(0o644)
    places.private.chmod(0o755)

    told = [o.told for o in doctor.examine(config, places, NOW) if o.what == "permissions"]

    assert len(told) == 2
    assert any("ledger.key" in one for one in told)


def test_a_clock_that_went_back_and_a_role_that_refused(config, places):
    (places.data / running.LOCK).touch()
    (places.public / "api" / "v1").mkdir(parents=True)
    stamp = (NOW + timedelta(minutes=1)).isoformat()
    (places.public / "api" / "v1" / "promises.json").write_text(f'{{"generated": "{stamp}"}}')
    running.tell(places.edge / "state.json", config="ab", now=NOW, refused="line 3: no")

    seen = found(config, places)

    assert seen["clock"].word == "odd"
    assert seen["edge"].told.endswith("line 3: no")
    assert seen["guard-0"].word == "odd"
    assert found(config, places, NOW + timedelta(hours=1))["clock"].word == "fine"


def test_a_wrong_configuration_is_one_finding(config, places):
    config.write_text("[troth]\nname = \n")

    assert found(config, places)["configuration"].word == "missing"
