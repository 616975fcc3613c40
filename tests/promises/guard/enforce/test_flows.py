"""Flows that an operator declares: scraping, enumeration, guessing, hoarding, skipped steps."""

from datetime import timedelta

import pytest

from troth.enforce.trails import Trails
from troth.promises.guard.enforce import flows
from troth.promises.guard.settings.flows import Flow
from troth.promises.guard.settings.login import Outcome

NOT_FOUND = (Outcome(status=(403, 404)),)


@pytest.fixture
def at(world, make):
    """`at(flow)` sets the flows; then `at.get("/x", 404)` is a request and what became of it."""

    class At:
        def __call__(self, *declared, header="x-account"):
            account = flows.accounts(header, "", make.secrets)
            world.checks = flows.checks(declared, account, make.secrets)
            world.looks = flows.looks(declared, account, make.secrets)
            return self

        def get(self, path, status=200, *, client="192.0.2.1", cookie=b"", method=b"GET", who=b""):
            headers = ((b"cookie", cookie),) if cookie else ()
            headers += ((b"x-account", who),) if who else ()
            request = make.post(path.encode(), b"", *headers, client=client, method=method)
            asked, _ = world.ask(request, make.answer(status))
            return asked.refusal.status if asked.refusal else status

    return At()


SCRAPING = Flow(name="scraping", kind="distinct", path="/p/{id}", of="id", most=10, within_s=600)


def test_scraping_is_many_different_pages(world, at):
    at(SCRAPING)
    assert [at.get(f"/p/{number}") for number in range(10)] == [200] * 10
    assert at.get("/p/10") == 429
    assert at.get("/P//3/") == 200, "what was seen before stays open"
    assert at.get("/p/10", client="192.0.2.2") == 200
    assert at.get("/other/10") == 200

    world.later(seconds=601)
    assert at.get("/p/10") == 200


def test_it_says_when_to_come_back(world, make, at):
    at(SCRAPING)
    for number in range(10):
        at.get(f"/p/{number}")
        world.later(seconds=10)
    refusal = world.judge(make.post(b"/p/x", method=b"GET")).refusal

    assert (refusal.slug, refusal.code) == ("business-logic-protection", "scraping")
    assert dict(refusal.headers) == {b"retry-after": b"500"}
    world.later(seconds=501)
    assert at.get("/p/x") == 200
    assert at.get("/p/y") == 429


def test_enumeration_is_many_that_are_not_there(at):
    at(Flow(name="ids", kind="count", path="/u/{id}", most=20, answers=NOT_FOUND, action="refuse"))
    for number in range(100):
        assert at.get(f"/u/{number}") == 200
    for number in range(20):
        assert at.get(f"/u/x{number}", 404) == 404

    assert at.get("/u/1") == 403


def test_a_share_spares_who_mostly_finds_something(at):
    at(Flow(name="ids", kind="count", path="/u/{id}", most=5, answers=NOT_FOUND, share=0.5))
    for number in range(60):
        assert at.get(f"/u/{number}", 404 if number % 5 == 0 else 200) in {200, 404}
    for number in range(40):
        at.get(f"/u/x{number}", 404, client="192.0.2.9")

    assert at.get("/u/1", client="192.0.2.9") == 429


COUPON = Flow(name="coupon", kind="count", path="/cart/coupon", methods=("POST",), by="session",
              cookie="sid", most=5, answers=(Outcome(status=(422,)),), within_s=3600)  # fmt: skip


def test_coupons_are_guessed_by_session_or_address(at):
    at(COUPON)
    for _ in range(5):
        assert at.get("/cart/coupon", 422, method=b"POST", cookie=b"a=1; sid=one") == 422
    assert at.get("/cart/coupon", method=b"POST", cookie=b"sid=one") == 429
    assert at.get("/cart/coupon", method=b"POST", cookie=b"sid=two") == 200
    assert at.get("/cart/coupon", cookie=b"sid=one") == 200, "another method"

    for _ in range(5):
        at.get("/cart/coupon", 422, method=b"POST")
    assert at.get("/cart/coupon", method=b"POST") == 429, "without a session it is the address"


def test_many_at_once_are_as_many(world, make, at):
    at(COUPON)
    asked = [world.judge(make.post(b"/cart/coupon")) for _ in range(50)]

    assert sum(one.refusal is None for one in asked) == 5


HOARDING = Flow(name="slots", kind="count", path="/book", methods=("POST",), most=3,
                answers=(Outcome(status=(201, 302)),), less="/book/{id}/pay",
                within_s=900)  # fmt: skip


def test_slots_that_are_held_and_never_paid(at):
    at(HOARDING)
    for _ in range(3):
        assert at.get("/book", 302, method=b"POST") == 302
    assert at.get("/book", 302, method=b"POST") == 429
    assert at.get("/book/7/pay", 500, method=b"POST") == 500
    assert at.get("/book", 302, method=b"POST") == 429
    assert at.get("/book/7/pay", method=b"POST") == 200

    assert at.get("/book", 302, method=b"POST") == 302
    assert at.get("/book", 302, method=b"POST") == 429


STEPS = Flow(name="steps", kind="sequence", path="/pay", after="/cart", by="session", cookie="sid",
             within_s=60)  # fmt: skip


def test_a_step_cannot_be_skipped(world, at):
    at(STEPS)
    assert at.get("/pay", cookie=b"sid=one") == 403
    assert at.get("/cart", 404, cookie=b"sid=one") == 404
    assert at.get("/pay", cookie=b"sid=one") == 403
    assert at.get("/cart", cookie=b"sid=one") == 200
    assert at.get("/pay", cookie=b"sid=one") == 200
    assert at.get("/pay", cookie=b"sid=two") == 403
    assert at.get("/cart") == 200
    assert at.get("/pay") == 403, "no session, no step"

    world.later(seconds=61)
    assert at.get("/pay", cookie=b"sid=one") == 403


def test_a_guard_that_was_replaced_lets_those_in_the_middle_go_on(world, at):
    at(STEPS)
    world.trails = Trails(world.now)

    assert at.get("/pay", cookie=b"sid=one") == 200
    world.later(seconds=60)
    assert at.get("/pay", cookie=b"sid=one") == 403


def test_a_ban_is_a_strike(world, at):
    at(Flow(name="x", kind="count", path="/*", most=2, action="ban", ban_s=60))
    assert [at.get("/a"), at.get("/b"), at.get("/c")] == [200, 200, 403]

    (strike,) = world.strikes
    assert strike.subject == "192.0.2.1"
    assert strike.cause == "business-logic-protection:x"
    assert strike.length == timedelta(seconds=60)
    assert strike.ask.cost > strike.ask.burst


def test_by_account_wherever_they_are(at):
    at(Flow(name="x", kind="count", path="/export", most=2, by="account"))
    for number in range(2):
        assert at.get("/export", who=b"ann", client=f"192.0.2.{number}") == 200

    assert at.get("/export", who=b"ann", client="192.0.2.7") == 429
    assert at.get("/export", who=b"ben", client="192.0.2.7") == 200
    assert [at.get("/export") for _ in range(5)] == [200] * 5, "nobody in particular"


def test_an_account_may_stand_in_a_cookie(make):
    account = flows.accounts("", "user", make.secrets)

    assert account(make.post(b"/", b"", (b"cookie", b"user=ann"))) != ""
    assert account(make.post(b"/", b"", (b"cookie", b"other=ann"))) == ""


def test_several_flows_on_one_route(at):
    at(SCRAPING, Flow(name="all", kind="count", path="/p/*", most=12))
    for number in range(10):
        at.get(f"/p/{number}")
    assert at.get("/p/99") == 429
    assert [at.get("/p/1"), at.get("/p/1"), at.get("/p/1")] == [200, 200, 429]


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"kind": "distinct", "path": "/p/{id}", "of": "x"}, "of names no segment"),
        ({"kind": "sequence", "path": "/p"}, "says after"),
        ({"kind": "count", "path": "/p", "after": "/x"}, "says after"),
        ({"kind": "sequence", "path": "/p", "after": "/x", "answers": NOT_FOUND}, "no answers"),
        ({"kind": "count", "path": "/p", "by": "session"}, "cookie's name"),
        ({"kind": "count", "path": "/p", "share": 0.5}, "share"),
        ({"kind": "distinct", "path": "/{a}", "of": "a", "less": "/x"}, "less"),
    ],
)
def test_what_makes_no_sense_is_said(said, why):
    with pytest.raises(ValueError, match=why):
        Flow(name="x", **said)


def test_no_flows_no_check(make):
    assert flows.checks((), lambda _: "", make.secrets) == ()


def test_the_flows_of_our_own_probes_are_there_where_any_is(at):
    at(SCRAPING)

    assert [at.get(f"/-/sink/flow/item/{number}") for number in range(9)] == [200] * 8 + [429]
    assert [at.get(f"/-/sink/flow/gone/{number}", 404) for number in range(7)] == [404] * 6 + [429]
    for _ in range(9):
        assert (at.get("/-/sink/flow/hold"), at.get("/-/sink/flow/done")) == (200, 200)
    assert [at.get("/-/sink/flow/hold") for _ in range(5)] == [200] * 4 + [403]


def test_a_step_of_our_own_probes_cannot_be_skipped(world, at):
    at(SCRAPING)
    world.later(seconds=60)

    assert at.get("/-/sink/flow/pay") == 403
    assert at.get("/-/sink/flow/cart") == 200
    assert at.get("/-/sink/flow/pay") == 200
