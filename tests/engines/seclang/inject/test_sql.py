"""SQL injected into a value, as libinjection sees it."""

import random
import sys
from pathlib import Path
from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from troth.engines.seclang.inject import sql
from troth.engines.seclang.scan.database import single

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1]))

import libinjection
from test_sqlfold import WORDS
from test_sqltokens import CASES, PARTS


@pytest.mark.shared
def test_the_public_cases():
    cases = sorted(CASES.glob("test-sqli-*.txt"))
    if not cases:
        pytest.skip("no cases in ../shared")
    wrong = []
    for path in cases:
        value, expected = libinjection.case(path)
        if (sql.find(value) or "").encode() != expected:
            wrong.append(path.name)

    assert wrong == []


@pytest.mark.shared
def test_the_public_attacks_are_judged_as_libinjection_does():
    files = sorted((CASES.parent / "data").glob("sqli-*.txt"))
    if not files:
        pytest.skip("no attacks in ../shared")
    values = [
        unquote_to_bytes(line.replace(b"+", b" "))
        for file in files
        for line in file.read_bytes().splitlines()
    ]

    assert [v for v in values if sql.find(v) != libinjection.sqli(v)] == []


@pytest.mark.parametrize("seed", range(4))
def test_libinjection_says_the_same(seed: int):
    rng = random.Random(seed)
    for _ in range(2000):
        parts, blank = (PARTS, 0.4) if rng.random() < 0.3 else (WORDS, 0.9)
        before = rng.choice((b"", b"", b"1", b"'", b'"', b"x' ", b"1) "))
        value = before + libinjection.made(rng, parts, blank)

        assert sql.find(value) == libinjection.sqli(value), value


def test_nothing_is_found_without_the_sign():
    is_signed, rng = single(sql.SIGN), random.Random(5)
    values = [libinjection.made(rng, WORDS, 0.9) for _ in range(6000)]

    assert is_signed is not None
    assert [v for v in values if not is_signed(v) and sql.find(v) is not None] == []
    assert not any(map(is_signed, (b"hello", b"2026-11-21", b"a=b", b"The fox jumps high.")))


@pytest.mark.parametrize(
    "value",
    [b"", b"hello", b"1 union", b"O'Reilly", b"salt and pepper", b"1-2", b"2026-11-21", b"a--b"],
)
def test_what_people_write(value: bytes):
    assert sql.find(value) is None


@pytest.mark.parametrize(
    ("value", "fingerprint"),
    [
        (b"1' or '1'='1", "s&sos"),
        (b"1 union select 1,2,3 from users--", "1UE1k"),
        (b'x" or 1=1 --', "s&1c"),
        (b"1 /*! or */", "X"),
        (b"1 or 1=1 #", "1&1c"),
        (b"foo' -- sp_password", "sc"),
    ],
)
def test_attacks(value: bytes, fingerprint: str):
    assert sql.find(value) == fingerprint == libinjection.sqli(value)


@settings(max_examples=80, deadline=None)
@given(value=st.binary(max_size=60))
def test_any_bytes_are_judged_alike(value: bytes):
    assert sql.find(value) == libinjection.sqli(value)


@pytest.mark.parametrize(
    "part",
    [b"1,", b"'a' ", b"((", b"+", b"/**/", b"int ", b"\\", b"#", b"1e ", b"''", b"and "],
)
def test_a_value_without_end_is_cut_short(part: bytes):
    assert sql.find(part * 60_000) in {None, "X"}


def test_a_value_too_long_to_read_is_one_where_it_could_be():
    assert sql.find(b"+1" * 3000) is None
    assert sql.find(b"+1" * 3000 + b" union select 1") == "X"
