"""Judges of the replay: rates, and what arrived."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from troth.kernel.model import Judgement, Verdict
from troth.promises.guard.settings import GuardSettings
from troth.promises.judging import Unseen, judging, shaped

LEAST = 10  # of each kind: fewer say nothing


class Rates(Struct, frozen=True):
    """What a replay brings; `planted` are the fates of the planted misses.

    `leak` and `plain_error` are the fates of answers; empty where no route has them looked at.
    """

    attacks: int
    blocked: int
    harmless: int
    passed: int
    unclear: int
    planted: list[str]
    set_sha256: str
    leak: str = ""
    plain_error: str = ""


class Arrivals(Struct, frozen=True):
    """What was sent, what was `told` to have arrived, and what the sink noted."""

    attacks: int
    harmless: int
    told: int
    noted_attacks: int
    noted_harmless: int


@judging
def rates(facts: Mapping[str, Any], settings: GuardSettings) -> Judgement:
    """Enough attacks are blocked, and enough harmless requests pass."""
    seen = shaped(facts, Rates)
    if min(seen.attacks, seen.harmless) < LEAST:
        raise Unseen("too few requests")
    if not seen.passed:
        raise Unseen("no harmless request arrived: a refusal says nothing")
    if seen.planted != ["arrived"]:
        raise Unseen("the planted miss was not counted as one")
    blocked, passed = seen.blocked / seen.attacks, seen.passed / seen.harmless
    told = (
        f"{seen.blocked} of {seen.attacks} attacks were blocked ({blocked:.1%}), and"
        f" {seen.passed} of {seen.harmless} harmless requests passed ({passed:.1%}),"
        f" set {seen.set_sha256[:12]}"
    )
    if blocked < settings.replay.least_blocked or passed < settings.replay.least_passed:
        if seen.unclear and _would_do(seen, settings):
            raise Unseen(f"{seen.unclear} requests had no clear answer")
        return Judgement(Verdict.FAIL, told)
    return _of_answers(seen, told)


def _of_answers(seen: Rates, told: str) -> Judgement:
    """A leak is withheld where the operator said so, and an ordinary error is not."""
    if not seen.leak:
        return Judgement(Verdict.PASS, told)
    if seen.leak == "arrived":
        return Judgement(Verdict.FAIL, f"{told}; an answer with a leak went out")
    if seen.plain_error == "withheld":
        return Judgement(Verdict.FAIL, f"{told}; an ordinary error was withheld like a leak")
    if (seen.leak, seen.plain_error) != ("withheld", "arrived"):
        raise Unseen("what became of answers is not clear")
    return Judgement(Verdict.PASS, f"{told}; a leak in an answer was withheld")


def _would_do(seen: Rates, settings: GuardSettings) -> bool:
    """Whether it might be enough if what had no clear answer had the right one."""
    return (
        seen.blocked + seen.unclear >= settings.replay.least_blocked * seen.attacks
        and seen.passed + seen.unclear >= settings.replay.least_passed * seen.harmless
    )


@judging
def kept_away(facts: Mapping[str, Any], _settings: GuardSettings) -> Judgement:
    """Of the attacks only what is counted as missed reached the upstream; all else did."""
    if facts.get("is_elsewhere"):
        raise Unseen("the upstream's own record is seen on its machine only")
    seen = shaped(facts, Arrivals)
    if min(seen.attacks, seen.harmless) < LEAST:
        raise Unseen("too few requests")
    if seen.noted_harmless < seen.harmless:
        raise Unseen("not every harmless request is on the upstream's record")
    if hidden := seen.noted_attacks - seen.told:
        return Judgement(
            Verdict.FAIL,
            f"{hidden} of {seen.attacks} attacks were refused and arrived all the same",
        )
    if seen.told > 1:  # the planted one arrives
        return Judgement(
            Verdict.FAIL, f"{seen.told - 1} of {seen.attacks - 1} attacks reached the upstream"
        )
    return Judgement(
        Verdict.PASS,
        f"none of {seen.attacks - 1} attacks reached the upstream, and all"
        f" {seen.harmless} harmless requests did",
    )
