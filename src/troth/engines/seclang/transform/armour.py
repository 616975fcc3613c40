"""Base64, hexadecimal, digests, length, parity: values as other values."""

import base64
import binascii
import hashlib
import re

from troth.engines.seclang.transform.table import replacing

_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_NOT_BASE64 = bytes(byte for byte in range(256) if byte not in _ALPHABET)
_NEITHER = _NOT_BASE64.replace(b"=", b"")
# Whole groups of four digits, none of whose first is followed by padding, then one that is.
_PADDED_EARLY = re.compile(rb"(?:=*+[^=](?!=)[^=]=*+[^=]=*+[^=])*+=*+[^=]=", re.DOTALL)
_replace_hex = replacing(
    rb"0[xX](?:[0-9A-Fa-f]{2})+", lambda digits: binascii.unhexlify(digits[2:])
)


def base64_decode(value: bytes) -> bytes:
    """Strict (RFC 4648, line ends allowed), up to a NUL; what is not base64 stays as it is."""
    plain = value
    if b"\n" in value or b"\0" in value or value.endswith(b" "):
        *lines, last = value.partition(b"\0")[0].split(b"\n")
        plain = b"".join([line.removesuffix(b"\r").rstrip(b" ") for line in lines])
        plain += last.rstrip(b" ")
    if len(plain) % 4 or b" " in plain:
        return value
    try:
        return binascii.a2b_base64(plain, strict_mode=True)
    except binascii.Error:
        return value


def base64_decode_ext(value: bytes) -> bytes:
    """Forgiving: what is not of the alphabet is passed over, padding is not needed.

    A sign of padding after the first of four digits makes it nothing; so does, as in ModSecurity
    v3, a `9` at the end that is such a first digit.
    """
    plain = value.translate(None, _NOT_BASE64)
    if len(plain) % 4 == 1:
        if value.endswith(b"9"):
            return b""
        plain = plain[:-1]
    if b"=" in value and _PADDED_EARLY.match(value.translate(None, _NEITHER)):
        return b""
    return binascii.a2b_base64(plain + b"=" * (-len(plain) % 4))


def base64_encode(value: bytes) -> bytes:
    """RFC 4648, section 4, without line ends."""
    return base64.b64encode(value)


def hex_decode(value: bytes) -> bytes:
    """Pairs of digits; a digit left over goes. What is no digit counts as ModSecurity counts it."""
    even = value[: len(value) & ~1]
    try:
        return binascii.unhexlify(even)
    except binascii.Error:
        return _hex(even)


def _hex(even: bytes) -> bytes:
    digits = even.translate(_DIGIT)
    return bytes(
        (high * 16 + low) & 0xFF for high, low in zip(digits[::2], digits[1::2], strict=True)
    )


def _digit(byte: int) -> int:
    return ((byte & 0xDF) - 0x41 + 10 if byte >= 0x41 else byte - 0x30) & 0xFF  # noqa: PLR2004


_DIGIT = bytes(_digit(byte) for byte in range(256))


def hex_encode(value: bytes) -> bytes:
    """Two small digits a byte."""
    return value.hex().encode()


def sql_hex_decode(value: bytes) -> bytes:
    """`0x414243` becomes `ABC`, wherever it stands."""
    if b"0x" not in value and b"0X" not in value:
        return value
    return _replace_hex(value)


def md5(value: bytes) -> bytes:
    """The 16 bytes of MD5; a fingerprint that rules ask for, not a protection."""
    return hashlib.md5(value, usedforsecurity=False).digest()


def sha1(value: bytes) -> bytes:
    """The 20 bytes of SHA-1; a fingerprint that rules ask for, not a protection."""
    return hashlib.sha1(value, usedforsecurity=False).digest()


def length(value: bytes) -> bytes:
    """How many bytes, in decimal."""
    return b"%d" % len(value)


def _parity(byte: int, want: int) -> int:
    """ModSecurity counts the high bit that came, too."""
    return byte & 0x7F | (0x80 if byte.bit_count() % 2 != want else 0)


_EVEN = bytes(_parity(byte, 0) for byte in range(256))
_ODD = bytes(_parity(byte, 1) for byte in range(256))
_ZERO = bytes(byte & 0x7F for byte in range(256))


def parity_even_7bit(value: bytes) -> bytes:
    """The high bit says that the number of ones was odd."""
    return value.translate(_EVEN)


def parity_odd_7bit(value: bytes) -> bytes:
    """The high bit says that the number of ones was even."""
    return value.translate(_ODD)


def parity_zero_7bit(value: bytes) -> bytes:
    """No high bits."""
    return value.translate(_ZERO)
