"""Judges of guessing passwords."""

import pytest

from troth.kernel.model import Verdict
from troth.promises.guard.judge.login import BLOCKED, SLOWED, blocked, slowed
from troth.promises.guard.settings import GuardSettings

PASS, FAIL, ERROR = Verdict.PASS, Verdict.FAIL, Verdict.ERROR
SETTINGS = GuardSettings()
ONE = {
    "is_elsewhere": False, "has_route": True, "failures": 4, "before": [[401, ""]] * 4,
    "blocked": [403, BLOCKED], "later": [403, BLOCKED], "other": [401, ""],
}  # fmt: skip
OWNER = {
    "first": [302, ""], "is_known": True, "strangers": ["", "", SLOWED], "again": [302, ""],
}  # fmt: skip
MANY = {
    "is_elsewhere": False, "has_route": True, "distributed": ["", "", SLOWED],
    "sprayed": ["", SLOWED], "statuses": [401], "owner": OWNER,
}  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({}, PASS),
        ({"blocked": [401, ""]}, FAIL),
        ({"later": [401, ""]}, FAIL),
        ({"before": [[401, ""], [503, ""]]}, ERROR),
        ({"before": [[403, SLOWED]]}, ERROR),
        ({"other": [403, BLOCKED]}, ERROR),
        ({"has_route": False}, ERROR),
        ({"is_elsewhere": True}, ERROR),
        ({"other": None}, ERROR),
    ],
)
def test_one_address(changes, verdict):
    assert blocked(ONE | changes, SETTINGS).verdict is verdict


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({}, PASS),
        ({"owner": None}, PASS),
        ({"distributed": [""] * 8}, FAIL),
        ({"sprayed": [""] * 13}, FAIL),
        ({"statuses": []}, ERROR),
        ({"statuses": [401, 503]}, ERROR),
        ({"owner": OWNER | {"again": [429, SLOWED]}}, FAIL),
        ({"owner": OWNER | {"strangers": [""]}}, FAIL),
        ({"owner": OWNER | {"is_known": False}}, ERROR),
        ({"owner": OWNER | {"first": [403, BLOCKED]}}, ERROR),
        ({"owner": OWNER | {"first": [503, ""]}}, ERROR),
        ({"has_route": False}, ERROR),
    ],
)
def test_many_addresses(changes, verdict):
    assert slowed(MANY | changes, SETTINGS).verdict is verdict


def test_the_owner_is_told():
    assert "the account's owner got in" in slowed(MANY, SETTINGS).reason
