"""Judges of named attacks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.kernel.model import Verdict
from troth.promises.edge.judge import attacks
from troth.promises.edge.rules.attacks import NOT_TRIED, TRIED
from troth.promises.edge.settings import EdgeSettings

PASS, FAIL, ERROR = Verdict.PASS, Verdict.FAIL, Verdict.ERROR
EDGE = EdgeSettings()
CONTROL = ["Heartbleed", "CCS injection"]


def offered(*suites, name="app", compresses=False):
    offer = {
        "suites": {"TLSv1.2": list(suites) or ["ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"]},
        "groups": ["X25519"],
        "renegotiates_securely": True,
        "compresses": compresses,
    }
    return {"host": name, "offer": offer}


def offers(*hosts):
    return attacks.offered({"hosts": list(hosts)}, EDGE)


def test_a_sound_offer():
    judgement = offers(offered(), offered(name="troth"))

    assert judgement.verdict is PASS
    assert "BEAST, POODLE" in judgement.reason


def test_an_offer_that_an_attack_needs():
    judgement = offers(offered(), offered("RSA_WITH_3DES_EDE_CBC_SHA", name="troth"))

    assert judgement.verdict is FAIL
    assert judgement.reason == "1 of 2 hosts: Lucky 13, Sweet32"
    assert offers(offered(compresses=True)).reason == "1 of 1 hosts: CRIME"


def test_an_offer_of_somebody_else():
    assert offers(offered(name="troth")).verdict is ERROR
    assert offers(offered("NOBODYS_SUITE")).verdict is ERROR


def host(name="app", accepts=("TLSv1.2",), **tried):
    named = dict.fromkeys(TRIED, False) | tried
    return {"host": name, "tried": named, "accepts": list(accepts)}


def tried(*hosts, control=CONTROL):
    return attacks.tried({"hosts": list(hosts), "control": control}, EDGE)


def test_every_attack_withstood():
    judgement = tried(host(), host("troth"))

    assert judgement.verdict is PASS
    assert all(name in judgement.reason for name in (*TRIED, *NOT_TRIED))
    assert len(judgement.reason) <= 200


@pytest.mark.parametrize("name", TRIED)
def test_one_that_succeeds(name):
    judgement = tried(host(), host("troth", **{name: True}))

    assert judgement.verdict is FAIL
    assert judgement.reason == f"1 of 2 hosts: {name}"


def test_without_its_controls_nothing_is_said():
    assert tried(host(), control=[]).verdict is ERROR
    assert tried(host(), control=["Heartbleed"]).verdict is ERROR
    assert tried(host(accepts=())).verdict is ERROR
    assert tried(host("troth")).verdict is ERROR
    partly = host()
    del partly["tried"]["ROBOT"]
    assert tried(partly).reason == "not tried: ROBOT"
    assert tried(partly).verdict is ERROR


@given(st.dictionaries(st.sampled_from(("hosts", "control", "x")), st.text() | st.none()))
def test_garbage_is_never_a_pass(facts):
    assert attacks.offered(facts, EDGE).verdict is ERROR
    assert attacks.tried(facts, EDGE).verdict is ERROR
