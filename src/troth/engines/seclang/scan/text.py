"""Write a tree in the notation of RE2, Hyperscan or Python's `re`; all three then mean the same.

Sets are written out byte by byte, so nothing depends on a library's flags but MULTILINE, for `^`
and `$`, and on its taking bytes as bytes (RE2: Latin-1; Hyperscan: no UTF8; `re`: a bytes pattern).
"""

from troth.engines.seclang.scan import tree
from troth.engines.seclang.scan.tree import (
    ANY,
    Alt,
    Atomic,
    Chars,
    Edge,
    Group,
    Look,
    Node,
    Repeat,
    Same,
    Seq,
)

_COUNTED = 1000  # the most RE2 repeats by number. Source: RE2's syntax, kMaxRepeat
_LOOKS = {(False, False): "(?=", (False, True): "(?!", (True, False): "(?<=", (True, True): "(?<!"}
_EDGES = {"^": "^", "$": "$", "A": r"\A", "z": r"\z", "Z": r"(?:\n?\z)", "b": r"\b", "B": r"\B"}
_PYTHON_EDGES = _EDGES | {"z": r"\Z", "Z": r"(?:\n?\Z)"}


class Inexpressible(ValueError):  # noqa: N818 -- said of the pattern
    """The notation has no word for it."""


def regular(node: Node, *, captures: bool = True) -> bytes:
    """For RE2 and Hyperscan. Possessive and atomic parts are written as plain ones.

    Without captures, what stands after a capture sees no difference; Hyperscan wants none.

    Raises:
        Inexpressible: it looks around or back, or repeats more than a thousand times.
    """
    return _Writer(captures=captures, is_python=False).write(node).encode("ascii")


def python(node: Node) -> bytes:
    """For `re` with MULTILINE: everything, captures in their places."""
    return _Writer(captures=True, is_python=True).write(node).encode("ascii")


def superset(node: Node) -> bytes:
    """A regular pattern that is found wherever this one is: it neither looks around nor back."""
    return regular(_without_looks(node), captures=False)


def char_set(chars: int) -> str:
    """One byte out of a set, as short as it goes."""
    if chars == ANY:
        return r"[\x00-\xff]"
    if not chars:
        return r"[^\x00-\xff]"
    if chars.bit_count() == 1:
        return _byte(chars.bit_length() - 1)
    is_most = chars.bit_count() > ANY.bit_count() // 2
    ranges, shown = "", ANY ^ chars if is_most else chars
    while shown:
        first = (shown & -shown).bit_length() - 1
        run = shown >> first
        length = ((run + 1) & -(run + 1)).bit_length() - 1
        ranges += _byte(first) if length == 1 else f"{_byte(first)}-{_byte(first + length - 1)}"
        shown &= ~tree.span(first, first + length - 1)
    return f"[{'^' if is_most else ''}{ranges}]"


def _byte(value: int) -> str:
    text = chr(value)
    return text if text.isascii() and text.isalnum() else f"\\x{value:02x}"


class _Writer:
    def __init__(self, *, captures: bool, is_python: bool) -> None:
        self.captures = captures
        self.is_python = is_python

    def write(self, node: Node) -> str:  # noqa: PLR0911 -- one for each kind of node
        if isinstance(node, Chars):
            return char_set(node.chars)
        if isinstance(node, Seq):
            return "".join(
                f"(?:{self.write(item)})" if isinstance(item, Alt) else self.write(item)
                for item in node.items
            )
        if isinstance(node, Alt):
            return "|".join(map(self.write, node.items))
        if isinstance(node, Edge):
            return (_PYTHON_EDGES if self.is_python else _EDGES)[node.kind]
        if isinstance(node, Group):
            return f"({'' if self.captures else '?:'}{self.write(node.item)})"
        if isinstance(node, Repeat):
            return self.repeat(node)
        return self.irregular(node)

    def repeat(self, node: Repeat) -> str:
        inside = self.write(node.item)
        if not isinstance(node.item, Chars | Group):
            inside = f"(?:{inside})"
        if max(node.least, node.most or 0) > _COUNTED and not self.is_python:
            raise Inexpressible(f"repeats more than {_COUNTED} times")
        counts = {(0, None): "*", (1, None): "+", (0, 1): "?"}
        most = "" if node.most is None else node.most
        sign = counts.get((node.least, node.most), f"{{{node.least},{most}}}")
        if node.mode == "lazy":
            return f"{inside}{sign}?"
        if node.mode == "possessive" and self.is_python:
            return f"{inside}{sign}+"
        return inside + sign

    def irregular(self, node: Atomic | Look | Same) -> str:
        if isinstance(node, Atomic):
            return f"(?{'>' if self.is_python else ':'}{self.write(node.item)})"
        if not self.is_python:
            raise Inexpressible("looks around or back")
        if isinstance(node, Look):
            # `re` looks behind over one width only, so each way gets a look of its own.
            each = node.item.items if isinstance(node.item, Alt) and node.is_behind else [node.item]
            opening = _LOOKS[node.is_behind, node.is_negative]
            looks = [f"{opening}{self.write(item)})" for item in each]
            return f"(?:{('' if node.is_negative else '|').join(looks)})"
        return f"(?i:(?:\\{node.number}))" if node.is_caseless else f"(?:\\{node.number})"


def _without_looks(node: Node) -> Node:  # noqa: PLR0911 -- one for each kind of node
    if isinstance(node, Look):
        return tree.EMPTY
    if isinstance(node, Same):
        return Repeat(Chars(ANY), 0, None)
    if isinstance(node, Seq):
        return Seq(tuple(map(_without_looks, node.items)))
    if isinstance(node, Alt):
        return Alt(tuple(map(_without_looks, node.items)))
    if isinstance(node, Repeat):
        return Repeat(_without_looks(node.item), node.least, node.most)
    if isinstance(node, Group | Atomic):
        return _without_looks(node.item)
    return node
