"""One request, one ruling: what is told, kept, counted, and which way it fails."""

from datetime import UTC, datetime, timedelta

import pytest

from troth.enforce.keeper import PASSED, Keeper, Means
from troth.enforce.snapshot import Current, Snapshot
from troth.kernel.request import (
    FINE,
    Ask,
    Awaited,
    Hit,
    Known,
    Opinion,
    Refusal,
    Request,
    Response,
    Tally,
)
from troth.kernel.site import Site

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SITE = Site(name="n", app="https://a", http="http://a", troth="https://t", status="https://s")
REQUEST = Request(method=b"GET", target=b"/a?q=1", host=b"a", headers=((b"host", b"a"),))
HIT = Hit(rule="9000001", place="ARGS:q", value=b"1", message="m")
NO = Refusal(slug="waf", code="rules")
ASK = Ask(key="k", limit=1, period=timedelta(seconds=1), burst=1)


class Play:
    """A keeper whose checks say what they are told to."""

    def __init__(self, opinion=FINE, *, asks=(), answers=(), fails_open=False, **means):
        self.told, self.wrote, self.kept, self.settled, self.seen = [], [], [], [], []
        self.opinion = opinion
        snapshot = Snapshot(
            asks=(lambda *_: asks,),
            checks=(self.check,),
            answers=answers,
            fails_open=lambda _: fails_open,
            site=SITE,
            prefix="/-/",
            max_body_bytes=1,
            config="",
            made=NOW,
        )
        given = {
            "now": lambda: NOW,
            "new_id": lambda: "00ff",
            "told": lambda *event: self.told.append(event),
            "wrote": self.wrote.append,
            "kept": lambda *kept: self.kept.append(kept),
            "settle": lambda *settled: self.settled.append(settled),
        }
        self.keeper = Keeper(Current(snapshot, lambda *_: None), Means(**{**given, **means}))

    def check(self, request: Request, known: Known) -> Opinion:
        self.seen.append((request, known))
        if isinstance(self.opinion, Exception):
            raise self.opinion
        return self.opinion


def test_what_passes_without_a_word_costs_nothing():
    play = Play()

    assert play.keeper.judge(REQUEST) is PASSED
    assert (play.told, play.wrote, play.kept) == ([], [], [])
    assert dict(play.keeper.counts) == {"allowed": 1}


def test_one_id_for_the_page_the_log_and_the_event():
    play = Play(Opinion(refusal=NO, hits=(HIT,)))

    ruling = play.keeper.judge(REQUEST)

    assert dict(ruling.refused.headers)[b"troth-event"] == b"00ff"
    assert ruling.refused.status == 403
    assert b"00ff" in ruling.refused.body
    assert (ruling.event, play.wrote[0].id, play.told[0][1]["id"]) == ("00ff",) * 3
    assert play.kept[0][:2] == ("00ff", REQUEST)


def test_a_refusal_without_a_rule_needs_no_explaining():
    play = Play(Opinion(refusal=NO))

    play.keeper.judge(REQUEST)

    assert play.kept == []
    assert len(play.wrote) == 1


def test_what_the_checks_say_to_the_visitor_goes_with_the_page():
    limits = ((b"ratelimit", b"x"),)
    play = Play(Opinion(refusal=Refusal(slug="s", code="c", headers=((b"retry-after", b"9"),)),
                        answer=limits))  # fmt: skip

    headers = dict(play.keeper.judge(REQUEST).refused.headers)

    assert (headers[b"ratelimit"], headers[b"retry-after"]) == (b"x", b"9")


def test_what_was_only_watched_is_an_event_and_passes():
    play = Play(Opinion(hits=(HIT,)))

    ruling = play.keeper.judge(REQUEST)

    assert (ruling.refused, ruling.event) == (None, "00ff")
    assert [event.decision.hits for event in play.wrote] == [(HIT,)]
    assert play.told == []


def test_one_in_so_many_that_pass_is_an_event():
    play = Play(allowed_every=3)

    for _ in range(7):
        play.keeper.judge(REQUEST)

    assert len(play.wrote) == 2


def test_the_tallies_reach_the_checks():
    tally = Tally(is_over=False, remaining=1, reset=timedelta(0))
    play = Play(asks=(ASK,), take=lambda asks: {ask.key: tally for ask in asks})

    play.keeper.judge(REQUEST)

    assert play.seen[0][1].tallies == {"k": tally}


def test_counters_elsewhere_are_asked_once():
    play = Play(asks=(ASK,))
    steps = play.keeper.judging(REQUEST)

    assert next(steps) == (ASK,)
    with pytest.raises(StopIteration) as end:
        steps.send({})

    assert end.value.value is PASSED


def test_counters_that_do_not_answer_refuse():
    def gone(_):
        raise ConnectionError("gone")

    play = Play(asks=(ASK,), take=gone)

    ruling = play.keeper.judge(REQUEST)

    assert ruling.refused.status == 503
    assert "gone" in str(play.told[0][1]["bug"])
    assert play.seen == []


def test_a_check_that_breaks_refuses():
    play = Play(ZeroDivisionError("x"))

    ruling = play.keeper.judge(REQUEST)

    assert ruling.refused.status == 503
    assert play.told[0][1]["code"] == "failed"
    assert play.wrote[0].decision.refusal.status == 503


def test_a_check_that_breaks_passes_where_the_operator_said_so_and_it_is_told():
    play = Play(ZeroDivisionError("x"), fails_open=True)

    assert play.keeper.judge(REQUEST) is PASSED
    assert play.told[0][0] == "guard.passed-unchecked"
    assert play.keeper.counts["failed.open"] == 1


def test_no_request_is_told_as_the_machines_own_no():
    play = Play()

    ruling = play.keeper.refuse(413, "too-large", REQUEST)

    assert ruling.refused.status == 413
    assert dict(ruling.refused.headers)[b"troth-refused"] == b"guard"
    assert play.wrote[0].decision.refusal.code == "too-large"


def test_an_answer_is_asked_about_and_may_be_refused():
    seen = []

    def leak(request, response, known):
        seen.append((request, response, known.now))
        return Opinion(refusal=NO, hits=(HIT,))

    play = Play(answers=(leak,))
    response = Response(status=200, headers=(), body=b"x")

    ruling = play.keeper.answered(REQUEST, response, PASSED.decision)

    assert seen == [(REQUEST, response, NOW)]
    assert ruling.refused.status == 403
    assert play.told[0][1]["answer"] is True


def test_what_a_check_waited_for_is_settled():
    awaited = Awaited(ask=lambda response, _: Opinion(counted=str(response.status)))
    play = Play(Opinion(awaits=(awaited,)))
    decision = play.keeper.judge(REQUEST).decision

    ruling = play.keeper.answered(REQUEST, Response(status=401, headers=()), decision)

    assert ruling.refused is None
    assert play.settled[-1][0].counted == ("401",)
    assert play.keeper.counts["401"] == 1


def test_an_answer_that_nobody_asked_about_costs_nothing():
    assert Play().keeper.answered(REQUEST, Response(status=200, headers=()), PASSED.decision) is (
        PASSED
    )


def test_a_check_of_an_answer_that_breaks_keeps_it_back():
    def broken(*_):
        raise ValueError("x")

    ruling = Play(answers=(broken,)).keeper.answered(
        REQUEST, Response(status=200, headers=()), PASSED.decision
    )

    assert ruling.refused.status == 503
