"""Installing into a directory that stands for the root, and taking it away again."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from troth.adapters import config
from troth.catalogue import Settings
from troth.roles import install
from troth.roles.install import Installation, InstallError

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
TOML = b"""
[troth]
name = "x"
host = "troth.x.example"
[application]
host = "x.example"
upstream = "http://127.0.0.1:9000"
[status]
host = "status.x.example"
[edge.hsts]
max_age_s = 86400
include_subdomains = true
"""


@pytest.fixture
def wanted(tmp_path: Path) -> Installation:
    return Installation(
        settings=config.parse(TOML, Settings, where="troth.toml"),
        config=Path("/etc/troth/troth.toml"),
        data=Path("/var/lib/troth"),
        root=tmp_path,
    )


def test_install_and_uninstall_leave_only_the_data(wanted, tmp_path):
    told: list[str] = []
    written = install.install(wanted, told.append)
    evidence = tmp_path / "var/lib/troth/log"
    evidence.mkdir()

    assert all(path.is_file() for path in written)
    assert json.loads((tmp_path / "var/lib/troth/installed.json").read_text())
    install.uninstall(wanted, NOW, told.append)
    assert not any(path.exists() for path in written)
    assert evidence.is_dir()
    assert told[-1].startswith(
        "browsers that came by insist on HTTPS for x.example and all its subdomains until "
        "2026-11-22 12:00 UTC"
    )


def test_again_changes_nothing(wanted):
    install.install(wanted, lambda _: None)
    told: list[str] = []

    install.install(wanted, told.append)

    assert told == []


def test_purge_takes_the_data_too(wanted, tmp_path):
    install.install(wanted, lambda _: None)

    install.uninstall(wanted, NOW, lambda _: None, purge=True)

    assert not (tmp_path / "var/lib/troth").exists()
    with pytest.raises(InstallError, match="nothing is installed"):
        install.uninstall(wanted, NOW, lambda _: None)


def test_the_running_system_needs_root_and_systemd(wanted):
    real = Installation(settings=wanted.settings, config=wanted.config, data=wanted.data)
    if os.geteuid() == 0 and Path("/run/systemd/system").is_dir():
        pytest.skip("this machine could really be changed")

    with pytest.raises(InstallError, match=r"root|systemd"):
        install.install(real, lambda _: None)
