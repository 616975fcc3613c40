"""Paths and command lines."""

import re

_WORD = bytes.maketrans(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ,;\t\r\n", b"abcdefghijklmnopqrstuvwxyz     ")
_QUOTES = b"\"'\\^"
_RUN = re.compile(rb" {2,}")
_STANDING = re.compile(rb"/(?:\./|/)+")


def cmd_line(value: bytes) -> bytes:
    """A command line as a shell reads it: quotes and carets gone, one space between words."""
    line = value.translate(_WORD, _QUOTES)
    if b"  " in line:
        line = _RUN.sub(b" ", line)
    return line.replace(b" /", b"/").replace(b" (", b"(")


def normalise_path(value: bytes) -> bytes:
    """No `//`, no `/./`, no `dir/..`; a path may not climb above its root."""
    if b"//" in value or b"./" in value or value.endswith(b"."):
        return _walk(value)
    return value


def normalise_path_win(value: bytes) -> bytes:
    """As `normalise_path`, with backslashes read as slashes first."""
    return normalise_path(value.replace(b"\\", b"/") if b"\\" in value else value)


def _walk(value: bytes) -> bytes:
    is_absolute = value.startswith(b"/")
    has_slash = value.endswith(b"/")
    path = _STANDING.sub(b"/", value)
    segments = path.split(b"/")
    last = len(segments) - 1
    out: list[bytes] = []
    is_at_root = False  # relative, and only back-references so far
    for at, segment in enumerate(segments):
        if segment in (b"", b"."):
            continue
        if segment.endswith(b"..") and at <= last:
            is_first = not out and len(segment) <= 3  # noqa: PLR2004 -- as ModSecurity counts
            if not is_absolute and (is_at_root or is_first):
                is_at_root = True
                out.append(segment)
                continue
            if segment == b".." and out:
                out.pop()
            if not out:
                is_at_root = not is_absolute
            continue
        is_at_root = False
        out.append(segment)
    joined = b"/".join(out)
    if is_absolute and (out or has_slash):
        joined = b"/" + joined
    if has_slash and out:
        joined += b"/"
    return joined
