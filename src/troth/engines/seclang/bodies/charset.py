"""Which character encoding a body says it has, and whether rules on bytes can read it so.

Rules compare bytes as ASCII. A body in UTF-16, UTF-7 or EBCDIC says `<script>` in bytes in which
no rule finds it, while some servers decode it: the oldest way around a firewall. What can be
decoded for sure (JSON and XML in UTF-16 or UTF-32) is; the rest is an error.
"""

import re

_CHARSET = re.compile(rb";[ \t]*charset[ \t]*=[ \t]*(\"[^\"]*\"|'[^']*'|[^;]*)", re.IGNORECASE)
# Bytes below 128 mean ASCII in all of these (IANA character sets), also after a high byte.
_PLAIN = re.compile(
    r"utf-?8|us-ascii|ascii|iso[-_]?8859[-_]\d{1,2}|latin-?1|windows-?125\d|cp125\d"
    r"|koi8-[ru]|euc-(?:jp|kr)"
)
_WIDE = re.compile(r"utf-?(?:16|32)-?(?:le|be)?|ucs-?[24]")
_MARKS = (
    (b"\xff\xfe\0\0", "utf-32-le"),
    (b"\0\0\xfe\xff", "utf-32-be"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
    (b"\xef\xbb\xbf", "utf-8"),
)
# Where NULs stand while the first two characters are ASCII, as they are in JSON (RFC 4627, section
# 3) and in XML (XML 1.0, appendix F).
_NULS = {
    (True, True, True, False): "utf-32-be",
    (False, True, True, True): "utf-32-le",
    (True, False, True, False): "utf-16-be",
    (False, True, False, True): "utf-16-le",
    (True, False): "utf-16-be",
    (False, True): "utf-16-le",
}
_SHOWN = 40


def charset_of(content_type: bytes) -> str:
    """The charset parameter in lower case, unquoted; empty when there is none.

    Of several, the first that is not plain counts: servers differ in which they believe.
    """
    if b"=" not in content_type:
        return ""
    named = [
        found.strip(b"\"' \t").decode("latin-1").lower() for found in _CHARSET.findall(content_type)
    ]
    return next((name for name in named if not is_plain(name)), named[0] if named else "")


def is_plain(name: str) -> bool:
    """Whether bytes of that charset can be compared as ASCII."""
    return _PLAIN.fullmatch(name) is not None


def complaint(content_type: bytes, *, is_wide: bool = False) -> str:
    """Why bytes cannot be compared as ASCII; empty when they can.

    `is_wide`: the body was found to be in UTF-16 or UTF-32 and decoded, so it may say so.
    """
    name = charset_of(content_type)
    if not name or is_plain(name) or (is_wide and _WIDE.fullmatch(name)):
        return ""
    return f"a charset in which rules cannot read: {name[:_SHOWN]}"


def wide_name(body: bytes) -> tuple[str, int]:
    """Which Unicode encoding a JSON or XML text is in, and how many bytes its mark takes."""
    for mark, name in _MARKS:
        if body.startswith(mark):
            return name, len(mark)
    head = body[:4]
    return (_NULS.get(tuple(byte == 0 for byte in head), "utf-8") if b"\0" in head else "utf-8"), 0


def decoded(body: bytes, name: str) -> str | None:
    """The text; None when the bytes are none of that encoding."""
    try:
        return body.decode(name)
    except UnicodeDecodeError:
        return None
