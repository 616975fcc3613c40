"""Logs that stay small: by size, a few kept, no line lost or cut."""

import os
from itertools import pairwise
from pathlib import Path

LIMIT_BYTES = 10 * 1024**2
KEPT = 5  # beside the one that is written
MODE = 0o640


def is_full(path: Path, limit: int = LIMIT_BYTES) -> bool:
    """Whether it is time; a file that is not there is never full."""
    try:
        return path.stat().st_size >= limit
    except OSError:
        return False


def rotate(path: Path, kept: int = KEPT) -> None:
    """Move `x.log` to `x.log.1`, that to `x.log.2` and so on; the oldest goes.

    Whoever writes goes on in the moved file until it opens the path anew. Fails open: where nothing
    can be moved, the log grows on.
    """
    places = [path, *(path.with_name(f"{path.name}.{number}") for number in range(1, kept + 1))]
    for newer, older in reversed(list(pairwise(places))):
        try:
            newer.rename(older)
        except OSError:
            continue


class Writer:
    """Appends to a log of its own, rotating it between lines.

    Fails open: what cannot be written is lost and counted; a full disk must not stop a role.
    """

    def __init__(self, path: Path, *, limit: int = LIMIT_BYTES, kept: int = KEPT) -> None:
        self._path, self._limit, self._kept = path, limit, kept
        self._fd = -1
        self._size = 0
        self.lost_bytes = 0
        self._open()

    def write(self, data: bytes) -> None:
        """Append whole lines, or parts of lines as they come."""
        while data:
            if self._size >= self._limit:
                # Only where a line ends; one that never does is cut at twice the limit.
                line, newline, rest = data.partition(b"\n")
                self._put(line + newline)
                if newline or self._size >= 2 * self._limit:
                    self._turn()
                data = rest
            else:
                room = self._limit - self._size
                cut = data.find(b"\n", room)
                head = data if len(data) <= room or cut < 0 else data[: cut + 1]
                self._put(head)
                data = data[len(head) :]
                if self._size >= self._limit and head.endswith(b"\n"):
                    self._turn()

    def close(self) -> None:
        """Let go of the file."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _put(self, data: bytes) -> None:
        view = memoryview(data)
        try:
            while view:
                view = view[os.write(self._fd, view) :]
        except OSError:
            self.lost_bytes += len(view)
        self._size += len(data)

    def _turn(self) -> None:
        self.close()
        rotate(self._path, self._kept)
        self._open()

    def _open(self) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        self._fd = os.open(self._path, flags, MODE)
        self._size = os.fstat(self._fd).st_size
