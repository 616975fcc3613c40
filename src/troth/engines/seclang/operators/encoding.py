"""Operators that say whether bytes are what they claim: a match is what is wrong."""

import re
from collections.abc import Mapping

from troth.engines.seclang.model import Found, OperatorFunction

_WRONG_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_BYTES = 256


def validate_byte_range(argument: str, _data: Mapping[str, bytes]) -> OperatorFunction:
    """Matches a value with a byte outside of `32-126,10,13`; says those bytes."""
    allowed = _ranges(argument)

    def find(value: bytes) -> Found | None:
        outside = value.translate(None, allowed)
        return (outside[:16],) if outside else None

    return find


def _ranges(argument: str) -> bytes:
    allowed: set[int] = set()
    for piece in filter(None, (part.strip() for part in argument.split(","))):
        low, dash, high = piece.partition("-")
        if not low.strip().isdecimal() or (dash and not high.strip().isdecimal()):
            raise ValueError(f"{piece!r} is no byte and no range of bytes")
        first, last = int(low), int(high if dash else low)
        if not first <= last < _BYTES:
            raise ValueError(f"{piece!r} is not within 0-255")
        allowed.update(range(first, last + 1))
    return bytes(sorted(allowed))


def validate_url_encoding(_argument: str, _data: Mapping[str, bytes]) -> OperatorFunction:
    """Matches a value with a `%` that no two hexadecimal digits follow."""

    def find(value: bytes) -> Found | None:
        if b"%" not in value:
            return None
        found = _WRONG_ESCAPE.search(value)
        return (value[found.start() : found.start() + 3],) if found else None

    return find


def validate_utf8_encoding(_argument: str, _data: Mapping[str, bytes]) -> OperatorFunction:
    """Matches a value that is not UTF-8 (RFC 3629: no overlong, no surrogate).

    Unlike ModSecurity v3 it matches what would be beyond U+10FFFF, too.
    """

    def find(value: bytes) -> Found | None:
        if value.isascii():
            return None
        try:
            value.decode()
        except UnicodeDecodeError as error:
            return (value[error.start : error.start + 4],)
        return None

    return find
