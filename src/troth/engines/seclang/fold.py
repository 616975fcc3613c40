"""What is the same for every message is worked out once, before any message comes.

The rules are walked in the order they run, with what TX is known to hold. A rule that looks at
known values alone is decided here: it vanishes, or its assignments become TX's initial values, or
its `skipAfter` takes away what lies between. So `SecRule TX:DETECTION_PARANOIA_LEVEL "@lt 2"` and
the set-up rules leave nothing behind, and `%{tx.critical_anomaly_score}` is a number.

Sound, because a value counts as known only until any rule that stays might write it, and an
assignment stays when a rule that stays before it might have read the value.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from troth.engines.seclang import macros, updates
from troth.engines.seclang.dynamic import QUESTIONS
from troth.engines.seclang.effects import parted
from troth.engines.seclang.model import Link, Marker, Rule, Ruleset, Selector
from troth.engines.seclang.names import UNREACHABLE
from troth.engines.seclang.operators import OPERATORS
from troth.engines.seclang.transform import FUNCTIONS

PHASES = (1, 2, 3, 4, 5)
_CAPTURES = frozenset(str(number) for number in range(10))


@dataclass(frozen=True, slots=True, kw_only=True)
class Folded:
    """What is left.

    Args:
        phases: the rules and markers of each phase that stay, in order.
        tx: what TX holds before the first of them runs.
        constants: the part of it that nothing can change.
    """

    phases: Mapping[int, tuple[Rule | Marker, ...]]
    tx: Mapping[bytes, bytes]
    constants: Mapping[bytes, bytes]


@dataclass
class _Walk:
    pinned: Mapping[str, str]
    touched: frozenset[int]  # ids that a ctl may take away: they may not run
    data: Mapping[str, bytes]
    known: dict[str, str] = field(default_factory=dict)
    unsure: set[str] = field(default_factory=set)
    unsure_prefixes: set[str] = field(default_factory=set)
    read: set[str] = field(default_factory=set)
    is_all_read: bool = False

    def is_sure(self, key: str) -> bool:
        return (
            key not in self.unsure
            and key not in _CAPTURES
            and not any(key.startswith(prefix) for prefix in self.unsure_prefixes)
        )

    def filled(self, text: str) -> str | None:
        """A text with its macros filled in, or None when one of them is not known."""
        keys = macros.keys_read(text)
        constants = {}
        for key in keys:
            if not self.is_sure(key):
                return None
            constants[key.encode()] = self.known.get(key, "").encode()
        compiled = macros.text_of(text, constants)
        return compiled.decode() if isinstance(compiled, bytes) else None

    def decide(self, rule: Rule) -> bool | None:
        """Whether the rule matches: always, never, or not known before the message."""
        for number, link in enumerate(rule.links):
            answer = self._holds(link)
            if not answer:
                return answer
            is_last = number == len(rule.links) - 1
            if not is_last and any(action.name == "setvar" for action in link.actions):
                return None  # the next link may look at what this one writes
        return True

    def _holds(self, link: Link) -> bool | None:
        if link.operator is None:
            return True
        parts = [self._values(selector) for selector in link.selectors]
        argument = self.filled(link.operator.argument)
        if argument is None or any(part is None for part in parts):
            return None
        find = self._operator(link.operator.name, argument)
        if find is None:
            return None
        for value in (value for part in parts for value in part or ()):
            raw = value.encode()
            for name in link.transformations:
                raw = FUNCTIONS[name](raw)
            if find(raw) != link.operator.is_negated:
                return True
        return False

    def _values(self, selector: Selector) -> list[str] | None:
        is_plain = selector.key and not selector.is_pattern and not selector.is_exclusion
        if selector.collection != "TX" or not is_plain or not self.is_sure(selector.key):
            return None
        value = self.known.get(selector.key)
        if selector.is_count:
            return ["0" if value is None else "1"]
        return [] if value is None else [value]

    def _operator(self, name: str, argument: str) -> Callable[[bytes], bool] | None:
        if name in QUESTIONS:
            question, other = QUESTIONS[name], argument.encode()
            return lambda value: question(value, other)
        if name in UNREACHABLE:
            return lambda _: False
        if name not in OPERATORS:
            return None
        try:
            found = OPERATORS[name](argument, self.data)
        except ValueError:  # what a macro filled in is no argument: nothing matches it
            return lambda _: False
        return lambda value: found(value) is not None

    def assigned(self, rule: Rule) -> dict[str, str | None] | None:
        """What a rule that always matches writes, or None when it must stay and run."""
        if rule.is_logged or rule.disruption != "pass" or rule.skip:
            return None
        found = dict[str, str | None]()
        for link in rule.links:
            for action in link.actions:
                if action.name in {"ctl", "initcol", "setuid", "setsid", "setrsc"}:
                    return None
                if action.name == "capture" and link.operator is not None:
                    return None
                if action.name == "setvar":
                    pair = self._assignment(action.argument, found)
                    if pair is None:
                        return None
                    found[pair[0]] = pair[1]
        return found

    def _assignment(
        self, argument: str, before: Mapping[str, str | None]
    ) -> tuple[str, str | None] | None:
        name, key, value = parted(argument)
        if name != "TX" or macros.is_macro(key) or not self.is_sure(key):
            return None
        if self.is_all_read or key in self.read:
            return None
        if value is None:
            return key, None
        text = self.filled(value)
        if text is None or macros.keys_read(value) & before.keys():
            return None
        if text[:1] in {"+", "-"} or value[:1] in {"+", "-"}:
            return None
        return key, text

    def keep(self, rule: Rule) -> None:
        """Note what a rule that stays may read and write."""
        for link in rule.links:
            for selector in link.selectors:
                if selector.collection == "TX":
                    if selector.key and not selector.is_pattern:
                        self.read.add(selector.key)
                    else:
                        self.is_all_read = True
            if link.operator is not None:
                self.read |= macros.keys_read(link.operator.argument)
            for action in link.actions:
                self.read |= macros.keys_read(action.argument)
                if action.name == "setvar":
                    self._may_write(action.argument)

    def _may_write(self, argument: str) -> None:
        name, key, value = parted(argument)
        if name != "TX" or key in self.pinned:
            return
        if macros.is_macro(key):
            self.unsure_prefixes.add(key.partition("%{")[0])
        elif value is None or value[:1] in {"+", "-"} or self.filled(value) != self.known.get(key):
            self.unsure.add(key)


def _touched(ruleset: Ruleset, left: Iterable[Rule | Marker]) -> frozenset[int]:
    """Ids of rules that a ctl in one of the rules left may take away."""
    found = set[int]()
    for rule in left:
        for link in rule.links if isinstance(rule, Rule) else ():
            for action in link.actions:
                name, _, value = action.argument.partition("=")
                name = name.strip().lower()
                if action.name == "ctl" and name.startswith("ruleremoveby"):
                    meant = updates.concerns(name.removeprefix("ruleremoveby"), value, link.where)
                    found |= {each.id for each in ruleset.rules if meant(each)}
    return frozenset(found)


def fold(ruleset: Ruleset, pinned: Mapping[str, str]) -> Folded:
    """Work out what can be known without a message.

    Twice: what no rule can take away is known only when it is known which rules may run.

    Args:
        ruleset: as parsed.
        pinned: TX values, names in lower case, that stand whatever the rules write.
    """
    first = _folded(ruleset, pinned, _touched(ruleset, ruleset.items))
    left = [item for items in first.phases.values() for item in items]
    return _folded(ruleset, pinned, _touched(ruleset, left))


def _folded(ruleset: Ruleset, pinned: Mapping[str, str], touched: frozenset[int]) -> Folded:
    walk = _Walk(pinned=pinned, touched=touched, data=ruleset.data)
    walk.known.update(pinned)
    phases = {}
    for phase in PHASES:
        mine = [i for i in ruleset.items if isinstance(i, Marker) or i.phase == phase]
        phases[phase] = tuple(_fold_phase(walk, mine))
    tx = {key.encode(): value.encode() for key, value in walk.known.items()}
    constants = {key: value for key, value in tx.items() if walk.is_sure(key.decode())}
    return Folded(phases=phases, tx=tx, constants=constants)


def _fold_phase(walk: _Walk, items: Sequence[Rule | Marker]) -> list[Rule | Marker]:
    places = {item.name: n for n, item in enumerate(items) if isinstance(item, Marker)}
    kept = list[Rule | Marker]()
    static_end = -1  # index of the marker that a certain skip leads to
    open_end = -1  # the furthest marker that a possible skip leads to
    skipped = 0  # rules after a `skip:N` that may be passed over
    for number, item in enumerate(items):
        if isinstance(item, Marker):
            kept.append(item)
            continue
        if number < static_end:
            continue
        answer = walk.decide(item)
        is_certain = number >= open_end and not skipped
        skipped = max(skipped - 1, item.skip if answer is not False else 0)
        if answer is False:
            continue
        end = places.get(item.skip_after, len(items)) if item.skip_after else -1
        written = walk.assigned(item) if answer and is_certain else None
        if written is not None and item.id not in walk.touched:
            for key, value in written.items():
                _set(walk, key, value)
            static_end = max(static_end, end)
            continue
        walk.keep(item)
        kept.append(item)
        open_end = max(open_end, end)
    return kept


def _set(walk: _Walk, key: str, value: str | None) -> None:
    if key in walk.pinned:
        return
    if value is None:
        walk.known.pop(key, None)
    else:
        walk.known[key] = value
