"""Judges of what addresses may do."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from troth.kernel.model import Judgement, Verdict
from troth.promises.guard.settings import GuardSettings
from troth.promises.judging import Unseen, judging, shaped

TOLERANCE = 1.05  # of what a limit lets through in the time that the burst took
OK, FORBIDDEN, TOO_MANY = 200, 403, 429
SERVED = frozenset({OK})
LIES_SERVED = 5  # of ten at once: what the counter lets through meanwhile
ELSEWHERE = "without its key a vantage has no synthetic clients"


class Excess(Struct, frozen=True):
    """A burst: `might` is what the limit lets through in the time it took."""

    sent: int
    served: int
    throttled: int
    with_retry_after: int
    burst: int
    might: float
    lies_served: int
    other: int


class Zoned(Struct, frozen=True):
    """The canary's status, and status and refusing promise of the others."""

    canary: int
    others: list[tuple[int, str]]


class Attacked(Struct, frozen=True):
    """An attacker: `banned` are status and refusing promise of its last, harmless request."""

    before: int
    attacks: int
    seconds: float
    banned: tuple[int, str]
    other: int
    has_ended: bool


@judging
def throttled(facts: Mapping[str, Any], _settings: GuardSettings) -> Judgement:
    """What is too much is answered 429, from that address alone."""
    if facts.get("is_elsewhere"):
        raise Unseen(ELSEWHERE)
    if not facts.get("has_rule"):
        raise Unseen("no limit by address that can be tried is set")
    seen = shaped(facts, Excess)
    if seen.other not in SERVED or not seen.served:
        raise Unseen("another address was not served either")
    if seen.sent < seen.burst:
        raise Unseen("the burst was broken off")
    if seen.served > seen.might * TOLERANCE + 1:
        return Judgement(
            Verdict.FAIL, f"{seen.served} of {seen.sent} requests were served in one burst"
        )
    if not seen.throttled:
        raise Unseen("the burst took so long that it was none")
    if seen.with_retry_after < seen.throttled:
        return Judgement(Verdict.FAIL, "nobody is told when to come back")
    if seen.lies_served > LIES_SERVED:
        return Judgement(Verdict.FAIL, "a forged X-Forwarded-For gets around the limit")
    return Judgement(
        Verdict.PASS,
        f"of {seen.sent} requests in one burst {seen.served} were served and {seen.throttled} told"
        " to come back later; another address was served",
    )


@judging
def zoned(facts: Mapping[str, Any], _settings: GuardSettings) -> Judgement:
    """The route is open to its zone, and shut to everybody else."""
    if facts.get("is_elsewhere"):
        raise Unseen(ELSEWHERE)
    seen = shaped(facts, Zoned)
    if seen.canary != OK:
        raise Unseen("the address that is allowed was not served")
    if not seen.others:
        raise Unseen("no other address was tried")
    if any(status in SERVED for status, _ in seen.others):
        return Judgement(Verdict.FAIL, "a route for one address was served to another")
    if any(slug != "ip-filtering" for _, slug in seen.others):
        raise Unseen("something else refused the request")
    return Judgement(
        Verdict.PASS, f"a route for one address is shut to {len(seen.others)} others that forge it"
    )


@judging
def banned(facts: Mapping[str, Any], _settings: GuardSettings) -> Judgement:
    """An attacker is kept out, alone, and let in again."""
    if facts.get("is_elsewhere"):
        raise Unseen(ELSEWHERE)
    seen = shaped(facts, Attacked)
    if seen.before not in SERVED or seen.other not in SERVED:
        raise Unseen("an address that did nothing was not served")
    if seen.banned[1] != "auto-response":
        return Judgement(Verdict.FAIL, f"{seen.attacks} attacks had no consequence")
    if not seen.has_ended:
        return Judgement(Verdict.FAIL, "the ban did not end by itself")
    return Judgement(
        Verdict.PASS,
        f"an attacker was kept out after {seen.attacks} attacks ({seen.seconds:.1f} s), nobody"
        " else was, and the ban ended by itself",
    )
