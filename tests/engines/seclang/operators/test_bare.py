"""Grammars that need a sign find nothing in words, so that a scan need not ask them."""

import random
import re
from pathlib import Path

import pytest

from troth.engines.seclang import detect
from troth.engines.seclang.detect import layers
from troth.engines.seclang.operators.grammar import OF_WORDS, OPERATORS

SHARED = Path(__file__).parents[5] / "shared" / "corpora"
SIGNS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-"


def bare_values() -> list[bytes]:
    """Every word that a grammar's own source knows, words of attacks, chains of them, and noise."""
    files = [*Path(detect.__file__).parent.glob("*.py"), *SHARED.glob("payloads/*/*.txt")]
    words = sorted({w for file in files for w in re.findall(rb"[\w.-]+", file.read_bytes())})
    dice = random.Random(7)
    chains = [
        b"".join(dice.choice(words)[:12] + dice.choice((b"-", b".", b"_")) for _ in range(3))
        for _ in range(3000)
    ]
    noise = [bytes(dice.choices(SIGNS + b"..--__", k=dice.randint(1, 12))) for _ in range(3000)]
    dots = [
        b".",
        b"..",
        b"...",
        b"-",
        b"--",
        b"_",
        b"..-..",
        b".htaccess",
        b"web.config",
        b"id_rsa",
    ]
    return [value for value in (*words, *chains, *noise, *dots) if layers.is_bare(value)]


@pytest.fixture(scope="module")
def values() -> list[bytes]:
    return bare_values()


def test_there_is_enough_to_ask(values: list[bytes]):
    assert len(values) > 4000


@pytest.mark.parametrize("name", sorted(set(OPERATORS) - OF_WORDS))
def test_no_word_is_an_attack(name: str, values: list[bytes]):
    find = OPERATORS[name]("", {})

    assert [value for value in values if find(value) is not None] == []


@pytest.mark.parametrize("name", sorted(OF_WORDS))
def test_some_words_are(name: str, values: list[bytes]):
    find = OPERATORS[name]("", {})

    known = (b"-1union", b"systeminfo", b"..0x2f..0x2f..0x2fboot.ini", b"java.lang.Runtime")
    assert any(find(value) is not None for value in (*values, *known))
