"""What every match of a pattern must contain: the cheap question before the expensive one.

The answer is a clause: a set of lower-case literals, one of which at least stands in the value
(its ASCII letters made small) wherever the pattern is found. Sound by construction: where nothing
is known, there is no clause. In the manner of Cox, "Regular Expression Matching with a Trigram
Index" (2012), with whole literals for trigrams.
"""

from dataclasses import dataclass
from itertools import product

from troth.engines.seclang.scan import tree
from troth.engines.seclang.scan.tree import Alt, Atomic, Chars, Group, Node, Repeat, Seq

Clause = frozenset[bytes]

MAX_SET = 48  # possibilities of one byte: enough for what starts a shell command
MAX_EXACT = 96  # strings that a part of a pattern is enumerated to
MAX_CLAUSE = 512  # literals of a clause
MAX_LENGTH = 24  # of a literal

_NOTHING = frozenset((b"",))


@dataclass(frozen=True, slots=True)
class _Known:
    """Of a part: all the strings it can be (None: too many), or else the best clause known."""

    exact: frozenset[bytes] | None
    clause: Clause | None = None


_UNKNOWN = _Known(None)


def clause(node: Node) -> Clause | None:
    """The best clause of a pattern; None when nothing is known that every match contains."""
    found = _best(_known(node))
    if found is None:
        return None
    return frozenset(one for one in found if not any(o in one for o in found if o != one))


def is_single_bytes(found: Clause) -> bool:
    """Whether the clause asks for one byte out of a set."""
    return bool(found) and all(len(literal) == 1 for literal in found)


def _best(known: _Known) -> Clause | None:
    if known.exact is not None:
        usable = known.exact and b"" not in known.exact and len(known.exact) <= MAX_CLAUSE
        return known.exact if usable else None
    return known.clause


# How often a byte stands at a given place of ordinary traffic, roughly; only ratios matter.
_OFTEN = dict.fromkeys(b"abcdefghijklmnopqrstuvwxyz", 0.03)
_OFTEN |= dict.fromkeys(b"0123456789 ", 0.02) | dict.fromkeys(b"-_./=&,:+", 0.01)


def _chance(literal: bytes) -> float:
    chance = 1.0
    for byte in literal:
        chance *= _OFTEN.get(byte, 0.002)
    return chance


def _worth(found: Clause) -> float:
    """How much a clause rules out: what is rare is worth most."""
    return -sum(map(_chance, found))


def _better(one: Clause | None, other: Clause | None) -> Clause | None:
    if one is None or other is None:
        return one or other
    return one if _worth(one) >= _worth(other) else other


def _known(node: Node) -> _Known:  # noqa: PLR0911 -- one for each kind of node
    if isinstance(node, Chars):
        return _chars(node)
    if isinstance(node, Seq):
        return _sequence(node.items)
    if isinstance(node, Alt):
        return _alternatives(node.items)
    if isinstance(node, Group | Atomic):
        return _known(node.item)
    if isinstance(node, Repeat):
        return _repeat(node)
    if isinstance(node, tree.Same):
        return _UNKNOWN
    return _Known(_NOTHING)  # an edge or a look takes no byte


def _chars(node: Chars) -> _Known:
    found = frozenset(bytes((byte,)).lower() for byte in tree.members(node.chars))
    return _Known(found) if 0 < len(found) <= MAX_SET else _UNKNOWN


def _repeat(node: Repeat) -> _Known:
    inner = _known(node.item)
    if node.most == 1 and inner.exact is not None and len(inner.exact) < MAX_EXACT:
        return _Known(inner.exact if node.least else inner.exact | _NOTHING)
    if node.least == 0:
        return _UNKNOWN
    if node.least == node.most and node.least * isinstance(node.item, Chars) in range(1, 9):
        return _sequence((node.item,) * node.least)
    return _Known(None, _best(inner))


def _sequence(items: tuple[Node, ...]) -> _Known:
    """Strings that stand side by side are joined as long as they stay few."""
    run, best, is_exact = _NOTHING, None, True
    for item in items:
        known = _known(item)
        joined = None if known.exact is None else _joined(run, known.exact)
        if joined is not None:
            run = joined
            continue
        is_exact = False
        best = _better(_better(best, _best(_Known(run))), _best(known))
        run = _NOTHING if known.exact is None else known.exact
    if is_exact:
        return _Known(run)
    return _Known(None, _better(best, _best(_Known(run))))


def _joined(one: frozenset[bytes], other: frozenset[bytes]) -> frozenset[bytes] | None:
    if len(one) * len(other) > MAX_EXACT:
        return None
    made = frozenset(a + b for a, b in product(one, other))
    return made if max(map(len, made), default=0) <= MAX_LENGTH else None


def _alternatives(items: tuple[Node, ...]) -> _Known:
    """All the strings of all the ways; or one literal of each way's own clause."""
    all_known = [_known(item) for item in items]
    exacts = [known.exact for known in all_known]
    if all(exact is not None for exact in exacts):
        strings: frozenset[bytes] = frozenset().union(*(exact or () for exact in exacts))
        if len(strings) <= MAX_CLAUSE:
            return _Known(strings)
    clauses = [_best(known) for known in all_known]
    if any(found is None for found in clauses):
        return _UNKNOWN
    literals: frozenset[bytes] = frozenset().union(*(found or () for found in clauses))
    return _Known(None, literals) if len(literals) <= MAX_CLAUSE else _UNKNOWN
