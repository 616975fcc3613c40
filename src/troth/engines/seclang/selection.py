"""Selectors to closures: which values a link looks at, in the order it names them."""

import re
from collections.abc import Callable, Sequence

from troth.engines.seclang.model import Selector
from troth.engines.seclang.names import CHANGING, WITH_KEYS
from troth.engines.seclang.scan.rx import rx
from troth.engines.seclang.state import Item, State

_BEGIN = re.compile(r"\^([\w-]+)")  # a pattern that only says how a name begins

Select = Callable[[State], list[Item]]
Wanted = Callable[[bytes], bool]

_KEPT_NAMES = 4096
_KEPT_NAME_BYTES = 256


def excluded_of(selector: Selector, others: Sequence[Selector]) -> tuple[Selector, ...]:
    """Which of a link's exclusions concern a collection of which it wants all."""
    if selector.key or selector.is_count:
        return ()
    barred = {s for s in others if s.is_exclusion and s.collection == selector.collection}
    return tuple(sorted(barred, key=lambda s: (s.key, s.is_pattern)))


def unless(barred: Sequence[Selector]) -> Wanted:
    """Names that none of these selectors names."""
    tests = [wanted_of(selector) for selector in barred]
    return lambda name: not any(test is None or test(name) for test in tests)


def source_of(selector: Selector) -> str:
    """The name under which `State.values` has it."""
    if selector.collection == "XML" and selector.key not in {"", "/*"}:
        return f"XML:{selector.key}"
    return selector.collection


def wanted_of(selector: Selector) -> Wanted | None:
    """Which names in the collection are meant; None for all of them."""
    if not selector.key or selector.collection == "XML":
        return None
    if selector.is_pattern:
        return _named_like(f"(?i){selector.key}")
    key = selector.key.encode()
    return lambda name: name.lower() == key


def _named_like(pattern: str) -> Wanted:
    """Names come again and again, so the answers of the last few thousand are kept."""
    find = rx(pattern)
    known: dict[bytes, bool] = {}

    def wanted(name: bytes) -> bool:
        answer = known.get(name)
        if answer is None:
            answer = find(name) is not None
            if len(known) >= _KEPT_NAMES:
                known.clear()
            if len(name) <= _KEPT_NAME_BYTES:
                known[name] = answer
        return answer

    return wanted


def excludes(selectors: Sequence[Selector]) -> Callable[[Item], bool]:
    """Whether an item is among what these selectors name."""
    tests = [(selector.collection, wanted_of(selector)) for selector in selectors]

    def is_excluded(item: Item) -> bool:
        for collection, wanted in tests:
            if item[0] == collection and (wanted is None or wanted(item[1])):
                return True
        return False

    return is_excluded


def select_of(selectors: Sequence[Selector]) -> Select:
    """The items that selectors name, what they exclude taken away; counts are items too."""
    chosen = [selector for selector in selectors if not selector.is_exclusion]
    barred = [selector for selector in selectors if selector.is_exclusion]
    is_barred = excludes(barred) if barred else None
    parts = [_part(selector, is_barred) for selector in chosen]
    if len(parts) == 1:
        return parts[0]

    def select(t: State) -> list[Item]:
        found = list[Item]()
        for part in parts:
            found += part(t)
        return found

    return select


def _part(selector: Selector, is_barred: Callable[[Item], bool] | None) -> Select:
    items = _items(selector)
    if is_barred is not None:
        items = _without(items, is_barred)
    if not selector.is_count:
        return items
    place, key = selector.collection, selector.key.encode()
    return lambda t: [(place, key, b"%d" % len(items(t)))]


def _without(items: Select, is_barred: Callable[[Item], bool]) -> Select:
    return lambda t: [item for item in items(t) if not is_barred(item)]


def _items(selector: Selector) -> Select:
    source = source_of(selector)
    wanted = wanted_of(selector)
    if wanted is None:
        return lambda t: t.values(source)
    if source == "TX" and not selector.is_pattern:
        return _tx(selector.key.encode())
    if source == "TX":
        return _tx_like(wanted)
    if source in CHANGING or source not in WITH_KEYS:
        return lambda t: [item for item in t.values(source) if wanted(item[1])]
    name = space_of(selector)

    def select(t: State) -> list[Item]:
        found = t.items.get(name)
        if found is None:
            found = t.items[name] = [item for item in t.values(source) if wanted(item[1])]
        return found

    return select


def _tx(key: bytes) -> Select:
    def select(t: State) -> list[Item]:
        return [("TX", key, t.tx_text(key))] if key in t.tx else []

    return select


def _tx_like(wanted: Wanted) -> Select:
    """TX holds a hundred names, the same ones each time, and hardly ever one that is meant."""
    others = set[bytes]()

    def select(t: State) -> list[Item]:
        tx = t.tx
        fresh = tx.keys() - others
        if not fresh:
            return []
        meant = {key for key in fresh if wanted(key)}
        if len(others) < _KEPT_NAMES:
            others.update(fresh - meant)
        return [("TX", key, t.tx_text(key)) for key in tx if key in meant] if meant else []

    return select


def space_of(selector: Selector) -> str:
    """The name of the space that a selector's values make up: `ARGS`, `REQUEST_HEADERS:host`."""
    if not selector.key or selector.key == "/*":
        return selector.collection
    key = f"/{selector.key}/" if selector.is_pattern else selector.key
    return f"{selector.collection}:{key}"
