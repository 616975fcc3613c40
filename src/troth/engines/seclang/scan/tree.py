"""A pattern as a tree: what it says of bytes, with the notation's shorthands and case resolved.

A single byte's possibilities are a set of 256 bits in an int, so that complement, union and case
folding are arithmetic, and so that no library's idea of space or of case gets a word in.
"""

from dataclasses import dataclass

ANY = (1 << 256) - 1


def bits(text: bytes) -> int:
    """The set of these bytes."""
    made = 0
    for byte in text:
        made |= 1 << byte
    return made


def span(first: int, last: int) -> int:
    """The set of the bytes from `first` to `last`, both included."""
    return ((1 << (last - first + 1)) - 1) << first


def members(chars: int) -> bytes:
    """The bytes of a set, in order."""
    return bytes(byte for byte in range(256) if chars >> byte & 1)


UPPER = span(0x41, 0x5A)
LOWER = span(0x61, 0x7A)


def folded(chars: int) -> int:
    """With both cases of each ASCII letter; other bytes have no case (PCRE in the C locale)."""
    return chars | (chars & UPPER) << 32 | (chars & LOWER) >> 32


DIGIT = span(0x30, 0x39)
WORD = DIGIT | UPPER | LOWER | bits(b"_")
# PCRE since 8.34 counts the vertical tab (pcrepattern(3)); RE2 does not.
SPACE = bits(b"\t\n\x0b\x0c\r ")
HORIZONTAL = bits(b"\t \xa0")
VERTICAL = bits(b"\n\x0b\x0c\r\x85")


@dataclass(frozen=True, slots=True)
class Chars:
    """One byte out of a set."""

    chars: int


@dataclass(frozen=True, slots=True)
class Seq:
    """One after another; of none: the empty string."""

    items: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Alt:
    """One or another."""

    items: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    """`least` to `most` times (None: no bound); `mode` is empty, `lazy` or `possessive`."""

    item: "Node"
    least: int
    most: int | None
    mode: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """A capture, numbered from 1 in the order of its opening parenthesis."""

    item: "Node"
    number: int


@dataclass(frozen=True, slots=True)
class Atomic:
    """What is taken whole or not at all."""

    item: "Node"


@dataclass(frozen=True, slots=True)
class Edge:
    """A place and no byte: `^ $` (of a line), `A z Z` (of the value), `b B` (of a word)."""

    kind: str


@dataclass(frozen=True, slots=True)
class Look:
    """What must, or must not, stand before or after a place."""

    item: "Node"
    is_behind: bool
    is_negative: bool


@dataclass(frozen=True, slots=True)
class Same:
    """What a capture took, again."""

    number: int
    is_caseless: bool


Node = Chars | Seq | Alt | Repeat | Group | Atomic | Edge | Look | Same
EMPTY = Seq(())


def parts(node: Node) -> tuple[Node, ...]:
    """The nodes right below a node."""
    if isinstance(node, Seq | Alt):
        return node.items
    if isinstance(node, Repeat | Group | Atomic | Look):
        return (node.item,)
    return ()


def is_regular(node: Node) -> bool:
    """Whether it can be said without looking around or back: RE2's and Hyperscan's language."""
    return not isinstance(node, Look | Same) and all(map(is_regular, parts(node)))


def has_edge(node: Node, kind: str) -> bool:
    """Whether an edge of this kind is in it."""
    if isinstance(node, Edge):
        return node.kind == kind
    return any(has_edge(part, kind) for part in parts(node))


def takes_all(node: Node) -> bool:
    """Whether it is found in every value: the empty string will do, wherever it stands."""
    if isinstance(node, Seq):
        return all(map(takes_all, node.items))
    if isinstance(node, Alt):
        return any(map(takes_all, node.items))
    if isinstance(node, Repeat):
        return node.least == 0 or takes_all(node.item)
    if isinstance(node, Group | Atomic):
        return takes_all(node.item)
    return False


def star_height(node: Node) -> int:
    """How deep unbounded repetitions are nested; two and more may cost exponential time."""
    below = max(map(star_height, parts(node)), default=0)
    return below + (isinstance(node, Repeat) and node.most is None)
