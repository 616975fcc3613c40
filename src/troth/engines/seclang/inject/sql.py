"""Whether a value is SQL injected into a statement, as libinjection sees it: `@detectSQLi`.

A value is read as it would stand without quotes, and within each kind of quotes that it holds; once
more where MySQL reads a comment in another way. Tokens are folded to at most five kinds, the
fingerprint; shapes of fingerprints are the attacks (`sqlshapes`).
"""

import re2

from troth.engines.seclang.inject.sqlfold import fold
from troth.engines.seclang.inject.sqlshapes import is_injection
from troth.engines.seclang.inject.sqltokens import Lexer, Token, TooLongError
from troth.engines.seclang.inject.sqlwords import CLASSES

_FOR_LOGS = b"sp_password"  # SQL Server keeps statements with it out of its logs
_OUT = (b"INTO OUTFILE", b"INTO DUMPFILE")
# Kinds without one of which, or a mark of another, a shape is an attack only by a keyword before a
# number or behind an operator.
_TELLING = "UEBTt&Av1"


def _words(kinds: str, place: int) -> bytes:
    """The first or the last of the words of phrases of some kinds."""
    phrases = [word for word, kind in CLASSES.items() if kind in kinds and word[-1:].isalnum()]
    return b"|".join(sorted({phrase.lower().split()[place] for phrase in phrases}))


def _sign() -> bytes:
    begin, end = rb"(?:\A|[^a-zA-Z_])", rb"(?:[^a-zA-Z0-9_]|\z)"
    blanks = rb"[\x00-\x20\x7f\xa0]*"
    marks = rb"['\"`@#;()$\[\\{}]|0[xXbB]|--|/\*|\|\||&&"
    # A number that a word touches.
    touched = rb"\d(?:[df]u|e[a-z]*[g-z])"
    telling = begin + b"(?:" + _words(_TELLING, 0) + b"|into)" + end
    before = begin + b"(?:" + _words("k", -1) + rb")(?:[\x00-\x20\x7f\xa0+\-!~]|not)*[\d.]"
    operator = rb"(?:[-+*/%<=>!~^|&:]|(?:" + _words("o", -1) + rb")[^a-zA-Z0-9_])"
    behind = operator + blanks + b"(?:" + _words("k", 0) + b")" + end
    return marks + b"|(?i:" + b"|".join((touched, telling, before, behind)) + b")"


SIGN = _sign()
"""An expression that matches wherever `find` finds anything; in Hyperscan's notation."""


def _signed() -> "re2._Regexp[bytes]":
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    return re2.compile(SIGN, options)


_SIGNED = _signed()


def find(value: bytes) -> str | None:
    """The fingerprint of an injection; None where there is none."""
    if not value:
        return None
    found, is_otherwise = _read(value, b"", is_mysql=False)
    if found is None and is_otherwise:
        found, _ = _read(value, b"", is_mysql=True)
    if found is None and b"'" in value:
        found, is_otherwise = _read(value, b"'", is_mysql=False)
        if found is None and is_otherwise:
            found, _ = _read(value, b"'", is_mysql=True)
    if found is None and b'"' in value:
        found, _ = _read(value, b'"', is_mysql=True)
    return found


def _read(value: bytes, quote: bytes, *, is_mysql: bool) -> tuple[str | None, bool]:
    """The fingerprint of an attack; whether MySQL would read the value otherwise."""
    lexer = Lexer(value, quote, is_mysql=is_mysql)
    try:
        tokens = fold(lexer)
    except TooLongError:
        return ("X" if _SIGNED.search(value) else None), False
    fingerprint = "".join([token.kind for token in tokens])
    if len(fingerprint) > len("nc") and _is_cut(tokens[-1]):
        fingerprint = fingerprint[:-1] + "c"
    if "X" in fingerprint:
        return "X", False
    is_attack = is_injection(fingerprint) and not (
        len(fingerprint) <= len(_HARMLESS)
        and _HARMLESS[len(fingerprint) - 1](value, fingerprint, tokens, lexer.count)
    )
    return (fingerprint if is_attack else None), lexer.is_otherwise


def _is_cut(token: Token) -> bool:
    """Whether MySQL takes it, a lone backquote, for a comment's beginning."""
    return token.kind == "n" and token.opened == b"`" and not token.text and not token.closed


def _is_logged(value: bytes, fingerprint: str) -> bool:
    return fingerprint[-1] == "c" and _FOR_LOGS in value


def _never(_value: bytes, _fingerprint: str, _tokens: list[Token], _count: int) -> bool:
    return False


def _is_harmless_pair(value: bytes, fingerprint: str, tokens: list[Token], count: int) -> bool:
    """Whether people write two such tokens, too."""
    first, second = tokens
    if fingerprint[-1] == "U":
        return count == len("xU")
    if _is_logged(value, fingerprint):
        return False
    mark = second.text[:1]
    if mark == b"#":
        return True
    if first.kind == "n":
        return mark != b"/"
    if first.kind == "1":
        return mark != b"/" and count == len("1c") and not _goes_on(value, len(first.text))
    return mark == b"-" and len(second.text) > len("--")


def _goes_on(value: bytes, at: int) -> bool:
    """Whether a blank or a comment stands right behind a number."""
    behind = value[at : at + 2]
    return behind[:1] <= b" " or behind in (b"/*", b"--")


def _is_harmless_triple(value: bytes, fingerprint: str, tokens: list[Token], count: int) -> bool:
    """Whether people write three such tokens, too."""
    if _is_logged(value, fingerprint):
        return False
    first, second, third = tokens
    if fingerprint in _TORN:
        is_torn = not first.opened and not third.closed and first.closed == third.opened
        return not is_torn
    if fingerprint in _SHORT:
        return count == len("s&n")
    return second.kind == "k" and not second.word.startswith(_OUT)


_HARMLESS = (_never, _is_harmless_pair, _is_harmless_triple)
_TORN = frozenset(("sos", "s&s"))  # a string that another's end and beginning stand around
_SHORT = frozenset(("s&n", "n&1", "1&1", "1&v", "1&s"))
