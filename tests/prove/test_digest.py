"""The digest of a probe: it changes with the probe, the judge and what they import next door."""

import sys

import pytest

from troth.prove.digest import UNKNOWN, probe_digests


@pytest.fixture
def room(tmp_path, monkeypatch):
    area = tmp_path / "made_up" / "promises" / "area"
    area.mkdir(parents=True)
    for folder in (tmp_path / "made_up", area.parent, area):
        (folder / "__init__.py").write_text("")
    (area / "probe.py").write_text("import json\nfrom made_up.promises.area import shapes\n")
    (area / "judge.py").write_text(
        "from made_up.promises.area.rules import LIMIT\nfrom made_up.promises.shared import A\n"
    )
    (area.parent / "shared.py").write_text("A = 1\n")
    (area / "shapes.py").write_text("A = 1\n")
    (area / "rules.py").write_text("from made_up.promises.area import probe\nLIMIT = 1\n")
    (area / "stranger.py").write_text("A = 1\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield area
    for name in [name for name in sys.modules if name.startswith("made_up")]:
        del sys.modules[name]


@pytest.fixture
def one(make_check):
    base = "made_up.promises.area"
    return make_check("a.b", probe=f"{base}.probe:look", judge=f"{base}.judge:look")


def digest(check):
    return probe_digests([check])[check.id]


def test_sixteen_hex_digits_and_nothing_imported(room, one):
    found = digest(one)

    assert len(found) == 16
    assert int(found, 16)
    assert found == digest(one)
    assert "made_up.promises.area.probe" not in sys.modules


@pytest.mark.parametrize("name", ["probe", "judge", "shapes", "rules", "../shared"])
def test_it_changes_with_all_that_speaks(room, one, name):
    before = digest(one)
    path = room / f"{name}.py"
    path.write_text(path.read_text() + "# another\n")

    assert digest(one) != before


def test_it_does_not_change_with_what_is_not_imported(room, one):
    before = digest(one)
    (room / "stranger.py").write_text("A = 2\n")

    assert digest(one) == before


def test_it_tells_functions_of_one_file_apart(room, one, make_check):
    other = make_check("a.b", probe=one.probe + "_more", judge=one.judge)

    assert digest(other) != digest(one)


@pytest.mark.parametrize("path", ["no.such.module:x", "", "sys:x", "made_up.promises.area.no:x"])
def test_what_has_no_source_is_unknown(room, make_check, one, path):
    assert digest(make_check("a.b", probe=path, judge=one.judge)) == UNKNOWN
