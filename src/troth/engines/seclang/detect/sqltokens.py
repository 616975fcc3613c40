"""SQL's tokens, in all dialects at once, from any place in a value; linear, lazily.

A token is `(kind, text, start, end)`. A dialect's doubt is resolved towards what an attacker would
have it be: `--` and `#` begin comments, `/*!` does not, a backslash escapes.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from troth.engines.seclang.detect import sqlwords as words

NUMBER, STRING, NAME, CALL, VARIABLE, CONSTANT = "n", "s", "w", "f", "v", "c"
LOGICAL, COMPARING, OPERATOR, SIGN, UNARY, POSTFIX = "&", "=", "o", "-", "u", "p"
CLAUSE, STATEMENT, OPEN, CLOSE, COMMA, END = "k", "t", "(", ")", ",", ";"
COMMENT, OTHER = "#", "?"


class Token(NamedTuple):
    """One token: its kind (a constant of this module), lower-case text, and place."""

    kind: str
    text: bytes
    start: int
    end: int


_SPACE = (
    rb"(?:[\x00-\x20]++|/\*(?!!)[^*]*+(?:\*(?!/)[^*]*+)*+\*/|/\*![0-9]*|(?:--|\#)[^\r\n]*+[\r\n])+"
)
# One group a kind, the numbers below; the order is what decides.
_TOKEN = re.compile(
    rb"(?:(/\*.*+|--.*+|\#(?!>>?\s*'|-\s*').*+)"  # 1 a comment up to the end of the value
    rb"|((?:0x[0-9a-f]+\.?|0b[01]+|(?:[0-9]+\.?[0-9]*+|\.[0-9]+)(?:e[+-]?[0-9]+)?+)(?![\w$.]))"  # 2
    rb"|([bx]'[0-9a-f]*'|\\n\b)"  # 3 a number or NULL in other notations
    rb"|((?:[ne]|u&|q|_[a-z0-9]+\s*)?+(?='|\"))"  # 4 a string begins
    rb"|(@@?(?:`[^`]*`?|'[^']*'?|\"[^\"]*\"?|[\w$.\x80-\xff]*)|\?(?![|&])|:[a-z_]\w*|\$[0-9]+)"  # 5
    rb"|((?:[a-z_\x80-\xff]|[0-9.](?=[0-9.]{0,40}[a-z_]))[\w$\x80-\xff]*"
    rb"(?:\.{1,2}(?:[a-z_$*\x80-\xff][\w$\x80-\xff]*+|`[^`]*`))*+)"  # 6 a word, dotted perhaps
    rb"|(`[^`]*`|\[[a-z_][\w $]*\])"  # 7 a quoted name
    rb"|(<=>|<>|!=|<=|>=|==|\^=|!<|!>|~\*|!~\*?|->>?|@>|<@|\?[|&]?|\#>>?|\#-|[=<>])"  # 8 compares
    rb"|(\|\||&&)"  # 9
    rb"|(::|:=|<<|>>|\||&|[*/%^])"  # 10 calculates
    rb"|([-+!~])"  # 11 calculates, or stands before
    rb"|([({])|([)}])|(,)|(;)"  # 12 13 14 15
    rb"|(.))",
    re.DOTALL | re.IGNORECASE,
)
_SKIP = re.compile(_SPACE)
_KINDS = (
    "", COMMENT, NUMBER, NUMBER, STRING, VARIABLE, NAME, NAME, COMPARING, LOGICAL, OPERATOR, SIGN,
    OPEN, CLOSE, COMMA, END, OTHER,
)  # fmt: skip
_STRINGS = {
    quote: re.compile(
        rb"[^\\%b]*+(?:(?:\\.|%b%b)[^\\%b]*+)*+" % (quote, quote, quote, quote), re.DOTALL
    )
    for quote in (b"'", b'"', b"`")
}
_DOLLAR = re.compile(rb"\$[a-z_]*\$", re.IGNORECASE)
_NUMBER_AND_WORD = re.compile(
    rb"((?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[0-9]*)?)"
    rb"(?=(?:or|and|xor|union|div|mod|like|rlike|is|in|between|order|group|having|limit|into)\b)",
    re.IGNORECASE,
)
_CALLED = re.compile(rb"(?:[\x00-\x20]++|/\*(?!!)[^*]*+(?:\*(?!/)[^*]*+)*+\*/|/\*![0-9]*)*+\(")
_PARTS = {
    **dict.fromkeys(words.CLAUSES, CLAUSE),
    **dict.fromkeys(words.STATEMENTS, STATEMENT),
    **dict.fromkeys(words.UNARY, UNARY),
    **dict.fromkeys(words.OPERATORS, OPERATOR),
    **dict.fromkeys(words.COMPARING, COMPARING),
    **dict.fromkeys(words.CONSTANTS, CONSTANT),
    **dict.fromkeys(words.POSTFIX, POSTFIX),
    **dict.fromkeys(words.LOGICAL, LOGICAL),
    **dict.fromkeys((b"left", b"right", b"set", b"end", b"case"), CLAUSE),
}


def inside(value: bytes, quote: bytes) -> int:
    """Where the string ends that a value is put into: behind its first unescaped quote, or -1."""
    end = _STRINGS[quote].match(value).end()  # type: ignore[union-attr]  # matches nothing too
    return end + 1 if end < len(value) else -1


def tokens(value: bytes, start: int = 0) -> Iterator[Token]:
    """The tokens of a value from an offset, white space and inner comments left out.

    An unterminated string or comment is a token of its kind whose end is the value's.
    """
    place, size, versions, dollars = start, len(value), 0, 4
    match_token, skip = _TOKEN.match, _SKIP.match
    while True:
        space = skip(value, place)
        if space is not None:
            place = space.end()
            versions += _unclosed(value, space.start(), place)
        if place >= size:
            return
        found = match_token(value, place)
        group = found.lastindex  # type: ignore[union-attr]  # the last branch takes any byte
        kind, end = _KINDS[group or 0], found.end()  # type: ignore[union-attr]
        if kind is STRING:
            end = _string_end(value, end)
            yield Token(STRING, value[place:end], place, end)
        elif kind is NAME:
            token = _word(value, place, end) if group == 6 else Token(NAME, b"`", place, end)  # noqa: PLR2004
            end = token.end
            yield token
        elif versions and value[place : place + 2] == b"*/":
            end, versions = place + 2, versions - 1
        elif kind is OTHER and dollars and value[place : place + 1] == b"$":
            closed, dollars = _dollars(value, place), dollars - 1
            end = max(closed, end)
            yield Token(STRING if closed > 0 else OTHER, value[place:end], place, end)
        else:
            yield Token(kind, value[place:end].lower(), place, end)
        place = end


def _unclosed(value: bytes, start: int, end: int) -> int:
    """How many `*/` may still come that close nothing here: MySQL's `/*!`, PostgreSQL's nesting."""
    begun = value.count(b"/*", start, end)
    return begun and 2 * begun - value.count(b"*/", start, end)


def _string_end(value: bytes, opening: int) -> int:
    """The offset behind a string whose opening quote stands at `opening`."""
    quote = value[opening : opening + 1]
    end = _STRINGS[quote].match(value, opening + 1).end()  # type: ignore[union-attr]
    return min(end + 1, len(value))


def is_open(token: Token) -> bool:
    """Whether a string token reaches the value's end without its closing quote."""
    text = token.text
    quote = next((byte for byte in text if byte in b"'\""), 0)
    return text.count(quote) == 1 or text[-1] != quote


def _dollars(value: bytes, place: int) -> int:
    """The offset behind PostgreSQL's `$tag$...$tag$`, 0 where none begins or it does not end."""
    tag = _DOLLAR.match(value, place)
    closing = value.find(tag.group(), tag.end()) if tag else -1
    return closing + len(tag.group()) if tag and closing >= 0 else 0


def _word(value: bytes, place: int, end: int) -> Token:
    """A word's token: a number that runs into a keyword is cut off; a call is known by its `(`."""
    first = value[place]
    if first in b".0123456789":
        number = _NUMBER_AND_WORD.match(value, place, end)
        if number is not None and number.end() < end:
            return Token(NUMBER, number.group(), place, number.end())
    text = value[place:end].lower()
    if text in words.LOGICAL:
        return Token(LOGICAL, text, place, end)
    if _CALLED.match(value, end) is not None and (text in words.FUNCTIONS or text not in _PARTS):
        return Token(CALL, text, place, end)
    return Token(_PARTS.get(text, NAME), text, place, end)
