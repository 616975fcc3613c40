"""Judges of single header fields: what passes, what fails, and what is only told."""

import pytest

from troth.kernel.model import Verdict
from troth.promises.edge.judge import headers

PASS, FAIL, ERROR = Verdict.PASS, Verdict.FAIL, Verdict.ERROR


@pytest.mark.parametrize(
    ("values", "verdict"),
    [
        (["max-age=1"], PASS),
        ([], FAIL),
        (["max-age=0"], FAIL),
        (["max-age=1", "max-age=1"], FAIL),
        (["nonsense"], FAIL),
    ],
)
def test_hsts_once_and_valid_on_every_kind(values, verdict, facts, settings):
    for kind in ("", "page", "refused", "edge", "trust"):
        seen = facts(kind, strict_transport_security=values)

        assert headers.hsts(seen, settings()).verdict is verdict


def test_hsts_over_plain_http_fails_and_unseen_plain_http_is_an_error(facts, settings):
    seen = facts()
    seen["plain"][0]["headers"]["strict-transport-security"] = ["max-age=1"]
    unseen = facts() | {"plain": []}

    judged = headers.hsts(seen, settings())
    assert judged.verdict is FAIL
    assert judged.reason.startswith("1 of 6 ")
    assert headers.hsts(unseen, settings()).verdict is ERROR


@pytest.mark.parametrize(
    ("values", "preload", "verdict"),
    [
        (["max-age=31536000; includeSubDomains"], False, PASS),
        (["max-age=31535999; includeSubDomains"], False, FAIL),
        (["max-age=31536000"], False, FAIL),
        (["max-age=31536000; includeSubDomains; preload"], False, FAIL),
        (["max-age=31536000; includeSubDomains; preload"], True, PASS),
        ([], False, FAIL),
    ],
)
def test_hsts_long_lifetime(values, preload, verdict, facts, settings):
    chosen = settings(hsts={"preload": preload})

    judged = headers.hsts_long_lifetime(facts(strict_transport_security=values), chosen)

    assert judged.verdict is verdict


def test_an_answer_without_hsts_is_the_other_promises_affair_unless_it_is_the_page(facts, settings):
    judge = headers.hsts_long_lifetime

    assert judge(facts("edge", strict_transport_security=[]), settings()).verdict is PASS
    assert judge(facts("page", strict_transport_security=[]), settings()).verdict is FAIL


@pytest.mark.parametrize(
    ("values", "verdict"),
    [
        (["no-referrer"], PASS),
        (["same-origin"], PASS),
        (["strict-origin"], PASS),
        (["unsafe-url, strict-origin-when-cross-origin"], PASS),
        (["strict-origin, some-future-policy"], PASS),
        (["strict-origin, unsafe-url"], FAIL),
        (["no-referrer-when-downgrade"], FAIL),
        (["origin-when-cross-origin"], FAIL),
        (["some-future-policy"], FAIL),
        (["no-referrer", "no-referrer"], FAIL),
        ([], FAIL),
    ],
)
def test_referrer_policy_as_a_browser_takes_it(values, verdict, facts, settings):
    assert headers.referrer_policy(facts(referrer_policy=values), settings()).verdict is verdict


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("x_content_type_options", ["nosniff", "nosniff"]),
        ("content_security_policy", ["default-src 'none'"]),
        ("referrer_policy", []),
        ("permissions_policy", []),
        ("permissions_policy", ["camera 'none'"]),
        ("permissions_policy", ["camera=()", "usb=()"]),
    ],
)
def test_security_headers_all_of_them(name, values, facts, settings):
    judged = headers.security_headers(facts("page", **{name: values}), settings())

    assert judged.verdict is FAIL
    assert judged.reason.startswith("1 of 5 ")


@pytest.mark.parametrize(
    ("name", "setting", "wrong"),
    [
        ("cross_origin_opener_policy", "cross_origin_opener_policy", "unsafe-none"),
        ("cross_origin_resource_policy", "cross_origin_resource_policy", "cross-origin"),
    ],
)
def test_isolation_is_the_applications_only_where_the_operator_says_so(
    name, setting, wrong, facts, settings
):
    judge, turned_on = headers.security_headers, {"headers": {setting: True}}

    assert judge(facts("page", **{name: []}), settings()).verdict is PASS
    assert judge(facts("page", **{name: []}), settings(**turned_on)).verdict is FAIL
    assert judge(facts("page", **{name: [wrong]}), settings(**turned_on)).verdict is FAIL
    assert judge(facts("trust", **{name: []}), settings()).verdict is FAIL


@pytest.mark.parametrize(
    ("values", "verdict"),
    [([], PASS), (["0"], PASS), (["1"], FAIL), (["1; mode=block"], FAIL), (["0", "1"], FAIL)],
)
def test_the_retired_filter_is_off(values, verdict, facts, settings):
    judged = headers.browser_xss_filter(facts("asset", x_xss_protection=values), settings())
    everywhere = headers.browser_xss_filter(facts(x_xss_protection=values), settings())

    assert judged.verdict is PASS  # there is no such answer among these
    assert everywhere.verdict is verdict


def test_the_retired_filter_needs_its_successor_where_one_is_enforced(facts, settings):
    without = facts("page", content_security_policy=["frame-ancestors 'none'"])

    assert headers.browser_xss_filter(without, settings()).verdict is FAIL
    image = facts("page", content_security_policy=[], content_type=["image/png"])
    assert headers.browser_xss_filter(image, settings()).verdict is PASS
    on_trial = settings(csp={"mode": "report-only"})
    assert headers.browser_xss_filter(without, on_trial).verdict is PASS
