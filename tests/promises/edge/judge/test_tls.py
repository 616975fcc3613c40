"""Judges of protocol versions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.kernel.model import Verdict
from troth.promises.edge.judge import tls
from troth.promises.edge.settings import EdgeSettings

PASS, FAIL, ERROR = Verdict.PASS, Verdict.FAIL, Verdict.ERROR
EDGE = EdgeSettings()
ALERT = {"kind": "alert", "version": "", "alert": "protocol_version"}
CLOSED, HELLO, OTHER = {"kind": "closed"}, {"kind": "hello"}, {"kind": "other"}
GARBAGE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=12,
)


def host(**changes):
    return {
        "host": "app",
        "old": {"TLSv1.0": ALERT, "TLSv1.1": CLOSED},
        "agreed": {"TLSv1.2": "TLSv1.2", "TLSv1.3": "TLSv1.3"},
        "preferred": "TLSv1.3",
    } | changes


def versions(*hosts):
    return tls.versions({"hosts": list(hosts)}, EDGE).verdict


def test_modern_versions():
    assert versions(host()) is PASS
    assert versions(host(), host(host="troth")) is PASS


@pytest.mark.parametrize(
    "changes",
    [
        {"old": {"TLSv1.0": HELLO, "TLSv1.1": ALERT}},
        {"old": {"TLSv1.0": ALERT, "TLSv1.1": HELLO}},
        {"agreed": {"TLSv1.2": "TLSv1.2", "TLSv1.3": ""}, "preferred": "TLSv1.2"},
        {"agreed": {"TLSv1.2": "", "TLSv1.3": "TLSv1.3"}},
        {"preferred": "TLSv1.2"},
    ],
)
def test_anything_else_fails(changes):
    assert versions(host(**changes)) is FAIL
    assert versions(host(), host(host="troth", **changes)) is FAIL


@pytest.mark.parametrize(
    "changes",
    [
        {"host": "troth"},
        {"old": {"TLSv1.0": ALERT}},
        {"agreed": {"TLSv1.2": "TLSv1.2"}},
        {"agreed": {"TLSv1.2": "", "TLSv1.3": ""}, "preferred": ""},
        {"old": {"TLSv1.0": OTHER, "TLSv1.1": ALERT}},
    ],
)
def test_without_its_controls_nothing_is_said(changes):
    assert versions(host(**changes)) is ERROR
    assert versions() is ERROR


def spoken(control=HELLO, replies=(ALERT, CLOSED, ALERT), said=("SSLv2", "SSLv3", "SSLv3")):
    tried = [{"said": name, "reply": reply} for name, reply in zip(said, replies, strict=True)]
    return {"host": "app", "tried": tried, "control": control}


def ancient(*hosts):
    return tls.ancient({"hosts": list(hosts)}, EDGE).verdict


def test_ancient_versions():
    assert ancient(spoken()) is PASS
    assert ancient(spoken(replies=(HELLO, ALERT, ALERT))) is FAIL
    assert ancient(spoken(replies=(ALERT, ALERT, HELLO))) is FAIL


def test_a_refusal_alone_proves_nothing():
    assert ancient(spoken(control=ALERT)) is ERROR
    assert ancient(spoken(control=CLOSED)) is ERROR
    assert ancient(spoken(replies=(ALERT, ALERT, OTHER))) is ERROR
    assert ancient(spoken(said=("SSLv3", "SSLv3", "SSLv3"))) is ERROR
    assert ancient({**spoken(), "host": "troth"}) is ERROR


@given(st.dictionaries(st.text(max_size=9), GARBAGE) | st.builds(lambda g: {"hosts": g}, GARBAGE))
def test_garbage_is_never_a_pass(facts):
    assert tls.versions(facts, EDGE).verdict is ERROR
    assert tls.ancient(facts, EDGE).verdict is ERROR
