"""HTML's tokens after the states of the Living Standard, 13.2.5; linear, and from inside a tag too.

An attacker's value lands in text, or in an attribute's value of each quoting; so reading may start
where a tag's attributes are due (`TAG`) as well as in text (`DATA`). What is raw text to a browser
(scripts, styles, titles) is read as text here: where such an element ends is a matter of the page.
"""

import re
from collections.abc import Generator, Iterator
from typing import NamedTuple

TEXT, OPEN, NAME, VALUE, END, CLOSE, COMMENT, DOCTYPE = (
    "text open name value end close comment doctype".split()
)
DATA, TAG = "data", "tag"


class Token(NamedTuple):
    """One token: its kind (a constant of this module) and its text, as it stands in the value."""

    kind: str
    text: bytes


_TAG_NAME = re.compile(rb"[^\s/>]*+")
# 13.2.5.32: white space and solidi before a name; an equals sign may be a name's first character.
_NAME = re.compile(rb"[\s/]*+(>|=?[^\s/>=]*+)")
_VALUE = re.compile(rb"\s*+=\s*+(?:\"([^\"]*+)\"?|'([^']*+)'?|([^\s>]*+))")
_COMMENT = re.compile(rb"<!--(?:>|->|(.*?)(?:--!?>|\Z))", re.DOTALL)
_BOGUS = re.compile(rb"<[!?/]([^>]*+)>?")
_CDATA = b"<![CDATA["
_LETTER = re.compile(rb"</?[A-Za-z]")


def tokens(value: bytes, state: str = DATA) -> Iterator[Token]:
    """The tokens of a value; what is not terminated ends where the value does."""
    place, size = 0, len(value)
    if state is TAG:
        place = yield from _attributes(value, 0)
    while place < size:
        opening = value.find(b"<", place)
        if opening < 0:
            yield Token(TEXT, value[place:])
            return
        if opening > place:
            yield Token(TEXT, value[place:opening])
        place = opening
        if _LETTER.match(value, place):
            is_end = value[place + 1 : place + 2] == b"/"
            name = _TAG_NAME.match(value, place + 1 + is_end)
            assert name is not None  # it matches nothing too  # noqa: S101
            yield Token(CLOSE if is_end else OPEN, name.group())
            place = yield from _attributes(value, name.end())
        else:
            token, place = _other(value, place)
            yield token


def _attributes(value: bytes, place: int) -> Generator[Token, None, int]:
    """The attributes from an offset to the tag's end; returns the offset behind it."""
    size = len(value)
    while place < size:
        name = _NAME.match(value, place)
        assert name is not None  # noqa: S101
        place = name.end()
        if name.group(1) == b">":
            yield Token(END, b">")
            return place
        if name.group(1):
            yield Token(NAME, name.group(1))
        found = _VALUE.match(value, place)
        if found is not None:
            place = found.end()
            yield Token(VALUE, next(part for part in found.groups() if part is not None))
    return size


def _other(value: bytes, place: int) -> tuple[Token, int]:
    """Comments, document types and what is bogus; a lone `<` is text, and so is CDATA's opening."""
    if value.startswith(_CDATA, place):
        return Token(TEXT, _CDATA), place + len(_CDATA)
    comment = _COMMENT.match(value, place)
    if comment is not None:
        return Token(COMMENT, comment.group(1) or b""), comment.end()
    bogus = _BOGUS.match(value, place)
    if bogus is None:
        return Token(TEXT, b"<"), place + 1
    is_doctype = bogus.group(1)[:7].lower() == b"doctype" and value[place + 1 : place + 2] == b"!"
    return Token(DOCTYPE if is_doctype else COMMENT, bogus.group(1)), bogus.end()
