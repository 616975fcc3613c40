r"""Escapes of languages: JavaScript, CSS, C, HTML. One byte out of each, as ModSecurity v3 does.

Each is one precompiled pattern over the whole escape, so a value without a backslash (or without
an ampersand) costs one search for that byte.
"""

import re

from troth.engines.seclang.transform.url import low_byte

_JS = re.compile(
    rb"\\(?:u([0-9A-Fa-f]{4})|x([0-9A-Fa-f]{2})|([0-3][0-7]{2}|[0-7]{1,2})|(.))", re.DOTALL
)
_C = re.compile(rb"\\(?:[xX]([0-9A-Fa-f]{2})|([0-7]{1,3})|(.))", re.DOTALL)
_CSS = re.compile(rb"\\(?:([0-9A-Fa-f]{1,6})[ \t\n\v\f\r]?|(.)|\Z)", re.DOTALL)
_ENTITY = re.compile(
    rb"&(?:#[xX]([0-9A-Fa-f]+)|#([0-9]+)|(quot|amp|lt|gt|nbsp)[0-9A-Za-z]*);?", re.IGNORECASE
)
_NAMED = {b"quot": b'"', b"amp": b"&", b"lt": b"<", b"gt": b">", b"nbsp": b"\xa0"}
_LETTERS = dict(zip(b"abfnrtv", b"\a\b\f\n\r\t\v", strict=True))
_BYTE = tuple(bytes([byte]) for byte in range(256))
# What follows the backslash, as itself or as the control character it names.
_SIMPLE = {_BYTE[byte]: _BYTE[_LETTERS.get(byte, byte)] for byte in range(256)}
_LONG_MAX = (1 << 63) - 1  # where C's strtol stops; its low byte is 255
_HEX_DIGITS = 16  # more digits than that are beyond it anyway
_DECIMAL_DIGITS = 20


def js_decode(value: bytes) -> bytes:
    r"""`\u0041`, `\x41`, `\101`, `\n` and `\/`; a backslash at the end stays."""
    return _JS.sub(_js, value) if b"\\" in value else value


def _js(found: re.Match[bytes]) -> bytes:
    kind = found.lastindex
    if kind == 4:  # noqa: PLR2004 -- the groups of _JS
        return _SIMPLE[found[4]]
    if kind == 1:
        return _BYTE[low_byte(int(found[1], 16))]
    return _BYTE[int(found[2], 16) if kind == 2 else int(found[3], 8)]  # noqa: PLR2004


def escape_seq_decode(value: bytes) -> bytes:
    r"""C's `\n`, `\x41`, `\101`; of what is none of them the backslash goes."""
    return _C.sub(_c, value) if b"\\" in value else value


def _c(found: re.Match[bytes]) -> bytes:
    kind = found.lastindex
    if kind == 3:  # noqa: PLR2004 -- the groups of _C
        return _SIMPLE[found[3]]
    return _BYTE[int(found[1], 16) if kind == 1 else int(found[2], 8) & 0xFF]


def css_decode(value: bytes) -> bytes:
    r"""Up to six hexadecimal digits, of which the last two count; `\` and a newline vanish."""
    return _CSS.sub(_css, value) if b"\\" in value else value


def _css(found: re.Match[bytes]) -> bytes:
    digits = found[1]
    if digits is None:
        # Nothing, or the character itself; a line continuation is neither.
        return found[2] if found[2] and found[2] != b"\n" else b""
    code = int(digits, 16)
    return _BYTE[low_byte(code) if code <= 0xFFFF else code & 0xFF]  # noqa: PLR2004 -- four digits


def html_entity_decode(value: bytes) -> bytes:
    """Numeric references by their low byte, and the five names that ModSecurity knows.

    Letters and digits right after such a name go with it.
    """
    return _ENTITY.sub(_entity, value) if b"&" in value else value


def _entity(found: re.Match[bytes]) -> bytes:
    kind = found.lastindex
    if kind == 3:  # noqa: PLR2004 -- the groups of _ENTITY
        return _NAMED[found[3].lower()]
    digits = found[kind or 0].lstrip(b"0") or b"0"
    if len(digits) > (_HEX_DIGITS if kind == 1 else _DECIMAL_DIGITS):
        return b"\xff"
    number = int(digits, 16 if kind == 1 else 10)
    return _BYTE[min(number, _LONG_MAX) & 0xFF]
