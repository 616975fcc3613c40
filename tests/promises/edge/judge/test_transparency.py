"""Judges of stamps, logs and CAA."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.kernel.evidence import stamp
from troth.kernel.model import Verdict
from troth.promises.edge.judge import transparency
from troth.promises.edge.settings import EdgeSettings

PASS, FAIL, ERROR = Verdict.PASS, Verdict.FAIL, Verdict.ERROR
EDGE = EdgeSettings()
NOW = datetime(2026, 11, 21, tzinfo=UTC)
DAY_S = 86_400


def one(log="a", operator="A", is_valid=True):
    return {"log": log, "operator": operator, "is_valid": is_valid}


UNKNOWN = one("", "", is_valid=False)


def stamps(*found, **changes):
    facts = {
        "stamps": list(found),
        "life_s": 90 * DAY_S,
        "listed": stamp(NOW - timedelta(days=7)),
        "at": stamp(NOW),
        "logs": 30,
    } | changes
    return transparency.stamps(facts, EDGE).verdict


def test_stamps():
    assert stamps(one(), one("b", "B")) is PASS
    assert stamps(one(), one("b", "B"), UNKNOWN) is PASS
    assert stamps() is FAIL
    assert stamps(one()) is FAIL
    assert stamps(one(), UNKNOWN, one("b", "B", is_valid=False)) is FAIL
    assert stamps(one(), one("b", "B"), life_s=181 * DAY_S) is FAIL
    assert stamps(one(), one("b", "B"), one("c", "B"), life_s=181 * DAY_S) is PASS


@pytest.mark.parametrize(
    "changes",
    [
        {"logs": 0},
        {"listed": stamp(NOW - timedelta(days=71))},
        {"listed": stamp(NOW + timedelta(days=1))},
        {"listed": "2026-11-20T00:00:00"},
        {"at": "2026-11-20T00:00:00"},
    ],
)
def test_an_old_list_says_nothing(changes):
    assert stamps(one(), one("b", "B"), **changes) is ERROR


def test_logs_that_the_list_does_not_name():
    assert stamps(UNKNOWN, UNKNOWN) is ERROR
    assert stamps(one(), one("b", "A")) is ERROR


def logs(logged=2, foreign=0, has_served=True):
    facts = {"logged": logged, "foreign": foreign, "has_served": has_served}
    return transparency.logs(facts, EDGE).verdict


def test_who_holds_our_names():
    assert logs() is PASS
    assert logs(foreign=1) is FAIL
    assert logs(foreign=1, has_served=False) is FAIL
    assert logs(has_served=False) is ERROR
    assert logs(foreign=3) is ERROR
    assert logs(logged=0) is ERROR


def caa(*records, exists=True):
    return transparency.caa({"exists": exists, "records": list(records)}, EDGE).verdict


def test_who_may_issue():
    assert caa('0 issue "ca.example"') is PASS
    assert caa('0 issuewild ";"', '0 iodef "mailto:a@a.example"') is PASS
    assert caa('0 iodef "mailto:a@a.example"') is FAIL
    assert caa() is FAIL
    assert caa('0 issue "ca.example"', exists=False) is ERROR


@given(st.dictionaries(st.text(max_size=9), st.none() | st.integers() | st.text(max_size=9)))
def test_garbage_is_never_a_pass(facts):
    for judge in (transparency.stamps, transparency.logs, transparency.caa):
        assert judge(facts, EDGE).verdict is ERROR
