"""Folding, against libinjection's own cases and against itself."""

import random
import sys
from pathlib import Path

import pytest

from troth.engines.seclang.inject.sqlfold import fold
from troth.engines.seclang.inject.sqltokens import Lexer
from troth.engines.seclang.inject.sqlwords import CLASSES

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1]))

import libinjection
from test_sqltokens import CASES, told

# As with tokens: numbers with an exponent and no digits.
SKIPPED = {"test-folding-099.txt", "test-folding-100.txt"}
_OFTEN = (
    b"1 1 2.5 foo foo a_b `` @v @v 's' \"t\" + - * = ~ ! NOT LIKE IN :: ( ) { } , ; : . ? \\ from"
    b" union select having int concat IF USER( DATABASE collate drop and or /**/ --x`"
).split()  # fmt: skip
WORDS = [*_OFTEN, *_OFTEN, *_OFTEN, *sorted(CLASSES)[::5], *(w for w in CLASSES if b" " in w)]


@pytest.mark.shared
def test_the_public_cases():
    cases = sorted(CASES.glob("test-folding-*.txt"))
    if not cases:
        pytest.skip("no cases in ../shared")
    wrong = []
    for path in cases:
        value, expected = libinjection.case(path)
        kinds = [line[:1] for line in expected.split(b"\n") if line]
        if [token.kind.encode() for token in fold(Lexer(value))] != kinds:
            wrong.append(path.name)

    assert set(wrong) <= SKIPPED


@pytest.mark.parametrize("seed", range(4))
def test_libinjection_folds_to_the_same(seed: int):
    rng = random.Random(seed)
    for _ in range(2000):
        value, quote = libinjection.made(rng, WORDS, 0.9), rng.choice((b"", b"", b"'", b'"'))
        is_mysql = rng.random() < 0.3

        ours = told(fold(Lexer(value, quote, is_mysql=is_mysql)))

        assert ours == libinjection.folded(value, quote, is_mysql=is_mysql), value


def test_a_long_list_is_one_value():
    for listed in (b"1, 2.5, 3", b"1, 'a', \"b\"", b"1,'it''s',2", b"1, 'a\\'b', 2"):
        value = b",".join([listed] * 200)
        assert [token.kind for token in fold(Lexer(value))] == (
            [kind for kind, *_ in libinjection.folded(value)]
        )
