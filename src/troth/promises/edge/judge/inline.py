"""The judge of standing in the way."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from troth.kernel.model import Judgement, Verdict
from troth.promises.edge.settings import EdgeSettings
from troth.promises.judging import Unseen, judging, shaped

PROTOCOLS = frozenset({"h1", "h2", "ws"})
BY_SETTING = frozenset({"h3"})  # `[edge] http3`
SILENT = frozenset({429, 502, 503, 504})  # nobody behind the edge, or too many requests of ours


class Tried(Struct, frozen=True):
    """One protocol: the marked request was `refused` by the guard, its twin `passed` it."""

    protocol: str
    refused: bool
    passed: bool
    status: int


class Origin(Struct, frozen=True):
    """The application's own listener: a `socket` or a `port`, and whether others reach it."""

    kind: str
    is_open: bool


class Ways(Struct, frozen=True):
    """What the probe brings."""

    tried: list[Tried]
    origin: Origin | None


@judging
def inspected(facts: Mapping[str, Any], settings: EdgeSettings) -> Judgement:
    """Each protocol passes the guard, and nothing leads around it."""
    seen = shaped(facts, Ways)
    offered = PROTOCOLS | BY_SETTING if settings.http3 else PROTOCOLS
    if {one.protocol for one in seen.tried} != offered:
        raise Unseen("not every protocol was tried")
    if seen.origin is not None and seen.origin.is_open:
        return Judgement(
            Verdict.FAIL, f"the application's own {seen.origin.kind} is open to others"
        )
    if passed := [one.protocol for one in seen.tried if not one.refused and one.passed]:
        return Judgement(Verdict.FAIL, f"not inspected: {', '.join(passed)}")
    if any(not one.passed or one.status in SILENT for one in seen.tried):
        raise Unseen("an honest request did not pass either")
    if seen.origin is None:
        raise Unseen("the application's own address cannot be looked at from here")
    return Judgement(
        Verdict.PASS,
        f"marked requests by {len(seen.tried)} protocols met the guard, and the application's own"
        f" {seen.origin.kind} is closed to others",
    )
