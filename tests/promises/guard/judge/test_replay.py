"""The judges of the replay."""

import pytest

from troth.kernel.model import Verdict
from troth.promises.guard.judge.replay import kept_away, rates
from troth.promises.guard.settings import GuardSettings
from troth.promises.guard.settings.replay import Replay

PASS, FAIL, ERROR = Verdict.PASS, Verdict.FAIL, Verdict.ERROR
SETTINGS = GuardSettings(replay=Replay(least_blocked=0.95, least_passed=0.98))


def judged(**changes):
    facts = {
        "attacks": 100,
        "blocked": 99,
        "harmless": 100,
        "passed": 100,
        "unclear": 0,
        "planted": ["arrived"],
        "set_sha256": "0" * 64,
    } | changes
    return rates(facts, SETTINGS)


def test_both_rates_are_told():
    seen = judged()

    assert seen.verdict is PASS
    assert "99 of 100 attacks were blocked (99.0%)" in seen.reason
    assert "100 of 100 harmless requests passed (100.0%)" in seen.reason


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({"blocked": 95}, PASS),
        ({"blocked": 94}, FAIL),
        ({"passed": 98}, PASS),
        ({"passed": 97}, FAIL),
        ({"blocked": 94, "unclear": 1}, ERROR),
        ({"blocked": 90, "unclear": 1}, FAIL),
        ({"passed": 97, "unclear": 1}, ERROR),
        ({"passed": 0}, ERROR),
        ({"attacks": 9, "blocked": 9}, ERROR),
        ({"harmless": 9, "passed": 9}, ERROR),
        ({"planted": ["blocked"]}, ERROR),
        ({"planted": []}, ERROR),
        ({"blocked": "all"}, ERROR),
    ],
)
def test_rates(changes, verdict):
    assert judged(**changes).verdict is verdict


LEAK = {"leak": "withheld", "plain_error": "arrived"}


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({}, PASS),
        ({"leak": "arrived"}, FAIL),
        ({"plain_error": "withheld"}, FAIL),
        ({"leak": "arrived", "plain_error": "unclear"}, FAIL),
        ({"leak": "unclear"}, ERROR),
        ({"plain_error": "unclear"}, ERROR),
        ({"plain_error": ""}, ERROR),
        ({"blocked": 94}, FAIL),
    ],
    ids=str,
)
def test_answers_where_they_are_looked_at(changes, verdict):
    seen = judged(**LEAK | changes)

    assert seen.verdict is verdict
    assert ("a leak in an answer was withheld" in seen.reason) is (verdict is PASS)


def away(**changes):
    facts = {
        "is_elsewhere": False,
        "attacks": 13,
        "harmless": 12,
        "told": 1,
        "noted_attacks": 1,
        "noted_harmless": 12,
    } | changes
    return kept_away(facts, SETTINGS).verdict


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({}, PASS),
        ({"noted_attacks": 2}, FAIL),
        ({"told": 2, "noted_attacks": 2}, FAIL),
        ({"noted_harmless": 11}, ERROR),
        ({"attacks": 9}, ERROR),
        ({"is_elsewhere": True}, ERROR),
        ({"told": None}, ERROR),
    ],
)
def test_what_arrived(changes, verdict):
    assert away(**changes) is verdict
