"""The list of probes that were seen red: signed, and refused when altered."""

import json
from datetime import UTC, datetime

import pytest

from troth.catalogue import CATALOGUE
from troth.prove import keys, tested
from troth.prove.digest import probe_digests

CHECK = CATALOGUE[0].checks[0]
DIGESTS = probe_digests([CHECK])
AT = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.fixture
def written(tmp_path):
    key = keys.load_or_create(tmp_path / "key")
    return tested.write({CHECK: ("a liar", AT)}, key, DIGESTS, tmp_path / "liars.json")


def test_what_was_written_is_read(written):
    assert tested.read(written) == {(CHECK.id, DIGESTS[CHECK.id])}
    (seen,) = json.loads(written.read_text())["seen"]
    assert (seen["liar"], seen["at"]) == ("a liar", "2030-01-02T03:04:05.000Z")


def test_without_a_list_nothing_was_tested(tmp_path):
    assert tested.read(tmp_path / "none.json") == frozenset()


def test_an_unknown_source_is_never_a_tested_one(tmp_path):
    key = keys.load_or_create(tmp_path / "key")

    unknown = {CHECK.id: tested.UNKNOWN}
    path = tested.write({CHECK: ("a liar", AT)}, key, unknown, tmp_path / "liars.json")

    assert tested.read(path) == frozenset()


@pytest.mark.parametrize(
    "alter",
    [
        lambda whole: whole["seen"].append(whole["seen"][0] | {"check": "another"}),
        lambda whole: whole["seen"][0].update(probe="0123456789abcdef"),
        lambda whole: whole.update(keyid="ed25519:00"),
        lambda whole: whole.update(signature=""),
        lambda whole: whole.pop("key"),
    ],
)
def test_an_altered_list_is_refused(written, alter):
    whole = json.loads(written.read_text())
    alter(whole)
    written.write_text(json.dumps(whole))

    with pytest.raises(tested.TestedError):
        tested.read(written)


def test_the_shipped_list_is_as_it_was_signed():
    assert isinstance(tested.read(), frozenset)
