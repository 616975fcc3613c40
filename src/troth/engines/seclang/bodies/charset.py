"""Which character encoding a body says it has, and whether rules on bytes can read it so.

Rules compare bytes as ASCII. A body in UTF-16, UTF-7 or EBCDIC says `<script>` in bytes in which
no rule finds it, while some servers decode it: the oldest way around a firewall. What can be
decoded for sure (JSON in UTF-16 or UTF-32, by RFC 4627, section 3) is; the rest is an error.
"""

import re

_CHARSET = re.compile(rb";[ \t]*charset[ \t]*=[ \t]*(\"[^\"]*\"|'[^']*'|[^;]*)", re.IGNORECASE)
# Bytes below 128 mean ASCII in all of these (IANA character sets), also after a high byte.
_PLAIN = re.compile(
    r"utf-?8|us-ascii|ascii|iso[-_]?8859[-_]\d{1,2}|latin-?1|windows-?125\d|cp125\d"
    r"|koi8-[ru]|euc-(?:jp|kr)"
)
_MARKS = (
    (b"\xff\xfe\0\0", "utf-32-le"),
    (b"\0\0\xfe\xff", "utf-32-be"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
    (b"\xef\xbb\xbf", "utf-8"),
)
_SHOWN = 40


def charset_of(content_type: bytes) -> str:
    """The charset parameter in lower case, unquoted; empty when there is none.

    Of two, the first that is not plain counts: servers differ in which they believe.
    """
    named = [
        found.strip(b"\"' \t").decode("latin-1").lower() for found in _CHARSET.findall(content_type)
    ]
    return next((name for name in named if not _PLAIN.fullmatch(name)), named[0] if named else "")


def complaint(content_type: bytes) -> str:
    """Why bytes cannot be compared as ASCII; empty when they can."""
    name = charset_of(content_type)
    if not name or _PLAIN.fullmatch(name):
        return ""
    return f"a charset in which rules cannot read: {name[:_SHOWN]}"


def decoded(body: bytes) -> str | None:
    """A JSON text as str: UTF-8, or UTF-16 and UTF-32 by their mark or by where NULs stand.

    None when it is none of them.
    """
    for mark, name in _MARKS:
        if body.startswith(mark):
            return _text(body[len(mark) :], name)
    head = body[:4]
    if b"\0" in head:
        # The first two characters of a JSON text are ASCII (RFC 4627, section 3).
        name = {
            (True, True, True, False): "utf-32-be",
            (False, True, True, True): "utf-32-le",
            (True, False, True, False): "utf-16-be",
            (False, True, False, True): "utf-16-le",
            (True, False): "utf-16-be",
            (False, True): "utf-16-le",
        }.get(tuple(byte == 0 for byte in head), "utf-8")
        return _text(body, name)
    return _text(body, "utf-8")


def _text(body: bytes, name: str) -> str | None:
    try:
        return body.decode(name)
    except UnicodeDecodeError:
        return None
