"""The judge of standing in the way."""

import pytest

from troth.kernel.model import Verdict
from troth.promises.edge.judge.inline import BY_SETTING, PROTOCOLS, inspected

PASS, FAIL, ERROR = Verdict.PASS, Verdict.FAIL, Verdict.ERROR


def facts(*, without=(), more=(), **changes):
    tried = [
        {"protocol": name, "refused": True, "passed": True, "status": 404} | changes.pop(name, {})
        for name in sorted((PROTOCOLS | set(more)) - set(without))
    ]
    closed = {"kind": "socket", "is_open": False}
    return {"tried": tried, "origin": closed} | changes


def judged(settings, **given):
    return inspected(facts(**given), settings()).verdict


def test_all_protocols_and_no_way_around(settings):
    assert judged(settings) is PASS


@pytest.mark.parametrize("name", sorted(PROTOCOLS))
def test_each_protocol_counts(settings, name):
    assert judged(settings, **{name: {"refused": False}}) is FAIL
    assert judged(settings, **{name: {"passed": False}}) is ERROR, "the control failed"
    assert judged(settings, **{name: {"status": 503}}) is ERROR, "nobody behind the edge"
    assert judged(settings, without=[name]) is ERROR


def test_a_way_around(settings):
    assert judged(settings, origin={"kind": "port", "is_open": True}) is FAIL
    assert judged(settings, origin=None) is ERROR


def test_what_is_offered_by_setting_counts_as_all_others(settings):
    offered = settings(http3=True)

    assert inspected(facts(more=BY_SETTING), offered).verdict is PASS
    assert inspected(facts(), offered).verdict is ERROR, "offered and not tried"
    beside = facts(more=BY_SETTING, h3={"refused": False})
    assert inspected(beside, offered).verdict is FAIL
    assert judged(settings, more=BY_SETTING) is ERROR, "tried and not offered"
