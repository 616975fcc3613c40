from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from troth.adapters.files import FileError
from troth.engines.tlog.checkpoint import (
    Checkpoint,
    check_cosignature,
    sign_checkpoint,
)
from troth.engines.tlog.errors import LogError
from troth.engines.tlog.log import Log
from troth.engines.tlog.merkle import consistency_proof
from troth.engines.tlog.note import Algorithm, NoteSigner, parse_note, parse_signature
from troth.engines.tlog.read import from_directory
from troth.engines.tlog.tiles import perfect_from_tiles
from troth.engines.tlog.witness import Refusal, Witness, request

NOW = datetime(2026, 11, 21, 8, tzinfo=UTC)
KEY = NoteSigner.from_private("log.example/one", Ed25519PrivateKey.generate())
OTHER = NoteSigner.from_private("log.example/one", Ed25519PrivateKey.generate())
STRANGER = NoteSigner.from_private("log.example/stranger", Ed25519PrivateKey.generate())
WITNESS = NoteSigner.from_private("witness.example/w", Ed25519PrivateKey.generate())


class Growing:
    """A log, and what its side sends."""

    def __init__(self, directory: Path, word: bytes = b"ours") -> None:
        self.directory, self.word = directory, word
        self.log = Log.open(directory, KEY, now=NOW)

    def grow(self, count: int) -> bytes:
        self.log.append([self.word + b" %d" % (self.log.size + i) for i in range(count)], NOW)
        return self.log.checkpoint()

    def ask(self, old: int) -> bytes:
        perfect = perfect_from_tiles(from_directory(self.directory), self.log.size)
        return request(old, consistency_proof(perfect, old, self.log.size), self.log.checkpoint())


@pytest.fixture
def log(tmp_path: Path):
    growing = Growing(tmp_path / "log")
    yield growing
    growing.log.close()


@pytest.fixture
def fork(tmp_path: Path):
    growing = Growing(tmp_path / "fork", b"theirs")
    yield growing
    growing.log.close()


@pytest.fixture
def witness(tmp_path: Path):
    opened = Witness.open(tmp_path / "witness", WITNESS, [KEY.verifier()])
    yield opened
    opened.close()


def refused(witness: Witness, body: bytes, now: datetime = NOW) -> Refusal:
    before = witness.latest(KEY.name)
    with pytest.raises(Refusal) as caught:
        witness.add_checkpoint(body, now)
    assert witness.latest(KEY.name) == before
    return caught.value


def test_it_cosigns_what_grew(log: Growing, witness: Witness):
    for old, count in ((0, 1), (1, 300), (301, 0), (301, 60_000), (60_301, 10_000)):
        log.grow(count)
        line = witness.add_checkpoint(log.ask(old), NOW)

        text = parse_note(log.log.checkpoint()).text
        key = WITNESS.verifier(Algorithm.COSIGNATURE)
        assert check_cosignature(text, parse_signature(line), key) == NOW
        assert witness.latest(KEY.name).root == log.log.root


def test_it_remembers_after_a_restart(tmp_path: Path, log: Growing, witness: Witness):
    log.grow(9)
    witness.add_checkpoint(log.ask(0), NOW)
    witness.close()
    again = Witness.open(tmp_path / "witness", WITNESS, [KEY.verifier()])

    assert again.latest(KEY.name) == Checkpoint(KEY.name, 9, log.log.root)
    assert refused(again, log.ask(0)).status == 409
    again.close()


def test_a_rollback_is_refused(log: Growing, witness: Witness):
    log.grow(5)
    smaller = log.log.checkpoint()
    log.grow(5)
    witness.add_checkpoint(log.ask(0), NOW)

    assert refused(witness, request(10, [], smaller)).status == 400
    assert refused(witness, request(5, [], smaller)).status == 409
    answer = refused(witness, request(0, [], smaller))
    assert (answer.status, answer.body) == (409, "10\n")


def test_a_fork_is_refused(log: Growing, fork: Growing, witness: Witness):
    log.grow(10)
    witness.add_checkpoint(log.ask(0), NOW)
    fork.grow(10)

    assert refused(witness, fork.ask(10)).status == 409
    fork.grow(10)
    assert refused(witness, fork.ask(10)).status == 422
    assert refused(witness, request(10, [], fork.log.checkpoint())).status == 422
    assert refused(witness, request(0, [], fork.log.checkpoint())).status == 409


def test_who_may_ask(log: Growing, witness: Witness):
    log.grow(3)
    head = Checkpoint(KEY.name, 3, log.log.root)
    foreign = Checkpoint(STRANGER.name, 3, log.log.root)

    assert refused(witness, request(0, [], sign_checkpoint(foreign, STRANGER, NOW))).status == 404
    assert refused(witness, request(0, [], sign_checkpoint(head, OTHER, NOW))).status == 403


@pytest.mark.parametrize(
    "change",
    [
        lambda body: b"",
        lambda body: body.replace(b"old 0", b"old 00"),
        lambda body: body.replace(b"old 0", b"old -1"),
        lambda body: body.replace(b"old 0", b"new 0"),
        lambda body: body.replace(b"old 0\n", b"old 0\nnot base64!\n"),
        lambda body: body.replace(b"old 0\n", b"old 0\nAAAA\n"),
        lambda body: body.replace(b"old 0\n", b"old 0\n" + b"A" * 43 + b"=\n" * 1 + b"\xff\n"),
        lambda body: body.replace(b"old 0\n", b"old 0\n" + (b"A" * 43 + b"=\n") * 64),
        lambda body: body[:-40],
        lambda body: body + b"x" * 100_000,
        lambda body: body.split(b"\n\n")[0],
    ],
)
def test_odd_requests_are_refused(log: Growing, witness: Witness, change):
    log.grow(3)

    assert refused(witness, change(log.ask(0))).status == 400


def test_a_proof_where_none_is_needed_is_refused(log: Growing, witness: Witness):
    log.grow(3)

    assert refused(witness, request(0, [log.log.root], log.log.checkpoint())).status == 422


def test_a_clock_that_went_back_is_refused(log: Growing, witness: Witness):
    log.grow(3)
    witness.add_checkpoint(log.ask(0), NOW)

    with pytest.raises(LogError, match="clock"):
        witness.add_checkpoint(log.ask(3), NOW - timedelta(minutes=1))


def test_nothing_is_signed_that_could_not_be_remembered(
    log: Growing, witness: Witness, monkeypatch
):
    log.grow(3)

    def full(*args: object, **kwargs: object) -> None:
        raise FileError("no space")

    monkeypatch.setattr("troth.adapters.files.write_atomic", full)
    with pytest.raises(FileError):
        witness.add_checkpoint(log.ask(0), NOW)
    assert witness.latest(KEY.name).size == 0


@pytest.mark.parametrize(
    "memory", [b"", b"{}", b'{"vkey":1,"logs":[]}', b"[" * 100_000, b'{"vkey":"x","logs":{}}']
)
def test_a_damaged_memory_is_refused(tmp_path: Path, witness: Witness, memory: bytes):
    witness.close()
    path = tmp_path / "witness" / "witness.json"
    path.write_bytes(memory)

    with pytest.raises(LogError, match="memory"):
        Witness.open(tmp_path / "witness", WITNESS, [KEY.verifier()])
    assert path.read_bytes() == memory


def test_keys_are_kept_apart(tmp_path: Path):
    with pytest.raises(LogError, match="own"):
        Witness.open(tmp_path, WITNESS, [WITNESS.verifier()])
    with pytest.raises(LogError, match="each log"):
        Witness.open(tmp_path, WITNESS, [KEY.verifier(), OTHER.verifier()])
