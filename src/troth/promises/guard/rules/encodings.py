"""Compressed bodies are read as the application would read them, or not at all. Bounded."""

import zlib

GZIP = frozenset({b"gzip", b"x-gzip"})  # Source: RFC 9110, 8.4.1.3
PLAIN = frozenset({b"", b"identity"})
_DEFLATED = 8  # Source: RFC 1950, 2.2: the method, and a header that 31 divides
_GZIP_BITS, _ZLIB_BITS, _RAW_BITS = 31, 15, -15  # Source: zlib, inflateInit2


class UnreadError(ValueError):
    """A body that cannot be read; its text is a code: `encoding`, `broken` or `too-long`."""


def plain(body: bytes, encodings: list[bytes], limit: int) -> bytes:
    """The body without its one content coding (RFC 9110, 8.4), at most `limit` bytes long.

    Raises:
        UnreadError: another coding than gzip or deflate, several of them, a broken or unfinished
            stream, something behind its end, or more than `limit` bytes.
    """
    names = [each.strip().lower() for line in encodings for each in line.split(b",")]
    coded = [name for name in names if name not in PLAIN]
    if not coded:
        return body
    if len(coded) > 1:
        raise UnreadError("encoding")
    if coded[0] in GZIP:
        return _inflated(body, _GZIP_BITS, limit)
    if coded[0] != b"deflate":
        raise UnreadError("encoding")
    # RFC 9110, 8.4.1.2: some clients leave the zlib wrapper out.
    head = int.from_bytes(body[:2], "big")
    is_wrapped = head >> 8 & 0x0F == _DEFLATED and head % 31 == 0
    return _inflated(body, _ZLIB_BITS if is_wrapped else _RAW_BITS, limit)


def _inflated(body: bytes, bits: int, limit: int) -> bytes:
    stream = zlib.decompressobj(bits)
    try:
        found = stream.decompress(body, limit + 1)
    except zlib.error as error:
        raise UnreadError("broken") from error
    if len(found) > limit:
        raise UnreadError("too-long")
    if not stream.eof or stream.unused_data:
        raise UnreadError("broken")
    return found
