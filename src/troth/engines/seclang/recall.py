"""What rules led to when they saw the same before: a memory of whole phases.

Which steps run is known once the scan is done: those it named, and those that run always. Each can
read only what its selectors and macros name (`reads_of`), so what they do is a function of those
readings, of the items that were found, and of what earlier phases left. A visitor's headers come
again with each request, so for most requests phase 1 and all that follows were worked out before;
only the scan of new values is left to do. Exact: the key holds every reading, not a digest of it.

Bounded as the memo is (`scan.memo`): by number, and by the bytes of a key.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from troth.engines.seclang import macros
from troth.engines.seclang.model import Match, Message, Rule, Selector, Verdict
from troth.engines.seclang.scan.memo import Memo
from troth.engines.seclang.selection import source_of
from troth.engines.seclang.state import Exclusion, Item, State
from troth.engines.seclang.variables import FILLERS

Read = tuple[str, str, bool]
"""A source, the name in it that is meant (lower case; empty: all of it), whether it is counted."""

# What is the same whenever headers, method, protocol and client are.
BY_HEADERS = frozenset(
    "REQUEST_HEADERS REQUEST_HEADERS_NAMES REQUEST_COOKIES REQUEST_COOKIES_NAMES REQUEST_METHOD"
    " REQUEST_PROTOCOL REMOTE_ADDR SERVER_NAME".split()
)
_PROCESSOR = Selector(collection="REQBODY_PROCESSOR")

Named = dict[str, dict[bytes, tuple[Item, ...]]]
Reader = Callable[[State, Named], Hashable]

ENTRIES = 512  # of each of the four generations; an entry takes about 2 KiB
MAX_KEY_BYTES = 4096  # of the readings; what is larger hardly comes again
MAX_WORK = 1 << 20  # bytes looked at; who costs more pays each time, so that limits hold
MAX_READERS = 4096  # sets of steps whose readers are kept
MAX_READINGS = 4  # of the same headers: one for each set of steps that other values lead to


def reads_of(rule: Rule) -> frozenset[Read]:
    """All that a rule may read of a message, whatever it finds."""
    texts = [rule.message, rule.logdata]
    found = set[Read]()
    for link in rule.links:
        for selector in link.selectors:
            source = source_of(selector)
            if source in FILLERS and not selector.is_exclusion:
                is_whole = selector.is_pattern or source.startswith("XML")
                found.add((source, "" if is_whole else selector.key, selector.is_count))
        texts += [link.operator.argument] if link.operator else []
        texts += [action.argument for action in link.actions]
    for name, key in {pair for text in texts for pair in macros.names_read(text)}:
        if name in FILLERS:
            found.add((name, key, False))
    return frozenset(found)


def processor_of(rule: Rule) -> str | None:
    """The body processor under which alone a rule reads more than that one; None: no such rule."""
    head = rule.links[0]
    asked = head.operator
    if asked is None or asked.name != "streq" or asked.is_negated or head.transformations:
        return None
    if head.selectors != (_PROCESSOR,) or macros.is_macro(asked.argument):
        return None
    return asked.argument


def _sets_processor(rule: Rule) -> bool:
    said = [a.argument.lower() for link in rule.links for a in link.actions if a.name == "ctl"]
    return any(argument.startswith("requestbodyprocessor") for argument in said)


def _under(processor: str, readers: tuple[Reader, ...]) -> Reader:
    """What is read where the body has this processor."""

    def read(t: State, named: Named) -> Hashable:
        if t.view.processor != processor:
            return None
        return tuple([reader(t, named) for reader in readers])

    return read


def _reader(read: Read) -> Reader:
    source, key, is_count = read
    wanted = key.encode()
    if not key:
        if is_count:
            return lambda t, _: len(t.values(source))
        return lambda t, _: tuple(t.values(source))

    def items(t: State, named: Named) -> tuple[Item, ...]:
        by_name = named.get(source)
        if by_name is None:
            by_name = named[source] = _by_name(t.values(source))
        return by_name.get(wanted, ())

    return (lambda t, named: len(items(t, named))) if is_count else items


def _by_name(items: Sequence[Item]) -> dict[bytes, tuple[Item, ...]]:
    found: dict[bytes, tuple[Item, ...]] = {}
    for item in items:
        name = item[1].lower()
        found[name] = (*found.get(name, ()), item)
    return found


@dataclass(frozen=True, slots=True, eq=False)
class Left:
    """What phase 1 left behind. Each is one of a kind: it stands for itself in later keys."""

    tx: Mapping[bytes, bytes | int]
    gone: tuple[bytes, ...]
    stores: Mapping[str, Mapping[bytes, bytes | int]]
    matched: Item
    matched_all: tuple[Item, ...]
    matches: tuple[Match, ...]
    removed: frozenset[int]
    exclusions: tuple[Exclusion, ...]
    engine: str
    highest: int
    captured: int
    view: tuple[str, bool, bool | None, bool | None]


def left_by(t: State, tx: Mapping[bytes, bytes]) -> Left:
    """What is to be known of a state to go on from it."""
    view = t.view
    return Left(
        tx={key: value for key, value in t.tx.items() if tx.get(key) is not value},
        gone=tuple(key for key in tx if key not in t.tx),
        stores={name: dict(store) for name, store in t.stores.items()},
        matched=t.matched,
        matched_all=tuple(t.matched_all),
        matches=tuple(t.matches),
        removed=frozenset(t.removed),
        exclusions=tuple(t.exclusions),
        engine=t.engine,
        highest=t.highest,
        captured=t.captured,
        view=(view.processor, view.is_body_forced, view.is_body_read, view.is_response_read),
    )


def resume(t: State, left: Left) -> None:
    """Go on from there with a message that has not run phase 1."""
    t.tx.update(left.tx)
    for key in left.gone:
        t.tx.pop(key, None)
    t.stores = {name: dict(store) for name, store in left.stores.items()}
    t.matched, t.matched_all, t.matches = left.matched, [*left.matched_all], [*left.matches]
    t.removed, t.exclusions = {*left.removed}, [*left.exclusions]
    t.engine, t.highest, t.captured = left.engine, left.highest, left.captured
    view = t.view
    view.processor, view.is_body_forced, view.is_body_read, view.is_response_read = left.view


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What is known of headers that came before.

    Args:
        found: the steps that a scan of them names, with the items.
        readings: what phase 1 reads of them, by the steps that were found in all.
    """

    found: tuple[tuple[int, Item], ...]
    readings: dict[tuple[int, ...], Hashable] = field(default_factory=dict)


class Recall:
    """The memory of one program.

    Args:
        rules: by index of their step.
        always: the steps that run whatever a scan finds, by stage: of phase 1, of all later ones.
    """

    def __init__(self, rules: Sequence[Rule], always: tuple[Sequence[int], Sequence[int]]) -> None:
        self._reads = [reads_of(rule) for rule in rules]
        # Once phase 1 is over the processor stands, unless a later rule sets it.
        stands = not any(_sets_processor(rule) for rule in rules if rule.phase > 1)
        under = {i: processor_of(rules[i]) if stands else None for i in always[1]}
        self._always = [
            frozenset[Read]().union(*(self._reads[i] for i in of if under.get(i) is None or not at))
            for at, of in enumerate(always)
        ]
        self._under: dict[str, frozenset[Read]] = {}
        for index, processor in under.items():
            if processor is not None:
                before = self._under.get(processor, frozenset())
                self._under[processor] = before | self._reads[index]
        self._readers: dict[tuple[int, tuple[int, ...]], _Readers] = {}
        self.seen: Memo[Seen] = Memo(ENTRIES)  # by headers
        self.plain: tuple[tuple[int, Item], ...] | None = None  # of a body with only arguments
        self.left: Memo[Left] = Memo(ENTRIES)
        self.ends: Memo[Verdict] = Memo(ENTRIES)

    def key(
        self,
        stage: int,
        t: State,
        before: Hashable,
        hits: Sequence[tuple[int, list[Item]]],
        seen: Seen | None = None,
    ) -> Hashable:
        """All that decides what happens next.

        Args:
            stage: 0 for phase 1, 1 for all that follows it.
            t: the message, scanned.
            before: what stands for all that happened until now.
            hits: steps that the scan has named, in order, with their items.
            seen: of the message's headers.
        """
        indexes = tuple([index for index, _ in hits])
        readers = self._readers.get((stage, indexes))
        if readers is None:
            readers = self._chosen(stage, indexes)
        if seen is None or not readers.is_by_headers:
            readings = readers.read(t)
        elif indexes in seen.readings:
            readings = seen.readings[indexes]
        else:
            readings = readers.read(t)
            if len(seen.readings) < MAX_READINGS:
                seen.readings[indexes] = readings
        return (before, indexes, tuple([tuple(items) for _, items in hits]), readings)

    def _chosen(self, stage: int, indexes: tuple[int, ...]) -> "_Readers":
        reads = self._always[stage].union(*(self._reads[index] for index in indexes))
        each = tuple(_reader(read) for read in sorted(reads))
        if stage:
            for processor, behind in self._under.items():
                more = tuple(_reader(read) for read in sorted(behind - reads))
                each += (_under(processor, more),)
        is_by_headers = not stage and all(source in BY_HEADERS for source, _, _ in reads)
        made = _Readers(each, is_by_headers=is_by_headers)
        if len(self._readers) < MAX_READERS:
            self._readers[stage, indexes] = made
        return made


@dataclass(frozen=True, slots=True)
class _Readers:
    """All that one set of steps reads; whether it reads nothing but headers."""

    each: tuple[Reader, ...]
    is_by_headers: bool

    def read(self, t: State) -> Hashable:
        named: Named = {}
        return tuple([reader(t, named) for reader in self.each])


def route_of(message: Message) -> Hashable:
    """What a door says of a message besides the message."""
    return (message.removed, message.excluded) if message.removed or message.excluded else None


def is_small(key: Hashable) -> bool:
    """Whether a key is worth keeping."""
    return _size(key, MAX_KEY_BYTES) >= 0


def _size(part: object, room: int) -> int:
    if isinstance(part, bytes | str):
        return room - len(part)
    if isinstance(part, tuple):
        for each in part:
            room = _size(each, room) if room >= 0 else room
    return room


def with_limits(verdict: Verdict, passed: Sequence[str]) -> Verdict:
    """A verdict from memory, with the limits that this message has passed."""
    return replace(verdict, limits=tuple(dict.fromkeys(passed))) if passed else verdict
