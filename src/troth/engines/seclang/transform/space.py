"""Case, white space, NUL: transformations that are one table or one pattern."""

import re

# C's isspace in the "C" locale.
_SPACE = b" \t\n\v\f\r"
# What removeWhitespace takes besides: a no-break space, in Latin-1 and the two bytes of UTF-8.
_NO_BREAK = b"\xc2\xa0"
_TO_SPACE = bytes.maketrans(_SPACE, b" " * len(_SPACE))
_RUN = re.compile(rb" {2,}")


def lowercase(value: bytes) -> bytes:
    """ASCII letters only."""
    return value.lower()


def uppercase(value: bytes) -> bytes:
    """ASCII letters only."""
    return value.upper()


def compress_whitespace(value: bytes) -> bytes:
    """Each run of white space becomes one space."""
    spaced = value.translate(_TO_SPACE)
    return _RUN.sub(b" ", spaced) if b"  " in spaced else spaced


def remove_whitespace(value: bytes) -> bytes:
    """White space goes, and so do the bytes of a no-break space."""
    return value.translate(None, _SPACE + _NO_BREAK)


def remove_nulls(value: bytes) -> bytes:
    """NUL bytes go."""
    return value.replace(b"\0", b"") if b"\0" in value else value


def replace_nulls(value: bytes) -> bytes:
    """NUL bytes become spaces."""
    return value.replace(b"\0", b" ") if b"\0" in value else value


def trim(value: bytes) -> bytes:
    """No white space at either end."""
    return value.strip(_SPACE)


def trim_left(value: bytes) -> bytes:
    """No white space at the beginning."""
    return value.lstrip(_SPACE)


def trim_right(value: bytes) -> bytes:
    """No white space at the end."""
    return value.rstrip(_SPACE)
