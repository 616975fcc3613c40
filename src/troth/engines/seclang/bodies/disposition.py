"""`Content-Disposition: form-data; name="a"; filename="b"` of a part (RFC 7578, 4.2), strictly.

As ModSecurity v3: `form-data`, `name` and `filename` in this case alone, each at most once, nothing
else; values are tokens or quoted; apostrophes are read as quotes and flagged.
"""

import re
from dataclasses import dataclass

INVALID_QUOTING = "MULTIPART_INVALID_QUOTING"
INVALID_PART = "MULTIPART_INVALID_PART"
_PARAMETER = re.compile(
    rb"[ \t]*([^=\t ]+)[ \t]*=[ \t]*"
    rb"(?:\"([^\"\\]*+(?:\\.[^\"\\]*+)*+)\"|'([^'\\]*+(?:\\.[^'\\]*+)*+)'|([^\x00-\x20()<>@,;:\\\"/\[\]?={}\x7f-\xff]*))"
    rb"[ \t]*(;|\Z)?",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Disposition:
    """The field's name, its file's name (empty: it is none), and the flags to raise."""

    name: bytes
    filename: bytes
    flags: frozenset[str] = frozenset()


def read(value: bytes) -> Disposition:
    """Of a header's value, which has no NUL. What breaks the rules is flagged INVALID_PART."""
    kind, semicolon, rest = value.partition(b";")
    flags: set[str] = set()
    found: dict[bytes, bytes] = {}
    if kind.strip(b" \t") != b"form-data":
        return Disposition(b"", b"", frozenset({INVALID_PART}))
    at = 0
    while semicolon and at < len(rest):
        parameter = _PARAMETER.match(rest, at)
        if parameter is None or not _take(parameter, found, flags):
            if parameter is not None and rest[parameter.end() :][:1] in (b'"', b"'"):
                flags.add(INVALID_QUOTING)
            return Disposition(
                found.get(b"name", b""), found.get(b"filename", b""),
                frozenset(flags | {INVALID_PART}),
            )  # fmt: skip
        at = parameter.end()
    if not found.get(b"name"):
        flags.add(INVALID_PART)
    return Disposition(found.get(b"name", b""), found.get(b"filename", b""), frozenset(flags))


def _take(parameter: re.Match[bytes], found: dict[bytes, bytes], flags: set[str]) -> bool:
    name, double, single, token, follows = parameter.groups()
    if single is not None:
        flags.add(INVALID_QUOTING)
    if double is not None:
        value = _unescaped(double, b'"')
    elif single is not None:
        value = _unescaped(single, b"'")
    else:
        value = token
    if name not in (b"name", b"filename") or found.get(name):
        return False
    found[name] = value
    if follows is None:
        if token is None:
            flags.add(INVALID_QUOTING)
        return False
    return True


def _unescaped(value: bytes, quote: bytes) -> bytes:
    """Only the quote and the backslash can be escaped. NUL is free: no header has one here."""
    if b"\\" not in value:
        return value
    value = value.replace(b"\\\\", b"\0").replace(b"\\" + quote, quote)
    return value.replace(b"\0", b"\\")
