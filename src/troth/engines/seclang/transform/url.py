"""Percent-encoding: `urlDecode`, `urlDecodeUni`, `urlEncode`.

The decoders leave what is not a valid escape as it stands and turn `+` into a space, as ModSecurity
v3 does. The work is done by `binascii.a2b_qp`: quoted-printable is percent-encoding with another
sign, and that decoder is C.
"""

import re
from binascii import a2b_qp
from functools import partial

from troth.engines.seclang.transform.table import replacing

_TO_QUOTED = bytes.maketrans(b"%+", b"= ")
_LONELY = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_WIDE = rb"%[uU][0-9A-Fa-f]{4}"
_SAFE = frozenset(b"*0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
_ENCODED = tuple(
    bytes([byte]) if byte in _SAFE else b"+" if byte == 0x20 else b"%%%02x" % byte  # noqa: PLR2004
    for byte in range(256)
)
_hex = partial(int, base=16)
_FULL_WIDTH = 0xFF  # U+FF01 to U+FF5E repeat ASCII (Unicode, Halfwidth and Fullwidth Forms)
_FULL_WIDTH_END = 0x5F
_FULL_WIDTH_SHIFT = 0x20


def decode(value: bytes) -> tuple[bytes, bool]:
    """As `url_decode`, and whether every `%` began a valid escape."""
    if b"%" not in value:
        return value.replace(b"+", b" ") if b"+" in value else value, True
    count = value.count(b"%")
    prepared = value.replace(b"=", b"%3D") if b"=" in value else value
    if b"%\n" not in value and b"%\r" not in value:
        decoded = a2b_qp(prepared.translate(_TO_QUOTED))
        # Valid escapes shrink by two, all others by less: equal means that every one was valid.
        if len(decoded) == len(value) - 2 * count:
            return decoded, True
    return a2b_qp(_LONELY.sub(b"%25", prepared).translate(_TO_QUOTED)), False


def url_decode(value: bytes) -> bytes:
    """`%41+` becomes `A `; invalid escapes stay."""
    return decode(value)[0]


def low_byte(code: int) -> int:
    """What ModSecurity makes of a 16-bit code: its low byte; full-width forms become ASCII."""
    low = code & 0xFF
    if code >> 8 == _FULL_WIDTH and 0 < low < _FULL_WIDTH_END:
        return low + _FULL_WIDTH_SHIFT
    return low


def _narrow(escape: bytes) -> bytes:
    return b"%%%02x" % low_byte(_hex(escape[2:]))


_narrowed = replacing(_WIDE, _narrow)


def url_decode_uni(value: bytes) -> bytes:
    """As `url_decode`, and IIS's `%u0041` becomes one byte.

    There is no map of code points (SecUnicodeMapFile): it is the low byte, as in ModSecurity v3
    without one.
    """
    if b"%" not in value:
        return value.replace(b"+", b" ") if b"+" in value else value
    if b"%u" in value or b"%U" in value:
        value = _narrowed(value)
    return decode(value)[0]


def url_encode(value: bytes) -> bytes:
    """Letters, digits and `*` stay, a space becomes `+`, the rest `%xx`."""
    return b"".join(map(_ENCODED.__getitem__, value))
