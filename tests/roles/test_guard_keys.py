"""The guard's keys: made once, renewed, shared, private."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from troth.adapters import chance
from troth.adapters.config import ConfigError
from troth.adapters.files import FileError
from troth.catalogue import Counters, Settings
from troth.promises.guard.rules import tokens
from troth.roles import guard_keys

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def ring(path, **later):
    return guard_keys.ring(path, NOW + timedelta(**later), chance.system())


def test_they_are_made_once_and_private(tmp_path):
    path = tmp_path / guard_keys.FILE
    first = ring(path)

    assert ring(path, days=29) == first
    assert path.stat().st_mode & 0o777 == 0o600
    assert len(first.keys[0].secret) == 32
    assert first.keys[0].secret not in path.read_bytes()
    assert "secret" not in repr(first)


def test_a_new_one_seals_and_the_old_ones_open(tmp_path):
    path = tmp_path / guard_keys.FILE
    first = ring(path)
    token = tokens.sealed(first, "x", "payload")
    second = ring(path, days=30)

    assert second.keys[1:] == first.keys
    assert tokens.sealed(second, "x", "payload") != token
    assert tokens.opened(second, "x", token) == (first.keys[0], "payload")


def test_the_oldest_go(tmp_path):
    path = tmp_path / guard_keys.FILE
    for month in range(16):
        kept = ring(path, days=31 * month)

    assert len(kept.keys) == 14


@pytest.mark.parametrize("damage", [b"", b"[", b"{}", b'[{"name":1}]', b"x" * 100_000])
def test_a_damaged_file_is_replaced(tmp_path, damage):
    path = tmp_path / guard_keys.FILE
    path.write_bytes(damage)

    assert ring(path) == ring(path)


def test_two_guards_that_start_at_once_agree(tmp_path):
    path = tmp_path / guard_keys.FILE
    with ThreadPoolExecutor(8) as pool:
        rings = set(pool.map(lambda _: ring(path), range(8)))

    assert len(rings) == 1


def test_a_folder_that_cannot_be_written_is_said(tmp_path):
    with pytest.raises(FileError):
        ring(tmp_path / "nowhere" / "keys.json")


def settings(path, key="a key of two and thirty characters"):
    path.write_text(key)
    troth = {"name": "n", "host": "t.localhost"}
    said = {"troth": troth, "application": {"host": "a.localhost", "upstream": "http://127.0.0.1:1"},
            "status": {"host": "s.localhost"},
            "counters": {"url": "env:NOWHERE", "key": f"file:{path}"}}  # fmt: skip
    return msgspec.convert(said, Settings)


def test_machines_that_share_have_the_same_names_and_open_each_others_seals(tmp_path):
    shared = settings(tmp_path / "key")
    one, two = (
        guard_keys.Keys(shared, tmp_path / f"ring-{n}", chance.system()).secrets(NOW) for n in "ab"
    )

    assert one.account("ann") == two.account("ann")
    assert one.password("x") == two.password("x")
    token = tokens.sealed(one.ring, "known", "1.a")
    assert tokens.opened(two.ring, "known", token)[1] == "1.a"
    assert len(one.ring.keys) == 2
    other = settings(tmp_path / "key", "another key of thirty-two characters")
    three = guard_keys.Keys(other, tmp_path / "ring-a", chance.system()).secrets(NOW)
    assert three.account("ann") != one.account("ann")


def test_without_a_server_names_die_with_the_process(tmp_path):
    alone = msgspec.structs.replace(settings(tmp_path / "key"), counters=Counters())
    one, two = (guard_keys.Keys(alone, tmp_path / "ring", chance.system()) for _ in "ab")

    assert one.secrets(NOW).account("ann") != two.secrets(NOW).account("ann")
    assert one.secrets(NOW).ring == two.secrets(NOW).ring
    assert one.of("trails") == b""


@pytest.mark.parametrize("key", ["", "short"])
def test_a_key_that_is_none_is_refused_and_not_repeated(tmp_path, key):
    with pytest.raises(ConfigError) as caught:
        guard_keys.Keys(settings(tmp_path / "key", key), tmp_path / "ring", chance.system())

    assert caught.value.where == "[counters] key"
    assert "short" not in str(caught.value)
