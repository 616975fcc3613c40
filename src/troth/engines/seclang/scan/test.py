"""What a scan is asked: one operator of one rule, and the values it concerns."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Test:
    """One operator of one rule, as far as it depends on nothing but a value.

    Args:
        number: what a scan answers with; the plan's own, unique in a scanner, from 0, dense enough
            to index a list with.
        operator: `rx`, `pm`, `pmf`, `pmfromfile`, or any other name when `find` is given.
        argument: its text, without macros; for `pm` the phrases, parted by white space; for
            `pmfromfile` the names of files in `data`.
        chain: names of transformations in order, lower case, without `t:` and without `none`.
        is_negated: it holds where the operator does not match.
        every_stage: `multiMatch`: the value before, between and after the transformations.
        spaces: classes of variables whose values are asked; free words of the plan, as `ARGS`,
            `REQUEST_HEADERS:user-agent`.
        sign: an expression that matches one of a value's forms (`detect.layers.forms`) wherever
            `find` finds anything in the value; empty: there is none.
        flood: marks of which a value with more than `detect.layers.MANY` is a find by itself.
        find: the operator itself, when it is not one of patterns: anything but None or False is
            a match. It must be pure.
    """

    __test__ = False  # for pytest: no test of its own

    number: int
    operator: str
    argument: str = ""
    chain: tuple[str, ...] = ()
    is_negated: bool = False
    every_stage: bool = False
    spaces: frozenset[str] = frozenset()
    sign: bytes = b""
    flood: bytes = b""
    find: Callable[[bytes], object] | None = None


class Prefilter(Protocol):
    """The tests of one space that hold for a value, as their numbers in rising order.

    Exact, not merely a superset: negation and `multiMatch` are worked in. Where a test counts (an
    empty value, a value longer than the memo keeps) nothing is left out. Pure.
    """

    def __call__(self, value: bytes, /) -> tuple[int, ...]:
        """For one raw value."""
        ...
