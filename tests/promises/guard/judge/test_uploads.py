"""The judge of uploads."""

import pytest

from troth.kernel.model import Verdict
from troth.promises.guard.judge.uploads import kept_away
from troth.promises.guard.settings import GuardSettings

PASS, FAIL, ERROR = Verdict.PASS, Verdict.FAIL, Verdict.ERROR
SENT = {
    "harmless": 2, "arrived": 2, "bad": 6, "refused": 6, "told": 0, "noted": 0, "unclear": 0,
    "routes": 1, "passed": 0, "silent": 0,
}  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({}, PASS),
        ({"noted": None}, PASS),
        ({"told": 1, "refused": 5}, FAIL),
        ({"noted": 1}, FAIL),
        ({"passed": 1}, FAIL),
        ({"passed": 1, "arrived": 0}, FAIL),
        ({"arrived": 1}, ERROR),
        ({"harmless": 0, "arrived": 0}, ERROR),
        ({"refused": 5, "unclear": 1}, ERROR),
        ({"silent": 1}, ERROR),
        ({"routes": 0}, ERROR),
        ({"bad": "many"}, ERROR),
    ],
)
def test_bad_uploads_are_kept_away_and_harmless_ones_arrive(changes, verdict):
    assert kept_away(SENT | changes, GuardSettings()).verdict is verdict
