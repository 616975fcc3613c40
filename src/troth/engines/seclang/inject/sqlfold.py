"""Folding: a value's tokens shortened to at most five that say what it does.

Expressions and lists become one value, words of a phrase one word; what stands in front and
changes nothing (comments, opening brackets, signs, types) goes.
"""

import re
from collections.abc import Callable, Iterable
from itertools import product

from troth.engines.seclang.inject.sqltokens import LONGEST, Lexer, Token
from troth.engines.seclang.inject.sqlwords import CLASSES

MOST = 5  # kinds in a fingerprint
_PAIR, _TRIPLE = 2, 3

KINDS = "1nvskftoE&UBTAcX\\?(),;:.{}"
_IN_PHRASE = "knoUfETt"
_VALUES = "1nvs"
_SIGNS = frozenset((b"+", b"-", b"!", b"~", b"!!", b"NOT"))
_ARITHMETIC = frozenset((b"*", b"/", b"-", b"+", b"%"))
_ABOUT_ONESELF = frozenset(
    b"USER_ID USER_NAME DATABASE PASSWORD USER CURRENT_USER CURRENT_DATE CURRENT_TIME"
    b" CURRENT_TIMESTAMP LOCALTIME LOCALTIMESTAMP".split()
)
_MEMBER = frozenset((b"IN", b"NOT IN"))
_LIKE = frozenset((b"LIKE", b"NOT LIKE"))
_PHRASE_STARTS = frozenset(word.rpartition(b" ")[0] for word in CLASSES if b" " in word)
_LONG = frozenset(("1o(1)", "1,(1)", "no(n)", "no(1)", "1),(1", "n)o(n"))
# The rest of a list whose first value is held, but its last: it folds into that value.
_LISTED = re.compile(
    rb"(?:[\x00-\x20\x7f\xa0]*+,[\x00-\x20\x7f\xa0]*+"
    rb"(?:\d++(?:\.\d++)?|'[^'\\]*+'(?!')|\"[^\"\\]*+\"(?!\"))(?=[\x00-\x20\x7f\xa0]*+,))++"
)


def fold(lexer: Lexer) -> list[Token]:
    """At most five tokens; none for a value of nothing but signs and opening brackets.

    Raises:
        TooLongError: there are more tokens than are looked at.
    """
    return _Folding(lexer).run()


class _Folding:
    """Tokens held, and from where on they are still looked at.

    Where two or three tokens fold, as many of the last ones go as became fewer. They need not be
    those looked at: libinjection counts so, and its fingerprints are of such tokens.
    """

    __slots__ = ("comment", "held", "is_over", "left", "lexer", "more")

    def __init__(self, lexer: Lexer) -> None:
        self.lexer = lexer
        self.held: list[Token] = []
        self.left = 0
        self.more = True
        self.is_over = False
        self.comment: Token | None = None

    def run(self) -> list[Token]:
        held = self.held
        if not self._begin():
            return held
        while not self.is_over:
            if len(held) >= MOST and "".join([token.kind for token in held[:MOST]]) in _LONG:
                held[1:] = held[MOST : MOST + 1]
                self.left = 0
            if not self.more or self.left >= MOST or not self._has(_PAIR):
                break
            if self._folds_two():
                continue
            if not self._has(_TRIPLE):
                break
            if not self._folds_three():
                self.left += 1
        if len(held) < MOST and self.comment is not None and not self.is_over:
            held.append(self.comment)
        return held if self.is_over else held[:MOST]

    def _begin(self) -> bool:
        while (token := self.lexer.next()) is not None:
            if token.kind not in "c(t" and not _is_sign(token):
                self.held.append(token)
                return True
        return False

    def _has(self, wanted: int) -> bool:
        """Whether that many tokens are held from `left` on, after reading on."""
        held, lexer = self.held, self.lexer
        if len(held) == 1 and held[0].kind in _VALUES:
            listed = _LISTED.match(lexer.value, lexer.at)
            if listed:
                lexer.at = listed.end()
                lexer.count += 2  # as if there were one more
        while self.more and len(held) <= MOST and len(held) - self.left < wanted:
            token = lexer.next()
            if token is None:
                self.more = False
            elif token.kind == "c":
                self.comment = token
            else:
                self.comment = None
                held.append(token)
        return len(held) - self.left >= wanted

    def _folds_two(self) -> bool:
        first, second = self.held[self.left : self.left + _PAIR]
        rules = _TWO.get(first.kind + second.kind)
        if rules is not None:
            for rule in rules:
                if rule(self, first, second):
                    return True
        return False

    def _folds_three(self) -> bool:
        first, second, third = self.held[self.left : self.left + _TRIPLE]
        rules = _THREE.get(first.kind + second.kind + third.kind)
        if rules is not None:
            for rule in rules:
                if rule(self, first, second):
                    return True
        return False

    def forget(self, count: int) -> bool:
        """The last tokens go, and all is looked at again."""
        del self.held[-count:]
        self.left = 0
        return True

    def forget_here(self) -> bool:
        """The last token goes, and what stands one before is looked at again."""
        del self.held[-1]
        self.left -= self.left > 0
        return True

    def replace(self, place: int) -> bool:
        """A token is replaced by the one behind it; the last one goes."""
        place += self.left
        self.held[place] = self.held[place + 1].copy()
        return self.forget(1)


_Rule = Callable[[_Folding, Token, Token], bool]


def _is_sign(token: Token) -> bool:
    return token.kind == "o" and token.word in _SIGNS


def _forget(count: int) -> _Rule:
    return lambda folding, _first, _second: folding.forget(count)


def _where_sign(then: Callable[[_Folding], bool]) -> _Rule:
    return lambda folding, _first, second: second.word in _SIGNS and then(folding)


def _doubled(folding: _Folding, _first: Token, _second: Token) -> bool:
    del folding.held[-1]
    return True


def _phrase(folding: _Folding, first: Token, second: Token) -> bool:
    if first.word not in _PHRASE_STARTS or len(first.text) + len(second.text) >= LONGEST:
        return False
    word = first.word + b" " + second.word
    kind = CLASSES.get(word)
    if kind is None:
        return False
    first.kind, first.text, first.word = kind, first.text + b" " + second.text, word
    return folding.forget_here()


def _condition(_folding: _Folding, _first: Token, second: Token) -> bool:
    if not second.word.startswith(b"IF"):
        return False
    second.kind = "T"
    return True


def _oneself(_folding: _Folding, first: Token, _second: Token) -> bool:
    if first.word not in _ABOUT_ONESELF:
        return False
    first.kind = "f"
    return True


def _member(_folding: _Folding, first: Token, second: Token) -> bool:
    if first.word not in _MEMBER:
        return False
    first.kind = "o" if second.kind == "(" else "n"
    return True


def _like(_folding: _Folding, first: Token, _second: Token) -> bool:
    if first.word in _LIKE:
        first.kind = "f"
    return False


def _closed(folding: _Folding, first: Token, _second: Token) -> bool:
    return (first.kind != "o" or first.word not in _LIKE) and folding.forget(1)


def _collation(folding: _Folding, _first: Token, second: Token) -> bool:
    if b"_" in second.text:
        second.kind = "t"
        folding.left = 0
    return False


def _escaped(folding: _Folding, first: Token, second: Token) -> bool:
    if second.kind != "o" or second.text not in _ARITHMETIC:
        return folding.replace(0)
    first.kind = "1"
    folding.left = 0
    return True


def _braced(folding: _Folding, _first: Token, second: Token) -> bool:
    if second.text:
        return folding.forget(2)
    second.kind = "X"
    folding.is_over = True
    del folding.held[folding.left + 2 :]
    return True


def _cast(folding: _Folding, _first: Token, second: Token) -> bool:
    return second.text == b"::" and folding.forget(2)


def _user(_folding: _Folding, first: Token, _second: Token) -> bool:
    if first.word == b"USER":
        first.kind = "n"
    return False


def _table(*rules: tuple[tuple[str, ...], _Rule]) -> dict[str, tuple[_Rule, ...]]:
    """By kinds, in the order of the rules; a rule has the kinds for each of its places."""
    table: dict[str, tuple[_Rule, ...]] = {}
    for places, rule in rules:
        for kinds in product(*places):
            key = "".join(kinds)
            table[key] = (*table.get(key, ()), rule)
    return table


def _alike(pairs: Iterable[str], rule: _Rule) -> list[tuple[tuple[str, ...], _Rule]]:
    return [(tuple(pair), rule) for pair in pairs]


_TWO = _table(
    *_alike(("ss", ";;"), _doubled),
    (("o&", "t"), _forget(1)),
    (("o&", "o"), _where_sign(lambda folding: folding.forget(1))),
    (("(", "o"), _where_sign(_Folding.forget_here)),
    ((_IN_PHRASE, _IN_PHRASE + "&"), _phrase),
    ((";", "f"), _condition),
    (("nv", "("), _oneself),
    (("k", KINDS), _member),
    (("o", "("), _like),
    (("t", "n1t(fvs"), lambda folding, _first, _second: folding.replace(0)),
    (("A", "n"), _collation),
    (("\\", KINDS), _escaped),
    *_alike(("((", "))"), _forget(1)),
    (("{", "n"), _braced),
    ((KINDS.replace("\\", ""), "}"), _closed),
)
_THREE = _table(
    (("1", "o", "1"), _forget(2)),
    (("o", KINDS.replace("(", ""), "o"), _forget(2)),
    (("&", KINDS, "&"), _forget(2)),
    (("v", "o", "v1n"), _forget(2)),
    (("n1", "o", "1n"), _forget(2)),
    ((_VALUES, "o", "t"), _cast),
    ((_VALUES, ",", _VALUES), _forget(2)),
    (("EB,", "o", "("), _where_sign(lambda folding: folding.replace(1))),
    (("kEB", "o", "1nvsf"), _where_sign(lambda folding: folding.replace(1))),
    ((",", "o", _VALUES), _where_sign(lambda folding: folding.forget(3))),
    ((",", "o", "f"), _where_sign(lambda folding: folding.replace(1))),
    (("n", ".", "n"), _forget(2)),
    (("E", ".", "n"), lambda folding, _first, _second: folding.replace(1)),
    (("f", "(", KINDS.replace(")", "")), _user),
)
