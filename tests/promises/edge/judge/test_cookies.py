"""Judges of cookies."""

import pytest

from troth.kernel.model import Verdict
from troth.promises.edge.judge import cookies

PASS, FAIL, ERROR = Verdict.PASS, Verdict.FAIL, Verdict.ERROR
GOOD = "sid=; Path=/; Secure; HttpOnly; SameSite=Lax"


def facts(*set_cookie, asked=1):
    return {"set_cookie": list(set_cookie), "asked": asked}


@pytest.mark.parametrize(
    ("value", "verdict"),
    [
        (GOOD, PASS),
        ("sid=; secure; httponly; samesite=STRICT", PASS),
        ("sid=; HttpOnly; SameSite=Lax", FAIL),
        ("sid=; Secure; SameSite=Lax", FAIL),
        ("sid=; Secure; HttpOnly", FAIL),
        ("sid=; Secure; HttpOnly; SameSite=None", FAIL),
        ("csrf=; Secure; SameSite=Lax", PASS),
        ("sso=; Secure; HttpOnly; SameSite=None", PASS),
        ("sso=; Secure; SameSite=None", FAIL),
    ],
)
def test_flags_on_every_cookie(value, verdict, settings):
    chosen = settings(cookies={"readable": ["csrf"], "cross_site": ["sso"]})

    assert cookies.flags(facts(GOOD, value), chosen).verdict is verdict


@pytest.mark.parametrize(
    ("value", "verdict"),
    [
        (GOOD, PASS),
        ("sid=", PASS),
        ("sid=; Path=/account", PASS),
        ("sid=; Domain=a.example", FAIL),
        ("sid=; Domain=.example", FAIL),
        ("__Host-sid=; Path=/", PASS),
        ("__Host-sid=; Path=/account", FAIL),
        ("__HOST-sid=", FAIL),
    ],
)
def test_scope_of_every_cookie(value, verdict, settings):
    assert cookies.scope(facts(GOOD, value), settings()).verdict is verdict


@pytest.mark.parametrize("judge", [cookies.flags, cookies.scope])
@pytest.mark.parametrize("seen", [facts(asked=0), facts(), facts("nonsense")])
def test_no_cookie_seen_is_an_error(judge, seen, settings):
    assert judge(seen, settings()).verdict is ERROR
