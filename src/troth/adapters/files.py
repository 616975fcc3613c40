"""The only door to files that must survive: atomic writes, durable appends, one-writer locks.

Everything fails closed: what could not be read, written or made durable raises `FileError` with
the path; nothing is half done that a reader could take for whole. Durable means: the bytes and the
name were handed to the disk (`fsync` of the file, then of its folder).
"""

import errno
import fcntl
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from troth.kernel.errors import Failure

PUBLIC = 0o644
PRIVATE = 0o600
PUBLIC_FOLDER = 0o755


class FileError(Failure):
    """A file that could not be read, written or locked."""


@contextmanager
def _naming(path: Path, what: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        mend = "free some space" if error.errno in (errno.ENOSPC, errno.EDQUOT) else ""
        raise FileError(f"{what}: {error.strerror or error}", where=str(path), mend=mend) from error


def read_capped(path: Path, limit: int) -> bytes:
    """All of a regular file of at most `limit` bytes.

    Raises:
        FileNotFoundError: there is none; asking is no failure.
        FileError: it cannot be read, is no regular file, or is longer.
    """
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise FileError(f"cannot be read: {error.strerror}", where=str(path)) from error
    with _naming(path, "cannot be read"), os.fdopen(fd, "rb") as file:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise FileError("is not a regular file", where=str(path))
        data = file.read(limit + 1)
    if len(data) > limit:
        raise FileError(f"is longer than {limit} bytes", where=str(path))
    return data


def write_atomic(path: Path, data: bytes, *, mode: int = PUBLIC, durable: bool = True) -> None:
    """Put a whole file in place: readers see the old one or the new one, never a part.

    The file is written beside its place, then renamed over it. The folder must exist.

    Args:
        path: where.
        data: what.
        mode: permission bits, set whatever the umask.
        durable: survive a power cut from the moment this returns; without it, a killed process
            still leaves the old or the new file.

    Raises:
        FileError: it could not be written; the old file, if any, still stands.
    """
    beside = path.with_name(f".{path.name}.new")
    with _naming(path, "cannot be written"):
        fd = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode)
        try:
            os.fchmod(fd, mode)
            write_all(fd, data)
            if durable:
                os.fsync(fd)
        finally:
            os.close(fd)
        beside.rename(path)
    if durable:
        sync_folder(path.parent)


def write_all(fd: int, data: bytes) -> None:
    """Write every byte; `os.write` may stop early."""
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def sync_files(paths: Iterable[Path], *, root: Path) -> None:
    """Make files that exist durable, with their names, and the folders' names up to `root`."""
    folders = {root}
    for path in paths:
        _sync(path, os.O_RDONLY)
        folders.update(folder for folder in path.parents if folder.is_relative_to(root))
    for folder in sorted(folders, reverse=True):
        sync_folder(folder)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    _sync(folder, os.O_RDONLY | os.O_DIRECTORY)


def _sync(path: Path, flags: int) -> None:
    with _naming(path, "cannot be made durable"):
        fd = os.open(path, flags | os.O_CLOEXEC)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)


def make_folder(path: Path, *, mode: int = PUBLIC_FOLDER, durable: bool = True) -> None:
    """The folder and its parents; fine when it is there already."""
    with _naming(path, "cannot be created"):
        if path.is_dir():
            return
        make_folder(path.parent, mode=mode, durable=durable)
        path.mkdir(mode=mode, exist_ok=True)
    if durable:
        sync_folder(path.parent)


def remove_folder(path: Path) -> None:
    """A folder and the plain files in it; fine when there is none. Folders in it are refused."""
    with _naming(path, "cannot be removed"):
        if not path.exists():
            return
        for file in path.iterdir():
            file.unlink()
        path.rmdir()


class Appender:
    """A file that only grows, each `append` durable when it returns.

    After a failed append the file's end is unknown: the appender refuses to go on, and whoever
    opens the file next decides what the tail is worth.
    """

    def __init__(self, path: Path, *, mode: int = PRIVATE) -> None:
        self.path = path
        with _naming(path, "cannot be opened for appending"):
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
            self._fd = os.open(path, flags, mode)
            self.size = os.fstat(self._fd).st_size
        self._is_sound = True

    def append(self, data: bytes) -> None:
        """Write and fsync. Raises FileError; from then on every call does."""
        if not self._is_sound:
            raise FileError("an earlier append failed", where=str(self.path), mend="open it again")
        self._is_sound = False
        with _naming(self.path, "cannot be appended to"):
            write_all(self._fd, data)
            os.fsync(self._fd)
        self.size += len(data)
        self._is_sound = True

    def cut(self, size: int) -> None:
        """Drop what stands after `size` bytes, durably: a torn tail, never acknowledged."""
        with _naming(self.path, "cannot be cut"):
            os.ftruncate(self._fd, size)
            os.fsync(self._fd)
        self.size = size

    def close(self) -> None:
        """Let go of the file; fine to call twice."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


class Lock:
    """An exclusive `flock`: one holder on this machine, released by the kernel when it dies."""

    def __init__(self, path: Path, *, mend: str = "stop the other process") -> None:
        """Take it at once. Raises FileError when somebody else holds it."""
        with _naming(path, "cannot be locked"):
            self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE)
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._fd)
            raise FileError("is held by another process", where=str(path), mend=mend) from error

    def release(self) -> None:
        """Let it go; fine to call twice."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
