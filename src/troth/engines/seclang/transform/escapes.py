r"""Escapes of languages: JavaScript, CSS, C, HTML. One byte out of each, as ModSecurity v3 does.

A value without a backslash (or without an ampersand) costs one search for that byte.
"""

from functools import partial

from troth.engines.seclang.transform.table import replacing
from troth.engines.seclang.transform.url import low_byte

_LETTERS = dict(zip(b"abfnrtv", b"\a\b\f\n\r\t\v", strict=True))
_BYTE = tuple(bytes([byte]) for byte in range(256))
# What follows the backslash, as itself or as the control character it names.
_SIMPLE = {_BYTE[byte]: _BYTE[_LETTERS.get(byte, byte)] for byte in range(256)}
_NAMED = {b"quot": b'"', b"amp": b"&", b"lt": b"<", b"gt": b">", b"nbsp": b"\xa0"}
_LONG_MAX = (1 << 63) - 1  # where C's strtol stops; its low byte is 255
_HEX_DIGITS = 16  # more digits than that are beyond it anyway
_DECIMAL_DIGITS = 20
_FOUR_DIGITS = 0xFFFF
_hex = partial(int, base=16)
_OCTAL = frozenset(b"01234567")


def _js(escape: bytes) -> bytes:
    if len(escape) > 2:  # noqa: PLR2004 -- more than a backslash and one byte
        if escape[1:2] == b"u":
            return _BYTE[low_byte(_hex(escape[2:]))]
        if escape[1:2] == b"x":
            return _BYTE[_hex(escape[2:])]
    return _BYTE[int(escape[1:], 8)] if escape[1] in _OCTAL else _SIMPLE[escape[1:]]


def _c(escape: bytes) -> bytes:
    if len(escape) > 2 and escape[1:2] in (b"x", b"X"):  # noqa: PLR2004 -- as above
        return _BYTE[_hex(escape[2:])]
    return _BYTE[int(escape[1:], 8) & 0xFF] if escape[1] in _OCTAL else _SIMPLE[escape[1:]]


def _css(escape: bytes) -> bytes:
    digits = escape[1:].rstrip(b" \t\n\v\f\r")
    try:
        code = int(digits, 16)
    except ValueError:
        # Nothing, or the character itself; a line continuation is neither.
        return b"" if escape[1:2] == b"\n" else escape[1:2]
    return _BYTE[low_byte(code) if code <= _FOUR_DIGITS else code & 0xFF]


def _entity(entity: bytes) -> bytes:
    if entity[1:2] != b"#":
        name = entity[1:].lower()
        return next(byte for known, byte in _NAMED.items() if name.startswith(known))
    is_hex = entity[2:3] in (b"x", b"X")
    digits = entity[3 if is_hex else 2 :].rstrip(b";").lstrip(b"0") or b"0"
    if len(digits) > (_HEX_DIGITS if is_hex else _DECIMAL_DIGITS):
        return b"\xff"
    return _BYTE[min(int(digits, 16 if is_hex else 10), _LONG_MAX) & 0xFF]


_replace_js = replacing(rb"\\(?:u[0-9A-Fa-f]{4}|x[0-9A-Fa-f]{2}|[0-3][0-7]{2}|[0-7]{1,2}|.)", _js)
_replace_c = replacing(rb"\\(?:[xX][0-9A-Fa-f]{2}|[0-7]{1,3}|.)", _c)
_replace_css = replacing(rb"\\(?:[0-9A-Fa-f]{1,6}[ \t\n\v\f\r]?|.|\Z)", _css)
_replace_entities = replacing(
    rb"(?i:&(?:#x[0-9a-f]+|#[0-9]+|(?:quot|amp|lt|gt|nbsp)[0-9a-z]*);?)", _entity
)


def js_decode(value: bytes) -> bytes:
    r"""`\u0041`, `\x41`, `\101`, `\n` and `\/`; a backslash at the end stays."""
    return _replace_js(value) if b"\\" in value else value


def escape_seq_decode(value: bytes) -> bytes:
    r"""C's `\n`, `\x41`, `\101`; of what is none of them the backslash goes."""
    return _replace_c(value) if b"\\" in value else value


def css_decode(value: bytes) -> bytes:
    r"""Up to six hexadecimal digits, of which the last two count; `\` and a newline vanish."""
    return _replace_css(value) if b"\\" in value else value


def html_entity_decode(value: bytes) -> bytes:
    """Numeric references by their low byte, and the five names that ModSecurity knows.

    Letters and digits right after such a name go with it.
    """
    return _replace_entities(value) if b"&" in value else value
