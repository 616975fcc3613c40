"""The public halves of the vantages' keys, for the guard."""

import stat

from troth.prove.keys import load_or_create
from troth.roles import vantage_keys
from troth.roles.places import Places


def test_what_a_vantage_tells_the_guard_reads(tmp_path):
    places = Places(tmp_path)
    places.prepare()
    key = load_or_create(places.keys / "vantage-local.key")

    vantage_keys.tell(places, "local", key)

    assert vantage_keys.public(places.keys) == (key.public,)
    assert stat.S_IMODE((places.keys / "vantage-local.pub").stat().st_mode) == 0o640
    assert vantage_keys.signer(places).keyid == key.signer.keyid


def test_files_that_are_no_key_are_left_out(tmp_path):
    (tmp_path / "vantage-a.pub").write_text("zz\n")
    (tmp_path / "vantage-b.pub").write_text("00\n")
    (tmp_path / "vantage-c.pub").write_bytes(b"\xff" * 64)
    (tmp_path / "vantage-d.pub").write_text("0" * 1000)
    (tmp_path / "vantage-e.pub").write_text("11" * 32)

    assert vantage_keys.public(tmp_path) == (b"\x11" * 32,)


def test_where_there_is_none_there_is_no_signer(tmp_path):
    places = Places(tmp_path)
    places.prepare()

    assert vantage_keys.public(places.keys) == ()
    assert vantage_keys.signer(places) is None
