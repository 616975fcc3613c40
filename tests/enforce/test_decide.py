"""One request, one snapshot, one moment: one decision."""

from datetime import UTC, datetime

import pytest

from troth.enforce.decide import ALLOWED, Decision, decide, told
from troth.enforce.snapshot import Snapshot
from troth.kernel.request import FINE, Opinion, Refusal, Request
from troth.kernel.site import Site

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SITE = Site(name="n", app="https://a", http="http://a", troth="https://t", status="https://s")
REQUEST = Request(
    method=b"POST",
    target=b"/a?token=secret",
    host=b"a.example",
    headers=((b"cookie", b"sid=secret"), (b"x", b"1"), (b"x", b"2")),
    client="192.0.2.1",
)
REFUSAL = Refusal(slug="s", code="c")


def snapshot(*opinions):
    return Snapshot(
        checks=tuple((lambda _, __, said=said: said) for said in opinions),
        site=SITE,
        prefix="/-/",
        max_body_bytes=1,
        config="",
        made=NOW,
    )


def test_nothing_to_say_is_the_one_constant():
    assert decide(REQUEST, snapshot(), NOW) is ALLOWED
    assert decide(REQUEST, snapshot(FINE, FINE), NOW) is ALLOWED


def test_what_checks_say_is_gathered_in_order():
    said = snapshot(
        Opinion(add=((b"a", b"1"),), counted="one"),
        FINE,
        Opinion(remove=(b"b",), counted="two"),
        Opinion(add=((b"c", b"2"),), remove=(b"d",)),
    )

    assert decide(REQUEST, said, NOW) == Decision(
        add=((b"a", b"1"), (b"c", b"2")), remove=(b"b", b"d"), counted=("one", "two")
    )


def test_the_first_refusal_ends_it():
    said = snapshot(
        Opinion(add=((b"a", b"1"),), counted="one"),
        Opinion(refusal=REFUSAL),
        Opinion(refusal=Refusal(slug="later", code="c")),
    )

    assert decide(REQUEST, said, NOW) == Decision(refusal=REFUSAL, counted=("one", "s"))


def test_a_check_is_handed_the_request_and_the_moment():
    seen = []

    def check(request, now):
        seen.append((request, now))
        return FINE

    decide(
        REQUEST,
        Snapshot(checks=(check,), site=SITE, prefix="/-/", max_body_bytes=1, config="", made=NOW),
        NOW,
    )

    assert seen == [(REQUEST, NOW)]


def test_a_bug_is_not_swallowed():
    def check(*_):
        raise ZeroDivisionError

    broken = Snapshot(
        checks=(check,), site=SITE, prefix="/-/", max_body_bytes=1, config="", made=NOW
    )

    with pytest.raises(ZeroDivisionError):
        decide(REQUEST, broken, NOW)


def test_an_event_tells_no_secret():
    fields = told(REQUEST, REFUSAL)

    assert fields == {
        "promise": "s",
        "code": "c",
        "status": 403,
        "method": b"POST",
        "host": b"a.example",
        "path": b"/a",
        "client": "192.0.2.1",
    }
    assert "secret" not in repr(fields)
