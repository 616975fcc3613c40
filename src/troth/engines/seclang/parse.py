"""Rule files to a `Ruleset`: what each directive means, in order. Refused whole or read whole."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from troth.engines.seclang import grammar, names, updates
from troth.engines.seclang.check import check_link, check_selector
from troth.engines.seclang.model import (
    Action,
    Link,
    Marker,
    Operator,
    Rule,
    RuleError,
    Ruleset,
    Selector,
    Source,
)

_MAX_RULES = 20_000
_SWITCHES = {"on": "On", "off": "Off", "detectiononly": "DetectionOnly"}
_MAX_PHASE = 5


def parse(sources: Iterable[Source], data: Mapping[str, bytes] | None = None) -> Ruleset:
    """Read rule files in the order given.

    Args:
        sources: the files; `Include` is not followed, so all of them stand here.
        data: content of the files that `@pmFromFile` and its kin name, by base name.

    Raises:
        RuleError: with `file:line`, at the first thing that cannot be read; nothing is kept then.
    """
    reader = _Reader(data=dict(data or {}))
    for source in sources:
        for line in grammar.lines(source):
            reader.take(line)
        reader.end_of_file(source.name)
    return reader.ruleset()


@dataclass
class _Reader:
    data: Mapping[str, bytes]
    items: list[Rule | Marker] = field(default_factory=list)
    ids: dict[int, str] = field(default_factory=dict)
    defaults: dict[int, tuple[Action, ...]] = field(default_factory=dict)
    links: list[Link] = field(default_factory=list)
    changes: list[updates.Change] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
    engine: str = "On"
    is_body_read: bool = True
    is_response_read: bool = True
    response_types: frozenset[str] = Ruleset(items=()).response_types

    def take(self, line: grammar.Line) -> None:
        name = line.name.lower()
        if self.links and name not in {"secrule", "secaction"}:
            raise RuleError("a chain that nothing follows", where=self.links[0].where)
        if name == "secrule":
            self._rule(line)
        elif name == "secaction":
            self._link((), None, self._words(line, 1)[0], line.where)
        elif name == "secmarker":
            self.items.append(Marker(self._words(line, 1)[0]))
        elif name == "secdefaultaction":
            self._default(line)
        elif name in updates.DIRECTIVES:
            self.changes.append(updates.read(line))
            for target in self.changes[-1].targets:
                check_selector(target, line.where)
        elif name in names.IGNORED:
            self.ignored.append(f"{line.where}: {line.name}: {names.IGNORED[name]}")
        else:
            self._switch(name, line)

    def _switch(self, name: str, line: grammar.Line) -> None:
        if name == "secruleengine":
            self.engine = self._one_of(line, _SWITCHES)
        elif name == "secrequestbodyaccess":
            self.is_body_read = self._one_of(line, _SWITCHES) == "On"
        elif name == "secresponsebodyaccess":
            self.is_response_read = self._one_of(line, _SWITCHES) == "On"
        elif name == "secresponsebodymimetype":
            self.response_types = frozenset(word.lower() for word in line.words)
        elif name == "secresponsebodymimetypesclear":
            self.response_types = frozenset()
        else:
            raise RuleError(
                f"no directive is called {line.name}",
                where=line.where,
                mend="directives of the web server itself do not belong into rule files",
            )

    @staticmethod
    def _words(line: grammar.Line, *counts: int) -> tuple[str, ...]:
        if len(line.words) not in counts:
            wanted = " or ".join(map(str, counts))
            raise RuleError(
                f"{line.name} takes {wanted} arguments, not {len(line.words)}", where=line.where
            )
        return line.words

    def _one_of(self, line: grammar.Line, choices: Mapping[str, str]) -> str:
        word = self._words(line, 1)[0].lower()
        if word not in choices:
            raise RuleError(f"{line.name} is one of {', '.join(choices)}", where=line.where)
        return choices[word]

    def _default(self, line: grammar.Line) -> None:
        actions = grammar.actions(self._words(line, 1)[0], line.where)
        phase = _phase(actions, line.where)
        for action in actions:
            if action.name in {"id", "chain", "skip", "skipafter", "msg", "severity"}:
                raise RuleError(f"SecDefaultAction cannot hold {action.name}", where=line.where)
        self.defaults[phase] = actions

    def _rule(self, line: grammar.Line) -> None:
        words = self._words(line, 2, 3)
        selectors = grammar.selectors(words[0], line.where)
        text = words[2] if len(words) == 3 else ""  # noqa: PLR2004 -- the third word
        self._link(selectors, grammar.operator(words[1]), text, line.where)

    def _link(
        self, selectors: tuple[Selector, ...], operator: Operator | None, text: str, where: str
    ) -> None:
        actions = grammar.actions(text, where)
        head = self.links[0] if self.links else None
        own = head.actions if head is not None else actions
        phase = _phase(own, where)
        chain = _chain_of([*self._defaults(phase), *actions])
        link = Link(
            selectors=selectors,
            operator=operator,
            transformations=chain,
            actions=tuple(action for action in actions if action.name != "t"),
            where=where,
        )
        check_link(link, self.data, is_head=head is None)
        self.links.append(link)
        if any(action.name == "chain" for action in actions):
            return
        rule = rule_of(tuple(self.links), self._defaults(phase))
        self.links.clear()
        self._add(rule)

    def _defaults(self, phase: int) -> tuple[Action, ...]:
        return self.defaults.get(phase, ())

    def _add(self, rule: Rule) -> None:
        if rule.id in self.ids:
            raise RuleError(
                f"rule {rule.id} is there already, at {self.ids[rule.id]}", where=rule.where
            )
        if len(self.ids) >= _MAX_RULES:
            raise RuleError(f"more than {_MAX_RULES} rules", where=rule.where)
        self.ids[rule.id] = rule.where
        self.items.append(rule)

    def end_of_file(self, name: str) -> None:
        if self.links:
            where = self.links[0].where
            raise RuleError(f"a chain that {name} does not end", where=where)

    def ruleset(self) -> Ruleset:
        return Ruleset(
            items=updates.applied(self.items, self.changes),
            data=self.data,
            engine=self.engine,
            is_body_read=self.is_body_read,
            is_response_read=self.is_response_read,
            response_types=self.response_types,
            ignored=tuple(self.ignored),
        )


def _last(actions: Iterable[Action], name: str) -> str | None:
    found = [action.argument for action in actions if action.name == name]
    return found[-1] if found else None


def _phase(actions: Iterable[Action], where: str) -> int:
    text = _last(actions, "phase") or "2"
    phase = names.PHASES.get(text.lower()) or (int(text) if text.isdecimal() else 0)
    if not 1 <= phase <= _MAX_PHASE:
        raise RuleError(f"there is no phase {text}", where=where)
    return phase


def _chain_of(actions: Iterable[Action]) -> tuple[str, ...]:
    chain = list[str]()
    for action in actions:
        if action.name == "t":
            name = action.argument.lower()
            chain = [] if name == "none" else [*chain, name]
    return tuple(chain)


def rule_of(links: tuple[Link, ...], defaults: Sequence[Action] = ()) -> Rule:
    """The rule that a chain makes, with what SecDefaultAction of its phase adds.

    Raises:
        RuleError: it has no id, or a number or severity is none.
    """
    head = links[0]
    every = [*defaults, *head.actions]
    number = _last(head.actions, "id")
    if number is None:
        raise RuleError("a rule without an id", where=head.where)
    disruption, argument = _disruption(head, defaults)
    logging = [a.name for link in links for a in link.actions if a.name in {"log", "nolog"}]
    logging = [a.name for a in defaults if a.name in {"log", "nolog"}] + logging
    severity = _last(every, "severity")
    skips = [_last(link.actions, "skipafter") for link in links]
    return Rule(
        id=_number(number, "id", head.where),
        phase=_phase(head.actions, head.where),
        links=links,
        disruption=disruption,
        disruption_argument=argument,
        status=_number(_last(every, "status") or "403", "status", head.where),
        is_logged=not logging or logging[-1] == "log",
        message=_last(every, "msg") or "",
        logdata=next((a.argument for k in links for a in k.actions if a.name == "logdata"), ""),
        severity=None if severity is None else _severity(severity, head.where),
        tags=tuple(a.argument for link in links for a in link.actions if a.name == "tag"),
        skip_after=next((skip for skip in skips if skip), ""),
        skip=_number(_last(head.actions, "skip") or "0", "skip", head.where),
    )


def _disruption(head: Link, defaults: Sequence[Action]) -> tuple[str, str]:
    usual = [action for action in defaults if action.name in names.DISRUPTIVE]
    own = [action for action in head.actions if action.name in names.DISRUPTIVE]
    chosen = (own or usual or [Action("pass")])[-1]
    if chosen.name == "block":
        chosen = (usual or [Action("pass")])[-1]
        chosen = Action("deny") if chosen.name == "block" else chosen
    return chosen.name, chosen.argument


def _number(text: str, name: str, where: str) -> int:
    if not text.isdecimal() or len(text) > len("2147483647"):
        raise RuleError(f"{name} is a number, not {text!r}", where=where)
    return int(text)


def _severity(text: str, where: str) -> int:
    level = names.SEVERITIES.get(text.lower())
    if level is None:
        level = _number(text, "severity", where)
    if level not in names.SEVERITIES.values():
        raise RuleError(f"there is no severity {text}", where=where)
    return level
