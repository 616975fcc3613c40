"""JSON (RFC 8259), as names and values: `json.a.b`, `json.list.array_0`, as ModSecurity v3 names.

Duplicate keys are kept, both; numbers stay as they are written; `true` and `false` are themselves,
`null` is empty; an empty name is `empty-key`; empty lists and objects are nothing.
"""

import json
import re

from troth.engines.seclang.bodies import charset
from troth.engines.seclang.model import Limits, Parts

_STRING = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_Node = object  # str | bool | None | list[_Node] | tuple[tuple[str, _Node], ...]


class _TooMany(Exception):  # noqa: N818 -- never leaves this file
    """A limit was passed; its name is the argument."""


class _Wrong(Exception):  # noqa: N818 -- never leaves this file
    """It is no JSON; why."""


def _constant(name: str) -> str:
    raise ValueError(f"{name} is no JSON")


_decode = json.JSONDecoder(
    object_pairs_hook=tuple,
    parse_float=str,
    parse_int=str,
    parse_constant=_constant,
).decode


def parse(body: bytes, content_type: bytes, limits: Limits) -> Parts:
    """The leaves of a JSON text."""
    if len(body) > limits.body:
        return Parts(limit="body")
    if not body:
        return Parts()
    out: list[tuple[bytes, bytes]] = []
    try:
        _leaves("json", _whole(body, limits), limits.depth, out)
    except _TooMany as passed:
        return Parts(arguments=tuple(out), limit=str(passed))
    except _Wrong as wrong:
        return Parts(error=str(wrong))
    return Parts(arguments=tuple(out), error=charset.complaint(content_type))


def _whole(body: bytes, limits: Limits) -> _Node:
    text = charset.decoded(body)
    if text is None:
        raise _Wrong("JSON that is not UTF-8")
    # Elements are parted by commas: counting those outside of strings is far cheaper than parsing.
    most = limits.arguments
    if text.count(",") >= most and _STRING.sub("", text).count(",") >= most:
        raise _TooMany("arguments")
    try:
        return _decode(text)
    except RecursionError:
        raise _TooMany("depth") from None
    except json.JSONDecodeError as error:
        raise _Wrong(f"JSON: {error.msg} at {error.pos}") from None
    except ValueError as error:
        raise _Wrong(f"JSON: {error}") from None


def _leaves(path: str, node: _Node, depth: int, out: list[tuple[bytes, bytes]]) -> None:
    if type(node) is str:
        out.append((path.encode("utf-8", "replace"), node.encode("utf-8", "replace")))
    elif type(node) is tuple:
        if not depth:
            raise _TooMany("depth")
        for key, child in node:
            _leaves(f"{path}.{key or 'empty-key'}", child, depth - 1, out)
    elif type(node) is list:
        if not depth:
            raise _TooMany("depth")
        for number, child in enumerate(node):
            _leaves(f"{path}.array_{number}", child, depth - 1, out)
    else:
        word = b"" if node is None else b"true" if node else b"false"
        out.append((path.encode("utf-8", "replace"), word))
