"""A program for answers alone: of the request's rules only those that the answer's rest on.

A request was decided about before it is answered; asking all of its rules again would cost more
than reading the answer. Kept of phases 1 and 2 is what sets a variable that a later rule reads,
what changes how rules run (`ctl`, skips, `allow`), and whatever those rest on. Fails closed to
slowness: where it cannot be told (a variable's name is a pattern or a macro), all are kept.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from types import MappingProxyType

from troth.engines.seclang.compile import Program
from troth.engines.seclang.model import Rule

_REQUEST, _LATE, _LOGGING = (1, 2), (3, 4), 5
_MACRO = re.compile(r"%\{tx[.:]([^}]*)\}", re.IGNORECASE)
_STEERING = frozenset({"ctl", "initcol", "setsid", "setuid", "setrsc"})
_CAPTURED = frozenset("0123456789")  # by `capture`


def of_answers(program: Program) -> Program:
    """The same for messages that carry an answer: their matches in phases 3 and 4 are the same."""
    phases = program.phases
    if program.scan is None or any(not phases[number].is_scanned for number in (*_REQUEST, *_LATE)):
        return program
    late = [step.rule for number in _LATE for step in phases[number].steps]
    early = [step for number in _REQUEST for step in phases[number].steps]
    kept = _kept([step.rule for step in early], late)
    if kept is None:
        return program
    spaces = {test.number: test.spaces for test in program.tests}
    found = dict(phases)
    for number in _REQUEST:
        rows = [step.index for step in phases[number].steps if step.rule.id in kept]
        found[number] = replace(
            phases[number], spaces=(), finders=(), unasked=[(index, None) for index in rows]
        )
    for number in _LATE:
        own = {space.name for space in phases[number].spaces}
        # What a scan of the request would have found for them is asked rule by rule.
        alone = {
            step.index
            for step in phases[number].steps
            if step.index not in spaces or not spaces[step.index] <= own
        }
        rows = sorted({*phases[number].always, *alone})
        found[number] = replace(phases[number], unasked=[(index, None) for index in rows])
    found[_LOGGING] = replace(phases[_LOGGING], finders=(), unasked=[], is_scanned=True)
    return replace(program, phases=MappingProxyType(found), recall=None)


def _kept(early: list[Rule], late: list[Rule]) -> frozenset[int] | None:
    """Ids of the request's rules that matter; None where it cannot be told."""
    kept = {rule.id for rule in early if _steers(rule)}
    while True:
        names = list(_read([*late, *(rule for rule in early if rule.id in kept)]))
        if "" in names:
            return None
        wanted = frozenset(names)
        more = {rule.id for rule in early if _writes_any(rule, wanted)} - kept
        if not more:
            return frozenset(kept)
        kept |= more


def _steers(rule: Rule) -> bool:
    steers = any(action.name in _STEERING for link in rule.links for action in link.actions)
    skips = rule.skip_after or rule.skip or rule.disruption == "allow"
    return bool(steers or skips)


def _writes_any(rule: Rule, wanted: frozenset[str]) -> bool:
    """Whether it sets one of these variables of TX; a macro in a name may be anything."""
    for action in (action for link in rule.links for action in link.actions):
        if action.name == "capture" and wanted & _CAPTURED:
            return True
        if action.name == "setvar":
            target = action.argument.removeprefix("!").partition("=")[0].strip().lower()
            name = target.replace(":", ".", 1).removeprefix("tx.")
            start, macro, _ = name.partition("%{")
            if name in wanted or (macro and any(each.startswith(start) for each in wanted)):
                return True
    return False


def _read(rules: Iterable[Rule]) -> Iterator[str]:
    """Names of TX that rules look at; an empty one where it may be any. Own captures are own."""
    for rule in rules:
        actions = [action for link in rule.links for action in link.actions]
        own = _CAPTURED if any(action.name == "capture" for action in actions) else frozenset()
        texts = [rule.message, rule.logdata, *(action.argument for action in actions)]
        for link in rule.links:
            texts.append(link.operator.argument if link.operator else "")
            for selector in link.selectors:
                if selector.collection == "TX" and selector.key not in own:
                    yield "" if selector.is_pattern else selector.key
        yield from (name for name in _named(texts) if name not in own)


def _named(texts: Iterable[str]) -> Iterator[str]:
    for text in texts:
        yield from (found.lower() for found in _MACRO.findall(text))
