"""The parts of a `multipart/form-data` body (RFC 2046, 5.1; RFC 7578), strictly, where it lies.

Stricter than the rules' own parser, which flags what is odd: here nothing may stand before the
first delimiter or after the last, lines end in CR LF, and the boundary stands nowhere else. What a
browser sends is so. Of what is refused servers would find different parts.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from troth.engines.seclang.bodies import boundary, disposition
from troth.engines.uploads.content import Content, find
from troth.engines.uploads.model import NOT_ALLOWED, TOO_LARGE, UploadError, malformed

KEPT_OF_A_FILE = 4096  # enough for the signature and the head of every common format
MAX_HEAD_BYTES = 8192  # of a part
MAX_TEXT_BYTES = 64 * 1024  # of a text file that rules read as a field
MAX_HEADERS = 8  # of a part; browsers send two
_HEADER = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\x00-\x08\x0a-\x1f\x7f]*?)[ \t]*")
_CRLF = b"\r\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A field, or a file.

    Args:
        name: of the field.
        filename: as sent; None for a field.
        kind: its Content-Type, lower case, without parameters; empty for none.
        head: its header lines with the empty line after them.
        begin, end: where its content stands in the body.
    """

    name: bytes
    filename: bytes | None
    kind: bytes
    head: bytes
    begin: int
    end: int


def boundary_of(content_type: bytes) -> bytes | None:
    """The boundary; None for a body of another kind.

    Raises UploadError for a multipart form whose boundary servers would read differently.
    """
    kind = content_type.partition(b";")[0].strip().lower()
    if not kind.startswith(b"multipart/"):
        return None
    if kind != b"multipart/form-data":
        raise malformed("parts of another kind than a form's", code="encoding", status=NOT_ALLOWED)
    found = boundary.read(content_type.strip())
    doubtful = found.flags & {boundary.SEMICOLON, boundary.WHITESPACE}
    if found.error or doubtful or not found.value:
        raise malformed(found.error or "a boundary in a spelling that servers read differently")
    return found.value


def split(content: Content, boundary: bytes, most: int) -> tuple[Part, ...]:
    """All parts, in order, `most` at most. Raises UploadError."""
    return tuple(_parts(content, b"--" + boundary, most))


def _parts(content: Content, mark: bytes, most: int) -> Iterator[Part]:
    at = len(mark)
    if content.read(0, at) != mark:
        raise malformed("the body does not begin with its boundary")
    for _ in range(most + 1):
        after = content.read(at, 4)
        if after[:2] == b"--":
            if content.read(at + 2, 3) not in (b"", _CRLF):
                raise malformed("something stands after the last boundary")
            return
        if after[:2] != _CRLF:
            raise malformed("a boundary with something else in its line")
        begin = at + 2
        end = find(content, mark, begin)
        if end < begin + 2 or content.read(end - 2, 2) != _CRLF:
            raise malformed("no boundary in a line of its own at a part's end")
        yield _part(content, begin, end - 2)
        at = end + len(mark)
    raise malformed("too many parts", code="parts", status=TOO_LARGE)


def _part(content: Content, begin: int, end: int) -> Part:
    head = content.read(begin, min(MAX_HEAD_BYTES, end - begin))
    stop = head.find(b"\r\n\r\n")
    if stop < 0:
        raise malformed("a part without an end of its headers, or with too many of them")
    headers = _headers(head[:stop])
    said = disposition.read(headers.get(b"content-disposition", b""))
    if said.flags:
        raise malformed("a part whose Content-Disposition is not read alike everywhere")
    is_file = bool(said.filename) or b"filename" in headers[b"content-disposition"].lower()
    return Part(
        name=said.name,
        filename=said.filename if is_file else None,
        kind=headers.get(b"content-type", b"").partition(b";")[0].strip().lower(),
        head=head[: stop + 4],
        begin=begin + stop + 4,
        end=end,
    )


def _headers(head: bytes) -> dict[bytes, bytes]:
    lines = head.split(_CRLF)
    found: dict[bytes, bytes] = {}
    for line in lines:
        header = _HEADER.fullmatch(line)
        if header is None or header[1].lower() in found:
            raise malformed("a part's header that is none, or is there twice")
        found[header[1].lower()] = header[2]
    if len(found) > MAX_HEADERS or b"content-disposition" not in found:
        raise malformed("a part without Content-Disposition, or with too many headers")
    return found


def outline(
    content: Content,
    boundary: bytes,
    parts: tuple[Part, ...],
    limit: int,
    texts: tuple[Part, ...] = (),
) -> bytes:
    """The body with its fields whole and only the beginning of its files; at most `limit` bytes.

    The structure stays as it came, so whatever is odd about it is still there to be seen. Of
    `texts` the beginning stands there once more, as fields, which rules read.
    """
    mark, kept, size = b"--" + boundary, [], 0
    for part in parts:
        end = part.end
        if part.filename is not None:
            end = min(end, part.begin + KEPT_OF_A_FILE)
        size += len(mark) + len(part.head) + end - part.begin + 4
        if size > limit:
            raise malformed("more fields than are inspected", code="fields", status=TOO_LARGE)
        kept.append(mark + _CRLF + part.head + content.read(part.begin, end - part.begin) + _CRLF)
    for part in texts:
        head = b'Content-Disposition: form-data; name="%b"\r\n\r\n' % _quoted(part.name)
        text = content.read(part.begin, min(MAX_TEXT_BYTES, part.end - part.begin))
        size += len(mark) + len(head) + len(text) + 4
        if size <= limit:
            kept.append(mark + _CRLF + head + text + _CRLF)
    return b"".join(kept) + mark + b"--\r\n"


def _quoted(name: bytes) -> bytes:
    return name.replace(b"\\", b"\\\\").replace(b'"', b'\\"')


__all__ = ["Part", "UploadError", "boundary_of", "outline", "split"]
