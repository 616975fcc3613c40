r"""SQL's tokens as libinjection classes them: one letter each, in two dialects, three contexts.

Kinds: `1` number, `n` name, `v` variable, `s` string, `k` keyword, `f` function, `t` type, `o`
operator, `&` and/or, `E` begins an expression, `U` union, `B` group, `T` statement, `A` collation,
`c` comment, `X` what no honest client sends, `\` and `?` rests, punctuation as itself.
"""

import re
from collections.abc import Callable, Mapping

from troth.engines.seclang.inject.sqlwords import CLASSES

LONGEST = 31  # bytes of a token that are kept, and the longest word that is looked up
TOKENS = 2000  # of a reading that are looked at
_BLANKS = re.compile(rb"[\x00-\x20\x7f\xa0]*+")
_BEHIND_DASHES = frozenset(b"\0\t\n\x0b\x0c\r \xa0")  # fewer than between tokens
_ENDS_SUFFIX = _BEHIND_DASHES | frozenset(b";uU")
# What ends a word; what ends a variable's name.
_WORD = re.compile(rb"[^\x00\t\n\x0b\x0c\r \"#%&'()*+,\-/:;<=>?@\[\\\]^{|}~!\xa0]*+")
_NAME = re.compile(rb"[^\x00 <>:\\?=@!#~+\-*/&|^%(),';\t\n\x0b\x0c\r`\"]*+")
_NUMBER = re.compile(rb"(\d*+)(\.\d*+)?([eE][+-]?(\d*+))?")
_RADIX = re.compile(rb"0(?:[xX][\x00\da-fA-F]*+|[bB][\x0001]*+)")
_EMPTY_RADIX = 2  # bytes of `0x`
_BITS = re.compile(rb".'[\x0001]*+'", re.DOTALL)
_HEX = re.compile(rb".'[\x00\da-fA-F]*+'", re.DOTALL)
_PARTS = re.compile(rb"[.`]")
_MONEY = re.compile(rb"\$[\x00\d.,]++")
_TAG = re.compile(rb"\$[\x00a-zA-Z]*+\$")
_ORACLE = re.compile(rb"[qQ]'([!-\x7f])")
_UNICODE = re.compile(rb"[uU]&'")
# A string's rest: up to a mark that no odd number of backslashes precedes and that is not doubled.
_REST = {
    mark: re.compile(rb"(?:[^%b\\]++|\\.|%b%b|\\\Z)*+" % (mark, mark, mark), re.DOTALL)
    for mark in (b"'", b'"', b"`")
}
_CLOSED_BY = {b"(": b")", b"[": b"]", b"{": b"}", b"<": b">"}


class TooLongError(Exception):
    """A value folds more than `TOKENS` tokens."""


class Token:
    """A token: its kind, its first `LONGEST` bytes, the same in upper case, and its quotes."""

    __slots__ = ("closed", "kind", "opened", "text", "word")

    def __init__(
        self,
        kind: str,
        text: bytes,
        opened: bytes = b"",
        closed: bytes = b"",
        word: bytes | None = None,
    ) -> None:
        self.kind = kind
        self.text = text
        self.word = text.upper() if word is None else word
        self.opened = opened
        self.closed = closed

    def copy(self) -> "Token":
        """Another one, the same."""
        return Token(self.kind, self.text, self.opened, self.closed, self.word)


class Lexer:
    """Tokens of a value, one at a time.

    Attributes:
        value: what is read; `at`: the place that is read next.
        quote: in which quotes it stands (`b""`: in none), `is_mysql`: by whose rules it is read.
        count: how many tokens were given.
        is_otherwise: MySQL reads a comment of this value in another way.
    """

    __slots__ = ("at", "count", "is_mysql", "is_otherwise", "quote", "value")

    def __init__(self, value: bytes, quote: bytes = b"", *, is_mysql: bool = False) -> None:
        self.value = value
        self.quote = quote
        self.is_mysql = is_mysql
        self.at = 0
        self.count = 0
        self.is_otherwise = False

    def next(self) -> Token | None:
        """The next token; None when there is no more.

        Raises:
            TooLongError: there are more tokens than are looked at.
        """
        value = self.value
        if self.quote and not self.at and value:
            self.count += 1
            return _string(self, 0, self.quote, 0)
        size = len(value)
        for _ in range(TOKENS):
            at = _BLANKS.match(value, self.at).end()  # type: ignore[union-attr]
            self.at = at
            if at >= size:
                return None
            token = _READERS[value[at]](self, at)
            if token is not None:
                self.count += 1
                if self.count > TOKENS:
                    raise TooLongError
                return token
        raise TooLongError

    def take(self, kind: str, at: int, size: int) -> Token:
        """A token of so many bytes; reading goes on behind it."""
        self.at = at + size
        return Token(kind, self.value[at : at + min(size, LONGEST)])

    def holds(self, mark: bytes, at: int) -> bool:
        """Whether the value goes on so."""
        return self.value.startswith(mark, at)


# -- punctuation


def _itself(lexer: Lexer, at: int) -> Token:
    return lexer.take(chr(lexer.value[at]), at, 1)


def _other(lexer: Lexer, at: int) -> Token:
    return lexer.take("?", at, 1)


def _operator(lexer: Lexer, at: int) -> Token:
    return lexer.take("o", at, 1)


def _operators(lexer: Lexer, at: int) -> Token:
    if lexer.holds(b"<=>", at):
        return lexer.take("o", at, 3)
    pair = lexer.value[at : at + 2]
    kind = CLASSES.get(pair)
    if kind is not None:
        return lexer.take(kind, at, 2)
    is_colon = pair[:1] == b":" != pair
    return lexer.take(":" if is_colon else "o", at, 1)


def _backslash(lexer: Lexer, at: int) -> Token:
    return lexer.take("1", at, 2) if lexer.holds(b"\\N", at) else lexer.take("\\", at, 1)


# -- comments


def _line(lexer: Lexer, at: int) -> Token:
    end = lexer.value.find(b"\n", at)
    if end < 0:
        return lexer.take("c", at, len(lexer.value) - at)
    token = lexer.take("c", at, end - at)
    lexer.at += 1
    return token


def _hash(lexer: Lexer, at: int) -> Token:
    lexer.is_otherwise = True
    return _line(lexer, at) if lexer.is_mysql else _operator(lexer, at)


def _dash(lexer: Lexer, at: int) -> Token:
    value = lexer.value
    if not lexer.holds(b"--", at):
        return _operator(lexer, at)
    if at + 2 >= len(value) or value[at + 2] in _BEHIND_DASHES:
        return _line(lexer, at)
    if lexer.is_mysql:
        return _operator(lexer, at)
    lexer.is_otherwise = True
    return _line(lexer, at)


def _slash(lexer: Lexer, at: int) -> Token:
    value = lexer.value
    if not lexer.holds(b"/*", at):
        return _operator(lexer, at)
    end = value.find(b"*/", at + 2)
    is_nested = end >= 0 and value.find(b"/*", at + 2, end + 1) >= 0
    is_evil = is_nested or lexer.holds(b"!", at + 2)
    size = (end + 2 if end >= 0 else len(value)) - at
    return lexer.take("X" if is_evil else "c", at, size)


# -- strings


def _string(lexer: Lexer, at: int, mark: bytes, skip: int) -> Token:
    """A string that begins at `at` with `skip` bytes before its text."""
    value, begin = lexer.value, at + skip
    end = _REST[mark].match(value, begin).end()  # type: ignore[union-attr]
    opened, text = mark if skip else b"", value[begin : min(end, begin + LONGEST)]
    if end >= len(value):
        lexer.at = len(value)
        return Token("s", text, opened)
    lexer.at = end + 1
    return Token("s", text, opened, mark)


def _quoted(lexer: Lexer, at: int) -> Token:
    return _string(lexer, at, lexer.value[at : at + 1], 1)


def _escape_string(lexer: Lexer, at: int) -> Token:
    is_string = lexer.holds(b"'", at + 1) and at + 2 < len(lexer.value)
    return _string(lexer, at, b"'", 2) if is_string else _word(lexer, at)


def _unicode_string(lexer: Lexer, at: int) -> Token:
    if not _UNICODE.match(lexer.value, at):
        return _word(lexer, at)
    token = _string(lexer, at, b"'", 3)
    token.opened = b"u"
    token.closed = b"u" if token.closed else b""
    return token


def _oracle_string(lexer: Lexer, at: int, skip: int = 0) -> Token:
    found = _ORACLE.match(lexer.value, at + skip)
    if found is None:
        return _word(lexer, at)
    return _until(lexer, found.end(), _CLOSED_BY.get(found[1], found[1]) + b"'", b"q")


def _national_string(lexer: Lexer, at: int) -> Token:
    if lexer.holds(b"'", at + 1):
        return _escape_string(lexer, at)
    return _oracle_string(lexer, at, 1)


def _until(lexer: Lexer, begin: int, mark: bytes, name: bytes) -> Token:
    """A string up to that mark, or to the end."""
    value = lexer.value
    end = value.find(mark, begin)
    if end < 0:
        lexer.at = len(value)
        return Token("s", value[begin : begin + LONGEST], name)
    lexer.at = end + len(mark)
    return Token("s", value[begin : min(end, begin + LONGEST)], name, name)


def _bits(lexer: Lexer, at: int) -> Token:
    found = _BITS.match(lexer.value, at)
    return lexer.take("1", at, found.end() - at) if found else _word(lexer, at)


def _hex(lexer: Lexer, at: int) -> Token:
    found = _HEX.match(lexer.value, at)
    return lexer.take("1", at, found.end() - at) if found else _word(lexer, at)


def _dollar(lexer: Lexer, at: int) -> Token:
    money = _MONEY.match(lexer.value, at)
    if money:
        return _word(lexer, at) if money[0] == b"$." else lexer.take("1", at, len(money[0]))
    tag = _TAG.match(lexer.value, at)
    return _until(lexer, tag.end(), tag[0], b"$") if tag else lexer.take("n", at, 1)


# -- words, names, numbers


def _word(lexer: Lexer, at: int) -> Token:
    value = lexer.value
    end = _WORD.match(value, at).end()  # type: ignore[union-attr]
    text = value[at:end] if end - at <= LONGEST else value[at : at + LONGEST]
    word = text.upper()
    if b"." in text or b"`" in text:
        for part in _PARTS.finditer(word):
            kind = CLASSES.get(word[: part.start()], "n")
            if kind != "n":
                return lexer.take(kind, at, part.start())
    lexer.at = end
    kind = CLASSES.get(word, "n") if end - at <= LONGEST else "n"
    return Token(kind, text, b"", b"", word)


def _bracketed(lexer: Lexer, at: int) -> Token:
    end = lexer.value.find(b"]", at)
    return lexer.take("n", at, (len(lexer.value) if end < 0 else end + 1) - at)


def _tick(lexer: Lexer, at: int) -> Token:
    token = _string(lexer, at, b"`", 1)
    token.kind = "f" if CLASSES.get(token.word) == "f" else "n"
    return token


def _variable(lexer: Lexer, at: int) -> Token:
    value = lexer.value
    begin = at + (2 if lexer.holds(b"@", at + 1) else 1)
    if value[begin : begin + 1] in _REST:
        token = _quoted(lexer, begin)
        token.kind = "v"
        return token
    end = _NAME.match(value, begin).end()  # type: ignore[union-attr]
    lexer.at = end
    return Token("v", value[begin : min(end, begin + LONGEST)])


def _number(lexer: Lexer, at: int) -> Token | None:
    value = lexer.value
    radix = _RADIX.match(value, at)
    if radix:
        size = len(radix[0])
        return lexer.take("n" if size == _EMPTY_RADIX else "1", at, size)
    whole, point, exponent, digits = _NUMBER.match(value, at).groups()  # type: ignore[union-attr]
    if point == b"." and not whole:
        return lexer.take(".", at, 1)
    end = at + len(whole) + len(point or b"") + len(exponent or b"")
    if value[end : end + 1] in (b"d", b"D", b"f", b"F"):  # Oracle's suffixes
        end += end + 1 >= len(value) or value[end + 1] in _ENDS_SUFFIX
    if exponent and not digits:  # `1.e` is nothing to MySQL
        lexer.at = end
        return None
    return lexer.take("1", at, end - at)


_Reader = Callable[[Lexer, int], Token | None]
_BY_BYTE: Mapping[bytes, _Reader] = {
    b"(),;{}": _itself,
    b"?]": _other,
    b"%+^~": _operator,
    b"!&*:<=>|": _operators,
    b"\\": _backslash,
    b"#": _hash,
    b"-": _dash,
    b"/": _slash,
    b"'\"": _quoted,
    b"eE": _escape_string,
    b"uU": _unicode_string,
    b"qQ": _oracle_string,
    b"nN": _national_string,
    b"bB": _bits,
    b"xX": _hex,
    b"$": _dollar,
    b"[": _bracketed,
    b"`": _tick,
    b"@": _variable,
    b".0123456789": _number,
}
_READER_OF = {byte: reader for members, reader in _BY_BYTE.items() for byte in members}
_READERS: tuple[_Reader, ...] = tuple(_READER_OF.get(byte, _word) for byte in range(256))
