"""The only door to bodies on disk: files without a name, in a folder of their own, bounded.

A file is gone with the process that holds it, however that ends: it never has a name (O_TMPFILE),
or loses it as soon as it is open; `sweep` removes what a kernel without that left behind. Fails
closed: where there is no room, nothing is held.
"""

import contextlib
import os
import tempfile
import threading
from pathlib import Path

from troth.kernel.errors import Failure

PREFIX = "upload-"
FOLDER_MODE, FILE_MODE = 0o700, 0o600


class ScratchError(Failure):
    """A body that could not be kept: there is no room for it."""


class Room:
    """How much may be held together: `at_once` files, `total_bytes`. Safe to share by threads."""

    def __init__(self, at_once: int, total_bytes: int) -> None:
        self.at_once = at_once
        self.total_bytes = total_bytes
        self.files = 0
        self.bytes = 0
        self._lock = threading.Lock()

    def take(self, files: int, size: int) -> bool:
        """Whether there was room for so much more; negative numbers give back."""
        with self._lock:
            fits = self.files + files <= self.at_once and self.bytes + size <= self.total_bytes
            if fits or files < 0 or size < 0:
                self.files += files
                self.bytes += size
                return True
            return False


class Scratch:
    """One body. Written from its beginning to its end, then read anywhere.

    Args:
        folder: where it lies; the system's own place for such files when None.
        room: what it counts against.

    Raises:
        ScratchError: there is no room, or no such folder.
    """

    def __init__(self, folder: Path | None, room: Room) -> None:
        self._room = room
        self.size = 0
        self._fd = -1
        if not room.take(1, 0):
            raise ScratchError("too many uploads at once")
        try:
            self._fd = _nameless(folder)
        except OSError as error:
            room.take(-1, 0)
            raise ScratchError(
                f"cannot keep a file: {error.strerror}",
                where=str(folder or tempfile.gettempdir()),
            ) from error

    def write(self, piece: bytes) -> None:
        """At the end. Raises ScratchError."""
        if not self._room.take(0, len(piece)):
            raise ScratchError("too many bytes of uploads at once")
        self.size += len(piece)
        view = memoryview(piece)
        try:
            while view:
                view = view[os.write(self._fd, view) :]
        except OSError as error:
            raise ScratchError(f"cannot be written: {error.strerror}") from error

    def read(self, at: int, size: int) -> bytes:
        """What stands there, fewer bytes only at the end. Raises OSError."""
        return os.pread(self._fd, size, at)

    def close(self) -> None:
        """Let go of it, and of the disk it took; fine to call twice."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
            self._room.take(-1, -self.size)


def _nameless(folder: Path | None) -> int:
    place = str(folder or tempfile.gettempdir())
    with contextlib.suppress(OSError):
        return os.open(place, os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, FILE_MODE)
    fd, name = tempfile.mkstemp(prefix=PREFIX, dir=place)
    Path(name).unlink()
    return fd


def sweep(folder: Path) -> int:
    """Make the folder ours alone and empty it of what a killed process left; how many there were.

    Raises ScratchError for a folder that cannot be used.
    """
    try:
        folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        folder.chmod(FOLDER_MODE)
        left = [path for path in folder.iterdir() if path.name.startswith(PREFIX)]
        for path in left:
            path.unlink(missing_ok=True)
    except OSError as error:
        raise ScratchError(f"cannot be used: {error.strerror}", where=str(folder)) from error
    return len(left)
