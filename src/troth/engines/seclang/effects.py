"""What a match does besides being a match: setvar, ctl, initcol. Compiled to closures."""

from collections.abc import Callable, Mapping, Sequence

from troth.engines.seclang import grammar, macros, updates
from troth.engines.seclang.dynamic import number
from troth.engines.seclang.model import Action, Rule, RuleError
from troth.engines.seclang.selection import excludes
from troth.engines.seclang.state import State

Effect = Callable[[State], None]
_SWITCH = {"on": "On", "off": "Off", "detectiononly": "DetectionOnly"}


def setvar(argument: str, constants: Mapping[bytes, bytes]) -> Effect:
    """`tx.a=1`, `tx.a=+%{tx.b}`, `!tx.a`, `tx.a` (which is 1)."""
    name, key, value = parted(argument)
    where = macros.text_of(key, constants)
    if value is None:
        return _removal(name, where)
    if value[:1] in {"+", "-"}:
        return _sum(name, where, value[0], macros.text_of(value[1:], constants))
    text = macros.text_of(value, constants)

    def assign(t: State) -> None:
        store = t.tx if name == "TX" else t.stores.get(name)
        if store is not None:
            t.put(store, macros.filled(where, t).lower(), macros.filled(text, t))

    return assign


def parted(argument: str) -> tuple[str, str, str | None]:
    """Store, key (macros left, lower case) and value of a setvar; None to remove it."""
    is_removal = argument.startswith("!")
    target, equals, value = argument.removeprefix("!").partition("=")
    name, _, key = target.replace(":", ".", 1).partition(".")
    if is_removal:
        return name.strip().upper(), key.strip().lower(), None
    return name.strip().upper(), key.strip().lower(), value if equals else "1"


def _removal(name: str, where: macros.Text) -> Effect:
    def remove(t: State) -> None:
        store = t.tx if name == "TX" else t.stores.get(name, {})
        store.pop(macros.filled(where, t).lower(), None)

    return remove


def _sum(name: str, where: macros.Text, sign: str, text: macros.Text) -> Effect:
    factor = -1 if sign == "-" else 1
    if name == "TX" and isinstance(where, bytes) and isinstance(text, bytes):
        return _constant_sum(where.lower(), factor * number(text))

    def add(t: State) -> None:
        store = t.tx if name == "TX" else t.stores.get(name)
        if store is not None:
            key = macros.filled(where, t).lower()
            old = store.get(key, 0)
            old = old if isinstance(old, int) else number(old)
            t.put(store, key, old + factor * number(macros.filled(text, t)))

    return add


def _constant_sum(key: bytes, amount: int) -> Effect:
    def add(t: State) -> None:
        old = t.tx.get(key, 0)
        t.tx[key] = (old if isinstance(old, int) else number(old)) + amount

    return add


def initcol(argument: str, constants: Mapping[bytes, bytes]) -> Effect:
    """`ip=%{remote_addr}`: from here on the store can be written, for this transaction."""
    name, _, key = argument.partition("=")
    store = name.strip().upper()
    text = macros.text_of(key, constants)

    def start(t: State) -> None:
        t.stores.setdefault(store, {b"key": macros.filled(text, t)})

    return start


def ctl(argument: str, rules: Sequence[Rule], where: str) -> Effect | None:
    """A change of how this message goes on; None for what does not concern us.

    Args:
        argument: as `ruleRemoveTargetById=942100;ARGS:password`.
        rules: by the index of their step.
        where: for errors.
    """
    name, _, value = argument.partition("=")
    name, value = name.strip().lower(), value.strip()
    if name.startswith("ruleremovetarget"):
        chosen, _, target = value.partition(";")
        indexes = _meant(name.removeprefix("ruleremovetargetby"), chosen, rules, where)
        return _untarget(indexes, target, where)
    if name.startswith("ruleremove"):
        indexes = _meant(name.removeprefix("ruleremoveby"), value, rules, where)
        return lambda t: t.removed.update(indexes)
    return _switch(name, value, where)


def _switch(name: str, value: str, where: str) -> Effect | None:
    if name == "ruleengine":
        mode = _SWITCH.get(value.lower())
        if mode is None:
            raise RuleError(f"ctl:ruleEngine is On, Off or DetectionOnly, not {value}", where=where)
        return lambda t: setattr(t, "engine", mode)
    if name == "requestbodyprocessor":
        return lambda t: setattr(t.view, "processor", value.upper())
    if name == "forcerequestbodyvariable":
        return lambda t: setattr(t.view, "is_body_forced", value.lower() == "on")
    if name == "requestbodyaccess":
        return lambda t: setattr(t.view, "is_body_read", value.lower() == "on")
    if name == "responsebodyaccess":
        return lambda t: setattr(t.view, "is_response_read", value.lower() == "on")
    return None


def _meant(kind: str, text: str, rules: Sequence[Rule], where: str) -> frozenset[int]:
    chosen = updates.concerns(kind, text, where)
    return frozenset(index for index, rule in enumerate(rules) if chosen(rule))


def _untarget(indexes: frozenset[int], target: str, where: str) -> Effect:
    predicate = excludes(grammar.selectors(target, where))
    return lambda t: t.exclusions.append((indexes, predicate))


def effects_of(
    actions: Sequence[Action],
    constants: Mapping[bytes, bytes],
    rules: Sequence[Rule],
    where: str,
) -> tuple[tuple[Effect, ...], tuple[Effect, ...]]:
    """What happens at each match of a link, and what once its whole chain has matched.

    As in libmodsecurity 3: setvar at each value that matches, even when the chain then fails.
    """
    each, once = list[Effect](), list[Effect]()
    for action in actions:
        if action.name == "setvar":
            each.append(setvar(action.argument, constants))
        elif action.name == "initcol":
            once.append(initcol(action.argument, constants))
        elif action.name in {"setuid", "setsid", "setrsc"}:
            store = {"setuid": "USER", "setsid": "SESSION", "setrsc": "RESOURCE"}[action.name]
            once.append(initcol(f"{store}={action.argument}", constants))
        elif action.name == "ctl":
            effect = ctl(action.argument, rules, where)
            once += [] if effect is None else [effect]
    return tuple(each), tuple(once)
