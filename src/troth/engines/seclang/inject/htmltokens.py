"""HTML's tokens where libinjection looks for them: from text, or from within an attribute's value.

The states are those of the HTML standard's tokenizer (section 13.2.5), without entities, and with
what browsers forgave: NUL within names, `<%` for a comment, a backquote around a value. Elements,
attributes and comments of no interest are passed over untold, as long as that is quick to see.
"""

import re
from collections.abc import Iterator
from enum import StrEnum

from troth.engines.seclang.inject import htmlwords as words

_BLANKS = re.compile(rb"[\x00\t\n\x0b\x0c\r ]*+")
_TAG = re.compile(rb"[^\t\n\x0b\x0c\r />]*+")
_NAME = re.compile(rb".[^\x00\t\n\x0b\x0c\r /=>]*+", re.DOTALL)
_BARE = re.compile(rb"[^\x00\t\n\x0b\x0c\r >]*+")
_COMMENT_END = re.compile(rb"-\x00*+[-!]>")
_LETTERS = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
_NAME_STARTS = _LETTERS | {0}
_QUOTES = frozenset(b"\"'`")
_ATTRIBUTE = (
    rb"(?!%b)[^\x00\t-\r />=][^\x00\t-\r />=]*+"
    rb"(?:[\x00\t-\r ]*+=[\x00\t-\r ]*+"
    rb"(?:\"[^\"]*+\"|'[^']*+'|[^\x00\t-\r >\"'`][^\x00\t-\r >]*+(?=[\x00\t-\r >]))"
    rb"|(?=[\x00\t-\r ]++[^=\x00\t-\r >])|(?=[/>]))"
) % b"|".join((b"on", *words.ATTRIBUTE_STARTS, words.NAMING, *words.ATTRIBUTES, *words.ADDRESSES))
_DULL_ATTRIBUTES = re.compile(rb"(?:[\x00\t-\r /]*+%b(?!>))++" % _ATTRIBUTE, re.IGNORECASE)
_ELEMENT = rb"(?!%b)[a-z][^\x00\t-\r />]*+" % b"|".join((*words.TAG_STARTS, *words.TAGS))
_DULL_TEXT = re.compile(
    rb"(?:[^<]*+<(?:/?+%b>|%b(?:[\x00\t-\r /]++%b)*+[\x00\t-\r /]*+>"
    rb"|[!?](?!doctype|-|\[|xml|import|entity)[^>`]*+>))++" % (_ELEMENT, _ELEMENT, _ATTRIBUTE),
    re.IGNORECASE,
)
_BANG, _PERCENT, _SLASH, _END, _QUESTION = b"!%/>?"


class Kind(StrEnum):
    """What a token is; texts are not told of."""

    TAG = "tag"
    CLOSED = "closed"
    NAME = "name"
    VALUE = "value"
    COMMENT = "comment"
    DOCTYPE = "doctype"


Tokens = Iterator[tuple[Kind, bytes]]


def in_text(value: bytes, *, all_told: bool = False) -> Tokens:
    """Tokens of a value that stands where text does; all of them, or those of interest."""
    return _Reader(value, 0, is_in_tag=False, all_told=all_told).tokens()


def in_tag(value: bytes, *, all_told: bool = False) -> Tokens:
    """Tokens of a value that stands within a tag, before an attribute's name."""
    return _Reader(value, 0, is_in_tag=True, all_told=all_told).tokens()


def in_quotes(value: bytes, mark: bytes, *, all_told: bool = False) -> Tokens:
    """Tokens of a value that stands within an attribute's value, in such quotes."""
    text, behind = _until(value, 0, mark)
    yield Kind.VALUE, text
    yield from _Reader(value, behind, is_in_tag=True, all_told=all_told).tokens()


def _until(value: bytes, begin: int, mark: bytes) -> tuple[bytes, int]:
    """The text up to a mark, and the place behind it; past the end where there is no mark."""
    end = value.find(mark, begin)
    return (value[begin:], len(value) + 1) if end < 0 else (value[begin:end], end + len(mark))


class _Reader:
    """Where one is in a value. That a tag closes is forgotten late, as libinjection does."""

    __slots__ = ("all_told", "at", "is_close", "is_in_tag", "value")

    def __init__(self, value: bytes, at: int, *, is_in_tag: bool, all_told: bool) -> None:
        self.all_told = all_told
        self.value = value
        self.at = at
        self.is_in_tag = is_in_tag
        self.is_close = False

    def tokens(self) -> Tokens:
        value, size = self.value, len(self.value)
        while self.at < size:
            self._pass_over()
            if not self.is_in_tag:
                self.at = value.find(b"<", self.at) + 1
                if not 0 < self.at < size:
                    return
                token = self._markup(value[self.at])
                if token is not None:
                    yield token
                continue
            name = self._name()
            if name is not None:
                yield Kind.NAME, name
                text = self._attribute()
                if text is not None:
                    yield Kind.VALUE, text

    def _pass_over(self) -> None:
        if self.all_told or self.is_close:
            return
        dull = (_DULL_ATTRIBUTES if self.is_in_tag else _DULL_TEXT).match(self.value, self.at)
        if dull is not None:
            self.at = dull.end()

    def _name(self) -> bytes | None:
        """An attribute's name, or None: the tag ends, or may."""
        value = self.value
        at = _BLANKS.match(value, self.at).end()  # type: ignore[union-attr]
        byte = value[at] if at < len(value) else _END
        if byte in (_END, _SLASH):
            self.is_in_tag = byte != _END
            self.at = at + 1
            return None
        self.at = _NAME.match(value, at).end()  # type: ignore[union-attr]
        self._forget_close()
        return value[at : self.at]

    def _forget_close(self) -> None:
        if self.is_close and self.value.startswith(b">", self.at):
            self.is_close = False

    def _attribute(self) -> bytes | None:
        """The value behind a name, if there is one."""
        value = self.value
        at = _BLANKS.match(value, self.at).end()  # type: ignore[union-attr]
        self.at = at
        if not value.startswith(b"=", at):
            return None
        at = _BLANKS.match(value, at + 1).end()  # type: ignore[union-attr]
        if at >= len(value):
            self.at = at
            return None
        if value[at] in _QUOTES:
            text, self.at = _until(value, at + 1, value[at : at + 1])
            return text
        self.at = _BARE.match(value, at).end()  # type: ignore[union-attr]
        self._forget_close()
        return value[at : self.at]

    def _markup(self, byte: int) -> tuple[Kind, bytes] | None:
        """What begins with `<` and that byte."""
        if byte == _BANG:
            return self._declaration(self.at + 1)
        if byte == _QUESTION:
            return self._comment(self.at + 1, b">")
        if byte == _PERCENT:
            return self._comment(self.at + 1, b"%>")
        if byte == _SLASH:
            return self._closing()
        return self._tag() if byte in _NAME_STARTS else None

    def _closing(self) -> tuple[Kind, bytes] | None:
        self.is_close = True
        self.at += 1
        byte = self.value[self.at] if self.at < len(self.value) else _END
        if byte in _LETTERS:
            return self._tag()
        if byte == _END:
            return None
        self.is_close = False
        return self._comment(self.at, b">")

    def _tag(self) -> tuple[Kind, bytes]:
        begin = self.at
        self.at = _TAG.match(self.value, begin).end()  # type: ignore[union-attr]
        name, self.is_in_tag = self.value[begin : self.at], True
        if not self.is_close or not self.value.startswith(b">", self.at):
            self._forget_close()
            return Kind.TAG, name
        self.is_close = False
        return Kind.CLOSED, name

    def _comment(self, begin: int, mark: bytes) -> tuple[Kind, bytes]:
        text, self.at = _until(self.value, begin, mark)
        return Kind.COMMENT, text

    def _declaration(self, at: int) -> tuple[Kind, bytes] | None:
        """What stands behind `<!`."""
        value = self.value
        if value[at : at + 7].upper() == b"DOCTYPE":
            text, self.at = _until(value, at, b">")
            return Kind.DOCTYPE, text
        if value.startswith(b"[CDATA[", at):
            _, self.at = _until(value, at + 7, b"]]>")
            return None
        if not value.startswith(b"--", at):
            return self._comment(at, b">")
        found = _COMMENT_END.search(value, at + 2)
        end, self.at = found.span() if found else (len(value), len(value))
        return Kind.COMMENT, value[at + 2 : end]
