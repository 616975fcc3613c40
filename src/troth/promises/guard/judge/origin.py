"""Pure: what was seen of the guard -> verdict. Unknown is never a pass."""

from collections.abc import Collection, Mapping
from typing import Any

import msgspec
from msgspec import Struct

from troth.kernel.model import Judgement, Verdict
from troth.promises.guard.settings import GuardSettings

# Answers that do not tell whether the guard let a request through: nobody behind it, or too many
# requests of ours. Source: RFC 9110, 15.6.3 to 15.6.5; RFC 6585, 4.
SILENT = frozenset({429, 502, 503, 504})
KINDS = frozenset({"POST", "PUT", "PATCH", "DELETE", "websocket"})
HOSTS = frozenset({"app", "troth"})


class Asked(Struct, frozen=True):
    """One request and its answer: `by_guard` any refusal of the guard, `by_us` of this promise."""

    case: str
    kind: str
    host: str
    status: int
    by_guard: bool
    by_us: bool


class Facts(Struct, frozen=True):
    """What the probes bring: forged requests, and the controls that must pass."""

    tried: list[Asked]
    passed: list[Asked]


def origin_look(facts: Mapping[str, Any], _settings: GuardSettings) -> Judgement:
    """One forged request is refused by the guard, and its honest twin is not."""
    return _judged(facts, kinds=frozenset({"POST"}), hosts=frozenset({"app"}))


def origin_attack(facts: Mapping[str, Any], _settings: GuardSettings) -> Judgement:
    """All forged requests are refused by the guard, on both hosts, and no control is."""
    return _judged(facts, kinds=KINDS, hosts=HOSTS)


def _judged(
    facts: Mapping[str, Any], *, kinds: Collection[str], hosts: Collection[str]
) -> Judgement:
    try:
        seen = msgspec.convert(facts, Facts)
    except msgspec.ValidationError as error:
        return Judgement(Verdict.ERROR, f"not the facts of this probe: {error}")
    if doubt := _doubt(seen, kinds, hosts):
        return Judgement(Verdict.ERROR, doubt)
    missed = [one for one in seen.tried if not one.by_us]
    if any(one.status not in SILENT and not one.by_guard for one in missed):
        return Judgement(
            Verdict.FAIL,
            f"{len(missed)} of {len(seen.tried)} forged requests were not refused by the guard",
        )
    if missed:
        return Judgement(
            Verdict.ERROR, f"{len(missed)} of {len(seen.tried)} forged requests had no clear answer"
        )
    return Judgement(
        Verdict.PASS,
        f"{len(seen.tried)} forged requests were refused, {len(seen.passed)} honest ones were not",
    )


def _doubt(seen: Facts, kinds: Collection[str], hosts: Collection[str]) -> str:
    """Why nothing can be said; empty when something can."""
    if not (set(kinds) <= {one.kind for one in seen.tried} and _covers(seen.tried, hosts)):
        return "not every kind of request was tried"
    if not (set(kinds) <= {one.kind for one in seen.passed} and _covers(seen.passed, hosts)):
        return "a control is missing: the same request from our own pages"
    if any(one.by_guard for one in seen.passed):
        return "the guard refused a request from our own pages too"
    if any(one.status in SILENT for one in seen.passed if one.host == "app"):
        return "the application did not answer a request from our own pages"
    return ""


def _covers(asked: list[Asked], hosts: Collection[str]) -> bool:
    return set(hosts) <= {one.host for one in asked}
