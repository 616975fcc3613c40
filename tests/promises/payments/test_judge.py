"""Judges of card numbers."""

import pytest

from troth.kernel.model import Verdict
from troth.promises.payments.judge import PLACES, clean, refused
from troth.promises.payments.settings import PaymentsSettings

PASS, FAIL, ERROR = Verdict.PASS, Verdict.FAIL, Verdict.ERROR
SETTINGS = PaymentsSettings()
POSTED = {
    "cards": 7, "refused": 7, "arrived_in": [], "harmless": 7, "passed": 7, "stopped_in": [],
    "places": sorted(PLACES),
}  # fmt: skip
SWEPT = POSTED | {
    "is_elsewhere": False, "files": 9, "bytes": 4096, "is_whole": True, "has_planted": True,
    "has_trace": True, "kept_in": [],
}  # fmt: skip
LET_IN = [
    ({}, PASS),
    ({"arrived_in": ["cookie"], "refused": 6}, FAIL),
    ({"arrived_in": ["cookie"], "refused": 6, "passed": 0}, FAIL),
    ({"passed": 0}, ERROR),
    ({"stopped_in": ["json"], "passed": 6}, FAIL),
    ({"refused": 6}, ERROR),
    ({"passed": 6}, ERROR),
    ({"places": ["query"]}, ERROR),
    ({"cards": None}, ERROR),
]


@pytest.mark.parametrize(("changes", "verdict"), LET_IN)
def test_cards_are_refused_and_nothing_else_is(changes, verdict):
    assert refused(POSTED | changes, SETTINGS).verdict is verdict
    assert clean(SWEPT | changes, SETTINGS).verdict is verdict


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({"kept_in": ["logs/debug.log"]}, FAIL),
        ({"kept_in": ["logs/debug.log"], "has_planted": False}, FAIL),
        ({"has_planted": False}, ERROR),
        ({"has_trace": False}, ERROR),
        ({"is_whole": False}, ERROR),
        ({"is_elsewhere": True}, ERROR),
        ({"bytes": "many"}, ERROR),
    ],
)
def test_nothing_is_kept(changes, verdict):
    assert clean(SWEPT | changes, SETTINGS).verdict is verdict


def test_it_tells_no_path():
    assert "debug" not in clean(SWEPT | {"kept_in": ["logs/debug.log"]}, SETTINGS).reason
