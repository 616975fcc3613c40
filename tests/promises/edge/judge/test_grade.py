"""Judges that grade."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.kernel.model import Verdict
from troth.promises.edge.judge import grade
from troth.promises.edge.judge.facts import KINDS
from troth.promises.edge.rules.attacks import TRIED
from troth.promises.edge.rules.observatory import HEADERS
from troth.promises.edge.settings import EdgeSettings

PASS, FAIL, ERROR = Verdict.PASS, Verdict.FAIL, Verdict.ERROR
EDGE = EdgeSettings()
LEAF = {
    "key": "EC",
    "key_bits": 384,
    "signature_hash": "sha256",
    "not_before": "2026-01-01T00:00:00.000Z",
    "not_after": "2027-01-01T00:00:00.000Z",
    "is_root": False,
}
SERVED = {"host": "app", "chain": [LEAF], "is_trusted": True, "covers_name": True}
OFFER = {
    "suites": {
        "TLSv1.2": ["ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"],
        "TLSv1.3": ["AES_128_GCM_SHA256", "AES_256_GCM_SHA384"],
    },
    "groups": ["X25519"],
    "renegotiates_securely": True,
}
WITHSTOOD = dict.fromkeys(TRIED, False)


def host(name="app", **changes):
    return {
        "host": name,
        "offer": OFFER,
        "certificate": SERVED,
        "hsts": ["max-age=63072000"],
        "tried": WITHSTOOD,
    } | changes


def rated(*hosts, authority="public", judge=grade.tls):
    return judge({"hosts": list(hosts), "authority": authority}, EDGE)


def test_a_plus():
    judgement = rated(host(), host("troth"))

    assert judgement.verdict is PASS
    assert judgement.reason.startswith("A+ 96 by SSL Labs 2009r")
    assert "trusted" not in judgement.reason
    assert "was taken as trusted" in rated(host(), authority="declared").reason
    assert rated(host(tried=None)).verdict is PASS


def with_offer(**changes):
    return host(offer=OFFER | changes)


@pytest.mark.parametrize(
    "bad",
    [
        host(hsts=[]),
        host(hsts=["max-age=300"]),
        host(hsts=["max-age=63072000", "max-age=63072000"]),
        host(certificate=SERVED | {"is_trusted": False}),
        with_offer(groups=["DH 1536", "DH 4096"]),
        with_offer(renegotiates_securely=False),
        with_offer(compresses=True),
        with_offer(suites=OFFER["suites"] | {"TLSv1.0": ["RSA_WITH_AES_128_CBC_SHA"]}),
        host(tried=WITHSTOOD | {"Heartbleed": True}),
    ],
)
def test_anything_less_fails_on_whatever_host(bad):
    assert rated(bad).verdict is FAIL
    assert rated(host(), bad | {"host": "troth"}).verdict is FAIL


@pytest.mark.parametrize(
    "bad",
    [
        host("troth"),
        host(certificate=SERVED | {"chain": []}),
        with_offer(suites={}),
        with_offer(suites={"TLSv9": ["AES_128_GCM_SHA256"]}),
        with_offer(suites={"TLSv1.2": ["NOBODYS_SUITE"]}),
        with_offer(suites={"TLSv1.2": []}),
        with_offer(groups=["DH many"]),
    ],
)
def test_what_cannot_be_rated_is_unknown(bad):
    assert rated(bad).verdict is ERROR


def test_whom_the_chain_leads_to_must_be_told():
    assert rated(host(), authority="").verdict is ERROR


def test_another_scanner_must_have_tried_every_attack():
    assert rated(host(), judge=grade.tls_scanned).verdict is PASS
    assert rated(host(tried=None), judge=grade.tls_scanned).verdict is ERROR
    assert rated(host(tried={"ROBOT": False}), judge=grade.tls_scanned).verdict is ERROR


RIGHT: dict[str, list[str]] = {name: [] for name in HEADERS} | {
    "content-security-policy": ["default-src 'none'; frame-ancestors 'none'"],
    "strict-transport-security": ["max-age=63072000"],
    "x-content-type-options": ["nosniff"],
}


def answer(kind="page", **changes):
    return {
        "kind": kind,
        "url": "https://a.example/",
        "status": 200,
        "headers": RIGHT,
        "is_verified": True,
        "redirects": ["http://a.example/", "https://a.example/"],
        "allow_origin": "",
        "allow_credentials": "",
        "origin": "https://stranger.example",
        "scripts": [["/a.js", ""]],
    } | changes


def scored(**changes):
    kinds = [answer(kind, **(changes if kind == "missing" else {})) for kind in sorted(KINDS)]
    return grade.headers({"answers": kinds}, EDGE)


def test_headers_of_grade_a():
    judgement = scored()

    assert judgement.verdict is PASS
    assert "by MDN HTTP Observatory v4" in judgement.reason
    assert "csp +10" in judgement.reason


@pytest.mark.parametrize(
    "changes",
    [
        {"headers": RIGHT | {"content-security-policy": []}},
        {"headers": RIGHT | {"strict-transport-security": []}},
        {"redirects": ["http://a.example/"]},
        {"allow_origin": "https://stranger.example", "allow_credentials": "true"},
    ],
)
def test_one_answer_below_a_fails(changes):
    assert scored(**changes).verdict is FAIL


@pytest.mark.parametrize(
    "changes",
    [
        {"headers": {"x-frame-options": ["DENY"]}},
        {"scripts": [["/a.js"]]},
        {
            "headers": RIGHT | {"content-type": ["text/html"]},
            "scripts": [["https://[half", ""]],
        },
    ],
)
def test_what_cannot_be_scored_is_unknown(changes):
    assert scored(**changes).verdict is ERROR


def test_every_kind_must_have_been_seen():
    kinds = [answer(kind) for kind in sorted(KINDS - {"missing"})]

    assert grade.headers({"answers": kinds}, EDGE).verdict is ERROR


def test_the_page_must_have_been_seen():
    kinds = [answer(kind, status=503) for kind in sorted(KINDS)]

    assert grade.headers({"answers": kinds}, EDGE).verdict is ERROR


def test_a_score_that_nothing_moved():
    plain = RIGHT | {"content-security-policy": ["default-src 'none'; style-src data:"]}
    plain |= {"x-frame-options": ["DENY"]}
    kinds = [answer(kind, headers=plain) for kind in sorted(KINDS)]

    assert "no test moved it" in grade.headers({"answers": kinds}, EDGE).reason


@given(
    st.dictionaries(st.sampled_from(("hosts", "authority", "answers", "x")), st.text() | st.none())
)
def test_garbage_is_never_a_pass(facts):
    for judge in (grade.tls, grade.tls_scanned, grade.headers):
        assert judge(facts, EDGE).verdict is ERROR
