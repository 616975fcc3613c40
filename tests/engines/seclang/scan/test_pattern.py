"""Patterns are read as PCRE reads them, and written so that every library means the same."""

import re

import pytest

from troth.engines.seclang.scan import pattern, text, tree
from troth.engines.seclang.scan.rx import rx


def found(argument: str, value: bytes) -> tuple[bytes, ...] | None:
    return rx(argument)(value)


# Each was asked of libmodsecurity 3.0.15.
@pytest.mark.parametrize(
    ("argument", "value", "holds"),
    [
        (r"^b$", b"a\nb\nc", True),
        (r"a.b", b"a\nb", True),
        (r"^a$", b"a\n", True),
        (r"^$", b"a\nb", False),
        (r"^$", b"a\n", False),
        (r"^$", b"a\n\n", True),
        (r"^$", b"", True),
        (r"\x5cu", b"\\u", True),
        (r"a\z", b"a\n", False),
        (r"a\Z", b"a\n", True),
        (r"A", b"a", False),
        (r"(?i)A", b"a", True),
        (r"[^a]", "\xe9".encode(), True),
        (r"^..$", "\xe9".encode(), True),
        ("^[\xe9]$", "\xe9".encode(), False),
        ("^[\xe9]{2}$", "\xe9".encode(), True),
        (r"\h", b"\t", True),
        (r"\s", b"\x0b", True),
        (r"^\R$", b"\r\n", True),
        (r"[[:^alpha:]]", b"1", True),
        (r"(?i)\xe9", b"\xc9", False),
        (r"a(?i)b", b"aB", True),
        (r"a(?i)b", b"AB", False),
        (r"(?i:a)b", b"Ab", True),
        (r"(?i:a)b", b"AB", False),
        (r"\x{41}\101\cA", b"AA\x01", True),
        (r"\Qa.b\E+", b"a.bb", True),
        (r"\Qa.b\E+", b"axb", False),
        (r"[\]a]", b"]", True),
        (r"[]a]", b"]", True),
        (r"[a\-z]", b"b", False),
        (r"[\w-]", b"-", True),
        (r"[^\S]", b"\x0b", True),
        (r"a{2}", b"aa", True),
        (r"a{,2}", b"a{,2}", True),
        (r"a++b", b"aab", True),
        (r"(?>a+)b", b"aab", True),
        (r"(?x) a b # c", b"ab", True),
        (r"<\?(?!xml)", b"<?php", True),
        (r"<\?(?!xml)", b"<?xml", False),
        (r"(?<!&amp|&ap);", b"&amp; x", False),
        (r"(?<!&amp|&ap);", b"&a; x", True),
        (r"\b(\w+)\b=\1", b"1=1", True),
        (r"\b(\w+)\b=\1$", b"a=b", False),
    ],
)
def test_what_holds(argument: str, value: bytes, holds: bool):
    assert (found(argument, value) is not None) is holds


def test_captures_are_given_and_those_that_took_no_part_are_empty():
    assert found(r"(a)(b)?(c)", b"xac") == (b"ac", b"a", b"", b"c")


def test_at_most_nine_groups_are_kept():
    answer = found("(a)" * 12, b"a" * 12)

    assert answer is not None
    assert len(answer) == 10


@pytest.mark.parametrize(
    "argument",
    [
        "(",
        ")",
        "a**b(",
        "[a",
        "*a",
        "a{3,2}",
        "[z-a]",
        r"\p{L}",
        r"\k<no>",
        "(?P>x)",
        "(?|a)",
        r"\x{100}",
    ],
)
def test_what_is_no_pattern_is_refused(argument: str):
    with pytest.raises(ValueError, match=r"."):
        rx(argument)


def test_nesting_and_length_have_limits():
    with pytest.raises(pattern.PatternError, match="nested deeper"):
        pattern.read("(" * 200 + ")" * 200)
    with pytest.raises(pattern.PatternError, match="longer than"):
        pattern.read("a" * 70_000)


def test_what_could_take_exponential_time_beside_a_look_is_refused():
    with pytest.raises(ValueError, match="repetitions within repetitions"):
        rx(r"(?:a+)+(?!b)")


def test_a_flood_of_lookalikes_is_taken_for_a_match():
    assert found(r"<\?(?!xml)", b"<?xml" * 64) is None
    assert found(r"<\?(?!xml)", b"<?xml" * 66) is not None


def test_the_same_tree_means_the_same_to_re_and_to_re2():
    for argument in (r"(?i)ab[c-f]+\b", r"^\s*x|y$", r"\d{2,4}[^\w\s]?", r"a.?b\Z"):
        node = pattern.read(argument)
        ours, theirs = rx(argument), re.compile(text.python(node), re.MULTILINE)
        for value in (b"ABCdef x", b" \x0bx", b"q\ny", b"12345!", b"a\nb\n", b"AB\xe9"):
            assert (ours(value) is not None) == (theirs.search(value) is not None)


def test_what_is_found_everywhere_is_known():
    assert tree.takes_all(pattern.read("a*"))
    assert tree.takes_all(pattern.read("x|"))
    assert not tree.takes_all(pattern.read("^a*"))
    assert not tree.takes_all(pattern.read("a"))
