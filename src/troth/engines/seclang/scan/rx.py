"""`@rx` on one value, with captures: RE2 in linear time, `re` in small windows where RE2 has no word.

What looks around or back (three patterns of CRS 3.3, none of CRS 4) is no regular language. There
RE2 finds the places where it may be (the pattern without its looks), and `re` confirms it in a
window around each: 320 bytes at most, so that its backtracking is bounded. A value with more than
64 such places is taken for a match. Fails closed: who floods a value with lookalikes is refused.
"""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache

import re2

from troth.engines.seclang.scan import pattern, text, tree
from troth.engines.seclang.scan.tree import Node

Found = tuple[bytes, ...]

MAX_CAPTURES = 9  # TX:0 to TX:9 hold the match and nine groups
RE2_BYTES = 64 << 20  # of a pattern's automata; the largest of CRS takes 20 MiB
MAX_PLACES = 64
WINDOW_BEFORE = 64
WINDOW_BYTES = 256


def rx(argument: str, _data: Mapping[str, bytes] | None = None) -> Callable[[bytes], Found | None]:
    """The operator: what it matched and its groups (`b""` for one that took no part), or None.

    Raises:
        ValueError: it is no pattern, or one that cannot be asked in bounded time.
    """
    node = pattern.read(argument)
    if not tree.is_regular(node):
        return _irregular(node)
    search = compiled(text.regular(node)).search

    def find(value: bytes) -> Found | None:
        match = search(value)
        return None if match is None else _found(match)

    return find


def is_found(node: Node) -> Callable[[bytes], bool]:
    """As `rx`, for whoever does not ask what matched."""
    if not tree.is_regular(node):
        irregular = _irregular(node)
        return lambda value: irregular(value) is not None
    # One layer deeper than the wrapper's own `search`, which costs as much again as the search.
    match = compiled(text.regular(node, captures=False))._regexp.Match  # noqa: SLF001
    anywhere = re2._Anchor.UNANCHORED  # noqa: SLF001

    def is_there(value: bytes) -> bool:
        return bool(match(anywhere, value, 0, len(value))[0][0] >= 0)

    return is_there


@lru_cache(maxsize=4096)
def compiled(regular: bytes) -> "re2._Regexp[bytes]":
    """RE2's own, bytes as Latin-1, `^` and `$` at lines.

    Raises:
        ValueError: RE2 refuses it.
    """
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.log_errors = False
    options.max_mem = RE2_BYTES
    try:
        return re2.compile(b"(?m)" + regular, options)
    except re2.error as error:
        said = error.args[0] if error.args else b""
        shown = said.decode("latin-1") if isinstance(said, bytes) else str(said)
        raise ValueError(f"RE2 refuses the pattern: {shown}") from error


def _found(match: "re.Match[bytes] | re2._Match[bytes]") -> Found:
    groups = match.groups(b"")
    return (match[0], *groups[:MAX_CAPTURES])


def _irregular(node: Node) -> Callable[[bytes], Found | None]:
    if tree.star_height(node) > 1:
        raise ValueError("repetitions within repetitions beside a look around or back")
    try:
        exact = re.compile(text.python(node), re.MULTILINE)
    except re.error as error:
        raise ValueError(f"the pattern cannot be asked: {error}") from error
    places = compiled(text.superset(node))

    def find(value: bytes) -> Found | None:
        for number, place in enumerate(places.finditer(value)):
            if number >= MAX_PLACES:
                return (place[0],)
            start = max(0, place.start() - WINDOW_BEFORE)
            match = exact.search(value, start, place.start() + WINDOW_BYTES)
            if match:
                return _found(match)
        return None

    return find
