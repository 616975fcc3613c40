"""Comments of C, SQL, shell and HTML: removed, replaced, or only their signs removed."""

import re

_C_COMMENT = re.compile(rb"/\*.*?(?:\*/|\Z)", re.DOTALL)
_SIGNS = re.compile(rb"/\*|\*/|<!--|-->|--|#")
_COMMENT = re.compile(rb"(?:/\*|<!--).*?(?:(?:\*/|-->)(.?)|\Z)|(?:--|#).*", re.DOTALL)


def _may_hold(value: bytes) -> bool:
    return b"--" in value or b"#" in value or b"/*" in value


def replace_comments(value: bytes) -> bytes:
    """Each `/* ... */` becomes one space; one that does not end goes to the end."""
    return _C_COMMENT.sub(b" ", value) if b"/*" in value else value


def remove_comments_char(value: bytes) -> bytes:
    """The signs `/*`, `*/`, `--`, `-->`, `<!--`, `#` go, what they enclose stays."""
    if _may_hold(value) or b"*/" in value:
        return _SIGNS.sub(b"", value)
    return value


def remove_comments(value: bytes) -> bytes:
    """Comments go: `/* */`, `<!-- -->`, and from `--` or `#` to the end.

    As in ModSecurity v3 either end ends either kind, the byte after a comment begins none, a
    comment at the very end leaves a NUL, and one that does not end leaves a space.
    """
    return _COMMENT.sub(_comment, value) if _may_hold(value) else value


def _comment(found: re.Match[bytes]) -> bytes:
    if found[1] is not None:
        return found[1] or b"\0"
    return b" " if found[0][:1] in b"/<" else b""
