"""The law of `state()`: unknown is never green, fails never heal by time."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.kernel.model import (
    Attestation,
    Check,
    Evidence,
    Kind,
    Method,
    Promise,
    Severity,
    State,
    Verdict,
)
from troth.kernel.state import REASONS, is_fresh, state

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
GREEN = {State.PROVEN, State.ATTESTED}


def check(id_: str = "p.a", method: Method = Method.LOOK, quorum: int = 1) -> Check:
    return Check(
        id=id_,
        method=method,
        interval=MINUTE,
        ttl=3 * MINUTE,
        probe="x:y",
        judge="x:y",
        command="true",
        quorum=quorum,
    )


def promise(*checks: Check, **more) -> Promise:
    given_ = {"slug": "p", "area": "edge", "kind": Kind.ENFORCED, "severity": Severity.HIGH}
    return Promise(**{**given_, "checks": checks, **more})


def seen(
    verdict: str = "pass", age: timedelta = MINUTE, vantage: str = "v1", of: str = "p.a"
) -> Evidence:
    collected = NOW - age
    return Evidence(
        check=of,
        verdict=Verdict(verdict),
        collected=collected,
        expires=collected + 3 * MINUTE,
        vantage=vantage,
    )


def signed(until: timedelta = timedelta(days=1), slug: str = "p") -> Attestation:
    return Attestation(
        promise=slug,
        by="A. Officer",
        role="Security officer",
        statement="Reviewed.",
        signed=NOW - timedelta(days=1),
        expires=NOW + until,
    )


def of(p: Promise, *evidence: Evidence, attested=(), now=NOW) -> tuple[State, str]:
    standing = state(p, evidence, attested, now)
    assert standing.reason in REASONS
    return standing.state, standing.reason


@pytest.mark.parametrize(
    ("evidence", "expected"),
    [
        ((), (State.UNPROVEN, "never-looked")),
        ((seen(),), (State.PROVEN, "all-fresh")),
        ((seen("error"),), (State.UNPROVEN, "never-looked")),
        ((seen(age=2 * MINUTE), seen("error", age=MINUTE)), (State.PROVEN, "all-fresh")),
        ((seen(age=3 * MINUTE),), (State.STALE, "expired")),
        ((seen("fail"),), (State.FAILING, "check-failed")),
        ((seen("fail", age=3 * MINUTE),), (State.STALE, "expired")),
        ((seen("fail", age=2 * MINUTE), seen()), (State.PROVEN, "all-fresh")),
        ((seen("fail", age=2 * MINUTE), seen("error")), (State.FAILING, "check-failed")),
        ((seen(), seen("fail", vantage="v2")), (State.FAILING, "check-failed")),
        ((seen(), seen("fail", age=5 * MINUTE, vantage="v2")), (State.STALE, "expired")),
        ((seen(age=-MINUTE),), (State.UNPROVEN, "never-looked")),
        ((seen(), seen("fail")), (State.FAILING, "check-failed")),
        ((seen(of="other.a"),), (State.UNPROVEN, "never-looked")),
    ],
)
def test_one_check(evidence, expected):
    assert of(promise(check()), *evidence) == expected


def test_the_checks_ttl_bounds_what_evidence_says_of_itself():
    endless = replace(seen(age=4 * MINUTE), expires=NOW + timedelta(days=999))

    assert not is_fresh(endless, check(), NOW)
    assert of(promise(check()), endless) == (State.STALE, "expired")


def test_a_quorum_needs_distinct_vantages():
    p = promise(check(quorum=2))

    assert of(p, seen(), seen(age=2 * MINUTE)) == (State.UNPROVEN, "quorum")
    assert of(p, seen(), seen(vantage="v2")) == (State.PROVEN, "all-fresh")
    assert of(p, seen(), seen(age=4 * MINUTE, vantage="v2")) == (State.STALE, "expired")


def test_critical_needs_two_methods():
    looks = (check("p.a"), check("p.b"))
    both = (check("p.a"), check("p.b", Method.ATTACK))
    evidence = (seen(of="p.a"), seen(of="p.b"))

    critical = {"severity": Severity.CRITICAL}
    assert of(promise(*looks, **critical), *evidence) == (State.UNPROVEN, "one-method")
    assert of(promise(*both, **critical), *evidence) == (State.PROVEN, "all-fresh")


def test_attestations():
    person = promise(kind=Kind.ATTESTED)

    assert of(person) == (State.UNPROVEN, "not-attested")
    assert of(person, attested=[signed()]) == (State.ATTESTED, "signed")
    assert of(person, attested=[signed(slug="other")]) == (State.UNPROVEN, "not-attested")
    assert of(person, attested=[signed(timedelta(0))]) == (State.STALE, "attestation-expired")
    both = promise(check(), kind=Kind.ATTESTED)
    assert of(both, attested=[signed()]) == (State.UNPROVEN, "never-looked")
    assert of(both, seen()) == (State.UNPROVEN, "not-attested")
    assert of(both, seen(), attested=[signed()]) == (State.ATTESTED, "signed")
    assert of(both, seen("fail"), attested=[signed()]) == (State.FAILING, "check-failed")


def test_setting_and_plan_come_in_their_order():
    planned = promise(check(), planned_for=date(2027, 1, 1))

    assert of(planned, seen()) == (State.PLANNED, "dated")
    assert of(planned, seen("fail")) == (State.FAILING, "check-failed")
    off = promise(check(), not_applicable_because="no such thing here")
    assert of(off, seen("fail")) == (State.NOT_APPLICABLE, "by-setting")
    assert of(promise()) == (State.UNPROVEN, "no-checks")


def test_a_check_that_expires_before_it_runs_again_is_no_check():
    with pytest.raises(ValueError, match="interval < ttl"):
        replace(check(), ttl=MINUTE)
    with pytest.raises(ValueError, match="quorum"):
        check(quorum=0)


items = st.builds(
    seen,
    st.sampled_from(["pass", "fail", "error"]),
    st.integers(-3, 10).map(lambda n: n * MINUTE / 2),
    st.sampled_from(["v1", "v2", "v3"]),
    st.sampled_from(["p.a", "p.b"]),
)
promises = st.builds(
    lambda quorum, severity: promise(
        check("p.a", quorum=quorum), check("p.b", Method.ATTACK), severity=severity
    ),
    st.integers(1, 3),
    st.sampled_from(Severity),
)


@given(promises, st.lists(items, max_size=12))
def test_unknown_is_never_green(p, evidence):
    verdict, _ = of(p, *evidence)

    for one in p.checks:
        fresh = [e for e in evidence if e.check == one.id and is_fresh(e, one, NOW)]
        if not any(e.verdict is Verdict.PASS for e in fresh):
            assert verdict not in GREEN


@given(promises, st.lists(items, max_size=12), st.integers(0, 20))
def test_time_alone_never_makes_green(p, evidence, minutes):
    evidence = [e for e in evidence if e.collected <= NOW]
    before, _ = of(p, *evidence)
    after, _ = of(p, *evidence, now=NOW + minutes * MINUTE)

    if before not in GREEN:
        assert after not in GREEN
    if before is State.FAILING:
        assert after in {State.FAILING, State.STALE}


@given(promises, st.lists(items, min_size=1, max_size=12), st.data())
def test_more_of_the_same_changes_nothing(p, evidence, data):
    again = data.draw(st.lists(st.sampled_from(evidence), max_size=5))

    assert of(p, *evidence, *again) == of(p, *evidence)


@given(promises, st.lists(items, max_size=12), st.randoms())
def test_the_order_of_evidence_says_nothing(p, evidence, rng):
    shuffled = list(evidence)
    rng.shuffle(shuffled)

    assert of(p, *shuffled) == of(p, *evidence)


@given(promises, st.lists(items, max_size=12), items)
def test_an_error_more_never_makes_it_greener(p, evidence, item):
    error = replace(item, verdict=Verdict.ERROR)

    assert of(p, *evidence, error) == of(p, *evidence)


@given(promises, st.lists(items, max_size=12), st.sampled_from(["p.a", "p.b"]))
def test_a_new_fail_is_always_failing(p, evidence, of_check):
    newest = seen("fail", age=timedelta(0), vantage="v9", of=of_check)

    assert of(p, *evidence, newest)[0] is State.FAILING
