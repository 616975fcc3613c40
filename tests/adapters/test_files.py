import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from troth.adapters import files
from troth.adapters.files import Appender, FileError, Lock


def test_a_file_is_replaced_whole_with_its_mode(tmp_path: Path):
    path = tmp_path / "file"

    files.write_atomic(path, b"first")
    files.write_atomic(path, b"second", mode=files.PRIVATE)

    assert path.read_bytes() == b"second"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path, monkeypatch):
    path = tmp_path / "file"
    files.write_atomic(path, b"first")

    def full(fd: int, data: object) -> int:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(FileError, match="free some space"):
        files.write_atomic(path, b"second")

    assert path.read_bytes() == b"first"


def test_a_short_write_is_continued(tmp_path: Path, monkeypatch):
    write = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: write(fd, bytes(data)[:3]))

    files.write_atomic(tmp_path / "file", b"0123456789")

    assert (tmp_path / "file").read_bytes() == b"0123456789"


def test_reading_has_a_limit_and_wants_a_regular_file(tmp_path: Path):
    path = tmp_path / "file"
    path.write_bytes(b"12345")
    os.mkfifo(tmp_path / "pipe")

    assert files.read_capped(path, 5) == b"12345"
    with pytest.raises(FileError, match="longer than 4"):
        files.read_capped(path, 4)
    with pytest.raises(FileError, match="regular"):
        files.read_capped(tmp_path / "pipe", 4)
    with pytest.raises(FileError):
        files.read_capped(tmp_path, 4)
    with pytest.raises(FileNotFoundError):
        files.read_capped(tmp_path / "none", 4)


def test_appending_is_durable_and_stops_after_a_failure(tmp_path: Path, monkeypatch):
    synced = []
    fsync = os.fsync
    monkeypatch.setattr(os, "fsync", lambda fd: (synced.append(fd), fsync(fd)))
    appender = Appender(tmp_path / "file")
    appender.append(b"one")
    appender.append(b"two")
    assert len(synced) == 2
    assert (appender.size, (tmp_path / "file").read_bytes()) == (6, b"onetwo")

    def broken(fd: int) -> None:
        raise OSError(5, os.strerror(5))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", broken)
        with pytest.raises(FileError):
            appender.append(b"three")
    with pytest.raises(FileError, match="earlier append"):
        appender.append(b"four")
    appender.close()
    appender.close()

    again = Appender(tmp_path / "file")
    again.cut(6)
    assert (again.size, (tmp_path / "file").read_bytes()) == (6, b"onetwo")
    again.close()


def test_one_holder_of_a_lock_and_none_after_its_death(tmp_path: Path):
    path = tmp_path / "lock"
    program = (
        "import sys; from pathlib import Path; from troth.adapters.files import Lock;"
        " lock = Lock(Path(sys.argv[1])); print('held', flush=True); sys.stdin.read()"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", program, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert child.stdout.readline() == b"held\n"

    with pytest.raises(FileError, match="another process"):
        Lock(path)
    child.kill()
    child.communicate()

    lock = Lock(path)
    with pytest.raises(FileError):
        Lock(path)
    lock.release()
    lock.release()
    Lock(path).release()


def test_folders_come_and_go(tmp_path: Path):
    deep = tmp_path / "a" / "b" / "c"

    files.make_folder(deep)
    files.make_folder(deep)
    (deep / "file").write_bytes(b"")
    files.sync_files([deep / "file"], root=tmp_path)
    files.remove_folder(deep)
    files.remove_folder(deep)

    assert not deep.exists()
    assert deep.parent.is_dir()
    with pytest.raises(FileError):
        files.make_folder(Path("/dev/null/folder"))
    with pytest.raises(FileError):
        files.sync_files([tmp_path / "none"], root=tmp_path)
