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
# Kinds without one of which, or a sign of them, no shape is an attack: names, keywords, numbers and
# operators fold, or are harmless.
_TELLING = frozenset("UEBTt&Av1")


def _sign() -> bytes:
    letters = {word for word in CLASSES if word[:1].isalpha() or word[:1] == b"_"}
    telling = {word.split()[0] for word in letters if CLASSES[word] in _TELLING}
    return (
        rb"['\"`@#;()$\[\\]|--|/\*|\|\||&&|(?i:into)|"
        rb"(?i:(?:\A|[^a-zA-Z_]|\d[a-fA-FxX][\da-fA-F]*)(?:"
        + b"|".join(sorted(word.lower() for word in telling))
        + rb")(?:[^a-zA-Z0-9_]|\z))"
    )


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
