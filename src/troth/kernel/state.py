"""`state()`: what may be said of a promise, a pure function of the log and the clock.

Unknown is never green. An error is neither pass nor fail: the last real verdict ages. A fail that
expired is stale and is healed by a pass of its own vantage, never by time. `verify.py` holds the
same rules again in a stranger's hands; a test keeps the two equal.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from enum import StrEnum

from troth.kernel.model import (
    Attestation,
    Check,
    Evidence,
    Kind,
    Method,
    Promise,
    Severity,
    Standing,
    State,
    Verdict,
)

METHODS_IF_CRITICAL = 2  # Source: design, section 3: one way of looking can be wrong in one way.

REASONS = {
    "by-setting": "declared not applicable, with the reason shown",
    "check-failed": "a check found the promise broken",
    "dated": "announced for a date, not yet counted",
    "expired": "the last verdict is too old to count",
    "attestation-expired": "the signed statement has expired",
    "no-checks": "nothing probes it and nobody has signed it",
    "never-looked": "a check has not yet given a verdict",
    "quorum": "fresh from fewer vantages than it needs",
    "one-method": "a critical promise needs two kinds of checks",
    "not-attested": "nobody has signed it yet",
    "signed": "a named person has signed it",
    "all-fresh": "every check is fresh and passes",
}


class _Standing(StrEnum):
    """What one check says, worst first."""

    FAILING = "failing"
    STALE = "stale"
    UNKNOWN = "unknown"
    THIN = "thin"
    PASSING = "passing"


def is_fresh(evidence: Evidence, check: Check, now: datetime) -> bool:
    """Whether it counts now: seen, not from the future, within its expiry and the check's ttl."""
    until = min(evidence.expires, evidence.collected + check.ttl)
    return evidence.collected <= now < until


def _last_real(check: Check, evidence: Iterable[Evidence], now: datetime) -> list[Evidence]:
    """Each vantage's newest pass or fail, none from the future; on equal times fail wins."""
    last: dict[str, Evidence] = {}
    for item in evidence:
        if item.check != check.id or item.verdict is Verdict.ERROR or item.collected > now:
            continue
        old = last.get(item.vantage)
        rank = (item.collected, item.verdict is Verdict.FAIL)
        if old is None or rank > (old.collected, old.verdict is Verdict.FAIL):
            last[item.vantage] = item
    return list(last.values())


def _standing(check: Check, evidence: Iterable[Evidence], now: datetime) -> _Standing:
    last = _last_real(check, evidence, now)
    fresh = [e for e in last if is_fresh(e, check, now)]
    aged = [e for e in last if not is_fresh(e, check, now)]
    if any(e.verdict is Verdict.FAIL for e in fresh):
        return _Standing.FAILING
    if any(e.verdict is Verdict.FAIL for e in aged):
        return _Standing.STALE
    if len(fresh) >= check.quorum:
        return _Standing.PASSING
    if aged:
        return _Standing.STALE
    return _Standing.THIN if fresh else _Standing.UNKNOWN


def state(
    promise: Promise,
    evidence: Sequence[Evidence],
    attestations: Sequence[Attestation],
    now: datetime,
) -> Standing:
    """What may be said of the promise now.

    Args:
        promise: as declared by the newest `catalogue` leaf.
        evidence: of any checks; those of other promises are passed over. Leave out the evidence of
            vantages whose key was retired.
        attestations: of any promises.
        now: aware UTC.

    Returns:
        The first state that holds, with a reason of `REASONS` and, where one check decides, its id.
    """
    if promise.not_applicable_because:
        return Standing(State.NOT_APPLICABLE, "by-setting")
    checks = [(check.id, _standing(check, evidence, now)) for check in promise.checks]

    def first(standing: _Standing) -> str:
        return next((id_ for id_, found in checks if found is standing), "")

    if failing := first(_Standing.FAILING):
        return Standing(State.FAILING, "check-failed", failing)
    if promise.planned_for is not None:
        return Standing(State.PLANNED, "dated")
    if stale := first(_Standing.STALE):
        return Standing(State.STALE, "expired", stale)
    signed = [a for a in attestations if a.promise == promise.slug and a.signed <= now]
    is_signed = any(now < a.expires for a in signed)
    if signed and not is_signed:
        return Standing(State.STALE, "attestation-expired")
    return _unless_proven(promise, first, is_signed=is_signed)


def _unless_proven(
    promise: Promise, first: Callable[[_Standing], str], *, is_signed: bool
) -> Standing:
    """The state where nothing fails and nothing is stale: is all there that green needs."""
    if unknown := first(_Standing.UNKNOWN):
        return Standing(State.UNPROVEN, "never-looked", unknown)
    if thin := first(_Standing.THIN):
        return Standing(State.UNPROVEN, "quorum", thin)
    if promise.kind is Kind.ATTESTED and not is_signed:
        return Standing(State.UNPROVEN, "not-attested")
    if is_signed:
        return Standing(State.ATTESTED, "signed")
    return _by_checks_alone(promise)


def _by_checks_alone(promise: Promise) -> Standing:
    if not promise.checks:
        return Standing(State.UNPROVEN, "no-checks")
    methods: set[Method] = {check.method for check in promise.checks}
    if promise.severity is Severity.CRITICAL and len(methods) < METHODS_IF_CRITICAL:
        return Standing(State.UNPROVEN, "one-method")
    return Standing(State.PROVEN, "all-fresh")
