"""What a transaction holds while rules run: TX and its kin, what matched, what was taken away."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from troth.engines.seclang.model import Found, Match, Message, Rule
from troth.engines.seclang.names import CHANGING
from troth.engines.seclang.variables import FILLERS, View

Item = tuple[str, bytes, bytes]
"""A value where it stands: collection, name, value."""

Exclusion = tuple[frozenset[int], Callable[[Item], bool]]
"""Steps by index, and which values they do not look at."""

_KEPT_VALUE = 256  # bytes of a value that a match keeps
_KEPT_DATA = 512  # bytes of logdata
_MAX_STORE = 4096  # values in TX: a rule may name one after each argument
_CAPTURES = tuple(b"%d" % number for number in range(10))
_NOTHING: Item = ("", b"", b"")


def place_of(item: Item) -> bytes:
    """`ARGS:id`, or `REQUEST_URI` for what has no parts."""
    return b"%b:%b" % (item[0].encode(), item[1]) if item[1] else item[0].encode()


@dataclass(slots=True)
class State:
    """One message on its way through the rules.

    Args:
        view: the message, taken apart.
        tx: TX; values written by arithmetic are whole numbers, all others bytes.
        work: bytes that may yet be looked at; below zero the rules end, and the verdict says so.
    """

    message: Message
    view: View
    tx: dict[bytes, bytes | int]
    work: int
    stores: dict[str, dict[bytes, bytes | int]] = field(default_factory=dict)
    items: dict[str, list[Item]] = field(default_factory=dict)
    transformed: dict[tuple[int, bytes], bytes] = field(default_factory=dict)
    hits: dict[int, list[Item]] = field(default_factory=dict)
    matched: Item = _NOTHING
    matched_all: list[Item] = field(default_factory=list)
    matches: list[Match] = field(default_factory=list)
    removed: set[int] = field(default_factory=set)
    exclusions: list[Exclusion] = field(default_factory=list)
    rule: Rule | None = None
    engine: str = "On"
    is_ended: bool = False
    is_phase_ended: bool = False
    disrupted_by: Rule | None = None
    redirect: bytes = b""
    highest: int = 255
    captured: int = 0
    skip_to: int = -1
    message_text: bytes = b""
    data_text: bytes = b""

    def values(self, name: str) -> list[Item]:
        """A collection's items, read once unless rules may change it."""
        found = self.items.get(name)
        if found is None:
            if name in CHANGING:
                return self._changing(name)
            place = "XML" if name.startswith("XML") else name
            found = [(place, key, value) for key, value in FILLERS[name](self.view)]
            self.items[name] = found
        return found

    def _changing(self, name: str) -> list[Item]:
        special = _SPECIAL.get(name)
        if special is not None:
            return [(name, key, value) for key, value in special(self)]
        store = self.tx if name == "TX" else self.stores.get(name, {})
        return [(name, key, as_bytes(value)) for key, value in store.items()]

    def tx_text(self, key: bytes) -> bytes:
        """A TX value, empty when it is not there."""
        return as_bytes(self.tx.get(key, b""))

    def store_text(self, name: str, key: bytes) -> bytes:
        """A value of IP or its kin, empty when it is not there."""
        return as_bytes(self.stores.get(name, {}).get(key, b""))

    def first(self, name: str, key: bytes) -> bytes:
        """The first value of a variable (its key in lower case), empty when there is none."""
        if name not in FILLERS and name not in CHANGING:
            return b""
        for item in self.values(name):
            if not key or item[1].lower() == key:
                return item[2]
        return b""

    def matched_name(self) -> bytes:
        """`ARGS:id`: where the last match was."""
        return place_of(self.matched)

    def rule_text(self, key: str) -> bytes:
        """A part of the rule that runs: `id`, `msg`, `severity`, `logdata`."""
        rule = self.rule
        if rule is None:
            return b""
        if key == "msg":
            return self.message_text or rule.message.encode()
        if key == "logdata":
            return self.data_text or rule.logdata.encode()
        if key == "severity":
            return b"" if rule.severity is None else b"%d" % rule.severity
        return b"%d" % rule.id if key == "id" else b""

    def capture(self, found: Found) -> None:
        """Keep groups as TX:0 to TX:9; those of an earlier capture are gone."""
        tx, count = self.tx, len(found)
        for number in range(count):
            tx[_CAPTURES[number]] = found[number]
        for number in range(count, self.captured):
            tx.pop(_CAPTURES[number], None)
        self.captured = count

    def put(self, store: dict[bytes, bytes | int], key: bytes, value: bytes | int) -> None:
        """Write a value, unless there are too many already; that is told as a limit."""
        if len(store) >= _MAX_STORE and key not in store:
            self.view.passed.append("variables")
            return
        store[key] = value

    def record(self, rule: Rule, message: bytes, data: bytes) -> None:
        """A rule has matched and is logged."""
        item = self.matched
        self.matches.append(
            Match(
                rule=rule.id,
                phase=rule.phase,
                place=place_of(item)[:_KEPT_VALUE].decode("latin-1"),
                value=item[2][:_KEPT_VALUE],
                message=message.decode("utf-8", "replace")[:_KEPT_DATA],
                severity=rule.severity,
                tags=rule.tags,
                data=data[:_KEPT_DATA],
            )
        )


def as_bytes(value: bytes | int) -> bytes:
    """A stored value as text."""
    return value if isinstance(value, bytes) else b"%d" % value


def _rule_parts(t: State) -> list[tuple[bytes, bytes]]:
    return [(key.encode(), t.rule_text(key)) for key in ("id", "msg", "severity", "logdata")]


def _matched_names(t: State) -> list[tuple[bytes, bytes]]:
    return [(place_of(item), place_of(item)) for item in t.matched_all]


_SPECIAL: Mapping[str, Callable[[State], list[tuple[bytes, bytes]]]] = MappingProxyType(
    {
        "MATCHED_VAR": lambda t: [(b"", t.matched[2])],
        "MATCHED_VAR_NAME": lambda t: [(b"", t.matched_name())],
        "MATCHED_VARS": lambda t: [(place_of(item), item[2]) for item in t.matched_all],
        "MATCHED_VARS_NAMES": _matched_names,
        "REQBODY_PROCESSOR": lambda t: [(b"", t.view.processor.encode())],
        "HIGHEST_SEVERITY": lambda t: [(b"", b"%d" % t.highest)],
        "RULE": _rule_parts,
    }
)
