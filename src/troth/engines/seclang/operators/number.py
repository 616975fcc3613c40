"""Operators that compare numbers, read as C reads them: what is no number is 0."""

import operator
import re
from collections.abc import Callable, Mapping

from troth.engines.seclang.model import Found, OperatorFunction

_LEADING = re.compile(rb"[ \t\n\v\f\r]*([+-]?[0-9]{1,40})")
_FEW = 19  # digits that always fit
_INT_MAX = (1 << 31) - 1
_LONG_MAX = (1 << 63) - 1


def to_long(value: bytes) -> int:
    """C's atoll: leading white space, a sign, digits; clamped to 64 bits."""
    if value.isdigit() and len(value) < _FEW:
        return int(value)
    found = _LEADING.match(value)
    return max(-_LONG_MAX - 1, min(_LONG_MAX, int(found[1]))) if found else 0


def to_int(value: bytes) -> int:
    """C++'s stoi: what does not fit into 32 bits is no number, so 0 (as ModSecurity's `@eq`)."""
    number = to_long(value)
    return number if -_INT_MAX - 1 <= number <= _INT_MAX else 0


def _comparing(
    compare: Callable[[int, int], bool], read: Callable[[bytes], int]
) -> Callable[[str, Mapping[str, bytes]], OperatorFunction]:
    def build(argument: str, _data: Mapping[str, bytes]) -> OperatorFunction:
        wanted = read(argument.encode("utf-8", "surrogateescape"))

        def find(value: bytes) -> Found | None:
            return (value,) if compare(read(value), wanted) else None

        return find

    return build


equal = _comparing(operator.eq, to_int)
at_least = _comparing(operator.ge, to_long)
at_most = _comparing(operator.le, to_long)
greater = _comparing(operator.gt, to_long)
less = _comparing(operator.lt, to_long)
