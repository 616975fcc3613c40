"""UTF-8 to `%uXXXX`."""

from troth.engines.seclang.transform.table import replacing

_MARK = b"\x01"  # stands for a backslash while Python's own escapes are about
_MASKS = (0, 0, 0x1F, 0x0F, 0x07)  # bits that count in the first byte, by length (RFC 3629, 3)
_SMALLEST = (0, 0, 0x80, 0x800, 0x10000)  # of that length; what is smaller is overlong
_SURROGATES = range(0xD800, 0xE000)
_BEYOND = 0xF5  # no character begins with it or more (RFC 3629, 4)


def utf8_to_unicode(value: bytes) -> bytes:
    r"""Characters beyond ASCII become `%u` and four digits or more; ASCII stays.

    NUL goes, unless it is the last byte. What is not UTF-8 is treated as ModSecurity v3 treats it:
    an overlong or a surrogate is decoded and its first byte follows; a first byte whose others are
    missing goes; any other byte stays.
    """
    wide = value if value.isascii() else _widened(value)
    if b"\0" not in wide:
        return wide
    return wide.replace(b"\0", b"") + (b"\0" if value.endswith(b"\0") else b"")


def _widened(value: bytes) -> bytes:
    try:
        text = value.replace(b"\\", _MARK).decode() if _MARK not in value else None
    except UnicodeDecodeError:
        text = None
    if text is None:
        return _replace(value)
    wide = text.encode("ascii", "backslashreplace")
    wide = wide.replace(b"\\x", b"%u00").replace(b"\\u", b"%u")
    if b"\\U" in wide:
        wide = wide.replace(b"\\U000", b"%u").replace(b"\\U00", b"%u")
    return wide.replace(_MARK, b"\\")


def _escape(sequence: bytes) -> bytes:
    first = sequence[:1]
    beyond = first if sequence[0] >= _BEYOND else b""
    size = len(sequence)
    if size == 1:
        return beyond
    code = sequence[0] & _MASKS[size]
    for byte in sequence[1:]:
        code = code << 6 | byte & 0x3F
    is_wrong = code < _SMALLEST[size] or code in _SURROGATES
    return b"%s%%u%04x%s" % (beyond, code, first if is_wrong else b"")


# It begins with one set of bytes, for which the engine searches far faster than for four.
_replace = replacing(
    rb"[\xc0-\xf7](?:(?<=[\xc0-\xdf])[\x80-\xbf]|(?<=[\xe0-\xef])[\x80-\xbf]{2}"
    rb"|(?<=[\xf0-\xf7])[\x80-\xbf]{3}|)",
    _escape,
)
