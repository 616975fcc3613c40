"""The shapes of injections, against what libinjection says of every short sequence of words."""

import itertools
import sys
from pathlib import Path

import pytest

from troth.engines.seclang.inject import sql
from troth.engines.seclang.inject.sqlshapes import is_injection

sys.path.insert(0, str(Path(__file__).parents[1]))

import libinjection

# A word of each kind, and operators that fold in different ways.
WORDS = (
    b"FROM UNION HAVING SELECT INT CONCAT foo 1 @v 's' = * - AND COLLATE DROP ( ) { } . , : ; ?"
).split()


def test_every_sequence_of_three_words_is_judged_alike():
    wrong = [
        value
        for words in itertools.product(WORDS, repeat=3)
        for value in (b" ".join(words), b" ".join(words) + b" /**/")
        if sql.find(value) != libinjection.sqli(value)
    ]

    assert wrong == []


@pytest.mark.parametrize("fingerprint", ["1UE", "sos", "s&1", "1c", "nUE1n", "1;T;", "1oF(1", "X"])
def test_injections(fingerprint: str):
    assert is_injection(fingerprint)


@pytest.mark.parametrize("fingerprint", ["", "n", "nn", "nnn", "nnnnn", "1o1", "n(n)", "\0", "1?"])
def test_what_people_write(fingerprint: str):
    assert not is_injection(fingerprint)
