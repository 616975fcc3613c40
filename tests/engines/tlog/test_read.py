from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from troth.engines.tlog.checkpoint import Checkpoint, sign_checkpoint
from troth.engines.tlog.errors import LogError
from troth.engines.tlog.log import Log
from troth.engines.tlog.note import NoteSigner
from troth.engines.tlog.read import from_directory, iter_entries, read_log

NOW = datetime(2026, 11, 21, 8, tzinfo=UTC)
KEY = NoteSigner.from_private("log.example/one", Ed25519PrivateKey.generate())
LEAVES = [b"leaf %d" % number for number in range(700)]


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    log = Log.open(tmp_path, KEY, now=NOW)
    log.append(LEAVES, NOW)
    log.close()
    return tmp_path


def read(directory: Path) -> list[bytes]:
    return [leaf for _, leaf in read_log(directory, KEY.verifier()).entries()]


def test_a_log_is_read_as_written(directory: Path):
    log = read_log(directory, KEY.verifier())

    assert list(log.entries()) == list(enumerate(LEAVES)) == list(iter_entries(directory))
    assert list(log.entries(600)) == list(enumerate(LEAVES))[600:]
    assert log.head.size == 700


def test_a_full_tile_stands_for_its_partial_ones(directory: Path):
    older = {
        path: from_directory(directory)(path, 10**6)
        for path in ("checkpoint", "tile/0/002.p/188", "tile/1/000.p/2")
    }
    log = Log.open(directory, KEY, now=NOW)
    log.append([b"more"] * 100, NOW)
    log.close()
    fetch = from_directory(directory)

    def behind(path: str, limit: int) -> bytes:
        """A reader who still has the older checkpoint."""
        return older["checkpoint"] if path == "checkpoint" else fetch(path, limit)

    assert [leaf for _, leaf in read_log(behind, KEY.verifier()).entries()] == LEAVES


@pytest.mark.parametrize(
    "name",
    ["checkpoint", "tile/0/001", "tile/1/000.p/2", "tile/entries/001", "tile/entries/002.p/188"],
)
def test_a_changed_or_missing_file_is_refused(directory: Path, name: str):
    path = directory / name
    good = path.read_bytes()

    for at in (0, len(good) // 2, len(good) - 1):
        path.write_bytes(good[:at] + bytes([good[at] ^ 4]) + good[at + 1 :])
        with pytest.raises(LogError):
            read(directory)
    path.unlink()
    with pytest.raises(LogError):
        read(directory)


def test_another_key_is_refused(directory: Path):
    other = NoteSigner.from_private(KEY.name, Ed25519PrivateKey.generate())

    with pytest.raises(LogError, match="not signed"):
        read_log(directory, other.verifier())


def test_an_absurd_size_is_refused_before_it_is_tried():
    signed = sign_checkpoint(Checkpoint(KEY.name, 2**40, bytes(32)), KEY, NOW)

    with pytest.raises(LogError, match="more than"):
        read_log(lambda path, limit: signed, KEY.verifier())
