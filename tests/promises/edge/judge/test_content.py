"""Judges of what a browser may do with an answer."""

import pytest

from troth.kernel.model import Verdict
from troth.promises.edge.judge import content

PASS, FAIL, ERROR = Verdict.PASS, Verdict.FAIL, Verdict.ERROR
STRICT = "default-src 'none'; base-uri 'none'"


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({"x_content_type_options": ["NoSniff"]}, PASS),
        ({"x_content_type_options": []}, FAIL),
        ({"x_content_type_options": ["nosniff", "nosniff"]}, FAIL),
        ({"content_type": []}, FAIL),
        ({"content_type": ["nonsense"]}, FAIL),
        ({"content_type": ["text/html", "image/png"]}, FAIL),
    ],
)
def test_nosniff_and_a_type(changes, verdict, facts, settings):
    assert content.nosniff(facts("page", **changes), settings()).verdict is verdict


def test_an_answer_without_a_body_needs_no_type(facts, settings):
    seen = facts("edge", content_type=[])
    for answer in seen["answers"]:
        answer["has_body"] = answer["kind"] != "edge"

    assert content.nosniff(seen, settings()).verdict is PASS


def test_a_redirect_needs_no_type(facts, settings):
    seen = facts("missing", content_type=[])
    for answer in seen["answers"]:
        answer["status"] = 302 if answer["kind"] == "missing" else answer["status"]

    assert content.nosniff(seen, settings()).verdict is PASS


def test_without_any_body_nothing_is_said_of_types(facts, settings):
    assert content.nosniff(facts(has_body=False), settings()).verdict is ERROR


@pytest.mark.parametrize(
    ("ancestors", "options", "allowed", "verdict"),
    [
        ("'none'", ["DENY"], "none", PASS),
        ("'none'", ["deny"], "self", PASS),
        ("'self'", ["SAMEORIGIN"], "self", PASS),
        ("'self'", ["DENY"], "none", FAIL),
        ("'none'", ["SAMEORIGIN"], "none", FAIL),
        ("https://a.example", ["DENY"], "self", FAIL),
        ("'none'", [], "none", FAIL),
        ("'none'", ["DENY", "DENY"], "none", FAIL),
        ("'none'", ["ALLOW-FROM https://a.example"], "self", FAIL),
    ],
)
def test_clickjacking_as_narrow_as_declared(ancestors, options, allowed, verdict, facts, settings):
    seen = facts(
        "page", content_security_policy=[f"frame-ancestors {ancestors}"], x_frame_options=options
    )

    chosen = settings(headers={"frame_ancestors": allowed})
    assert content.clickjacking(seen, chosen).verdict is verdict


def test_troths_own_answers_are_framed_by_nobody(facts, settings):
    lax = facts(
        "trust",
        content_security_policy=["frame-ancestors 'self'"],
        x_frame_options=["SAMEORIGIN"],
    )

    chosen = settings(headers={"frame_ancestors": "self"})
    assert content.clickjacking(lax, chosen).verdict is FAIL
    unnamed = facts("page", content_security_policy=[STRICT])
    assert content.clickjacking(unnamed, settings()).verdict is FAIL


@pytest.mark.parametrize(
    ("values", "verdict"),
    [
        ([STRICT], PASS),
        (["img-src *", STRICT], PASS),
        ([], FAIL),
        (["default-src 'self'; object-src 'none'; base-uri 'none'"], FAIL),
    ],
)
def test_an_enforced_policy_is_strict(values, verdict, facts, settings):
    seen = facts("page", content_security_policy=values)

    assert content.csp(seen, settings()).verdict is verdict


def test_a_policy_on_trial_is_demanded_where_the_sentence_says_so(facts, settings):
    chosen = settings(csp={"mode": "report-only"})
    tried = facts(
        "page",
        content_security_policy=["frame-ancestors 'none'"],
        content_security_policy_report_only=["default-src 'self'"],
    )
    tried["answers"] = [a for a in tried["answers"] if a["kind"] != "missing"] + [
        {**a, "headers": {**a["headers"], "content-type": ["application/json"]}}
        for a in tried["answers"]
        if a["kind"] == "missing"
    ]

    assert content.csp(tried, chosen).verdict is PASS
    for answer in tried["answers"]:
        answer["headers"] = {**answer["headers"], "content-security-policy-report-only": []}
    assert content.csp(tried, chosen).verdict is FAIL


def test_what_is_never_opened_as_a_page_needs_no_policy(facts, settings):
    seen = facts("missing", content_type=["application/json"], content_security_policy=[])

    assert content.csp(seen, settings()).verdict is PASS


def test_without_a_page_nothing_is_said_of_policies(facts, settings):
    seen = facts("page", content_type=["application/json"])

    assert content.csp(seen, settings()).verdict is ERROR


def test_a_policy_is_not_asked_of_an_answer_without_a_body(facts, settings):
    seen = facts("edge", content_security_policy=[])
    for answer in seen["answers"]:
        answer["has_body"] = answer["kind"] != "edge"

    assert content.csp(seen, settings()).verdict is PASS
