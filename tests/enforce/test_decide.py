"""One request, one snapshot, one moment: one decision."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from troth.enforce.decide import ALLOWED, Decision, decide, told
from troth.enforce.snapshot import Snapshot
from troth.kernel.request import FINE, Ask, Known, Opinion, Refusal, Request, Strike, Tally
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
KNOWN = Known(now=NOW)
ASK = Ask(key="k", limit=1, period=timedelta(seconds=1), burst=1)
TALLY = Tally(is_over=True, remaining=0, reset=timedelta(seconds=1))


def nothing(asks):
    raise AssertionError("no counter was asked for")


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
    assert decide(REQUEST, snapshot(), KNOWN, nothing) is ALLOWED
    assert decide(REQUEST, snapshot(FINE, FINE), KNOWN, nothing) is ALLOWED


def test_what_checks_say_is_gathered_in_order():
    said = snapshot(
        Opinion(add=((b"a", b"1"),), counted="one"),
        FINE,
        Opinion(remove=(b"b",), counted="two"),
        Opinion(add=((b"c", b"2"),), remove=(b"d",)),
    )

    assert decide(REQUEST, said, KNOWN, nothing) == Decision(
        add=((b"a", b"1"), (b"c", b"2")), remove=(b"b", b"d"), counted=("one", "two")
    )


@pytest.mark.parametrize(
    "said",
    [
        Opinion(),
        Opinion(refusal=REFUSAL, add=((b"a", b"1"),), counted="two"),
        Opinion(add=((b"a", b"1"),), remove=(b"a", b"b"), answer=((b"c", b"2"),), counted="one"),
        Opinion(remove=(b"b",), strikes=(Strike(ask=ASK, subject="s"),)),
    ],
)
def test_what_one_check_says_is_what_it_is_among_others(said):
    alone = decide(REQUEST, snapshot(FINE, said), KNOWN, nothing)

    assert alone == decide(REQUEST, snapshot(Opinion(), said, FINE), KNOWN, nothing)


def test_the_first_refusal_ends_it():
    said = snapshot(
        Opinion(add=((b"a", b"1"),), counted="one"),
        Opinion(refusal=REFUSAL),
        Opinion(refusal=Refusal(slug="later", code="c")),
    )

    assert decide(REQUEST, said, KNOWN, nothing) == Decision(refusal=REFUSAL, counted=("one", "s"))


def test_a_check_is_handed_the_request_and_the_moment():
    seen = []

    def check(request, known):
        seen.append((request, known))
        return FINE

    decide(
        REQUEST,
        Snapshot(checks=(check,), site=SITE, prefix="/-/", max_body_bytes=1, config="", made=NOW),
        KNOWN,
        nothing,
    )

    assert seen == [(REQUEST, KNOWN)]


def test_gates_come_first_and_cost_nobody_a_counter():
    shut = replace(
        snapshot(), gates=(lambda *_: Opinion(refusal=REFUSAL),), asks=(lambda *_: (ASK,),)
    )

    assert decide(REQUEST, shut, KNOWN, nothing).refusal == REFUSAL


def test_counters_are_asked_once_and_the_checks_see_them():
    taken, seen = [], []

    def take(asks):
        taken.append(asks)
        return {"k": TALLY}

    def check(_, known):
        seen.append(known.tallies)
        return Opinion(strikes=(Strike(ask=ASK),), answer=((b"ratelimit", b"r"),))

    asking = replace(
        snapshot(), asks=(lambda *_: (ASK,), lambda *_: (), lambda *_: (ASK,)), checks=(check,)
    )
    decision = decide(REQUEST, asking, KNOWN, take)

    assert taken == [(ASK, ASK)]
    assert seen == [{"k": TALLY}]
    assert decision.strikes == (Strike(ask=ASK),)
    assert decision.answer == ((b"ratelimit", b"r"),)


def test_a_bug_is_not_swallowed():
    def check(*_):
        raise ZeroDivisionError

    broken = Snapshot(
        checks=(check,), site=SITE, prefix="/-/", max_body_bytes=1, config="", made=NOW
    )

    with pytest.raises(ZeroDivisionError):
        decide(REQUEST, broken, KNOWN, nothing)


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
