"""A rule as closures: its head asks values, its chain follows, its effects are done.

Nothing is looked up by name while a request runs: selectors, chains, operators, macros and effects
were resolved when the program was compiled.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from troth.engines.seclang import macros, names
from troth.engines.seclang.counting import holds_of
from troth.engines.seclang.dynamic import BUILT, QUESTIONS
from troth.engines.seclang.effects import Effect, effects_of
from troth.engines.seclang.model import Found, Link, Operator, OperatorFunction, Rule
from troth.engines.seclang.operators import OPERATORS
from troth.engines.seclang.selection import excludes, select_of
from troth.engines.seclang.state import Item, State
from troth.engines.seclang.transform import FUNCTIONS

Ask = Callable[[State, bytes], Found | None]
"""An operator with its negation and macros worked in."""

Run = Callable[[State, list[Item] | None], bool]
"""Ask a link; items are given when a scan has found them already."""

_KEPT_BUILT = 64  # operators built from a macro's text, for each place where one stands
_MAX_MATCHED = 1000  # values that MATCHED_VARS keeps
_HELD: Found = ()


@dataclass(slots=True)
class Workshop:
    """What steps are built with.

    Args:
        constants: TX values that nothing changes.
        rules: by the index of their step.
        data: files by base name.
        pinned: TX names that no rule writes.
        chains: numbers of transformation chains, so that a value is transformed once in each.
    """

    constants: Mapping[bytes, bytes]
    rules: Sequence[Rule]
    data: Mapping[str, bytes]
    pinned: frozenset[str]
    chains: dict[tuple[str, ...], int] = field(default_factory=dict)

    def chain(self, transformations: tuple[str, ...]) -> int:
        """A number for a chain; 0 is the empty one."""
        self.chains.setdefault((), 0)
        return self.chains.setdefault(transformations, len(self.chains))


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One rule, ready to run; `run` says whether its whole chain matched."""

    index: int
    rule: Rule
    run: Run
    message: macros.Text
    data: macros.Text


def step_of(index: int, rule: Rule, shop: Workshop) -> Step:
    """Compile a rule."""
    links = [_link_of(index if n == 0 else -1, link, shop) for n, link in enumerate(rule.links)]
    once = [effect for link in reversed(rule.links) for effect in _effects(link, shop)[1]]
    return Step(
        index=index,
        rule=rule,
        run=_chained(links, tuple(once)),
        message=macros.text_of(rule.message, shop.constants),
        data=macros.text_of(rule.logdata, shop.constants),
    )


def _effects(link: Link, shop: Workshop) -> tuple[tuple[Effect, ...], tuple[Effect, ...]]:
    actions = [
        action
        for action in link.actions
        if not (action.name == "setvar" and _key(action.argument) in shop.pinned)
    ]
    return effects_of(actions, shop.constants, shop.rules, link.where)


def _key(argument: str) -> str:
    target = argument.removeprefix("!").partition("=")[0].lower()
    return target.replace(":", ".", 1).removeprefix("tx.").strip()


def _chained(links: Sequence[Run], once: tuple[Effect, ...]) -> Run:
    if len(links) == 1 and not once:
        return links[0]
    head, rest = links[0], tuple(links[1:])

    def run(t: State, items: list[Item] | None) -> bool:
        if not head(t, items):
            return False
        for link in rest:
            if not link(t, None):
                return False
        for effect in once:
            effect(t)
        return True

    return run


def _link_of(index: int, link: Link, shop: Workshop) -> Run:
    """A link as a closure; `index` is its step's, or -1 for a link that is no head."""
    each = _effects(link, shop)[0]
    if link.operator is None:
        return _always(each)
    ask = ask_of(link.operator, shop)
    stages = stages_of(link, shop)
    seen = _seen_of(index, link)
    keep = _keep_of(link, each, is_head=index >= 0)
    holds = holds_of(link, shop.constants)

    def run(t: State, given: list[Item] | None) -> bool:
        if holds is not None and not holds(t):
            return False
        count = 0
        for item in seen(t, given):
            for value in stages(t, item[2]):
                t.work -= len(value)
                found = ask(t, value)
                if found is not None:
                    keep(t, (item[0], item[1], value), found, count)
                    count += 1
        return count > 0

    return run


def _seen_of(index: int, link: Link) -> Callable[[State, list[Item] | None], list[Item]]:
    """The items a link looks at: those selected, or those that a scan has found, in order."""
    select = select_of(link.selectors)
    barred = [selector for selector in link.selectors if selector.is_exclusion]
    is_barred = excludes(barred) if barred else None
    places = [s.collection for s in link.selectors if not s.is_exclusion]
    order = {place: places.index(place) for place in places}

    def seen(t: State, given: list[Item] | None) -> list[Item]:
        if given is None:
            items = select(t)
        else:
            items = given
            if is_barred is not None:
                items = [item for item in items if not is_barred(item)]
            if len(items) > 1 and len(order) > 1:
                items = sorted(items, key=lambda item: order[item[0]])
        return _left(t, index, items) if t.exclusions and index >= 0 else items

    return seen


def _keep_of(
    link: Link, each: tuple[Effect, ...], *, is_head: bool
) -> Callable[[State, Item, Found, int], None]:
    """What a match leaves behind: MATCHED_VAR and its kin, captures, what setvar writes."""
    is_capturing = any(action.name == "capture" for action in link.actions)

    def keep(t: State, item: Item, found: Found, count: int) -> None:
        if is_head and count == 0:
            t.matched_all = []
        t.matched = item
        if len(t.matched_all) < _MAX_MATCHED:
            t.matched_all.append(item)
        if is_capturing:
            t.capture(found)
        for effect in each:
            effect(t)

    return keep


def _always(each: tuple[Effect, ...]) -> Run:
    def run(t: State, _items: list[Item] | None) -> bool:
        for effect in each:
            effect(t)
        return True

    return run


def _left(t: State, index: int, items: list[Item]) -> list[Item]:
    for indexes, is_excluded in t.exclusions:
        if index in indexes:
            items = [item for item in items if not is_excluded(item)]
    return items


def stages_of(link: Link, shop: Workshop) -> Callable[[State, bytes], tuple[bytes, ...]]:
    """The values an operator sees of one value: one, or one a stage with multiMatch."""
    functions = [FUNCTIONS[name] for name in link.transformations]
    numbers = [shop.chain(link.transformations[: n + 1]) for n in range(len(functions))]
    pairs = tuple(zip(numbers, functions, strict=True))
    if any(action.name == "multimatch" for action in link.actions):
        return _every_stage(pairs)
    if not pairs:
        return lambda _t, value: (value,)
    last = numbers[-1]

    def stages(t: State, value: bytes) -> tuple[bytes, ...]:
        known = t.transformed.get((last, value))
        if known is None:
            known = transformed(t, pairs, value)
        return (known,)

    return stages


def transformed(
    t: State, pairs: tuple[tuple[int, Callable[[bytes], bytes]], ...], value: bytes
) -> bytes:
    """A value after a chain; every prefix of a chain is worked out once in a transaction."""
    memo, text = t.transformed, value
    for number, function in pairs:
        known = memo.get((number, value))
        if known is None:
            t.work -= len(text)
            known = memo[number, value] = function(text)
        text = known
    return text


def _every_stage(
    pairs: tuple[tuple[int, Callable[[bytes], bytes]], ...],
) -> Callable[[State, bytes], tuple[bytes, ...]]:
    def stages(t: State, value: bytes) -> tuple[bytes, ...]:
        found = [value]
        for number in range(1, len(pairs) + 1):
            text = transformed(t, pairs[:number], value)
            if text != found[-1]:
                found.append(text)
        return tuple(found)

    return stages


def ask_of(operator: Operator, shop: Workshop) -> Ask:
    """An operator, compiled as far as its argument is known."""
    ask = _plain(operator, shop)
    if not operator.is_negated:
        return ask
    return lambda t, value: _HELD if ask(t, value) is None else None


def _plain(operator: Operator, shop: Workshop) -> Ask:
    name = operator.name
    if name in names.UNREACHABLE:
        return lambda _t, _value: None
    text = macros.text_of(operator.argument, shop.constants)
    if isinstance(text, bytes) or (name not in QUESTIONS and name not in BUILT):
        argument = text.decode() if isinstance(text, bytes) else operator.argument
        find = OPERATORS[name](argument, shop.data)
        return lambda _t, value: find(value)
    fill = text
    if name in QUESTIONS:
        question = QUESTIONS[name]
        return lambda t, value: (value,) if question(value, fill(t)) else None

    @lru_cache(maxsize=_KEPT_BUILT)
    def built(argument: bytes) -> OperatorFunction:
        try:
            return OPERATORS[name](argument.decode("latin-1"), shop.data)
        except ValueError:  # what a request filled in is no argument: nothing matches it
            return lambda _value: None

    return lambda t, value: built(fill(t))(value)
