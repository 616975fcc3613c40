"""`application/x-www-form-urlencoded`, for bodies and for query strings (WHATWG URL, section 5).

As ModSecurity v3: names and values are decoded by `urlDecode`; a bare name has an empty value; an
empty piece is an argument without name or value, but for one at the end; duplicates are kept.
Unlike it, an invalid escape in a name sets URLENCODED_ERROR, too.
"""

import re

from troth.engines.seclang.bodies import charset
from troth.engines.seclang.model import Limits, Pairs, Parts
from troth.engines.seclang.transform.url import decode

_WRONG = {"URLENCODED_ERROR": b"1"}


def parse(body: bytes, content_type: bytes, limits: Limits) -> Parts:
    """The arguments of a form."""
    if len(body) > limits.body:
        return Parts(limit="body")
    arguments, is_valid, limit = read(body, limits.arguments)
    return Parts(
        arguments=arguments,
        flags={} if is_valid else _WRONG,
        error=charset.complaint(content_type),
        limit=limit,
    )


def read(text: bytes, most: int, separator: bytes = b"&") -> tuple[Pairs, bool, str]:
    """Names and values, whether every escape was valid, and the limit that was passed.

    Beyond `most` the rest is not read. `separator` is one byte and not `=`, `%` or `+`.
    """
    if not text:
        return (), True, ""
    text = text.removesuffix(separator)
    limit = ""
    if text.count(separator) >= most:
        text = separator.join(text.split(separator, most)[:most])
        limit = "arguments"
    if b"%" not in text:
        if b"+" in text:
            text = text.replace(b"+", b" ")
        return tuple([_pair(piece) for piece in text.split(separator)]), True, limit
    pairs = _at_once(text, separator) if separator in text and not _is_reserved(text) else None
    if pairs is not None:
        return pairs, True, limit
    is_valid = True
    found: list[tuple[bytes, bytes]] = []
    for piece in text.split(separator):
        name, _, value = piece.partition(b"=")
        name, is_name = decode(name)
        value, is_value = decode(value)
        is_valid = is_valid and is_name and is_value
        found.append((name, value))
    return tuple(found), is_valid, limit


def _pair(piece: bytes) -> tuple[bytes, bytes]:
    name, _, value = piece.partition(b"=")
    return name, value


# Bytes that stand for the separators while all is decoded in one go; UTF-8 has neither.
_BETWEEN, _EQUALS = b"\xfe", b"\xff"
_RESERVED = re.compile(rb"%[fF][eEfF]")


def _is_reserved(text: bytes) -> bool:
    if _BETWEEN in text or _EQUALS in text:
        return True
    return (b"%f" in text or b"%F" in text) and _RESERVED.search(text) is not None


def _at_once(text: bytes, separator: bytes) -> Pairs | None:
    """All pairs of a text without the reserved bytes; None when an escape in it is not valid."""
    marked = text.replace(separator, _BETWEEN).replace(b"=", _EQUALS)
    decoded, is_valid = decode(marked)
    if not is_valid:
        return None
    pairs: list[tuple[bytes, bytes]] = []
    for piece in decoded.split(_BETWEEN):
        name, _, value = piece.partition(_EQUALS)
        pairs.append((name, value.replace(_EQUALS, b"=")))
    return tuple(pairs)
