"""Judges of what a browser did."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.kernel.model import Verdict
from troth.promises.edge.judge import browser
from troth.promises.edge.settings import EdgeSettings

PASS, FAIL, ERROR = Verdict.PASS, Verdict.FAIL, Verdict.ERROR
ENFORCED = msgspec.convert({"csp": {"mode": "enforced"}}, EdgeSettings)
TRIAL = EdgeSettings()
ALL = ["inline", "far", "handler"]


def csp(settings=ENFORCED, *, allowed="sha256-x", bare=ALL, **own):
    facts = {
        "own": {"ran": [], "allowed_ran": True, "reported": [204]} | own,
        "bare": {"ran": bare, "allowed_ran": True, "reported": []},
        "allowed": allowed,
    }
    return browser.csp(facts, settings)


def test_planted_scripts():
    assert csp().verdict is PASS
    assert csp(allowed="", allowed_ran=False).verdict is PASS
    assert csp(allowed="nonce", allowed_ran=False, ran=["own"]).verdict is PASS
    assert csp(ran=["inline"]).verdict is FAIL
    assert csp(ran=ALL).reason == "3 of 3 planted scripts ran"
    assert csp(reported=[]).verdict is FAIL
    assert csp(reported=[404]).verdict is FAIL


def test_on_trial_the_report_is_all_that_is_asked():
    assert csp(TRIAL, ran=ALL).verdict is PASS
    assert "on trial" in csp(TRIAL, ran=ALL).reason
    assert csp(TRIAL, ran=ALL, reported=[]).verdict is FAIL


def test_plants_that_never_run_prove_nothing():
    assert csp(bare=["inline", "far"]).verdict is ERROR
    assert csp(allowed_ran=False).verdict is ERROR


def types(ran=("plain", "page.html"), disguised=("a.gif", "b.png")):
    return browser.nosniff({"ran": list(ran), "disguised": list(disguised)}, TRIAL).verdict


def test_disguised_files():
    assert types() is PASS
    assert types(("plain", "page.html", "a.gif")) is FAIL
    assert types(("plain",)) is ERROR
    assert types(disguised=()) is ERROR


def framed(**changes):
    facts = {"routes": 5, "framed": 0, "refused": 5, "control": True} | changes
    return browser.clickjacking(facts, TRIAL).verdict


def test_frames():
    assert framed() is PASS
    assert framed(framed=1, refused=4) is FAIL
    assert framed(control=False) is ERROR
    assert framed(refused=4) is ERROR
    assert framed(routes=0, refused=0) is ERROR


ORIGIN, PAGE = "https://a.example/", "https://a.example/?secret"


def clicked(**changes):
    facts = {
        "origin": ORIGIN,
        "page": PAGE,
        "foreign": [ORIGIN],
        "plain": [""],
        "control": [PAGE],
    } | changes
    return browser.referrer(facts, TRIAL).verdict


def test_clicks():
    assert clicked() is PASS
    assert clicked(foreign=[""]) is PASS
    assert clicked(foreign=[PAGE]) is FAIL
    assert clicked(plain=[ORIGIN]) is FAIL
    assert clicked(control=[]) is ERROR
    assert clicked(control=[ORIGIN]) is ERROR
    assert clicked(page="", control=[""]) is ERROR
    assert clicked(foreign=[]) is ERROR
    assert clicked(plain=[]) is ERROR


def read(settings=TRIAL, **changes):
    facts = {"kept": ["sid", "theme"], "readable": [], "control": True} | changes
    return browser.cookies(facts, settings).verdict


def test_cookies():
    named = msgspec.convert({"cookies": {"readable": ["theme"]}}, EdgeSettings)

    assert read() is PASS
    assert read(readable=["sid"]) is FAIL
    assert read(readable=["theme"]) is FAIL
    assert read(named, readable=["theme"]) is PASS
    assert read(control=False) is ERROR
    assert read(kept=[]) is ERROR


@pytest.mark.parametrize("name", ["csp", "nosniff", "clickjacking", "referrer", "cookies"])
@given(st.dictionaries(st.text(max_size=9), st.none() | st.integers() | st.text(max_size=9)))
def test_garbage_is_never_a_pass(name, facts):
    assert getattr(browser, name)(facts, TRIAL).verdict is ERROR
