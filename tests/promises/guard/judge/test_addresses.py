"""Judges of what addresses may do."""

import pytest

from troth.kernel.model import Verdict
from troth.promises.guard.judge.addresses import banned, throttled, zoned
from troth.promises.guard.settings import GuardSettings

PASS, FAIL, ERROR = Verdict.PASS, Verdict.FAIL, Verdict.ERROR
SETTINGS = GuardSettings()

EXCESS = {
    "is_elsewhere": False, "has_rule": True, "sent": 250, "served": 205, "throttled": 45,
    "with_retry_after": 45, "burst": 200, "might": 206.0, "lies_served": 1, "other": 200,
}  # fmt: skip
ZONED = {"is_elsewhere": False, "canary": 200, "others": [[403, "ip-filtering"]] * 2}
ATTACKED = {
    "is_elsewhere": False, "before": 200, "attacks": 12, "seconds": 0.4,
    "banned": [403, "auto-response"], "other": 200, "has_ended": True,
}  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({}, PASS),
        ({"served": 250, "throttled": 0, "with_retry_after": 0}, FAIL),
        ({"served": 219, "throttled": 31, "with_retry_after": 31}, FAIL),
        ({"served": 250, "throttled": 0, "with_retry_after": 0, "might": 260.0}, ERROR),
        ({"with_retry_after": 44}, FAIL),
        ({"lies_served": 10}, FAIL),
        ({"other": 429}, ERROR),
        ({"served": 0}, ERROR),
        ({"sent": 199}, ERROR),
        ({"has_rule": False}, ERROR),
        ({"is_elsewhere": True}, ERROR),
        ({"might": "much"}, ERROR),
    ],
)
def test_a_burst(changes, verdict):
    assert throttled(EXCESS | changes, SETTINGS).verdict is verdict


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({}, PASS),
        ({"others": [[403, "ip-filtering"], [200, ""]]}, FAIL),
        ({"others": [[403, "ip-filtering"], [403, "auto-response"]]}, ERROR),
        ({"others": []}, ERROR),
        ({"canary": 403}, ERROR),
        ({"is_elsewhere": True}, ERROR),
        ({"others": None}, ERROR),
    ],
)
def test_a_zone(changes, verdict):
    assert zoned(ZONED | changes, SETTINGS).verdict is verdict


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({}, PASS),
        ({"banned": [200, ""]}, FAIL),
        ({"banned": [403, "waf-owasp-top10"]}, FAIL),
        ({"has_ended": False}, FAIL),
        ({"other": 403}, ERROR),
        ({"before": 503}, ERROR),
        ({"is_elsewhere": True}, ERROR),
        ({"seconds": None}, ERROR),
    ],
)
def test_an_attacker(changes, verdict):
    assert banned(ATTACKED | changes, SETTINGS).verdict is verdict
