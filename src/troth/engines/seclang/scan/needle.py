"""One thing to look for, whoever asks: a pattern, a set of phrases, or an operator of any kind."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

from troth.engines.seclang.scan import pattern, required, text, tree
from troth.engines.seclang.scan.rx import compiled, is_found
from troth.engines.seclang.scan.test import Test
from troth.engines.seclang.scan.tree import Node

PATTERNS = frozenset({"rx", "pm", "pmf", "pmfromfile"})
_BLANK = b" \t\r\n"

Gate = Callable[[bytes], object]


@dataclass(frozen=True)
class Needle:
    """What to look for, with all that is known of it before any value is seen.

    Args:
        node: a pattern's tree; None for phrases and operators.
        phrases: of `@pm`, lower case, distinct; None otherwise.
        find: of an operator that is neither.
        sign, flood: as in Test.
    """

    node: Node | None = None
    phrases: tuple[bytes, ...] | None = None
    find: Callable[[bytes], object] | None = None
    sign: bytes = b""
    flood: bytes = b""

    @property
    def is_scanned(self) -> bool:
        """Whether a database may hold it."""
        return bool(self.sign) if self.find is not None else not self.is_constant

    @property
    def is_signed(self) -> bool:
        """An operator that is asked where its sign is."""
        return self.find is not None and bool(self.sign)

    @cached_property
    def is_constant(self) -> bool:
        """Found everywhere (a pattern of which nothing is needed) or nowhere (no phrase)."""
        if self.node is not None:
            return tree.takes_all(self.node)
        return self.phrases == ()

    @cached_property
    def clause(self) -> frozenset[bytes]:
        """Literals, one of which is in each (lower-case) value with a match; empty: unknown."""
        if self.node is not None:
            return required.clause(self.node) or frozenset()
        return frozenset(self.phrases or ())

    @cached_property
    def expression(self) -> bytes:
        """For Hyperscan; of a pattern that looks around, the one that is found wherever it is."""
        if self.node is None:
            return self.sign
        if tree.is_regular(self.node):
            return text.regular(self.node, captures=False)
        return text.superset(self.node)

    @cached_property
    def is_exact(self) -> bool:
        """Whether its expression means the same as it."""
        if self.node is None:
            return self.find is None
        return tree.is_regular(self.node)

    @cached_property
    def gate(self) -> Gate | None:
        """A cheap question of a lower-case value: when it says no, there is nothing to find."""
        if not self.clause:
            return None
        if required.is_single_bytes(self.clause):
            chars = tree.bits(b"".join(self.clause))
            return re.compile(text.char_set(chars).encode()).search
        if len(self.clause) == 1:
            (literal,) = self.clause
            return lambda value: literal in value
        return None

    @cached_property
    def search(self) -> Callable[[bytes], object]:
        """Whether it is in a value, on RE2 alone; built when first asked for."""
        if self.find is not None:
            return self.find
        if self.node is not None:
            return (lambda _value: True) if self.is_constant else is_found(self.node)
        if not self.phrases:
            return lambda _value: False
        match = compiled(b"|".join(map(quoted, self.phrases))).search
        return lambda value: match(value.lower())


def quoted(phrase: bytes) -> bytes:
    """A literal in the notation of RE2 and Hyperscan."""
    return b"".join(text.char_set(1 << byte).encode() for byte in phrase)


def needle(test: Test, data: Mapping[str, bytes]) -> Needle:
    """What a test looks for.

    Raises:
        ValueError: no pattern, no data file, or an operator that nobody gave.
    """
    if test.operator not in PATTERNS:
        if test.find is None:
            raise ValueError(f"@{test.operator} is not looked for by a scan")
        return Needle(find=test.find, sign=test.sign, flood=test.flood)
    if test.operator == "rx":
        return Needle(node=pattern.read(test.argument))
    if test.operator == "pm":
        found = test.argument.encode("utf-8", "surrogateescape").split()
    else:
        found = [line for name in test.argument.split() for line in _lines(name, data)]
    return Needle(phrases=tuple(sorted({phrase.lower() for phrase in found})))


def _lines(name: str, data: Mapping[str, bytes]) -> list[bytes]:
    content = data.get(name.rpartition("/")[2])
    if content is None:
        raise ValueError(f"no data file {name!r}")
    lines = (line.strip(_BLANK) for line in content.splitlines())
    return [line for line in lines if line and not line.startswith(b"#")]
