import json
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from troth.adapters.files import FileError
from troth.engines.tlog.checkpoint import open_checkpoint, timestamp_of
from troth.engines.tlog.errors import LogError
from troth.engines.tlog.log import Log, Room
from troth.engines.tlog.merkle import leaf_hash, root_of
from troth.engines.tlog.note import Algorithm, NoteSigner
from troth.engines.tlog.read import read_log
from troth.engines.tlog.witness import Witness, request

NOW = datetime(2026, 11, 21, 8, tzinfo=UTC)
KEY = NoteSigner.from_private("log.example/one", Ed25519PrivateKey.generate())
OTHER = NoteSigner.from_private("log.example/one", Ed25519PrivateKey.generate())
WITNESS = NoteSigner.from_private("witness.example/w", Ed25519PrivateKey.generate())


def leaves(start: int, count: int) -> list[bytes]:
    return [b"leaf %d" % number for number in range(start, start + count)]


def grown(directory: Path, *counts: int, rotate_after: int = -1) -> None:
    log = Log.open(directory, KEY, now=NOW)
    for number, count in enumerate(counts):
        log.append(leaves(log.size, count), NOW + timedelta(seconds=number))
        if number == rotate_after:
            log._rotate()
    log.close()


def contents(directory: Path) -> dict[Path, bytes]:
    return {p: p.read_bytes() for p in directory.rglob("*") if p.is_file()}


def test_leaves_are_there_in_order_and_stay(tmp_path: Path):
    log = Log.open(tmp_path / "log", KEY, now=NOW)
    empty = open_checkpoint(log.checkpoint(), KEY.verifier())

    first = log.append(leaves(0, 3), NOW)
    second = log.append(leaves(3, 600), NOW + timedelta(seconds=1))

    assert (empty.size, first, second) == (0, range(3), range(3, 603))
    assert log.root == root_of([leaf_hash(leaf) for leaf in leaves(0, 603)])
    assert [log.read(index) for index in (0, 255, 256, 602)] == [
        b"leaf 0",
        b"leaf 255",
        b"leaf 256",
        b"leaf 602",
    ]
    assert (tmp_path / "log" / "checkpoint").read_bytes() == log.checkpoint()
    assert timestamp_of(log.checkpoint(), KEY.verifier()) == NOW + timedelta(seconds=1)
    log.close()
    again = Log.open(tmp_path / "log", KEY, now=NOW + timedelta(days=1))
    assert (again.size, again.checkpoint()) == (603, log.checkpoint())
    again.close()


def test_the_layout_is_the_standards(tmp_path: Path):
    grown(tmp_path, 300, 1)

    assert {str(p.relative_to(tmp_path)) for p in contents(tmp_path / "tile")} == {
        "tile/0/000",
        "tile/0/001.p/44",
        "tile/0/001.p/45",
        "tile/1/000.p/1",
        "tile/entries/000",
        "tile/entries/001.p/44",
        "tile/entries/001.p/45",
    }


def test_no_leaves_no_change(tmp_path: Path):
    log = Log.open(tmp_path, KEY, now=NOW)
    before = contents(tmp_path)

    assert log.append([], NOW) == range(0)
    assert contents(tmp_path) == before
    log.close()


@pytest.mark.parametrize(
    "too_much", [[b"x" * 65_536], [b""] * 65_537, [b"x" * 65_535] * 257], ids=len
)
def test_what_is_too_large_is_refused_before_anything_is_written(tmp_path: Path, too_much):
    log = Log.open(tmp_path, KEY, now=NOW)
    before = contents(tmp_path)

    with pytest.raises(ValueError, match="bytes"):
        log.append(too_much, NOW)

    assert contents(tmp_path) == before
    assert log.append([b"fits"], NOW) == range(1)
    log.close()


def test_one_writer(tmp_path: Path):
    log = Log.open(tmp_path, KEY, now=NOW)

    with pytest.raises(FileError, match="another process"):
        Log.open(tmp_path, KEY, now=NOW)

    log.close()
    Log.open(tmp_path, KEY, now=NOW).close()


def test_another_key_is_refused(tmp_path: Path):
    grown(tmp_path, 5)
    before = contents(tmp_path)

    for key in (OTHER, NoteSigner.from_private("log.example/two", Ed25519PrivateKey.generate())):
        with pytest.raises(LogError, match="not signed by the key"):
            Log.open(tmp_path, key, now=NOW + timedelta(days=1))

    assert contents(tmp_path) == before


def test_a_clock_that_went_back_is_refused(tmp_path: Path):
    grown(tmp_path, 5)
    before = contents(tmp_path)

    with pytest.raises(LogError, match="clock went back"):
        Log.open(tmp_path, KEY, now=NOW - timedelta(seconds=3))
    assert contents(tmp_path) == before

    log = Log.open(tmp_path, KEY, now=NOW)
    before = contents(tmp_path)
    with pytest.raises(LogError, match="clock went back"):
        log.append([b"early"], NOW - timedelta(hours=1))
    assert contents(tmp_path) == before
    log.append([b"a second early: a time server's step"], NOW - timedelta(seconds=1))
    assert timestamp_of(log.checkpoint(), KEY.verifier()) == NOW
    log.close()


def test_an_empty_logs_time_counts_too(tmp_path: Path):
    Log.open(tmp_path, KEY, now=NOW).close()

    with pytest.raises(LogError, match="clock went back"):
        Log.open(tmp_path, KEY, now=NOW - timedelta(days=1))


@pytest.mark.parametrize("rotate_after", [-1, 0, 1])
def test_any_damage_is_refused_and_nothing_overwritten(tmp_path: Path, rotate_after: int):
    """Every file of the log, changed in several ways, one at a time."""
    whole = tmp_path / "whole"
    grown(whole, 300, 7, rotate_after=rotate_after)
    damaged = tmp_path / "damaged"
    files = [path.relative_to(whole) for path in contents(whole) if path.name != "lock"]
    assert len(files) > 7

    for name in files:
        good = (whole / name).read_bytes()
        half = len(good) // 2
        bad_ones = [
            bytes([good[0] ^ 1]) + good[1:],
            good[:half] + bytes([good[half] ^ 16]) + good[half + 1 :],
            good[:-1] + bytes([good[-1] ^ 128]),
        ]
        if name.name != "journal":  # there, more bytes are a write that was never acknowledged
            bad_ones.append(good + b"\0")
        for bad in bad_ones:
            shutil.copytree(whole, damaged)
            (damaged / name).write_bytes(bad)
            before = contents(damaged)
            with pytest.raises(LogError):
                Log.open(damaged, KEY, now=NOW + timedelta(days=1))
            assert contents(damaged) == before, name
            shutil.rmtree(damaged)


@pytest.mark.parametrize("name", ["checkpoint", ".writer/journal", "tile/entries/000"])
def test_a_missing_file_is_refused(tmp_path: Path, name: str):
    grown(tmp_path, 300, 1, rotate_after=1)
    (tmp_path / name).unlink()
    before = contents(tmp_path)

    with pytest.raises(LogError):
        Log.open(tmp_path, KEY, now=NOW + timedelta(days=1))

    assert contents(tmp_path) == before


def test_an_older_journal_beside_a_newer_checkpoint_is_refused(tmp_path: Path):
    grown(tmp_path, 5)
    older = (tmp_path / ".writer" / "journal").read_bytes()
    grown(tmp_path, 5)
    (tmp_path / ".writer" / "journal").write_bytes(older)

    with pytest.raises(LogError, match="10 leaves"):
        Log.open(tmp_path, KEY, now=NOW + timedelta(days=1))


def test_what_was_never_acknowledged_may_go(tmp_path: Path):
    grown(tmp_path, 5)
    journal = tmp_path / ".writer" / "journal"
    sound = journal.read_bytes()
    journal.write_bytes(sound + b"\0" * 7)

    log = Log.open(tmp_path, KEY, now=NOW)

    assert log.size == 5
    assert journal.read_bytes() == sound
    log.close()


def test_what_a_crash_left_unwritten_is_written(tmp_path: Path):
    grown(tmp_path, 300)
    good = contents(tmp_path / "tile")
    (tmp_path / "tile/0/000").unlink()
    (tmp_path / "tile/entries/000").write_bytes(good[tmp_path / "tile/entries/000"][:1000])

    Log.open(tmp_path, KEY, now=NOW).close()

    assert contents(tmp_path / "tile") == good


def test_a_failed_append_closes_the_log_and_opening_recovers(tmp_path: Path, monkeypatch):
    log = Log.open(tmp_path, KEY, now=NOW)
    log.append(leaves(0, 5), NOW)

    def full(*args: object, **kwargs: object) -> None:
        raise FileError("no space")

    with monkeypatch.context() as patch:
        patch.setattr("troth.engines.tlog.shelf.Shelf.put", full)
        with pytest.raises(FileError):
            log.append(leaves(5, 5), NOW)
    assert log.size == 5
    with pytest.raises(LogError, match="open it again"):
        log.append(leaves(5, 5), NOW)
    log.close()

    again = Log.open(tmp_path, KEY, now=NOW)
    assert again.size == 10
    again.close()


def test_a_cosigned_checkpoint(tmp_path: Path):
    log = Log.open(tmp_path / "log", KEY, now=NOW)
    log.append(leaves(0, 5), NOW)
    witness = Witness.open(tmp_path / "witness", WITNESS, [KEY.verifier()])
    line = witness.add_checkpoint(request(0, [], log.checkpoint()), NOW)
    key = WITNESS.verifier(Algorithm.COSIGNATURE)

    log.attach([line, "— unknown.example AAAAAAAA"], [key])

    published = (tmp_path / "log" / "checkpoint").read_bytes()
    assert timestamp_of(published, key) == NOW
    assert open_checkpoint(published, KEY.verifier()).size == 5
    log.append([b"more"], NOW)
    with pytest.raises(LogError):
        log.attach([line], [key])
    log.close()
    Log.open(tmp_path / "log", KEY, now=NOW).close()
    witness.close()


def crashing(*arguments: str) -> dict[str, float]:
    program = Path(__file__).with_name("crashing.py")
    done = subprocess.run(
        [sys.executable, program, *arguments], capture_output=True, timeout=400, check=False
    )
    assert done.returncode == 0, done.stderr.decode()[-3000:]
    return json.loads(done.stdout)


def test_killed_at_every_call_and_power_cut_there(tmp_path: Path):
    assert crashing("sweep", str(tmp_path))["deaths"] > 150


def test_killed_at_random_instants(tmp_path: Path):
    assert crashing("random", str(tmp_path), "120", "7")["deaths"] > 60


def test_a_log_with_little_room_keeps_few_forms_of_its_tail_and_opens_again(tmp_path):
    key = NoteSigner.from_private("small.example/log", Ed25519PrivateKey.generate())
    room = Room(journal_bytes=64 * 1024, kept_partials=3)
    log = Log.open(tmp_path, key, now=NOW, room=room)
    for _ in range(300):
        log.append([b"x" * 1000], NOW)

    forms = sorted(int(p.name) for p in (tmp_path / "tile/entries").rglob("*.p/*"))
    assert forms[-3:] == [42, 43, 44]
    assert len(forms) <= 4  # and the one from which the journal leads on
    assert sum(p.stat().st_size for p in tmp_path.rglob("*") if p.is_file()) < 700 * 1024
    root = log.root
    log.close()
    again = Log.open(tmp_path, key, now=NOW, room=room)
    assert (again.size, again.root) == (300, root)
    again.close()
    assert sum(1 for _ in read_log(tmp_path, key.verifier()).entries()) == 300
