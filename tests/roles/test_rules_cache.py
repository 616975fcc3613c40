"""Databases on disk: built once, taken again, never taken when they are not ours and whole."""

import os
from pathlib import Path

import pytest

from troth.engines.seclang.scan import Scanner
from troth.engines.seclang.scan.test import Test as Asked
from troth.engines.seclang.transform import FUNCTIONS
from troth.promises.guard.settings.waf import Rules
from troth.roles import rules_cache, rules_load
from troth.roles.places import Places

TESTS = [
    Asked(number=1, operator="rx", argument=r"union\s+select", spaces=frozenset({"ARGS"})),
    Asked(number=2, operator="pm", argument="sleep( bench", spaces=frozenset({"HEADERS"})),
]


def scanner() -> Scanner:
    return Scanner(TESTS, FUNCTIONS)


def works(known: Scanner) -> bool:
    return known.space("ARGS")(b"union  select") == (1,) and known.space("HEADERS")(b"x") == ()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "rules"


def test_what_was_built_is_taken_again(folder: Path):
    told: list[tuple[int, int]] = []
    first = rules_cache.prepare(scanner(), folder, lambda done, of, _: told.append((done, of)))
    known = scanner()
    again = rules_cache.prepare(known, folder, lambda *_: pytest.fail("built twice"))

    assert told == [(1, 2), (2, 2)]
    assert (first.total, first.found) == (2, 0)
    assert (again.total, again.found) == (2, 2)
    assert works(known)


def test_only_we_may_read_it(folder: Path):
    rules_cache.prepare(scanner(), folder, lambda *_: None)

    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_spoilt_file_is_built_again(folder: Path):
    rules_cache.prepare(scanner(), folder, lambda *_: None)
    spoilt = min(folder.iterdir())
    content = bytearray(spoilt.read_bytes())
    content[len(content) // 2] ^= 1
    spoilt.write_bytes(content)
    known = scanner()

    assert len(rules_cache.take(known, folder)) == 1
    assert works(known), "without its database a space runs on RE2"
    assert rules_cache.prepare(known, folder, lambda *_: None).found == 1
    assert rules_cache.take(scanner(), folder) == ()


def test_a_file_that_others_may_write_is_not_taken(folder: Path):
    rules_cache.prepare(scanner(), folder, lambda *_: None)
    for path in folder.iterdir():
        path.chmod(0o620)

    assert len(rules_cache.take(scanner(), folder)) == 2


def test_a_link_is_not_taken(folder: Path, tmp_path: Path):
    rules_cache.prepare(scanner(), folder, lambda *_: None)
    for path in folder.iterdir():
        path.rename(tmp_path / path.name)
        path.symlink_to(tmp_path / path.name)

    assert len(rules_cache.take(scanner(), folder)) == 2


def test_the_number_of_files_is_bounded_and_the_oldest_go(folder: Path, monkeypatch):
    monkeypatch.setattr(rules_cache, "MAX_FILES", 2)
    folder.mkdir(mode=0o700)
    for number in range(5):
        old = folder / f"{number}.database"
        old.write_bytes(b"")
        os.utime(old, (number, number))
    rules_cache.prepare(scanner(), folder, lambda *_: None)

    assert len(list(folder.iterdir())) == 2
    assert rules_cache.take(scanner(), folder) == ()


def test_another_process_builds_what_is_missing(folder: Path):
    known = scanner()

    assert rules_cache.quicken(known, folder)
    assert works(known)
    assert rules_cache.take(scanner(), folder) == ()


def test_the_rules_in_force_are_built_where_the_guard_looks(tmp_path: Path):
    folder = tmp_path / "set"
    folder.mkdir()
    (folder / "a.conf").write_text('SecRule ARGS "@rx union" "id:900,phase:2,deny"\n')
    places = Places(tmp_path)
    places.spool.mkdir()
    rules = Rules(set=str(folder), sha256=rules_load.digest_of(folder))

    first = rules_cache.compile_for(rules, places, lambda *_: None)
    again = rules_cache.compile_for(rules, places, lambda *_: None)

    assert first.total > 0
    assert (first.found, again.found) == (0, first.total)
    assert f"0 of {first.total} databases" in rules_cache.line(again)


def test_no_rules_need_no_database(tmp_path: Path):
    built = rules_cache.compile_for(Rules(mode="off"), Places(tmp_path), lambda *_: None)

    assert "nothing to compile" in rules_cache.line(built)
