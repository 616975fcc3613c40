"""One escape notation at a time: percent, entity, backslash, overlong, full width. Bytes to bytes.

Each function undoes one notation once, and gives the input back where there is none of it. What is
malformed stays as it stands, as the lenient decoders of real applications leave it. All but
`percent` replace at most `MAX_ESCAPES` escapes: what lies behind them is the caller's to refuse.
"""

import binascii
import re
import unicodedata
from collections.abc import Callable
from html.entities import html5
from itertools import islice

from troth.engines.seclang.transform.url import url_decode

# 64 KB of nothing but escapes of six bytes (`\u0416`, `&#913;`): any text in any language has less.
# A replacement costs a third of a microsecond, so this is three milliseconds a notation.
MAX_ESCAPES = 10_923
# Escapes of a notation: texts use few different ones.
_REMEMBERED, _REMEMBERED_BYTES = 1024, 12

_PERCENT = re.compile(rb"%[0-9a-fA-FuU]")
_WIDE_PERCENT = re.compile(rb"%[uU]([0-9a-fA-F]{4})")
# HTML Living Standard 13.2.5.72-80: the semicolon is optional after a number, and after the names
# that HTML 2 had. Leading zeros have no limit there; a browser reads them all.
_ENTITY = re.compile(
    rb"&(?:#[xX]0*([0-9a-fA-F]{1,6});?|#0*([0-9]{1,7});?|([A-Za-z][A-Za-z0-9]{1,30});?)"
)
# ECMA-262 12.9.4 (\x, \u, \u{}, legacy octal, single characters).
_SCRIPT = re.compile(
    rb"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|u\{0*([0-9a-fA-F]{1,6})\}|([0-3]?[0-7]{1,2})"
    rb"|(\r\n|[^0-9]))",
    re.DOTALL,
)
# CSS Syntax 3, 4.3.7: one to six hexadecimal digits and one white space that belongs to them.
_STYLE = re.compile(rb"\\([0-9a-fA-F]{1,6})(?:\r\n|[ \t\r\n\f])?")
# RFC 3629, 3: the lead bytes C0, C1 and these ranges never stand in UTF-8; decoders that take them
# read the low bits, whatever the second byte's high bits say (CVE-2000-0884).
_OVERLONG = re.compile(
    rb"[\xc0\xc1][\x00-\xff]|\xe0[\x80-\x81][\x80-\xbf]|\xf0\x80[\x80-\x81][\x80-\xbf]", re.DOTALL
)
# Unicode, Halfwidth and Fullwidth Forms (FF01-FF5E) and Small Form Variants (FE50-FE6B): databases
# and frameworks fold them to ASCII (compatibility normalisation, UAX 15).
_WIDE = re.compile(rb"\xef(?:\xbc[\x81-\xbf]|\xbd[\x80-\x9e]|\xb9[\x90-\xab])")
# RFC 2152: a run of base64 of UTF-16BE. An ASCII character's high byte is 0, so it begins with A.
_UTF7 = re.compile(rb"\+(A[A-Za-z0-9+/]{2,})-?")
_CONTROLS = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f", b"v": b"\v"}
_CONTINUED = frozenset({b"\n", b"\r", b"\r\n"})  # a backslash before a line's end joins the lines
_LAST_CODE_POINT = 0x10FFFF
_SURROGATES = range(0xD800, 0xE000)


def _character(code: int) -> bytes:
    """UTF-8 of a code point; what is none is the replacement character's stand-in, `?`."""
    if code > _LAST_CODE_POINT or code in _SURROGATES:
        return b"?"
    if 0xFF01 <= code <= 0xFF5E:  # noqa: PLR2004 - full width, see _WIDE
        code -= 0xFEE0
    return chr(code).encode()


def _wide_percent(match: re.Match[bytes]) -> bytes:
    return _character(int(match.group(1), 16))


def _entity(match: re.Match[bytes]) -> bytes:
    hexadecimal, decimal, name = match.groups()
    if hexadecimal:
        return _character(int(hexadecimal, 16))
    if decimal:
        return _character(int(decimal))
    text = name.decode("ascii")
    if match.group().endswith(b";"):
        found = html5.get(text + ";")
        if found:
            return found.encode()
    for length in range(min(len(text), 6), 1, -1):  # the longest name without semicolon has six
        found = html5.get(text[:length])
        if found:
            return found.encode() + match.group()[1 + length :]
    return match.group()


def _script(match: re.Match[bytes]) -> bytes:
    two, four, braced, octal, single = match.groups()
    if single is not None:
        return b"" if single in _CONTINUED else _CONTROLS.get(single, single)
    if octal is not None:
        return bytes((int(octal, 8),))
    return _character(int(two or four or braced, 16))


def _style(match: re.Match[bytes]) -> bytes:
    return _character(int(match.group(1), 16))


def _overlong(match: re.Match[bytes]) -> bytes:
    sequence = match.group()
    code = ((sequence[-2] & 0x1F) << 6) | (sequence[-1] & 0x3F)
    return bytes((code & 0x7F,))


def _wide(match: re.Match[bytes]) -> bytes:
    return unicodedata.normalize("NFKC", match.group().decode()).encode()


def _utf7(match: re.Match[bytes]) -> bytes:
    run = match.group(1)
    raw = binascii.a2b_base64(run[: len(run) - (len(run) % 4 == 1)] + b"==")
    return raw[: len(raw) & ~1].decode("utf-16-be", "replace").encode()


def percent(value: bytes) -> bytes:
    """RFC 3986, 2.1, and `%uXXXX` (IIS); a plus sign is a space where an escape stands too."""
    if _PERCENT.search(value) is None:
        return value
    spaced = value.replace(b"+", b" ")
    if b"%u" in spaced or b"%U" in spaced:
        spaced = _WIDE_PERCENT.sub(_wide_percent, spaced, MAX_ESCAPES)
    return url_decode(spaced)


def _each(
    pattern: re.Pattern[bytes], undo: Callable[[re.Match[bytes]], bytes], what: str
) -> Callable[[bytes], bytes]:
    known: dict[bytes, bytes] = {}

    def undone(found: re.Match[bytes]) -> bytes:
        escape = found[0]
        done = known.get(escape)
        if done is None:
            done = undo(found)
            if len(known) < _REMEMBERED and len(escape) <= _REMEMBERED_BYTES:
                known[escape] = done
        return done

    def decode(value: bytes) -> bytes:
        return pattern.sub(undone, value, MAX_ESCAPES)

    decode.__doc__ = what
    return decode


entity = _each(_ENTITY, _entity, "HTML character references, named and numeric.")
script = _each(_SCRIPT, _script, "The escapes of JavaScript's (and JSON's, C's, Python's) strings.")
style = _each(_STYLE, _style, "The escapes of CSS.")
overlong = _each(_OVERLONG, _overlong, "UTF-8 longer than it may be.")
wide = _each(_WIDE, _wide, "Full-width and small forms, folded to ASCII.")
utf7 = _each(_UTF7, _utf7, "The shifted runs of UTF-7.")


def is_cut(value: bytes) -> bool:
    """Whether one pass leaves escapes unread, because they are more than `MAX_ESCAPES`."""
    if len(value) <= MAX_ESCAPES:
        return False
    return any(
        value.count(lead) > MAX_ESCAPES and _counted(pattern, value, MAX_ESCAPES) > MAX_ESCAPES
        for lead, pattern in _LEADS
    )


def is_beyond(value: bytes, most: int) -> bool:
    """Whether there are more than so many escapes of all notations, template brackets included."""
    counts = [(value.count(lead), pattern) for lead, pattern in _LEADS]
    opened = value.count(b"${")
    if opened + sum(count for count, _ in counts) <= most:
        return False
    for pattern in dict.fromkeys(pattern for count, pattern in counts if count):
        opened += _counted(pattern, value, most)
        if opened > most:
            return True
    return opened > most


def _counted(pattern: re.Pattern[bytes], value: bytes, most: int) -> int:
    return sum(1 for _ in islice(pattern.finditer(value), most + 1))


_LEADS = (
    (b"&", _ENTITY),
    (b"\\", _SCRIPT),
    (b"%", _WIDE_PERCENT),
    (b"+A", _UTF7),
    (b"\xef", _WIDE),
    (b"\xc0", _OVERLONG),
    (b"\xc1", _OVERLONG),
    (b"\xe0", _OVERLONG),
    (b"\xf0", _OVERLONG),
)
