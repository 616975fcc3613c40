"""The judge of the drill of floods."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from troth.kernel.model import Judgement, Verdict
from troth.promises.edge.settings import EdgeSettings
from troth.promises.judging import Unseen, judging, shaped

LEAST_ANSWERED = 0.99  # of the good client's requests while the floods last
LEAST_ASKED = 40  # else one slow answer decides
# What one client may hold open is bounded by the edge's time limits and its number of connections,
# so for these the good client decides alone.
ENDURED = frozenset({"connections", "slow bodies"})
STOPPED = frozenset(
    {"slow headers", "many headers", "long header", "many arguments", "deep JSON", "bomb"}
    | {"huge body", "rapid reset"}
)


class Counted(Struct, frozen=True):
    """Requests of the good client."""

    asked: int
    answered: int


class Flood(Struct, frozen=True):
    """One flood: what was sent, how much of it was stopped, the status where one came."""

    name: str
    sent: int
    stopped: int
    status: int


class Drill(Struct, frozen=True):
    """What the drill brings."""

    before: Counted
    meanwhile: Counted
    floods: list[Flood]


@judging
def floods(facts: Mapping[str, Any], _settings: EdgeSettings) -> Judgement:
    """The floods are stopped or endured, and the good client is served."""
    if facts.get("is_elsewhere"):
        raise Unseen("floods are drilled on the machine itself only: elsewhere they would attack")
    seen = shaped(facts, Drill)
    if not seen.before.answered or seen.before.answered < seen.before.asked:
        raise Unseen("the good client was not served before the floods")
    if missing := (STOPPED | ENDURED) - {flood.name for flood in seen.floods if flood.sent}:
        raise Unseen(f"not tried: {', '.join(sorted(missing))}")
    passed = [flood.name for flood in seen.floods if not _is_stopped(flood)]
    if passed:
        return Judgement(Verdict.FAIL, f"not stopped: {', '.join(sorted(passed))}")
    if seen.meanwhile.asked < LEAST_ASKED:
        raise Unseen(f"the good client asked only {seen.meanwhile.asked} times")
    share = seen.meanwhile.answered / seen.meanwhile.asked
    if share < LEAST_ANSWERED:
        return Judgement(
            Verdict.FAIL,
            f"a good client got {share:.1%} of its answers while {len(seen.floods)} floods lasted",
        )
    return Judgement(
        Verdict.PASS,
        f"{len(seen.floods)} kinds of flood were stopped or endured, and a good client got"
        f" {share:.1%} of {seen.meanwhile.asked} answers meanwhile",
    )


def _is_stopped(flood: Flood) -> bool:
    if flood.name in ENDURED:
        return True
    return flood.stopped == (1 if flood.name == "rapid reset" else flood.sent)
