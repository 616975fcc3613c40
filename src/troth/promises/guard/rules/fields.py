"""What a body says, field by field: forms, multipart forms and JSON, bounded and strict.

Every pair is kept, in order, repeated names too: an application and a guard that choose differently
among two values of one name see two different requests, so whoever asks must see both.
Source: RFC 7578 (multipart/form-data), the WHATWG URL standard (urlencoded), RFC 8259 (JSON).
"""

import json
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_to_bytes

MAX_PAIRS = 2000
MAX_DEPTH = 32
_BOUNDARY = re.compile(rb'boundary="?([\w\x27()+,./:=? -]{1,70})"?', re.IGNORECASE)
_NAME = re.compile(rb'[;\s]name="((?:[^"\\\r\n]|\\.)*)"|[;\s]name=([^\s;"]+)', re.IGNORECASE)
_FILE = re.compile(rb"[;\s]filename\*?=", re.IGNORECASE)

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Fields:
    """What was read.

    Args:
        pairs: name and value in order; of JSON the name is a path, `user.email`, `items.0.id`.
        is_whole: nothing was left unread. A form that cannot be read, or is too long, is not.
    """

    pairs: Pairs = ()
    is_whole: bool = True

    def values(self, name: str) -> tuple[str, ...]:
        """Every value of that name."""
        return tuple(value for key, value in self.pairs if key == name)


EMPTY = Fields()
UNREAD = Fields(is_whole=False)


def read(kind: bytes, body: bytes) -> Fields:
    """The fields of a body.

    Args:
        kind: the Content-Type; where it says nothing that is known, the body is looked at: many
            applications do that, too.
        body: all of it.
    """
    if not body:
        return EMPTY
    media = kind.partition(b";")[0].strip().lower()
    if media == b"multipart/form-data":
        return multipart(kind, body)
    if media == b"application/x-www-form-urlencoded":
        return urlencoded(body)
    if media == b"application/json" or media.endswith(b"+json") or body.lstrip()[:1] in b"{[":
        return from_json(body)
    return urlencoded(body) if b"=" in body[:4096] else UNREAD


def urlencoded(body: bytes) -> Fields:
    """Of a form, or of a query."""
    if not body:
        return EMPTY
    parts = body.split(b"&", MAX_PAIRS)
    is_whole = len(parts) <= MAX_PAIRS
    pairs = []
    for part in parts[:MAX_PAIRS]:
        name, _, value = part.partition(b"=")
        if part:
            pairs.append((_text(name), _text(value)))
    return Fields(tuple(pairs), is_whole)


def _text(raw: bytes) -> str:
    return unquote_to_bytes(raw.replace(b"+", b" ")).decode("utf-8", "replace")


def multipart(kind: bytes, body: bytes) -> Fields:
    """Of a multipart form; files are left out. A part without an end or a name is unread."""
    found = _BOUNDARY.findall(kind)
    if len(found) != 1:
        return UNREAD
    mark = b"--" + found[0].rstrip()
    parts = body.split(mark, MAX_PAIRS + 2)
    is_whole = len(parts) <= MAX_PAIRS + 1 and len(parts) > 1 and parts[-1].startswith(b"--")
    pairs = []
    for part in parts[1:-1]:
        head, gap, value = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        name = _NAME.search(b" " + head)
        if not gap or name is None:
            is_whole = False
        elif not _FILE.search(head):
            raw = name[1] if name[1] is not None else name[2]
            clean = value.removesuffix(b"\r\n")
            pairs.append((raw.decode("utf-8", "replace"), clean.decode("utf-8", "replace")))
    return Fields(tuple(pairs), is_whole)


class _Object(list[tuple[str, Any]]):
    """A JSON object with every name it was given, twice where it was given twice."""


def from_json(body: bytes) -> Fields:
    """Of a JSON text; numbers as they are written. What is no JSON is unread."""
    try:
        found = json.loads(
            body.decode("utf-8-sig"),
            object_pairs_hook=_Object,
            parse_int=str,
            parse_float=str,
            parse_constant=str,
        )
    except (ValueError, RecursionError):
        return UNREAD
    pairs: list[tuple[str, str]] = []
    is_whole = True
    left: list[tuple[str, Any, int]] = [("", found, 0)]
    while left:
        path, value, depth = left.pop()
        if isinstance(value, list):
            named = isinstance(value, _Object)
            items = value if named else [(str(at), one) for at, one in enumerate(value)]
            if depth >= MAX_DEPTH or len(left) + len(items) > MAX_PAIRS:
                is_whole = False
                continue
            prefix = f"{path}." if path else ""
            left += [(prefix + name, one, depth + 1) for name, one in reversed(items)]
        elif len(pairs) >= MAX_PAIRS:
            return Fields(tuple(pairs), is_whole=False)
        elif value is not None:
            pairs.append((path, value if isinstance(value, str) else str(value).lower()))
    return Fields(tuple(pairs), is_whole)
