"""The boundary parameter of `multipart/form-data` (RFC 2046, 5.1.1), strictly."""

import re
from dataclasses import dataclass

QUOTED = "MULTIPART_BOUNDARY_QUOTED"
WHITESPACE = "MULTIPART_BOUNDARY_WHITESPACE"
SEMICOLON = "MULTIPART_MISSING_SEMICOLON"
MAX_HEADER_BYTES = 1024  # as ModSecurity v3
MAX_BYTES = 70  # RFC 2046, 5.1.1
_PARAMETER = re.compile(rb"(?:(;)[ \t]*|[ \t])boundary([ \t]*)=([ \t]*)(\"([^\"]*)(\"?)|[^;]*)")
_ASSIGNED = re.compile(rb"boundary[ \t]*=")
_ALLOWED = re.compile(rb"[0-9A-Za-z'()+_,./:=? -]*[0-9A-Za-z'()+_,./:=?-]")  # bchars, RFC 2046


@dataclass(frozen=True, slots=True)
class Boundary:
    """The boundary, the flags its spelling raises, and why there is none."""

    value: bytes = b""
    flags: frozenset[str] = frozenset()
    error: str = ""


def read(content_type: bytes) -> Boundary:
    """Of a Content-Type header."""
    if len(content_type) > MAX_HEADER_BYTES:
        return Boundary(error="multipart: a Content-Type that is too long")
    lower = content_type.lower()
    count = len(_ASSIGNED.findall(lower))  # `boundary=boundary` is one
    found = _PARAMETER.search(content_type)
    if not re.match(rb"multipart/form-data[ \t;]", lower):
        error = "no Content-Type multipart/form-data with a boundary"
    elif count != 1:
        error = "no boundary in the Content-Type" if not count else "more than one boundary"
    elif found is None:
        error = "a boundary parameter in a spelling that servers read differently"
    else:
        return _checked(found)
    return Boundary(error=f"multipart: {error}")


def _checked(found: re.Match[bytes]) -> Boundary:
    semicolon, before, after, raw, quoted, closing = found.groups()
    value = raw if quoted is None else quoted
    flags = set()
    if not semicolon:
        flags.add(SEMICOLON)
    if before or after:
        flags.add(WHITESPACE)
    if quoted is not None:
        flags.add(QUOTED)
    if (quoted is not None and not closing) or not _ALLOWED.fullmatch(value):
        return Boundary(flags=frozenset(flags), error="multipart: characters no boundary may have")
    if len(value) > MAX_BYTES:
        return Boundary(flags=frozenset(flags), error="multipart: a boundary that is too long")
    return Boundary(value, frozenset(flags))
