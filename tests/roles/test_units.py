"""The systemd units: every role has its user and its rights, and systemd itself reads them."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from troth.adapters import config
from troth.catalogue import Settings
from troth.roles import plan, units
from troth.roles.places import Places

DATA = Path("/var/lib/troth")
TOML = b"""
[troth]
name = "x"
host = "troth.x.example"
[application]
host = "x.example"
upstream = "http://127.0.0.1:9000"
[status]
host = "status.x.example"
"""


@pytest.fixture
def made() -> dict[Path, str]:
    settings = config.parse(TOML, Settings, where="troth.toml")
    return units.files(plan.units(settings, Path("/etc/troth/troth.toml"), Places(DATA)), DATA)


def test_every_role_runs_as_a_user_of_its_own(made):
    services = {path.stem: text for path, text in made.items() if path.suffix == ".service"}

    users = {
        name: re.search(r"^User=(.+)$", text, re.MULTILINE)[1] for name, text in services.items()
    }
    assert set(users.values()) == {f"troth-{role}" for role in units.RIGHTS}
    assert users["troth-guard-0"] == users["troth-guard-1"] == "troth-guard"
    declared = made[Path("etc/sysusers.d/troth.conf")]
    assert all(f"u {user} " in declared for user in users.values())


def test_only_the_edge_may_bind_a_low_port(made):
    capable = [
        path.stem
        for path, text in made.items()
        if re.search(r"^AmbientCapabilities=CAP", text, re.MULTILINE)
    ]

    assert capable == ["troth-edge"]


def test_the_signing_key_is_not_in_the_guards_reach(made):
    guard = made[Path("etc/systemd/system/troth-guard-0.service")]

    writable = re.search(r"^ReadWritePaths=(.+)$", guard, re.MULTILINE)[1].split()
    assert str(DATA / "keys") not in writable
    assert f"d {DATA}/keys 3770 root troth -" in made[Path("etc/tmpfiles.d/troth.conf")]


def test_words_with_a_meaning_to_systemd_are_quoted():
    one = units.Unit(name="guard-0", argv=("/opt/a b/python", "-m", "x", "100%", "$HOME"))

    assert '"/opt/a b/python" -m x 100%% $$HOME' in units.service(one, DATA)


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd-analyze here")
def test_systemd_reads_them(made, tmp_path):
    for path, text in made.items():
        if path.suffix in {".service", ".target"}:
            (tmp_path / path.name).write_text(text)

    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *map(str, tmp_path.iterdir())],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    ours = [line for line in done.stderr.splitlines() if "troth" in line]
    unknown = [line for line in ours if "Unknown" in line or "Failed to parse" in line]
    assert not unknown
