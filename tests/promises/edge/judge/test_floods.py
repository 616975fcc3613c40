"""The judge of the drill of floods."""

import pytest

from troth.kernel.model import Verdict
from troth.promises.edge.judge.floods import ENDURED, LEAST_ASKED, STOPPED, floods

PASS, FAIL, ERROR = Verdict.PASS, Verdict.FAIL, Verdict.ERROR


def facts(*, passed=(), missing=(), **changes):
    return {
        "is_elsewhere": False,
        "before": {"asked": 5, "answered": 5},
        "meanwhile": {"asked": 100, "answered": 99},
        "floods": [
            {"name": name, "sent": 40, "stopped": 1 if name == "rapid reset" else 40, "status": 0}
            if name not in passed
            else {"name": name, "sent": 40, "stopped": 0, "status": 0}
            for name in sorted((STOPPED | ENDURED) - set(missing))
        ],
    } | changes


def judged(settings, **given):
    return floods(facts(**given), settings()).verdict


def test_stopped_or_endured(settings):
    assert judged(settings) is PASS
    assert judged(settings, passed=ENDURED) is PASS


@pytest.mark.parametrize("name", sorted(STOPPED))
def test_each_must_be_stopped(settings, name):
    assert judged(settings, passed=[name]) is FAIL


@pytest.mark.parametrize("name", sorted(STOPPED | ENDURED))
def test_what_was_not_tried_is_unknown(settings, name):
    assert judged(settings, missing=[name]) is ERROR


def test_the_good_client_decides(settings):
    assert judged(settings, meanwhile={"asked": 100, "answered": 98}) is FAIL
    few = {"asked": LEAST_ASKED - 1, "answered": 0}
    assert judged(settings, meanwhile=few) is ERROR
    assert judged(settings, before={"asked": 5, "answered": 4}) is ERROR
    assert judged(settings, before={"asked": 0, "answered": 0}) is ERROR


def test_elsewhere_it_would_be_an_attack(settings):
    assert floods({"is_elsewhere": True}, settings()).verdict is ERROR
