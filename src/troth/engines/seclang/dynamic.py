"""Operators whose argument holds a macro, so that it is known only as a request runs.

Each is a question about a value and an argument. Numbers are read as libmodsecurity 3 reads them:
leading digits, 0 where there are none.
"""

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType

Question = Callable[[bytes, bytes], bool]

_NUMBER = re.compile(rb"[ \t\n\v\f\r]*([+-]?\d{1,18})")
_WORD = re.compile(rb"\w")


def number(value: bytes) -> int:
    """What C's `atoll` reads: leading white space, a sign, digits; 0 where there are none."""
    found = _NUMBER.match(value)
    return int(found[1]) if found else 0


def _contains_word(value: bytes, word: bytes) -> bool:
    place = value.find(word) if word else 0
    while place >= 0 and word:
        before, after = value[place - 1 : place] if place else b"", value[place + len(word) :][:1]
        if not _WORD.match(before) and not _WORD.match(after):
            return True
        place = value.find(word, place + 1)
    return not word


QUESTIONS: Mapping[str, Question] = MappingProxyType(
    {
        "eq": lambda value, other: number(value) == number(other),
        "ge": lambda value, other: number(value) >= number(other),
        "gt": lambda value, other: number(value) > number(other),
        "le": lambda value, other: number(value) <= number(other),
        "lt": lambda value, other: number(value) < number(other),
        "streq": lambda value, other: value == other,
        "within": lambda value, other: value in other,
        "contains": lambda value, other: other in value,
        "strmatch": lambda value, other: other in value,
        "beginswith": lambda value, other: value.startswith(other),
        "endswith": lambda value, other: value.endswith(other),
        "containsword": _contains_word,
    }
)

# Built anew for each argument that comes up; the last few are kept.
BUILT = frozenset({"rx", "pm", "ipmatch", "validatebyterange"})
DYNAMIC = frozenset(QUESTIONS) | BUILT
