"""Judges of blocklists."""

import msgspec
import pytest

from troth.kernel.model import Verdict
from troth.promises.guard.judge.lists import fresh, refused
from troth.promises.guard.settings import GuardSettings

PASS, FAIL, ERROR = Verdict.PASS, Verdict.FAIL, Verdict.ERROR
LIST = {"name": "own", "source": "file:/blocklist.txt", "max_age_s": 3600}
SETTINGS = msgspec.convert({"lists": [LIST]}, GuardSettings)
OVERLAY = {
    "has_overlay": True, "before": 200, "other": 200, "refused_after_s": 1.2, "served_after_s": 1.4,
}  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({}, PASS),
        ({"refused_after_s": None}, FAIL),
        ({"served_after_s": None}, FAIL),
        ({"before": 403}, ERROR),
        ({"other": 403}, ERROR),
        ({"has_overlay": False}, ERROR),
        ({"before": "yes"}, ERROR),
    ],
)
def test_an_address_on_the_list(changes, verdict):
    assert refused(OVERLAY | changes, SETTINGS).verdict is verdict


def judged(*lists, settings=SETTINGS):
    return fresh({"lists": list(lists)}, settings)


def shown(**changes):
    return {"name": "own", "source": "file: blocklist.txt", "count": 4, "age_s": 120} | changes


def test_source_size_and_age_are_told():
    assert judged(shown()).verdict is PASS
    assert "own from file: blocklist.txt (4 networks, 2 min old)" in judged(shown()).reason


def test_a_list_that_is_old_or_was_never_had():
    assert judged(shown(age_s=3601)).verdict is FAIL
    assert judged(shown(age_s=None)).verdict is FAIL


def test_what_cannot_be_seen_is_unknown():
    assert judged().verdict is ERROR
    assert judged(shown(), settings=GuardSettings()).verdict is ERROR
    assert fresh({"lists": None}, SETTINGS).verdict is ERROR
