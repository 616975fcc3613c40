"""Judges of certificates and of their renewal."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.kernel.evidence import stamp
from troth.kernel.model import Verdict
from troth.promises.edge.judge import certificate
from troth.promises.edge.settings import EdgeSettings

PASS, FAIL, ERROR = Verdict.PASS, Verdict.FAIL, Verdict.ERROR
EDGE = EdgeSettings()
NOW = datetime(2026, 11, 21, tzinfo=UTC)


def leaf(left_days=60.0, life_days=90.0, **changes):
    until = NOW + timedelta(days=left_days)
    return {
        "key": "EC",
        "key_bits": 384,
        "signature_hash": "sha256",
        "not_before": stamp(until - timedelta(days=life_days)),
        "not_after": stamp(until),
        "is_root": False,
    } | changes


ROOT = leaf(3000, 3650, is_root=True, signature_hash="sha1", key_bits=256)


def served(*chain, **changes):
    return {
        "host": "app",
        "chain": list(chain or (leaf(), ROOT)),
        "is_trusted": True,
        "covers_name": True,
        "why_not": "",
    } | changes


def strong(*hosts, at=""):
    return certificate.strong({"hosts": list(hosts), "at": at or stamp(NOW)}, EDGE)


def test_a_strong_certificate():
    assert strong(served()).verdict is PASS
    assert strong(served(), served(host="troth")).verdict is PASS
    assert strong(served(leaf(key="RSA", key_bits=2048))).verdict is PASS
    assert strong(served(leaf(key="Ed25519", key_bits=256, signature_hash=""))).verdict is PASS
    assert strong(served(leaf(left_days=21))).verdict is PASS
    assert strong(served(leaf(left_days=2, life_days=6))).verdict is PASS
    assert strong(served(leaf(is_root=True))).verdict is PASS


@pytest.mark.parametrize(
    ("bad", "word"),
    [
        (served(is_trusted=False), "not trusted"),
        (served(covers_name=False), "not for this name"),
        (served(leaf(key="RSA", key_bits=1024)), "weak key"),
        (served(leaf(key_bits=224)), "weak key"),
        (served(leaf(key="DSAPublicKey", key_bits=0)), "weak key"),
        (served(leaf(), leaf(3000, 3650, key="RSA", key_bits=1024)), "weak key"),
        (served(leaf(signature_hash="sha1")), "weak signature"),
        (served(leaf(), leaf(3000, 3650, signature_hash="md5")), "weak signature"),
        (served(leaf(left_days=20.9)), "near or past"),
        (served(leaf(left_days=-1)), "near or past"),
        (served(leaf(left_days=1.9, life_days=6)), "near or past"),
        (served(leaf(), leaf(-1, 3650)), "not valid now"),
        (served(leaf(left_days=100, life_days=90)), "not valid now"),
    ],
)
def test_a_weak_one(bad, word):
    judgement = strong(bad)

    assert judgement.verdict is FAIL
    assert word in judgement.reason
    assert strong(served(), {**bad, "host": "troth"}).verdict is FAIL


@pytest.mark.parametrize(
    "hosts",
    [
        (),
        (served(host="troth"),),
        (served(chain=[]),),
        (served(leaf(not_before="2026-01-01T00:00:00")),),
    ],
)
def test_where_nothing_was_seen_nothing_is_said(hosts):
    assert strong(*hosts).verdict is ERROR


def test_a_look_without_its_zone():
    assert strong(served(), at="2026-11-21T00:00:00").verdict is ERROR


def drill(**changes):
    facts = {"asked": 50, "dropped": 0, "before": True, "after": True, "held": True} | changes
    return certificate.renewed(facts, EDGE).verdict


def test_a_renewal_under_traffic():
    assert drill() is PASS
    assert drill(dropped=1) is FAIL
    assert drill(after=False) is FAIL
    assert drill(held=False) is FAIL
    assert drill(asked=19) is ERROR
    assert drill(before=False) is ERROR


@given(st.dictionaries(st.text(max_size=9), st.none() | st.integers() | st.text(max_size=9)))
def test_garbage_is_never_a_pass(facts):
    assert certificate.strong(facts, EDGE).verdict is ERROR
    assert certificate.renewed(facts, EDGE).verdict is ERROR
