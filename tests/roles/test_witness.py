"""A witness before two real logs that a real server shows: it signs growth and nothing else."""

import base64
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from troth.adapters import clock
from troth.engines.tlog.checkpoint import Checkpoint, sign_checkpoint, timestamp_of
from troth.engines.tlog.errors import LogError
from troth.engines.tlog.log import Log
from troth.engines.tlog.merkle import EMPTY_ROOT
from troth.engines.tlog.note import Algorithm, NoteSigner, NoteVerifier, open_note
from troth.engines.tlog.read import from_directory
from troth.engines.tlog.tiles import Fetch
from troth.prove.keys import load_or_create
from troth.roles import witness
from troth.roles.places import Places
from troth.roles.witness import Watch, WitnessError

NOW = datetime(2026, 11, 21, 8, tzinfo=UTC)
KEY = NoteSigner.from_private("log.example/one", Ed25519PrivateKey.generate())
STRANGER = NoteSigner.from_private("log.example/one", Ed25519PrivateKey.generate())


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        return


class Shown:
    """A log, and the address that shows one: this, or another in its place."""

    def __init__(self, folder: Path, word: bytes = b"ours") -> None:
        self.word = word
        self.folder = folder
        self.log = Log.open(folder / "log", KEY, now=NOW)

    def grow(self, count: int) -> bytes:
        start = self.log.size
        for first in range(0, count, 5000):
            batch = range(first, min(first + 5000, count))
            self.log.append([self.word + b" %d" % (start + i) for i in batch], NOW)
        return self.log.checkpoint()


class Host:
    """One address; `show` chooses whose files it gives."""

    def __init__(self) -> None:
        self.folder = Path("/nonexistent")
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def _handler(self, *args: object) -> Quiet:
        return partial(Quiet, directory=str(self.folder))(*args)

    def show(self, shown: Shown) -> None:
        self.folder = shown.folder


@pytest.fixture
def host() -> Iterator[Host]:
    made = Host()
    thread = threading.Thread(target=made.server.serve_forever, args=(0.01,))
    thread.start()
    yield made
    made.server.shutdown()
    thread.join()
    made.server.server_close()


@pytest.fixture
def log(tmp_path: Path, host: Host) -> Iterator[Shown]:
    made = Shown(tmp_path / "one")
    host.show(made)
    yield made
    made.log.close()


@pytest.fixture
def fork(tmp_path: Path) -> Iterator[Shown]:
    made = Shown(tmp_path / "other", b"theirs")
    yield made
    made.log.close()


@pytest.fixture
def watch(tmp_path: Path) -> Watch:
    return Watch(Places(tmp_path / "witness"), "witness.example/w", KEY.verifier())


def look(watch: Watch, host: Host, now: datetime = NOW) -> witness.Sight:
    return watch.look(witness.from_address(host.url), now)


def test_it_cosigns_what_grew(log: Shown, host: Host, watch: Watch):
    for count in (1, 300, 0, 70_000, 10):
        before = log.log.size
        log.grow(count)
        sight = look(watch, host)

        assert not sight.refused
        assert (sight.before.size, sight.head.size) == (before, log.log.size)
        assert sight.head.root == log.log.root
        assert watch.cosigned.read_bytes() == sight.note
        assert open_note(sight.note, KEY.verifier())
        assert timestamp_of(sight.note, NoteVerifier.parse(sight.vkey)) == NOW


def test_it_remembers_across_restarts_and_its_key_stays(log: Shown, host: Host, watch: Watch):
    log.grow(9)
    first = look(watch, host)
    again = Watch(watch.places, watch.name, watch.log)
    second = look(again, host)

    assert (second.before, second.vkey) == (first.head, first.vkey)
    assert (watch.places.keys / "witness.key").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("size", [10, 17, 300])
def test_a_fork_is_refused_and_kept(log: Shown, fork: Shown, host: Host, watch: Watch, size: int):
    log.grow(10)
    good = look(watch, host)
    shown = fork.grow(size)
    host.show(fork)
    sight = look(watch, host)

    assert "fork" in sight.refused
    assert not sight.note
    assert sight.kept.read_bytes() == shown
    told = "\n".join(sight.lines())
    assert good.head.root.hex() in told
    assert fork.log.root.hex() in told
    assert watch.cosigned.read_bytes() == good.note
    host.show(log)
    log.grow(1)
    assert not look(watch, host).refused  # what it remembers is still the first tree


def test_a_rollback_is_refused(log: Shown, host: Host, watch: Watch, tmp_path: Path):
    older = log.grow(5)
    log.grow(300)
    look(watch, host)
    checkpoint = log.folder / "log" / "checkpoint"
    now = checkpoint.read_bytes()
    checkpoint.write_bytes(older)
    sight = look(watch, host)

    assert "roll-back" in sight.refused
    assert (sight.before.size, sight.head.size) == (305, 5)
    checkpoint.write_bytes(now)
    assert not look(watch, host).refused


def test_a_log_that_begins_anew_is_a_rollback(log: Shown, fork: Shown, host: Host, watch: Watch):
    log.grow(3)
    look(watch, host)
    host.show(fork)

    sight = look(watch, host)
    assert sight.head == Checkpoint(KEY.name, 0, EMPTY_ROOT)
    assert "roll-back" in sight.refused


def test_another_key_is_refused(log: Shown, host: Host, watch: Watch):
    log.grow(3)
    forged = sign_checkpoint(Checkpoint(KEY.name, 10**9, b"x" * 32), STRANGER, NOW)
    (log.folder / "log" / "checkpoint").write_bytes(forged)

    assert "not signed" in look(watch, host).refused
    assert watch.look(witness.from_address(host.url), NOW).before.size == 0


def test_tiles_that_do_not_make_the_tree_are_no_growth(log: Shown, host: Host, watch: Watch):
    log.grow(300)
    look(watch, host)
    log.grow(300)
    tile = log.folder / "log" / "tile" / "0" / "001"
    tile.write_bytes(bytes(len(tile.read_bytes())))

    sight = look(watch, host)
    assert sight.refused
    assert not sight.note


def test_a_partial_tile_that_went_is_found_in_the_full_one(log: Shown, host: Host, watch: Watch):
    log.grow(200)
    look(watch, host)
    log.grow(30)
    checkpoint = log.folder / "log" / "checkpoint"
    between = checkpoint.read_bytes()
    log.grow(100)
    checkpoint.write_bytes(between)

    sight = look(watch, host)
    assert not sight.refused
    assert sight.head.size == 230


def test_a_tile_that_is_missing_is_not_an_accusation(log: Shown, host: Host, watch: Watch):
    log.grow(200)
    look(watch, host)
    log.grow(200)
    (log.folder / "log" / "tile" / "0" / "000").unlink()

    with pytest.raises(WitnessError, match="missing"):
        look(watch, host)


def test_a_log_that_drops_a_tile_while_it_is_read_is_asked_again(
    log: Shown, host: Host, watch: Watch
):
    log.grow(200)
    look(watch, host)
    log.grow(10)
    fetch, gone = witness.from_address(host.url), []

    def flaky(path: str, limit: int) -> bytes:
        if path.startswith("tile") and len(gone) < 2:
            gone.append(path)
            raise FileNotFoundError(path)
        return fetch(path, limit)

    assert not watch.look(flaky, NOW).refused
    assert gone


def test_what_cannot_be_read_says_nothing(log: Shown, host: Host, watch: Watch):
    def away() -> Fetch:
        return witness.from_address("http://127.0.0.1:1")

    with pytest.raises(WitnessError, match="reached"):
        watch.look(away(), NOW)
    (log.folder / "log" / "checkpoint").write_bytes(b"<html>hello</html>")
    with pytest.raises(WitnessError, match="not a checkpoint"):
        look(watch, host)
    (log.folder / "log" / "checkpoint").unlink()
    with pytest.raises(WitnessError, match="no checkpoint"):
        look(watch, host)
    assert not watch.cosigned.exists()


def test_a_clock_that_went_back_signs_nothing(log: Shown, host: Host, watch: Watch):
    log.grow(3)
    look(watch, host)
    log.grow(3)

    with pytest.raises(LogError, match="clock"):
        look(watch, host, NOW - timedelta(hours=1))
    assert look(watch, host).before.size == 3


@pytest.mark.parametrize("ending", ["", "/", "/log", "/log/"])
def test_addresses_of_a_log(log: Shown, host: Host, ending: str):
    fetch = witness.from_address(host.url + ending)

    assert fetch("checkpoint", 1000) == log.log.checkpoint()


def test_labels_are_file_names_and_never_alike():
    assert witness.label("Log.Example/one").startswith("log.example-one-")
    assert len({witness.label(name) for name in ("a/b", "a-b", "a.b", "../a", "A/B")}) == 5
    assert "/" not in witness.label("../../x")
    assert not witness.label("../../x").startswith(".")


@pytest.mark.parametrize(
    "vkey",
    ["", "x", "x+00000000+AAAA", KEY.verifier().vkey[:-4]],
    ids=["empty", "no parts", "no key", "cut off"],
)
def test_odd_keys(vkey: str):
    with pytest.raises(WitnessError):
        witness.key_of(vkey, Algorithm.ED25519)


def test_keys_are_told_apart():
    with pytest.raises(WitnessError, match="witness's"):
        witness.key_of(KEY.verifier().vkey, Algorithm.COSIGNATURE)


def test_on_the_command_line(log: Shown, fork: Shown, host: Host, tmp_path: Path):
    def troth(*more: str) -> tuple[int, str, str]:
        argv = [str(Path(sys.executable).parent / "troth"), "witness", host.url, "--once"]
        argv += ["--key", KEY.verifier().vkey, "--data", str(tmp_path / "w"), "--name", "w", *more]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
        return done.returncode, done.stdout, done.stderr

    log.grow(10)
    code, note, told = troth()
    assert (code, told[:8]) == (0, "cosigned")
    assert open_note(note.encode(), KEY.verifier())
    fork.grow(20)
    host.show(fork)
    code, said, _ = troth("--json")
    assert (code, json.loads(said)["note"]) == (1, "")
    code, said, told = troth()
    assert (code, said) == (1, "")
    assert log.log.root.hex() in told
    assert fork.log.root.hex() in told


class TestOurOwnLogCosigned:
    """`attach`, with the real ledger."""

    @staticmethod
    def seen(ledger, tmp_path: Path) -> witness.Sight:
        public = load_or_create(ledger.places.keys / "ledger.key").public
        watch = Watch(
            Places(tmp_path / "theirs"), "w.example", NoteVerifier("troth.demo.localhost", public)
        )
        return watch.look(from_directory(ledger.places.log), clock.now())

    def test_it_is_published_until_the_log_grows(self, ledger, tmp_path: Path):
        sight = self.seen(ledger, tmp_path)
        key = witness.key_of(sight.vkey, Algorithm.COSIGNATURE)
        witness.attach(str(sight.kept), key, ledger.places)
        shown = (ledger.places.log / "checkpoint").read_bytes()

        assert timestamp_of(shown, key) == timestamp_of(sight.note, key)
        public = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
        ledger.ask(do="hello", vantage="local", public=base64.b64encode(public).decode())
        with pytest.raises(WitnessError, match="witness look again"):
            witness.attach(str(sight.kept), key, ledger.places)
        again = self.seen(ledger, tmp_path)
        witness.attach(str(again.kept), key, ledger.places)

    def test_what_is_refused(self, ledger, tmp_path: Path):
        sight = self.seen(ledger, tmp_path)
        other = NoteVerifier("w.example", KEY.public, Algorithm.COSIGNATURE)
        before = (ledger.places.log / "checkpoint").read_bytes()

        with pytest.raises(WitnessError, match="not cosigned"):
            witness.attach(str(sight.kept), other, ledger.places)
        with pytest.raises(WitnessError, match="there is none"):
            witness.attach(str(tmp_path / "nothing"), other, ledger.places)
        assert (ledger.places.log / "checkpoint").read_bytes() == before

    def test_without_a_ledger(self, ledger, tmp_path: Path):
        sight = self.seen(ledger, tmp_path)
        key = witness.key_of(sight.vkey, Algorithm.COSIGNATURE)

        with pytest.raises(WitnessError, match="ledger"):
            witness.attach(str(sight.kept), key, Places(tmp_path / "empty"))
