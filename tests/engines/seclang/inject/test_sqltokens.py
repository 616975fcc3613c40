"""Tokens of SQL, against libinjection's own cases and against itself."""

import random
import sys
from pathlib import Path

import pytest

from troth.engines.seclang.inject.sqltokens import TOKENS, Lexer, Token, TooLongError
from troth.engines.seclang.inject.sqlwords import CLASSES

sys.path.insert(0, str(Path(__file__).parents[1]))

import libinjection

CASES = Path(__file__).parents[5] / "shared" / "corpora" / "libinjection" / "tests"
# Numbers with an exponent and no digits: the cases call them names, the library skips them.
SKIPPED = {f"test-tokens-numbers-exp-{number:03d}.txt" for number in (1, 9, 10, 11, 12)}
MARKS = (
    b"' \" ` -- # /* */ /*! \\ \\N $ $$ $a$ $1.2 $. @ @@ @` 1 1. . 1e 1e5 1e+ 0x1f 0b01 0x 1f 1fu"
    b" 1d; b'01' x'1f' x'1g' e' n' q' q'( )' nq'[ ]' u&' [ ] { } ( ) , ; : :: := <=> < || && | & +"
    b" - * ~ !! ^ % ? foo a.b a`b select.x a_b = ! --x"
).split()  # fmt: skip
ODD = [
    b"-- ",
    b"\xa0",
    b"\xc3\xa9",
    b"\xff",
    b"\0",
    b"\t",
    b"\n",
    b"\x0b",
    b"\r",
    b"\x7f",
    b"x" * 40,
]
PARTS = [*MARKS, *MARKS, *ODD, b"x" * 40, *sorted(CLASSES)[::9]]


def tokens(value: bytes, quote: bytes = b"", *, is_mysql: bool = False) -> list[Token]:
    lexer = Lexer(value, quote, is_mysql=is_mysql)
    return list(iter(lexer.next, None))


def told(found: list[Token]) -> list[libinjection.Told]:
    return [(token.kind, token.opened, token.closed, token.text) for token in found]


def shown(found: list[libinjection.Told]) -> list[bytes]:
    """As the cases do, but for how many @ a variable has: its text does not hold them."""
    quoted = [(kind, kind in "sv", *rest) for kind, *rest in found]
    return [
        kind.encode() + b" " + (opened + text + closed if is_quoted else text)
        for kind, is_quoted, opened, closed, text in quoted
    ]


@pytest.mark.shared
def test_the_public_cases():
    cases = sorted(CASES.glob("test-tokens-*.txt"))
    if not cases:
        pytest.skip("no cases in ../shared")
    wrong = []
    for path in cases:
        value, expected = libinjection.case(path)
        got = shown(told(tokens(value, is_mysql="mysql" in path.name)))
        lines = [
            line.replace(b"v @@", b"v ").replace(b"v @", b"v ") for line in expected.splitlines()
        ]
        if [line.strip() for line in got] != [line.strip() for line in lines if line.strip()]:
            wrong.append(path.name)

    assert set(wrong) == SKIPPED


@pytest.mark.parametrize("seed", range(4))
def test_libinjection_reads_the_same_tokens(seed: int):
    rng = random.Random(seed)
    for _ in range(1500):
        value, quote = libinjection.made(rng, PARTS, 0.4), rng.choice((b"", b"'", b'"'))
        is_mysql = rng.random() < 0.4

        ours = told(tokens(value, quote, is_mysql=is_mysql))

        assert ours == libinjection.tokens(value, quote, is_mysql=is_mysql), value


def test_a_value_of_too_many_tokens_is_not_read_to_its_end():
    with pytest.raises(TooLongError):
        tokens(b"1 " * (TOKENS + 1))
    with pytest.raises(TooLongError):
        tokens(b"1e " * (TOKENS + 1))
    assert len(tokens(b"1 " * TOKENS)) == TOKENS


def test_mysql_reads_comments_otherwise():
    lexer = Lexer(b"1 --x")
    assert [token.kind for token in iter(lexer.next, None)] == ["1", "c"]
    assert lexer.is_otherwise

    assert [token.kind for token in tokens(b"1 --x", is_mysql=True)] == ["1", "o", "o", "n"]
    assert [token.kind for token in tokens(b"1 #x", is_mysql=True)] == ["1", "c"]
    assert [token.kind for token in tokens(b"1 #x")] == ["1", "o", "n"]
