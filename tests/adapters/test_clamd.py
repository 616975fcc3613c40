"""clamd's protocol: against a socket that says what a test tells it, and the real daemon."""

import hashlib
import os
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from shutil import rmtree, which

import pytest

from troth.adapters.clamd import CHUNK, ScanError, scan
from troth.engines.uploads import Held

WITHIN = timedelta(seconds=20)
BAD = b"a file that only this test calls bad\n"
DEADLINE_S = 60


class Daemon:
    """One conversation: it hears all, says something, and hangs up."""

    def __init__(self, path: Path, said: bytes, hears: int = 1 << 30) -> None:
        self.heard = b""
        self.path = path
        self._said, self._hears = said, hears
        self._door = socket.socket(socket.AF_UNIX)
        self._door.bind(str(path))
        self._door.listen()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        line, _ = self._door.accept()
        with line:
            while len(self.heard) < self._hears and not self.heard.endswith(b"\0\0\0\0"):
                self.heard += line.recv(65536)
            line.sendall(self._said)

    def close(self) -> None:
        self._thread.join(DEADLINE_S)
        self._door.close()


def ask(path: Path, said: bytes, content: bytes = b"hello", **more) -> tuple[str, bytes]:
    daemon = Daemon(path, said, **more)
    try:
        return scan(path, Held(content), within=WITHIN), daemon.heard
    finally:
        daemon.close()


def test_what_is_sent_and_heard(tmp_path: Path):
    found, heard = ask(tmp_path / "c", b"stream: OK\0", b"x" * (CHUNK + 1))

    assert found == ""
    assert heard == (
        b"zINSTREAM\0"
        + CHUNK.to_bytes(4, "big") + b"x" * CHUNK
        + b"\0\0\0\1x"
        + b"\0\0\0\0"
    )  # fmt: skip


def test_what_it_found(tmp_path: Path):
    assert ask(tmp_path / "c", b"stream: Win.Test.EICAR_HDB-1 FOUND\0")[0] == "Win.Test.EICAR_HDB-1"


@pytest.mark.parametrize(
    "said",
    [
        b"INSTREAM size limit exceeded. ERROR\0",
        b"stream: Can't allocate memory ERROR\0",
        b"",
        b"stream: OK, or not\0",
        b"\xff" * 9000,
    ],
    ids=range(5),
)
def test_what_is_no_answer_is_none(tmp_path: Path, said: bytes):
    with pytest.raises(ScanError):
        ask(tmp_path / "c", said)


def test_whoever_stops_listening_has_not_scanned_it(tmp_path: Path):
    with pytest.raises(ScanError):
        ask(tmp_path / "c", b"stream: OK\0", b"x" * 20_000_000, hears=1000)


def test_nobody_there(tmp_path: Path):
    with pytest.raises(ScanError, match="clamd at"):
        scan(tmp_path / "none", Held(b"x"), within=WITHIN)


def test_whoever_says_nothing_is_not_waited_for(tmp_path: Path):
    door = socket.socket(socket.AF_UNIX)
    door.bind(str(tmp_path / "mute"))
    door.listen()
    with door, pytest.raises(ScanError, match=r"timed out|too slow"):
        scan(tmp_path / "mute", Held(b"x"), within=timedelta(milliseconds=200))


@pytest.fixture(scope="module")
def clamd() -> Iterator[Path]:
    """Debian's own daemon, with one signature that this test writes."""
    program = which("clamd") or which("clamd", path="/usr/sbin")
    if program is None:
        pytest.skip("no clamd here (Debian: apt install clamav-daemon)")
    folder = Path(tempfile.mkdtemp(prefix="troth-clamd-"))
    (folder / "db").mkdir()
    digest = hashlib.md5(BAD, usedforsecurity=False).hexdigest()
    (folder / "db" / "own.hdb").write_text(f"{digest}:{len(BAD)}:Own.Test.Bad\n")
    user = "User root\n" if os.geteuid() == 0 else ""
    (folder / "clamd.conf").write_text(
        f"DatabaseDirectory {folder}/db\nLocalSocket {folder}/ctl\nForeground yes\n"
        f"TemporaryDirectory {folder}\nStreamMaxLength 1M\nSelfCheck 0\n{user}"
    )
    folder.chmod(0o755)
    log = (folder / "log").open("wb")
    running = subprocess.Popen(
        [program, "--config-file", folder / "clamd.conf"], stdout=log, stderr=log
    )
    end = time.monotonic() + DEADLINE_S
    while not (folder / "ctl").exists() and running.poll() is None and time.monotonic() < end:
        time.sleep(0.05)
    log.close()
    try:
        if not (folder / "ctl").exists():
            pytest.skip(f"clamd does not start here: {(folder / 'log').read_text()[-300:]}")
        yield folder / "ctl"
    finally:
        running.terminate()
        running.wait(DEADLINE_S)
        rmtree(folder, ignore_errors=True)


def test_the_real_one(clamd: Path):
    assert scan(clamd, Held(BAD), within=WITHIN) == "Own.Test.Bad.UNOFFICIAL"
    assert scan(clamd, Held(b"a harmless file\n"), within=WITHIN) == ""
    assert scan(clamd, Held(os.urandom(900_000)), within=WITHIN) == ""


def test_what_is_too_long_for_the_real_one_was_not_scanned(clamd: Path):
    with pytest.raises(ScanError, match=r"limit|Broken|reset|nothing"):
        scan(clamd, Held(b"x" * 8_000_000), within=WITHIN)
