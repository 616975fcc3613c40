"""An upload that lies on disk, told in short: its fields whole, of each file only the beginning.

What the guard inspects of a body of a hundred megabytes is what an application decides by: names of
fields, names and types of files, values of fields, and the first bytes of each file. The rest is
taken out; the structure stays as it came, so whatever is odd about it is still there to be seen.
"""

import mmap
import re
from typing import BinaryIO

KEPT_OF_A_FILE = 4096  # enough for the signature and the head of every common format
MAX_PART_HEAD = 8192
MAX_PARTS = 1000

# Source: RFC 2046, 5.1.1 (a boundary has 1 to 70 characters), as a parameter by RFC 9110, 5.6.6.
_BOUNDARY = re.compile(
    rb"multipart/form-data\s*;(?:.*;)?\s*"
    rb"boundary=(\"?)([0-9A-Za-z'()+_,./:=? -]{1,70})\1\s*(?:;|$)",
    re.IGNORECASE | re.DOTALL,
)


class UploadError(ValueError):
    """An upload whose parts cannot be told from each other."""


def boundary_of(content_type: bytes) -> bytes | None:
    """The boundary of a form's upload; None for a body of another kind."""
    found = _BOUNDARY.match(content_type.strip())
    return found.group(2).rstrip() if found else None


def outline(file: BinaryIO, boundary: bytes, limit: int) -> bytes:
    """The body on disk without the rest of its files, at most `limit` bytes.

    Fails closed: raises UploadError when the parts cannot be told from each other, are too many, or
    when what must be inspected does not fit.
    """
    size = file.seek(0, 2)
    file.seek(0)
    if not size:
        return b""
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as body:
        return _outline(body, b"--" + boundary, limit)


def _outline(body: mmap.mmap, mark: bytes, limit: int) -> bytes:
    kept: list[bytes] = []
    size, at = 0, body.find(mark)
    if at < 0:
        raise UploadError("no boundary")
    kept.append(body[:at])
    for _ in range(MAX_PARTS):
        after = _next(body, mark, at + len(mark))
        part = _shortened(body, at, after)
        size += len(part)
        if size > limit:
            raise UploadError("too much to inspect")
        kept.append(part)
        if after == len(body):
            return b"".join(kept)
        at = after
    raise UploadError("too many parts")


def _next(body: mmap.mmap, mark: bytes, start: int) -> int:
    """Where the next delimiter begins: at the start of a line; the end when there is none."""
    at = body.find(b"\n" + mark, start)
    return len(body) if at < 0 else at + 1


def _shortened(body: mmap.mmap, begin: int, end: int) -> bytes:
    """One part: all of it, or its head and the beginning of its file."""
    head_end = max(
        body.find(b"\r\n\r\n", begin, min(end, begin + MAX_PART_HEAD)) + 4,
        body.find(b"\n\n", begin, min(end, begin + MAX_PART_HEAD)) + 2,
    )
    if head_end < 4 or b"filename" not in body[begin:head_end].lower():  # noqa: PLR2004 -- not found
        return body[begin:end]
    # The line break before the next delimiter belongs to the delimiter.
    content_end = end - 2 if body[end - 2 : end] == b"\r\n" else end
    if content_end - head_end <= KEPT_OF_A_FILE:
        return body[begin:end]
    return body[begin : head_end + KEPT_OF_A_FILE] + body[content_end:end]
