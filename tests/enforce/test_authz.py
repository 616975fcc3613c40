"""Envoy's questions: what passes, what is refused, and that doubt and bugs refuse."""

import asyncio
import json
from datetime import UTC, datetime, timedelta

import pytest

from troth.enforce import wire
from troth.enforce.authz import Authz, request_of
from troth.enforce.awaited import Waiting
from troth.enforce.keeper import MAX_TOLD_S, Keeper, Means
from troth.enforce.snapshot import Current, Snapshot
from troth.kernel.request import FINE, Ask, Awaited, Opinion, Refusal, Tally
from troth.kernel.site import Site

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SITE = Site(name="n", app="https://a", http="http://a", troth="https://t", status="https://s")


class Play:
    def __init__(self, *opinions):
        self.events, self.now, self.seen = [], NOW, []
        self.opinions = opinions
        snapshot = Snapshot(
            checks=(self.check,), site=SITE, prefix="/-/", max_body_bytes=1, config="", made=NOW
        )
        means = Means(
            now=lambda: self.now,
            new_id=lambda: "00ff",
            told=lambda *event: self.events.append(event),
        )
        self.authz = Authz(Keeper(Current(snapshot, lambda *_: None), means))

    def check(self, request, now):
        self.seen.append((request, now))
        (opinion,) = self.opinions
        if isinstance(opinion, Exception):
            raise opinion
        return opinion

    def ask(self, *headers, method=b"POST", target=b"/a?b", body=b""):
        headers = headers or ((b"host", b"A.example"),)
        return self.authz.answer(
            wire.Message(method=method, target=target, headers=headers, body=body)
        )


def test_allowing_is_the_constant():
    play = Play(FINE)

    assert play.ask() is wire.OK
    assert (play.events, dict(play.authz.counts)) == ([], {"allowed": 1})


def test_headers_come_in_one_order_whatever_the_edge_made_of_it():
    play = Play(FINE)
    given = ((b"host", b"a"), (b"b", b"2"), (b"a", b"1"), (b"b", b"1"))

    play.ask(*given)
    play.ask(given[1], given[3], given[2], given[0])

    (first, _), (second, _) = play.seen
    assert first.headers == second.headers
    assert first.headers == ((b"a", b"1"), (b"b", b"2"), (b"b", b"1"), (b"host", b"a"))


def test_the_request_is_what_the_edge_says():
    play = Play(FINE)

    play.ask((b"host", b"A.example:8443"), (b"x-troth-client", b"192.0.2.1"), body=b"x")

    ((request, known),) = play.seen
    assert (request.method, request.target, request.host) == (b"POST", b"/a?b", b"a.example:8443")
    assert (request.client, request.body, known.now) == ("192.0.2.1", b"x", NOW)
    assert request.headers[0] == (b"host", b"A.example:8443")


def test_headers_for_the_application():
    play = Play(Opinion(add=((b"x-troth-user", b"1"),), remove=(b"a", b"b"), counted="c"))

    reply = play.ask()

    assert reply.status == 200
    assert reply.headers == (
        (b"x-troth-user", b"1"),
        (b"x-envoy-auth-headers-to-remove", b"a,b"),
    )
    assert dict(play.authz.counts) == {"allowed": 1, "c": 1}
    assert Play(Opinion(counted="c")).ask().headers == ()


def test_a_refusal_is_a_page_and_an_event():
    play = Play(Opinion(refusal=Refusal(slug="s", code="c", status=429)))

    reply = play.ask((b"host", b"a"), (b"x-troth-client", b"192.0.2.1"), (b"cookie", b"secret"))

    headers = dict(reply.headers)
    assert (reply.status, headers[b"troth-refused"], headers[b"troth-event"]) == (
        429,
        b"s",
        b"00ff",
    )
    ((name, fields),) = play.events
    assert name == "guard.refused"
    assert (fields["id"], fields["promise"], fields["code"]) == ("00ff", "s", "c")
    assert (fields["path"], fields["client"]) == (b"/a", "192.0.2.1")
    assert "secret" not in repr(fields)
    assert dict(play.authz.counts) == {"s": 1}


@pytest.mark.parametrize(
    ("headers", "target", "method"),
    [
        (((b"x", b"y"),), b"/", b"GET"),
        (((b"host", b""),), b"/", b"GET"),
        (((b"host", b"a"), (b"host", b"a")), b"/", b"GET"),
        (((b"host", b"a"),), b"a:443", b"CONNECT"),
        (((b"host", b"a"),), b"http://a/", b"GET"),
        (((b"host", b"a"),), b"*", b"GET"),
        (((b"host", b"a"),), b"", b"GET"),
    ],
)
def test_what_is_no_request_is_refused_and_nobody_is_asked(headers, target, method):
    play = Play(FINE)

    reply = play.ask(*headers, target=target, method=method)

    assert reply.status == 400
    assert dict(reply.headers)[b"troth-refused"] == b"guard"
    assert play.seen == []
    assert play.events[0][1]["code"] == "malformed"


def test_options_may_ask_about_everything():
    assert Play(FINE).ask((b"host", b"a"), target=b"*", method=b"OPTIONS") is wire.OK


def test_a_bug_refuses():
    play = Play(ZeroDivisionError("oops"))

    reply = play.ask((b"host", b"a"), (b"accept", b"application/json"))

    assert reply.status == 503
    assert json.loads(reply.body)["promise"] == "guard"
    assert dict(reply.headers)[b"retry-after"] == b"5"
    ((name, fields),) = play.events
    assert (name, fields["code"], fields["bug"]) == (
        "guard.refused", "failed", "ZeroDivisionError('oops')")  # fmt: skip
    assert dict(play.authz.counts) == {"failed": 1}


def test_two_client_addresses_are_none():
    message = wire.Message(
        method=b"GET", target=b"/", body=b"",
        headers=((b"host", b"a"), (b"x-troth-client", b"1"), (b"x-troth-client", b"2")),
    )  # fmt: skip

    assert request_of(message).client == ""


def test_a_flood_is_counted_and_not_written():
    play = Play(Opinion(refusal=Refusal(slug="s", code="c")))

    for _ in range(MAX_TOLD_S + 50):
        assert play.ask().status == 403
    assert len(play.events) == MAX_TOLD_S

    play.now += timedelta(seconds=1)
    play.ask()

    assert play.events[MAX_TOLD_S] == ("guard.flood", {"untold": 50})
    assert len(play.events) == MAX_TOLD_S + 2
    assert play.authz.counts["s"] == MAX_TOLD_S + 51


def test_what_a_check_waits_for_is_named_to_the_edge_and_kept_from_the_application():
    said = Opinion(
        awaits=(Awaited(ask=lambda *_: FINE),), remove=(b"x-troth-awaited", b"x-remote-user")
    )
    play = Play(said)
    keeper = play.authz._keeper
    waiting = Waiting(keeper, index=0, now=lambda: NOW, new_id=lambda: "ab" * 16)
    play.authz = Authz(keeper, waiting)
    reply = play.ask((b"host", b"a"), (b"x-troth-awaited", b"a visitor's"))

    assert reply.headers == (
        (b"x-troth-awaited", b"0." + b"ab" * 16),
        (b"x-envoy-auth-headers-to-remove", b"x-remote-user"),
    )
    assert len(waiting) == 1


def elsewhere(answers):
    """A door whose counters are elsewhere; `answers` gives the future what it ends with."""
    ask = Ask(key="k:a", limit=1, period=timedelta(minutes=1), burst=1)

    def check(_, known):
        return (
            Opinion(refusal=Refusal(slug="s", code="c", status=429))
            if (known.tallies["k:a"].is_over)
            else Opinion(answer=((b"ratelimit", b"r"),))
        )

    snapshot = Snapshot(
        asks=(lambda *_: (ask,),),
        checks=(check,),
        site=SITE,
        prefix="/-/",
        max_body_bytes=1,
        config="",
        made=NOW,
    )

    class There:
        def ask(self, asks):
            future = asyncio.get_running_loop().create_future()
            asyncio.get_running_loop().call_soon(answers, future, asks)
            return future

    means = Means(now=lambda: NOW, new_id=lambda: "00ff", told=lambda *_: None, elsewhere=There())

    async def scene():
        door = Authz(Keeper(Current(snapshot, lambda *_: None), means))
        question = wire.Message(method=b"GET", target=b"/", headers=((b"host", b"a"),), body=b"")
        return await asyncio.wait_for(door.answer(question), 20)

    return asyncio.run(scene())


def tally(*, is_over):
    return {"k:a": Tally(is_over=is_over, remaining=0, reset=timedelta(0))}


def test_counters_elsewhere_are_waited_for():
    passed = elsewhere(lambda future, _: future.set_result(tally(is_over=False)))
    assert (passed.status, passed.headers) == (200, ((b"ratelimit", b"r"),))

    assert elsewhere(lambda future, _: future.set_result(tally(is_over=True))).status == 429


@pytest.mark.parametrize("error", [OSError("gone"), TimeoutError(), ValueError("nonsense")])
def test_counters_that_do_not_answer_refuse(error):
    assert elsewhere(lambda future, _: future.set_exception(error)).status == 503
    assert elsewhere(lambda future, _: future.set_result({})).status == 503
