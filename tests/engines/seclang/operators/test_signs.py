"""Where a sign is missing nothing is found, so that a scan need not ask the grammar."""

import random
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from troth.engines.seclang import detect
from troth.engines.seclang.detect.layers import forms, is_flood
from troth.engines.seclang.operators.grammar import FLOODS, OPERATORS, SIGN_OF
from troth.engines.seclang.scan.database import single

SHARED = Path(__file__).parents[5] / "shared" / "corpora"
BYTES = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-"
MARKS = b" /\\'\"`()[]{}<>|&;:=!?*+-%$#@,.~^\n\r\t\0\xa0\xc3\xe5\xff"
KNOWN = (
    b"-1union", b"systeminfo", b"..0x2f..0x2f..0x2fboot.ini", b"java.lang.Runtime", b"/etc/hosts:",
    b"/etc//passwd", b"/proc//self/environ", b"ysoserial", b"a=1 onclick = alert(1)", b"*(|",
    b"c:/windows/win.ini", b"//host/c$", b"data:text/plain,<?", b"a1 login b", b"/ls /etc",
    b"<a href=jav\nascr ipt:alert(1)>", b"'-alert(1)-'", b"query { __schema { x } }",
)  # fmt: skip


def values() -> list[bytes]:
    """Attacks and their parts, every word that a grammar's own source knows, and noise."""
    dice = random.Random(7)
    sources = sorted(Path(detect.__file__).parent.glob("*.py"))
    words = sorted({w for file in sources for w in re.findall(rb"[\w.:-]+", file.read_bytes())})
    attacks = [
        line
        for file in sorted(SHARED.glob("payloads/*/*.txt"))
        for line in file.read_bytes().splitlines()
        if line
    ]
    attacks = dice.sample(attacks, min(len(attacks), 1500))
    cut = [line[dice.randint(0, len(line) // 2) :] for line in attacks]
    mixed = [
        b"".join(
            dice.choice(words)[:14] + bytes(dice.choices(MARKS, k=dice.randint(0, 2)))
            for _ in range(dice.randint(1, 5))
        )
        for _ in range(2000)
    ]
    noise = [bytes(dice.choices(BYTES + MARKS * 2, k=dice.randint(1, 12))) for _ in range(1500)]
    long = [b"The court is wet. " * 80 + line for line in attacks[::20]]
    floods = [(bytes(dice.choices(MARKS, k=2)) + dice.choice(words)) * 700 for _ in range(30)]
    floods += [bytes((mark,)) * 3000 for mark in MARKS] + [b"%ca " % mark * 1500 for mark in MARKS]
    return [*KNOWN, *words, *attacks, *cut, *mixed, *noise, *long, *floods]


@pytest.fixture(scope="module")
def asked() -> list[tuple[bytes, tuple[bytes, ...]]]:
    """Values with their forms."""
    return [(v, tuple(form.text for form in forms(v)) or (v,)) for v in dict.fromkeys(values())]


@pytest.fixture(scope="module")
def signs() -> dict[str, Callable[[bytes], bool]]:
    made = {name: single(sign) for name, sign in SIGN_OF.items()}
    assert None not in made.values()
    return {name: sign for name, sign in made.items() if sign is not None}


def test_every_grammar_has_one():
    assert set(SIGN_OF) == set(OPERATORS)


@pytest.mark.parametrize("name", sorted(OPERATORS))
def test_nothing_is_found_without_a_sign(name, asked, signs):
    find, is_signed = OPERATORS[name]("", {}), signs[name]
    marks = FLOODS.get(name, b"")

    missed = [
        value
        for value, texts in asked
        if not any(is_signed(text) or is_flood(text, marks) for text in texts)
        and find(value) is not None
    ]

    assert missed == []


@pytest.mark.parametrize("name", sorted(set(OPERATORS) - {"detectsql"}))
def test_a_word_has_none(name, signs):
    assert not any(map(signs[name], (b"12", b"beginner", b"2026-11-23", b"x_y", b"slot.viewed")))
