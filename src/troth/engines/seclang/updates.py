"""Rules changed after they were written: removed, aimed elsewhere, acting otherwise."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from troth.engines.seclang import grammar, names
from troth.engines.seclang.model import Action, Link, Marker, Rule, RuleError, Selector

DIRECTIVES = frozenset(
    "secruleremovebyid secruleremovebytag secruleremovebymsg secruleupdatetargetbyid"
    " secruleupdatetargetbytag secruleupdatetargetbymsg secruleupdateactionbyid".split()
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One such directive: which rules (`concerns`), what becomes of them, what it aims at."""

    concerns: Callable[[Rule], bool]
    become: Callable[[Rule], Rule | None]
    where: str
    targets: tuple[Selector, ...] = ()


def concerns(kind: str, text: str, where: str) -> Callable[[Rule], bool]:
    """Which rules are meant: `id` (`1`, `1-9`, several of them), `tag` or `msg` (patterns).

    Raises:
        RuleError: an id that is no number, or a pattern that does not compile.
    """
    if kind == "id":
        spans = [_span(word, where) for word in text.replace(",", " ").split()]
        return lambda rule: any(low <= rule.id <= high for low, high in spans)
    try:
        pattern = re.compile(text)
    except re.error as error:
        raise RuleError(f"{text!r} is no pattern: {error}", where=where) from None
    if kind == "tag":
        return lambda rule: any(pattern.search(tag) for tag in rule.tags)
    return lambda rule: pattern.search(rule.message) is not None


def _span(text: str, where: str) -> tuple[int, int]:
    low, dash, high = text.partition("-")
    high = high if dash else low
    if not (low.isdecimal() and high.isdecimal()):
        raise RuleError(f"{text!r} is no rule id and no range of them", where=where)
    return int(low), int(high)


def read(line: grammar.Line) -> Change:
    """One of `DIRECTIVES`.

    Raises:
        RuleError: it cannot be read.
    """
    verb, _, kind = line.name.lower().removeprefix("secrule").rpartition("by")
    words = line.words
    if not words or (verb != "remove" and len(words) not in {2, 3}):
        raise RuleError(f"{line.name} lacks an argument", where=line.where)
    if verb == "remove":
        chosen = concerns(kind, " ".join(words), line.where)
        return Change(concerns=chosen, become=lambda _: None, where=line.where)
    text, _, link = words[0].partition(":") if kind == "id" else (words[0], "", "")
    chosen = concerns(kind, text, line.where)
    number = int(link) if link.isdecimal() else 0
    if verb == "updateaction":
        actions = grammar.actions(words[1], line.where)
        return Change(concerns=chosen, become=_acting(actions, number), where=line.where)
    targets = grammar.selectors(words[1].replace(",", "|"), line.where)
    become = _aimed(targets, number)
    return Change(concerns=chosen, become=become, where=line.where, targets=targets)


def _changed(rule: Rule, number: int, link: Link) -> Rule:
    links = (*rule.links[:number], link, *rule.links[number + 1 :])
    return replace(rule, links=links)


def _aimed(targets: tuple[Selector, ...], number: int) -> Callable[[Rule], Rule]:
    def become(rule: Rule) -> Rule:
        if number >= len(rule.links):
            return rule
        link = rule.links[number]
        return _changed(rule, number, replace(link, selectors=(*link.selectors, *targets)))

    return become


def _acting(actions: tuple[Action, ...], number: int) -> Callable[[Rule], Rule]:
    from troth.engines.seclang.parse import rule_of  # noqa: PLC0415 -- each needs the other

    single = names.DISRUPTIVE | {"status", "severity", "msg", "logdata", "log", "nolog"}

    def replaced(old: Action) -> bool:
        new = {action.name for action in actions}
        if old.name in names.DISRUPTIVE:
            return bool(new & names.DISRUPTIVE)
        if old.name in {"log", "nolog"}:
            return bool(new & {"log", "nolog"})
        return old.name in single and old.name in new

    def become(rule: Rule) -> Rule:
        if number >= len(rule.links):
            return rule
        link = rule.links[number]
        kept = [action for action in link.actions if not replaced(action)]
        added = [a for a in actions if a.name not in {"id", "phase", "chain", "t"}]
        chain = link.transformations
        for action in actions:
            if action.name == "t":
                name = action.argument.lower()
                chain = () if name == "none" else (*chain, name)
        changed = replace(link, actions=(*kept, *added), transformations=chain)
        links = _changed(rule, number, changed).links
        fresh = rule_of(links)
        if any(action.name in names.DISRUPTIVE for action in actions):
            return fresh
        return replace(
            fresh, disruption=rule.disruption, disruption_argument=rule.disruption_argument
        )

    return become


def applied(items: Sequence[Rule | Marker], changes: Iterable[Change]) -> tuple[Rule | Marker, ...]:
    """The items with all changes made, in order.

    A change that concerns no rule is no error: one file of exclusions serves several rule sets.
    """
    left = list(items)
    for change in changes:
        kept = list[Rule | Marker]()
        for item in left:
            if isinstance(item, Rule) and change.concerns(item):
                changed = change.become(item)
                kept += [] if changed is None else [changed]
            else:
                kept.append(item)
        left = kept
    return tuple(left)
