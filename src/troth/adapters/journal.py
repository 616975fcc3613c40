"""A journal of JSON lines that is read again after a kill: appended to, rewritten when long.

Written through the page cache: what was appended survives the end of the process at once, and a
power cut after the next `sync`. Fails open where it is written (the caller is told and goes on),
and keeps aside, whole, what it cannot read.
"""

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

import msgspec

from troth.adapters import files
from troth.adapters.files import FileError

MAX_BYTES = 64 * 1024**2

T = TypeVar("T", bound=msgspec.Struct)


@dataclass(frozen=True, slots=True)
class Read(Generic[T]):
    """What was in a journal.

    Args:
        lines: those that were understood, in order.
        torn: the last one was cut off; it was never acknowledged.
        broken: how many others were not understood.
        aside: where a journal with such lines was put; None when it is in use.
    """

    lines: Sequence[T]
    torn: bool = False
    broken: int = 0
    aside: Path | None = None


class Journal(Generic[T]):
    """One file of lines of `shape`.

    Args:
        path: where; its folder is there.
        shape: of a line.
    """

    def __init__(self, path: Path, shape: type[T]) -> None:
        self.path = path
        self.count = 0
        self._shape = shape
        self._fd = -1

    def read(self, stamp: Callable[[], str]) -> Read[T]:
        """Every line that can be read. A journal with others is kept aside under `stamp()`.

        Raises FileError when there is one that cannot be read at all.
        """
        try:
            raw = files.read_capped(self.path, MAX_BYTES)
        except FileNotFoundError:
            return Read(())
        *whole, last = raw.split(b"\n")
        found, broken = [], 0
        for line in whole:
            try:
                found.append(msgspec.json.decode(line, type=self._shape))
            except (msgspec.DecodeError, UnicodeDecodeError):
                broken += 1
        aside = None
        if broken:
            aside = self.path.with_name(f"{self.path.name}.broken-{stamp()}")
            files.write_atomic(aside, raw, mode=files.PRIVATE)
        self.count = len(found)
        return Read(found, torn=bool(last), broken=broken, aside=aside)

    def append(self, line: T) -> None:
        """Write one. Raises FileError."""
        try:
            if self._fd < 0:
                flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
                self._fd = os.open(self.path, flags, files.PRIVATE)
            files.write_all(self._fd, msgspec.json.encode(line) + b"\n")
        except OSError as error:
            self.close()
            raise FileError(f"cannot be written: {error.strerror}", where=str(self.path)) from error
        self.count += 1

    def rewrite(self, lines: Iterable[T]) -> None:
        """Put these lines in its place, durably. Raises FileError; the old one then stands."""
        raw = [msgspec.json.encode(line) + b"\n" for line in lines]
        files.write_atomic(self.path, b"".join(raw), mode=files.PRIVATE)
        self.close()
        self.count = len(raw)

    def sync(self) -> None:
        """Hand to the disk what was appended. Raises FileError."""
        if self._fd >= 0:
            try:
                os.fsync(self._fd)
            except OSError as error:
                raise FileError(f"not durable: {error.strerror}", where=str(self.path)) from error

    def close(self) -> None:
        """Let go of the file; fine to call twice."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
