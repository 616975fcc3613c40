"""Paths and command lines."""

import re

_WORD = bytes.maketrans(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ,;\t\r\n", b"abcdefghijklmnopqrstuvwxyz     ")
_QUOTES = b"\"'\\^"
_RUN = re.compile(rb" {2,}")
_CLIMB = re.compile(rb"/?(?:\.\./)+")
_NOWHERE = (b"", b".")
_SHORT = 3  # a relative path's first segment up to this length that ends in `..` stays
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
    path = _STANDING.sub(b"/", value)
    climb = _CLIMB.match(path)
    kept: list[bytes] = []
    if climb:
        path = path[climb.end() :]
        if not is_absolute:  # above an absolute root there is nothing to climb to
            kept = climb[0][:-1].split(b"/")
    segments = _resolved(path.split(b"/"), kept, is_absolute=is_absolute)
    has_slash = value.endswith(b"/")
    root = b"/" if is_absolute and (segments or has_slash) else b""
    return root + b"/".join(segments) + (b"/" if has_slash and segments else b"")


def _resolved(segments: list[bytes], out: list[bytes], *, is_absolute: bool) -> list[bytes]:
    is_at_root = bool(out)  # relative, and only back-references so far
    for segment in segments:
        if segment[-2:] != b"..":
            if segment not in _NOWHERE:
                if (out or len(segment) > 1) and segment[-1:] != b".":  # as ModSecurity forgets
                    is_at_root = False
                out.append(segment)
        elif not is_absolute and (is_at_root or (not out and len(segment) <= _SHORT)):
            is_at_root = True
            out.append(segment)
        else:
            if segment == b".." and out:
                out.pop()
            if not out:
                is_at_root = not is_absolute
    return out
