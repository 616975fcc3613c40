"""What a line of a rule may say: every name in it must be known, every argument must be read."""

from collections.abc import Mapping

from troth.engines.seclang import grammar, names
from troth.engines.seclang.dynamic import DYNAMIC
from troth.engines.seclang.macros import is_macro
from troth.engines.seclang.model import Action, Link, Operator, RuleError, Selector
from troth.engines.seclang.operators import OPERATORS
from troth.engines.seclang.selection import wanted_of
from troth.engines.seclang.transform import FUNCTIONS
from troth.engines.seclang.updates import concerns

_PATHS = ("", "/*", "//@*", "//text()")  # the whole text, each attribute, each text node


def check_link(link: Link, data: Mapping[str, bytes], *, is_head: bool) -> None:
    """See that a link can be compiled.

    Raises:
        RuleError: an unknown name, or an argument that cannot be read.
    """
    for selector in link.selectors:
        check_selector(selector, link.where)
    for name in link.transformations:
        if name not in FUNCTIONS:
            raise RuleError(f"no transformation is called {name}", where=link.where)
    if link.operator is not None:
        _check_operator(link.operator, data, link.where)
    for action in link.actions:
        _check_action(action, link.where, is_head=is_head)


def check_selector(selector: Selector, where: str) -> None:
    """See that a variable is known, and that its part can be looked for.

    Raises:
        RuleError: it is not, or cannot.
    """
    name = selector.collection
    if name not in names.VARIABLES:
        raise RuleError(f"no variable is called {name}", where=where)
    if selector.key and name not in names.WITH_KEYS:
        raise RuleError(f"{name} has no parts", where=where)
    if name == "XML" and selector.key not in _PATHS:
        known = ", ".join(_PATHS[1:])
        raise RuleError(f"XML:{selector.key}: only {known} are looked at", where=where)
    try:
        wanted_of(selector)
    except ValueError as error:
        raise RuleError(f"{name}: {error}", where=where) from None


def _check_operator(operator: Operator, data: Mapping[str, bytes], where: str) -> None:
    name = operator.name
    if name in names.UNREACHABLE:
        return
    if name not in OPERATORS and name not in DYNAMIC:
        raise RuleError(f"no operator is called @{name}", where=where)
    if name in DYNAMIC and is_macro(operator.argument):
        return
    if name in OPERATORS:
        try:
            OPERATORS[name](operator.argument, data)
        except ValueError as error:
            raise RuleError(f"@{name}: {error}", where=where) from None


def _check_action(action: Action, where: str, *, is_head: bool) -> None:
    name = action.name
    known = names.META | names.DISRUPTIVE | names.EFFECTS | names.SILENT
    if name not in known:
        mend = "programs are never started" if name == "exec" else ""
        raise RuleError(f"no action is called {name}", where=where, mend=mend)
    if not is_head and name in {"id", "phase"}:
        raise RuleError(f"{name} belongs to the head of a chain", where=where)
    if name == "ctl":
        _check_ctl(action.argument, where)
    elif name == "setvar":
        _check_setvar(action.argument, where)
    elif name == "initcol" and "=" not in action.argument:
        raise RuleError("initcol is written initcol:collection=key", where=where)


def _check_ctl(argument: str, where: str) -> None:
    name, equals, value = argument.partition("=")
    if name.lower() not in names.CTLS | names.SILENT_CTLS:
        raise RuleError(f"no ctl is called {name}", where=where)
    if not equals or not value:
        raise RuleError(f"ctl:{name} lacks a value", where=where)
    if not name.lower().startswith("ruleremove"):
        return
    kind = name.lower().removeprefix("ruleremove").removeprefix("target").removeprefix("by")
    chosen, semicolon, target = value.partition(";")
    concerns(kind, chosen, where)
    if name.lower().startswith("ruleremovetarget"):
        if not semicolon:
            raise RuleError(f"ctl:{name} is written {name}=RULE;TARGET", where=where)
        for selector in grammar.selectors(target, where):
            check_selector(selector, where)


def _check_setvar(argument: str, where: str) -> None:
    target = argument.removeprefix("!").partition("=")[0]
    collection, _, key = target.replace(":", ".", 1).partition(".")
    if collection.strip().upper() not in names.STORES | {"ENV"} or not key:
        raise RuleError(f"setvar writes into {', '.join(sorted(names.STORES))}", where=where)
