"""Bytes that lie somewhere: read where one wants, never all at once."""

from collections.abc import Iterator
from typing import Protocol

PIECE = 256 * 1024


class Content(Protocol):
    """A body, or a file in it.

    `read` gives at most `size` bytes from `at` on, fewer only at the end.
    """

    @property
    def size(self) -> int:
        """How many bytes there are."""
        ...

    def read(self, at: int, size: int) -> bytes:
        """What stands there."""
        ...


class Held:
    """Bytes at hand."""

    __slots__ = ("_bytes",)

    def __init__(self, content: bytes) -> None:
        self._bytes = content

    @property
    def size(self) -> int:
        """How many bytes there are."""
        return len(self._bytes)

    def read(self, at: int, size: int) -> bytes:
        """What stands there."""
        return self._bytes[at : at + size]


class Slice:
    """A part of a content."""

    __slots__ = ("_begin", "_of", "size")

    def __init__(self, of: Content, begin: int, end: int) -> None:
        self._of = of
        self._begin = begin
        self.size = end - begin

    def read(self, at: int, size: int) -> bytes:
        """What stands there; never what stands after the part."""
        size = min(size, self.size - at)
        return self._of.read(self._begin + at, size) if size > 0 else b""


def pieces(content: Content, begin: int = 0) -> Iterator[bytes]:
    """All of it, piece by piece."""
    at = begin
    while at < content.size:
        piece = content.read(at, PIECE)
        if not piece:
            return
        yield piece
        at += len(piece)


def find(content: Content, needle: bytes, begin: int = 0, end: int | None = None) -> int:
    """Where the needle stands first, from `begin` on and whole before `end`; -1 if nowhere."""
    end = content.size if end is None else min(end, content.size)
    overlap = len(needle) - 1
    at = begin
    while at + overlap < end:
        piece = content.read(at, min(PIECE, end - at))
        place = piece.find(needle)
        if place >= 0:
            return at + place
        if len(piece) <= overlap:
            return -1
        at += len(piece) - overlap
    return -1
