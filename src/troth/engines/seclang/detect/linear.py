"""Patterns that are only asked whether and where they match: `re` for short values, RE2 for longer.

`re` is quicker for a few bytes; RE2 reads 64 KB in a quarter of a millisecond whatever the pattern,
and cannot be made to backtrack. A pattern that looks around is no regular language: it stays with
`re`, and whoever writes one bounds its repetitions.
"""

import re
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

import re2

# Where RE2's fixed cost (1 us) is less than what `re` takes for an alternation.
SHORT_BYTES = 40
_MEMORY = 32 << 20  # of a pattern's automata; the largest here takes a tenth


class Matched(Protocol):
    """What `re.Match` and RE2's matches have in common."""

    def start(self, group: int = 0, /) -> int:
        """Where it begins."""
        ...

    def end(self, group: int = 0, /) -> int:
        """Where it ends."""
        ...


Search = Callable[[bytes], Matched | None]


class Linear:
    """A pattern over bytes; `search(value)` as `re.Pattern.search`."""

    __slots__ = ("_long", "_short")

    def __init__(self, pattern: bytes) -> None:
        self._short: Search = re.compile(pattern).search
        self._long: Search = self._short
        options = re2.Options()
        options.encoding = re2.Options.Encoding.LATIN1
        options.log_errors = False
        options.max_mem = _MEMORY
        with suppress(re2.error):  # it looks around
            self._long = re2.compile(pattern, options).search

    def search(self, value: bytes) -> Matched | None:
        """The first match, or None."""
        return (self._short if len(value) <= SHORT_BYTES else self._long)(value)
