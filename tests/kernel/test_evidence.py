"""The evidence format: canonical, strict, reversible, and free of people."""

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from troth.kernel import evidence
from troth.kernel.evidence import EvidenceError, Look, Round, Signer
from troth.kernel.model import Verdict

NOW = datetime(2026, 11, 21, 12, 0, 0, 123000, tzinfo=UTC)
KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
PUBLIC = KEY.public_key().public_bytes_raw()
SIGNER = Signer(evidence.key_id(PUBLIC), KEY.sign)

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)


def a_round(*verdicts: Verdict) -> Round:
    looks = tuple(
        Look(
            check=f"p.{n}",
            verdict=verdict,
            collected=NOW,
            expires=NOW + timedelta(minutes=1),
            reason="as seen",
            probe="0" * 16,
            public={"max_age": n} if n else {},
            commitment="" if n else "a" * 64,
        )
        for n, verdict in enumerate(verdicts)
    )
    return Round(
        subject="https://demo.localhost:8443",
        certificate="c" * 64,
        config="d" * 64,
        version="0.1.0",
        vantage="home",
        sequence=7,
        looks=looks,
    )


@given(values)
def test_canonical_reads_back(value):
    assert json.loads(evidence.canonical(value)) == value


@pytest.mark.parametrize("bad", [1.5, {"a": [float("nan")]}, {1: 2}])
def test_canonical_refuses_what_has_no_one_spelling(bad):
    with pytest.raises(EvidenceError):
        evidence.canonical(bad)


def test_canonical_refuses_depth():
    deep: list = []
    for _ in range(20):
        deep = [deep]
    with pytest.raises(EvidenceError, match="deeper"):
        evidence.canonical(deep)


def test_the_pae_is_dsses_own_example():
    # Source: DSSE protocol.md, the worked example of v1
    assert (
        evidence.pae("http://example.com/HelloWorld", b"hello world")
        == b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )


def test_seal_and_unseal():
    raw = evidence.seal(evidence.round_statement(a_round(*Verdict)), SIGNER)

    opened = evidence.unseal(raw)
    KEY.public_key().verify(opened.signature, opened.signed)
    assert opened.keyid == evidence.key_id(PUBLIC)
    assert evidence.read_round(opened.statement) == a_round(*Verdict)


@pytest.mark.parametrize(
    ("verdicts", "result"),
    [
        ((Verdict.PASS,), "PASSED"),
        ((Verdict.PASS, Verdict.ERROR), "WARNED"),
        ((Verdict.ERROR, Verdict.FAIL), "FAILED"),
    ],
)
def test_the_result_is_the_worst(verdicts, result):
    assert evidence.round_statement(a_round(*verdicts))["predicate"]["result"] == result


def test_evidence_of_a_round():
    (first, _) = evidence.evidence_of(a_round(Verdict.PASS, Verdict.FAIL), "log:3")

    assert (first.check, first.verdict, first.vantage) == ("p.0", Verdict.PASS, "home")
    assert first.source == "log:3"


SEALED = evidence.seal(evidence.round_statement(a_round(Verdict.PASS)), SIGNER)


def _with(**changes) -> bytes:
    return evidence.canonical({**json.loads(SEALED), **changes})


def _payload(statement: object) -> str:
    return base64.b64encode(json.dumps(statement).encode()).decode()


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[]",
        b"x" * (evidence.MAX_ENVELOPE_BYTES + 1),
        SEALED + b" ",
        _with(extra=1),
        _with(payloadType="text/plain"),
        _with(signatures=[]),
        _with(payload="!!"),
        _with(payload=_payload({"_type": "other"})),
        _with(payload=_payload([1])),
        _with(payload=base64.b64encode(b'{ "_type":"https://in-toto.io/Statement/v1"}').decode()),
    ],
)
def test_unseal_is_strict(raw):
    with pytest.raises(EvidenceError):
        evidence.unseal(raw)


@given(st.integers(0, len(SEALED) - 1), st.integers(1, 255))
def test_no_changed_byte_keeps_its_meaning(place, change):
    changed = bytearray(SEALED)
    changed[place] ^= change

    try:
        opened = evidence.unseal(bytes(changed))
        KEY.public_key().verify(opened.signature, opened.signed)
    except Exception:  # noqa: BLE001 -- any refusal will do
        return
    assert opened.keyid != SIGNER.keyid


def test_a_round_must_say_the_same_twice():
    statement = evidence.round_statement(a_round(Verdict.FAIL))
    statement["predicate"]["failedTests"] = []
    with pytest.raises(EvidenceError):
        evidence.read_round(statement)
    with pytest.raises(EvidenceError):
        evidence.read_round({"subject": []})


def test_own_statements():
    made = evidence.statement("gap", {"reason": "asleep"}, subject="home", digest="0" * 64)

    assert made["predicateType"] == "urn:troth:predicate:gap:v0.1"
    with pytest.raises(ValueError, match="novel"):
        evidence.statement("novel", {}, subject="x", digest="")


def test_times():
    assert evidence.moment(evidence.stamp(NOW)) == NOW
    for bad in ("2026-11-21", "2026-13-21T12:00:00.000Z", "2026-11-21T12:00:00.000+00:00"):
        with pytest.raises(EvidenceError):
            evidence.moment(bad)


def test_a_commitment_hides_and_binds():
    one = evidence.commit({"a": 1}, bytes(16))

    assert one == evidence.commit({"a": 1}, bytes(16))
    assert one != evidence.commit({"a": 2}, bytes(16))
    assert one != evidence.commit({"a": 1}, b"\1" * 16)


@pytest.mark.parametrize(
    "facts",
    [
        {"seen": "somebody@company.example"},
        {"from": ["8.8.8.8"]},
        {"header": "Authorization: Bearer abcdefghijklmnopqrstuvwxyz"},
        {"token": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.sig"},
    ],
)
def test_people_never_reach_the_log(facts):
    with pytest.raises(EvidenceError, match=r"p\.check"):
        evidence.refuse_personal(facts, "p.check")


def test_what_is_nobodys_may_be_told():
    facts = {"from": "127.66.1.2", "contact": "security@demo.example", "version": "1.40.0"}

    evidence.refuse_personal(facts, "p.check", canaries=["security@demo.example"])
