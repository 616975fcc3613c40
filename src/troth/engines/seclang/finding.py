"""What a scan finds: which steps hold for the values of each source, and on which of them.

Values of headers come again with each request, and most bodies hold nothing but arguments: what was
found there is remembered (`recall`).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from troth.engines.seclang.recall import Recall, Seen, is_small
from troth.engines.seclang.selection import Wanted
from troth.engines.seclang.state import Item, State
from troth.engines.seclang.variables import View

_KEPT_NAMES = 4096
_KEPT_NAME_BYTES = 256
_MANY = 32  # values from which on they are sifted before they are asked

Filler = Callable[[View], Sequence[tuple[bytes, bytes]]]
Find = Callable[[bytes], tuple[int, ...]]
Finder = Callable[[bytes, bytes], Sequence[int]]
"""Which steps hold for a name and its value."""
Sift = Callable[[Sequence[bytes]], Sequence[int]]
Sifter = Callable[[Sequence[tuple[bytes, bytes]]], Sequence[int]]
"""Which of many names and values must be asked one by one, by their places."""
Finders = tuple[tuple[str, Filler | None, Finder, Sifter], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Space:
    """A class of values that a scanner is asked about: a collection, or the wanted part of it."""

    name: str
    source: str
    wanted: Wanted | None
    find: Find | None = None
    sift: Sift | None = None


def finder_of(spaces: Sequence[Space]) -> tuple[Finder, Sifter]:
    """Spaces of one source as one: by name, and what is asked of its value."""
    always = tuple(space.find for space in spaces if space.wanted is None and space.find)
    named = [(space.wanted, space.find) for space in spaces if space.wanted and space.find]
    sifts = {space.find: space.sift for space in spaces if space.find and space.sift}
    if not named and len(always) == 1:
        only, sift = always[0], sifts[always[0]]
        return (lambda _, value: only(value)), (lambda pairs: sift([pair[1] for pair in pairs]))
    finds_of = _finds_of(always, named)

    def find_in(name: bytes, value: bytes) -> Sequence[int]:
        finds = finds_of(name)
        if len(finds) == 1:
            return finds[0](value)
        return [index for find in finds for index in find(value)]

    def sift_in(pairs: Sequence[tuple[bytes, bytes]]) -> Sequence[int]:
        places: dict[tuple[Find, ...], list[int]] = {}
        for at, (name, _) in enumerate(pairs):
            places.setdefault(finds_of(name), []).append(at)
        left: set[int] = set()
        for finds, of in places.items():
            values = [pairs[at][1] for at in of]
            for find in finds:
                left.update([of[at] for at in sifts[find](values)])
        return sorted(left)

    return find_in, sift_in


def _finds_of(
    always: tuple[Find, ...], named: Sequence[tuple[Wanted, Find]]
) -> Callable[[bytes], tuple[Find, ...]]:
    """Which are meant by a name; names come again and again, so a few thousand are kept."""
    by_name: dict[bytes, tuple[Find, ...]] = {}

    def finds_of(name: bytes) -> tuple[Find, ...]:
        finds = by_name.get(name)
        if finds is not None:
            return finds
        finds = always
        for wanted, find in named:
            if wanted(name):
                finds = (*finds, find)
        if len(name) <= _KEPT_NAME_BYTES:
            if len(by_name) >= _KEPT_NAMES:
                by_name.clear()  # names that came once must not keep out those in use
            by_name[name] = finds
        return finds

    return finds_of


def find(t: State, finders: Finders) -> None:
    """Add to a state's hits what finders say of the values of their sources."""
    hits, view, items = t.hits, t.view, t.items
    for source, fill, finder, sift in finders:
        pairs: Sequence[tuple[bytes, bytes]]
        if fill is None or source in items:
            pairs = [(name, value) for _, name, value in t.values(source)]
        else:
            pairs = fill(view)  # no items yet: for most sources nobody asks for them
        if len(pairs) >= _MANY:
            pairs = [pairs[at] for at in sift(pairs)]
        for name, value in pairs:
            found = finder(name, value)
            if found:
                item = (_place_of(source), name, value)
                for index in found:
                    hits.setdefault(index, []).append(item)


def _place_of(source: str) -> str:
    return "XML" if source.startswith("XML") else source


def find_seen(t: State, finders: Finders, recall: Recall) -> Seen:
    """What a scan of the headers finds; it is known if just these came before from there."""
    message = t.message
    key = (message.headers, message.method, message.protocol, message.client)
    seen = recall.seen.get(key)
    if seen is None:
        find(t, finders)
        seen = Seen(_found(t))
        if not t.view.passed and is_small(key):
            recall.seen.put(key, seen)
        return seen
    for index, item in seen.found:
        t.hits.setdefault(index, []).append(item)
    return seen


def find_parts(t: State, finders: Finders, recall: Recall) -> None:
    """What a scan of a body's parts finds; the same each time where it holds only arguments."""
    if not t.view.has_only_arguments:
        find(t, finders)
        return
    if recall.plain is None:
        before, t.hits = t.hits, {}
        find(t, finders)
        recall.plain = _found(t)
        t.hits = before
    for index, item in recall.plain:
        t.hits.setdefault(index, []).append(item)


def _found(t: State) -> tuple[tuple[int, Item], ...]:
    return tuple((index, item) for index, items in t.hits.items() for item in items)
