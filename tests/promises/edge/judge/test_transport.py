"""Judges of the way to the first encrypted byte."""

import pytest

from troth.kernel.model import Verdict
from troth.promises.edge.judge import transport
from troth.promises.edge.settings import EdgeSettings

PASS, FAIL, ERROR = Verdict.PASS, Verdict.FAIL, Verdict.ERROR
HOME = "https://a.example/any?x=1"
EDGE = EdgeSettings()


def redirect(**changes):
    return {
        "method": "GET",
        "wanted": HOME,
        "status": 301,
        "location": HOME,
        "has_cookie": False,
        "body": "moved",
        "body_bytes": 400,
    } | changes


def redirects(own=(), foreign=(), **changes):
    refused = redirect(wanted="", status=421, location=None, body="refused")
    return {
        "own": [redirect(), *own],
        "foreign": [refused, *foreign],
        "foreign_host": "stranger.example",
        "application": ["application"],
    } | changes


def judged(facts):
    return transport.https_redirect(facts, EDGE).verdict


def test_a_redirect_to_the_same_address():
    assert judged(redirects()) is PASS
    assert judged(redirects([redirect(status=308, body="moved for good", method="POST")])) is PASS
    assert judged(redirects([redirect(body="", body_bytes=0, method="HEAD")])) is PASS


@pytest.mark.parametrize(
    "changes",
    [
        {"status": 302},
        {"status": 200},
        {"location": None},
        {"location": "https://a.example/"},
        {"location": "http://a.example/any?x=1"},
        {"has_cookie": True},
        {"body_bytes": 5000},
        {"body": "application"},
        {"body": "another page"},
    ],
)
def test_anything_else_on_our_hosts_fails(changes):
    assert judged(redirects([redirect(**changes)])) is FAIL


@pytest.mark.parametrize(
    "changes",
    [
        {"status": 301, "location": HOME},
        {"status": 200},
        {"status": 503},
        {"location": "https://stranger.example/"},
        {"has_cookie": True},
    ],
)
def test_a_foreign_host_that_is_not_refused_fails(changes):
    refused = {"wanted": "", "status": 421, "location": None}

    assert judged(redirects(foreign=[redirect(**(refused | changes))])) is FAIL


@pytest.mark.parametrize(
    "changes",
    [
        {"own": []},
        {"foreign": []},
        {"foreign_host": ""},
        {"application": [""]},
        {"own": [redirect(wanted="")]},
    ],
)
def test_without_a_control_nothing_is_said_of_redirects(changes):
    assert judged(redirects() | changes) is ERROR


@pytest.mark.parametrize(
    ("hosts", "verdict"),
    [
        ([(True, 200, 301)], PASS),
        ([(True, 200, 301), (True, 404, 0)], PASS),
        ([(True, 200, 301), (False, 0, 301)], FAIL),
        ([(True, 200, 301), (True, 200, 200)], FAIL),
        ([(False, 0, 301)], ERROR),
        ([(True, 503, 301)], ERROR),
        ([], ERROR),
    ],
)
def test_every_host_over_verified_tls(hosts, verdict):
    names = ("verified", "status", "plain_status")
    facts = {"hosts": [dict(zip(names, host, strict=True)) for host in hosts]}

    assert transport.tls_hosts(facts, EDGE).verdict is verdict


@pytest.mark.parametrize(
    ("first", "verdict"),
    [
        ("", PASS),
        ("15030300020228", PASS),
        (b"HTTP/1.1 400".hex(), FAIL),
        ("000000040000000000", FAIL),
        ("16030300", FAIL),
    ],
)
def test_plaintext_gets_no_application_byte(first, verdict):
    attempts = [
        {"protocol": protocol, "first": answer, "control": True}
        for protocol, answer in (("http/1.1", first), ("h2c", ""))
    ]

    assert transport.no_plaintext({"attempts": attempts}, EDGE).verdict is verdict


def test_plaintext_that_was_not_tried_or_not_controlled_is_an_error():
    one = {"protocol": "http/1.1", "first": "", "control": True}
    two = {"protocol": "h2c", "first": "", "control": False}

    assert transport.no_plaintext({"attempts": [one]}, EDGE).verdict is ERROR
    assert transport.no_plaintext({"attempts": [one, two]}, EDGE).verdict is ERROR
