"""JSON (RFC 8259), as names and values: `json.a.b`, `json.list.array_0`, as ModSecurity v3 names.

Duplicate keys are kept, both; numbers stay as they are written; `true` and `false` are themselves,
`null` is empty; an empty name is `empty-key`; empty lists and objects are nothing.
"""

import json
import re
from itertools import islice

from troth.engines.seclang.bodies import charset
from troth.engines.seclang.model import Limits, Parts

# One without an end goes to the end, so that no place is looked at twice.
_STRING = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)', re.DOTALL)
_NAME_BYTES = 1 << 16
_Node = object  # str | bool | None | list[_Node] | tuple[tuple[str, _Node], ...]


class _TooMany(Exception):  # noqa: N818 -- never leaves this file
    """A limit was passed; its name is the argument."""


def _constant(name: str) -> str:
    raise ValueError(f"{name} is no JSON")


_decode = json.JSONDecoder(
    object_pairs_hook=tuple,
    parse_float=str,
    parse_int=str,
    parse_constant=_constant,
).decode


def parse(body: bytes, content_type: bytes, limits: Limits) -> Parts:
    """The leaves of a JSON text; of a broken one its strings, all named `json.broken`."""
    if len(body) > limits.body:
        return Parts(limit="body")
    if not body:
        return Parts()
    name, mark = charset.wide_name(body)
    text = charset.decoded(body[mark:] if mark else body, name)
    if text is None:
        return Parts(error=f"JSON: not {name}")
    leaves = _Leaves(limits, len(body))
    error = limit = ""
    try:
        leaves.add("json", _whole(text, limits), limits.depth)
        error = charset.complaint(content_type, is_wide=name != "utf-8")
    except _TooMany as passed:
        limit = str(passed)
    except ValueError as wrong:
        error = f"JSON: {getattr(wrong, 'msg', wrong)}"
        leaves.salvage(text)
    return Parts(arguments=tuple(leaves.found), error=error, limit=limit)


def _whole(text: str, limits: Limits) -> _Node:
    # Elements are parted by commas: counting those outside of strings is far cheaper than parsing.
    most = limits.arguments
    if text.count(",") >= most and _STRING.sub("", text).count(",") >= most:
        raise _TooMany("arguments")
    try:
        return _decode(text)
    except RecursionError:
        raise _TooMany("depth") from None


class _Leaves:
    """Names and values found so far.

    Names repeat the names above them, so a long name above many leaves would make much out of
    little: all names together may have `_NAME_BYTES` and four times the body's bytes.
    """

    def __init__(self, limits: Limits, size: int) -> None:
        self.most = limits.arguments
        self.name_bytes = _NAME_BYTES + 4 * size
        self.found: list[tuple[bytes, bytes]] = []

    def add(self, path: str, node: _Node, depth: int) -> None:
        """A node and all below it."""
        if type(node) is str:
            self.leaf(path, node.encode("utf-8", "replace"))
        elif type(node) is tuple or type(node) is list:
            if not depth:
                raise _TooMany("depth")
            if type(node) is tuple:
                for key, child in node:
                    self.add(f"{path}.{key or 'empty-key'}", child, depth - 1)
            else:
                for number, child in enumerate(node):
                    self.add(f"{path}.array_{number}", child, depth - 1)
        else:
            self.leaf(path, b"" if node is None else b"true" if node else b"false")

    def leaf(self, path: str, value: bytes) -> None:
        """One argument."""
        name = path.encode("utf-8", "replace")
        self.name_bytes -= len(name)
        if self.name_bytes < 0:
            raise _TooMany("value")
        self.found.append((name, value))

    def salvage(self, text: str) -> None:
        """What a broken text says between quotes is looked at all the same."""
        self.found.clear()
        for found in islice(_STRING.finditer(text), self.most):
            try:
                value = str(_decode(found[0]))
            except ValueError:
                value = found[0]
            self.found.append((b"json.broken", value.encode("utf-8", "replace")))
