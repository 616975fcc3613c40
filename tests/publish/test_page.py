"""The page's states are the kernel's; unknown is never green; a stale page vouches for nothing."""

from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from troth.kernel.model import State
from troth.kernel.state import state
from troth.publish.page import all_stale, troubled

S = timedelta(seconds=1)
EVIDENT = {State.PROVEN, State.ATTESTED, State.FAILING}

verdicts = st.sampled_from(["pass", "fail", "error"])
rounds = st.lists(
    st.tuples(
        st.dictionaries(st.sampled_from(["a.look", "b.look", "b.attack"]), verdicts, min_size=1),
        st.integers(0, 1500),
        st.sampled_from(["home", "away"]),
        st.booleans(),
    ),
    max_size=6,
)


def declare(bench, **more):
    bench.catalogue(
        bench.promise("a", **more),
        bench.promise(
            "b",
            severity="critical",
            rests_on=["a"],
            checks=[bench.check("b"), bench.check("b", "attack")],
        ),
        bench.promise("c", kind="attested", checks=[]),
        bench.promise("d", planned_for="2027-01-01"),
        bench.promise("e", not_applicable_because="there is none here"),
    )


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(seen=rounds, later=st.integers(0, 2000))
def test_the_pages_states_are_the_kernels(bench, seen, later):
    declare(bench)
    for found, age, vantage, logged in seen:
        ttl = timedelta(minutes=15)
        bench.round(found, bench.NOW - age * S, vantage=vantage, ttl=ttl, logged=logged)
    now = bench.NOW + later * S

    page = bench.page(now)

    record, _, _ = bench.known()
    for row, declared in zip(page.rows, record.declared, strict=True):
        expected = state(declared.promise, record.evidence(), record.signed(), now)
        assert row.standing == expected
    assert sum(page.counts.values()) == len(page.rows)
    for row in page.rows:
        if row.valid_until is not None and row.valid_until > now:
            assert page.valid_until <= row.valid_until


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(seen=rounds)
def test_until_its_end_a_page_stays_true(bench, seen):
    declare(bench)
    for found, age, vantage, logged in seen:
        bench.round(found, bench.NOW - age * S, vantage=vantage, logged=logged)
    page = bench.page()

    last = page.valid_until - timedelta(milliseconds=1)

    assert page.valid_until > bench.NOW
    assert [r.standing for r in bench.page(last).rows] == [r.standing for r in page.rows]


def test_the_stale_variant_vouches_for_nothing(bench):
    declare(bench)
    bench.attest("c", bench.NOW - 90 * S, bench.NOW + timedelta(days=30))
    bench.round({"a.look": "fail", "b.look": "pass", "b.attack": "pass"}, bench.NOW - S)
    page = bench.page()
    assert [row.state for row in page.rows[:3]] == [State.FAILING, State.PROVEN, State.ATTESTED]

    stale = all_stale(page)

    assert [row.state.value for row in stale.rows] == [
        *("stale", "stale", "stale"),
        *("planned", "not-applicable"),
    ]
    assert not EVIDENT & set(stale.counts)
    assert not any(look.fresh for row in stale.rows for look in row.looks)
    assert all(not row.changes for row in stale.rows)
    assert stale.valid_until == page.valid_until


def test_a_log_that_cannot_be_believed_leaves_nothing_but_the_sentences(bench):
    declare(bench)
    bench.round({"a.look": "pass"}, bench.NOW)
    page = bench.page()

    trouble = troubled(page.masthead, "tiles that do not agree", now=bench.NOW, known=page.rows)

    assert not EVIDENT & {row.state for row in trouble.rows}
    assert [row.claim for row in trouble.rows] == [row.claim for row in page.rows]
    assert trouble.valid_until == bench.NOW


def test_who_rests_on_it_is_shown(bench):
    declare(bench)
    page = bench.page()

    assert page.row("a").resting == ("b",)
    assert page.row("b").promise.rests_on == ("a",)


def test_since_comes_from_the_log_and_for_stale_from_the_expiry(bench):
    declare(bench)
    bench.round({"a.look": "pass"}, bench.NOW - timedelta(hours=5))
    bench.round({"a.look": "pass"}, bench.NOW - S, logged=False)

    assert bench.page().row("a").since == bench.NOW - timedelta(hours=5)
    later = bench.page(bench.NOW + timedelta(hours=1)).row("a")
    assert later.state is State.STALE
    assert later.since == bench.NOW - S + timedelta(minutes=1)


def test_a_probe_counts_as_tested_only_by_its_very_digest(bench):
    declare(bench)

    tested = bench.page(tested={("a.look", "0123456789abcdef")})
    other = bench.page(tested={("a.look", "fedcba9876543210")})

    assert tested.row("a").tested
    assert not other.row("a").tested
    assert not tested.row("b").tested


def test_a_waiver_stands_beside_the_state(bench):
    declare(bench)
    bench.round({"a.look": "fail"}, bench.NOW - S)
    body = {"promise": "a", "reason": "mended on Monday", "by": "A. Example"}
    bench.own("waiver", {**body, "expires": bench.stamp(bench.NOW + timedelta(days=2))})

    row = bench.page().row("a")

    assert row.state is State.FAILING
    assert row.waivers[0][1].reason == "mended on Monday"
    assert not bench.page(bench.NOW + timedelta(days=3)).row("a").waivers
