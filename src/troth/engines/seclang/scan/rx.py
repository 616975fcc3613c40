"""`@rx` on one value, with captures: RE2 in linear time, `re` in windows where RE2 has no word.

What looks around or back (three patterns of CRS 3.3, none of CRS 4) is no regular language. There
RE2 finds the places where it may be (the pattern without its looks), and `re` confirms it in a
window around each: 320 bytes at most, so that its backtracking is bounded. A value with more than
64 such places is taken for a match. Fails closed: who floods a value with lookalikes is refused.
"""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache

import re2

from troth.engines.seclang.scan import database, pattern, text, tree
from troth.engines.seclang.scan.tree import Node

Found = tuple[bytes, ...]

MAX_CAPTURES = 9  # TX:0 to TX:9 hold the match and nine groups
RE2_BYTES = 64 << 20  # of a pattern's automata; the largest of CRS takes 20 MiB
MAX_PLACES = 64
WINDOW_BEFORE = 64
WINDOW_BYTES = 256
_ANYWHERE = re2._Anchor.UNANCHORED  # noqa: SLF001 -- for `_match`


def rx(argument: str, _data: Mapping[str, bytes] | None = None) -> Callable[[bytes], Found | None]:
    """The operator: what it matched and its groups (`b""` for one that took no part), or None.

    Raises:
        ValueError: it is no pattern, or one that cannot be asked in bounded time.
    """
    node = pattern.read(argument)
    if not tree.is_regular(node):
        return _irregular(node)
    match, is_strictly = _match(text.regular(node)), _at_last_line(node)

    def find(value: bytes) -> Found | None:
        spans = match(_ANYWHERE, value, 0, len(value))
        start, end = spans[0]
        if start < 0 or (is_strictly and value[-1:] == b"\n" and not is_strictly(value)):
            return None
        if len(spans) == 1:
            return (value[start:end],)
        return tuple(value[s:e] if s >= 0 else b"" for s, e in spans[: MAX_CAPTURES + 1])

    return find


def is_found(node: Node) -> Callable[[bytes], bool]:
    """As `rx`, for whoever does not ask what matched."""
    if not tree.is_regular(node):
        irregular = _irregular(node)
        return lambda value: irregular(value) is not None
    match, is_strictly = _match(text.regular(node, captures=False)), _at_last_line(node)

    def is_there(value: bytes) -> bool:
        if match(_ANYWHERE, value, 0, len(value))[0][0] < 0:
            return False
        return is_strictly is None or value[-1:] != b"\n" or is_strictly(value)

    return is_there


def _match(regular: bytes) -> Callable[[object, bytes, int, int], list[tuple[int, int]]]:
    """One layer below the wrapper's `search`, which costs as much again as the search itself."""
    method: Callable[[object, bytes, int, int], list[tuple[int, int]]]
    method = compiled(regular)._regexp.Match  # noqa: SLF001 -- see above
    return method


def _at_last_line(node: Node) -> Callable[[bytes], bool] | None:
    """Whether it is found in a value that ends with a line break, where RE2 alone cannot tell.

    After that break RE2 sees one more line begin; PCRE does not, nor does Hyperscan, which is asked
    then. None where the pattern has no `^`, or Hyperscan does not take it.
    """
    if not tree.has_edge(node, "^"):
        return None
    kept: list[Callable[[bytes], bool] | None] = []

    def is_strictly(value: bytes) -> bool:
        if not kept:
            kept.append(database.single(text.regular(node, captures=False)))
        return kept[0] is None or kept[0](value)

    return is_strictly


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


def _found(match: re.Match[bytes]) -> Found:
    return (match[0], *match.groups(b"")[:MAX_CAPTURES])


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
