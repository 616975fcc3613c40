"""The history: what a reader of the page would have seen, replayed from the log alone."""

from datetime import timedelta
from itertools import pairwise

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from troth.kernel.model import State
from troth.publish.history import since

MIN, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def story(bench, slug="hsts"):
    _, history, _ = bench.known()
    return [(change.after.value, change.source) for change in reversed(history.of(slug))]


def test_a_look_carries_on_between_its_changes(bench):
    bench.catalogue(bench.promise("hsts"), at=bench.NOW - 3 * DAY)
    bench.round({"hsts.look": "pass"}, bench.NOW - 2 * DAY)
    bench.round({"hsts.look": "fail"}, bench.NOW - DAY)
    bench.round({"hsts.look": "pass"}, bench.NOW - HOUR)

    assert story(bench) == [
        ("unproven", "log:1"),
        ("proven", "log:3"),
        ("failing", "log:4"),
        ("proven", "log:5"),
    ]


def test_a_drill_ages_as_it_says(bench):
    drill = bench.check("restore", "drill", ttl_s=26 * 3600, interval_s=24 * 3600)
    bench.catalogue(bench.promise("restore", checks=[drill]), at=bench.NOW - 5 * DAY)
    bench.round({"restore.drill": "pass"}, bench.NOW - 4 * DAY, ttl=26 * HOUR)
    bench.round({"restore.drill": "pass"}, bench.NOW - DAY, ttl=26 * HOUR)

    _, history, _ = bench.known()

    assert story(bench, "restore") == [
        ("unproven", "log:1"),
        ("proven", "log:3"),
        ("stale", ""),
        ("proven", "log:4"),
    ]
    assert history.of("restore")[1].at == bench.NOW - 4 * DAY + 26 * HOUR


def gap(bench, begin, end, reason):
    body = {"vantage": "home", "from": bench.stamp(begin), "to": bench.stamp(end)}
    bench.own("gap", {**body, "reason": reason}, end)


def test_silence_is_stale_until_the_vantage_is_back(bench):
    bench.catalogue(bench.promise("hsts"), at=bench.NOW - 3 * DAY)
    bench.round({"hsts.look": "pass"}, bench.NOW - 2 * DAY)
    quiet = bench.NOW - DAY
    gap(bench, quiet, quiet + 2 * MIN, "silent")
    assert [state for state, _ in story(bench)] == ["unproven", "proven", "stale"]

    gap(bench, quiet, quiet + HOUR, "returned")

    _, history, _ = bench.known()
    newest, stale, *_ = history.of("hsts")
    assert (newest.after, newest.at) == (State.PROVEN, quiet + HOUR)
    assert (stale.after, stale.at) == (State.STALE, quiet + MIN)


def test_a_gap_shorter_than_the_verdicts_lasts_changes_nothing(bench):
    bench.catalogue(bench.promise("hsts"), at=bench.NOW - 3 * DAY)
    bench.round({"hsts.look": "pass"}, bench.NOW - 2 * DAY)
    gap(bench, bench.NOW - DAY, bench.NOW - DAY + timedelta(seconds=30), "hole")

    assert [state for state, _ in story(bench)] == ["unproven", "proven"]


def test_an_attestation_begins_and_expires_by_itself(bench):
    bench.catalogue(bench.promise("training", kind="attested", checks=[]), at=bench.NOW - 30 * DAY)
    bench.attest("training", bench.NOW - 20 * DAY, bench.NOW - 10 * DAY)
    assert [state for state, _ in story(bench, "training")] == ["unproven", "attested"]

    _, history, _ = bench.known()
    history.until(bench.NOW)
    history.until(bench.NOW)

    assert [change.after.value for change in history.of("training")] == [
        *("stale", "attested", "unproven")
    ]
    assert history.of("training")[0].at == bench.NOW - 10 * DAY


def test_other_words_are_a_change_of_their_own(bench):
    bench.catalogue(bench.promise("hsts"), at=bench.NOW - 3 * DAY)
    claim = {"en": "Other words.", "it": "a.", "de": "b.", "fr": "c."}
    bench.catalogue(bench.promise("hsts", claim=claim), at=bench.NOW - 2 * DAY)

    _, history, _ = bench.known()

    assert [(c.after.value, c.is_claim) for c in history.of("hsts")] == [
        ("unproven", True),
        ("unproven", False),
    ]


def test_since_is_the_last_change_into_the_state_that_holds(bench):
    bench.catalogue(bench.promise("hsts"), at=bench.NOW - 3 * DAY)
    bench.round({"hsts.look": "pass"}, bench.NOW - 2 * DAY)
    _, history, _ = bench.known()

    assert since(history.of("hsts"), State.PROVEN) == bench.NOW - 2 * DAY
    assert since(history.of("hsts"), State.STALE) is None


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(verdicts=st.lists(st.sampled_from(["pass", "fail", "error"]), min_size=1, max_size=8))
def test_no_change_repeats_the_state_before_it(bench, verdicts):
    bench.catalogue(bench.promise("hsts"))
    for verdict in verdicts:
        bench.at += MIN
        bench.round({"hsts.look": verdict}, bench.at)

    _, history, _ = bench.known()
    changes = list(reversed(history.of("hsts")))

    for before, after in pairwise(changes):
        assert after.before is before.after
        assert after.after is not after.before
        assert after.at >= before.at
