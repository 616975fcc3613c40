"""The rules as a check: modes by route, exclusions, limits, answers, and which way it fails."""

from datetime import UTC, datetime

import pytest

from troth.engines.seclang import Program, Source, compile, parse  # noqa: A004 -- its word
from troth.engines.seclang.model import Limits
from troth.kernel.request import FINE, Known, Request, Response
from troth.promises.guard.enforce import waf
from troth.promises.guard.settings.waf import Exclusion, Rules, RulesRoute

KNOWN = Known(now=datetime(2026, 1, 1, tzinfo=UTC))
SET = r"""
SecRuleEngine On
SecRequestBodyAccess On
SecResponseBodyAccess On
SecDefaultAction "phase:2,pass,log"
SecRule ARGS|REQUEST_HEADERS "@contains attack" \
    "id:1,phase:2,deny,log,status:406,severity:2,msg:'an attack'"
SecRule ARGS "@contains odd" "id:2,phase:2,pass,log,severity:5,msg:'odd'"
SecRule RESPONSE_BODY "@contains root:x:0" "id:3,phase:4,deny,log,severity:2,msg:'a leak'"
SecRule ARGS "@contains away" "id:4,phase:2,redirect:https://evil.example,log,msg:'away'"
"""


@pytest.fixture(scope="module")
def program() -> Program:
    return compile(parse([Source("a.conf", SET)], {}), limits=Limits(arguments=5))


def ask(program: Program, target: bytes, *headers: tuple[bytes, bytes], **rules: object):
    request = Request(method=b"GET", target=target, host=b"a", headers=headers)
    return waf.check(program, Rules(**rules))(request, KNOWN)


def test_nothing_said_is_fine(program: Program):
    assert ask(program, b"/?q=harmless") is FINE


def test_a_denial_refuses_with_its_status_and_says_what_and_where(program: Program):
    opinion = ask(program, b"/?q=an+attack")

    assert (opinion.refusal.slug, opinion.refusal.code, opinion.refusal.status) == (
        "waf-owasp-top10", "rules", 406
    )  # fmt: skip
    (hit,) = opinion.hits
    assert (hit.rule, hit.place, hit.value, hit.message, hit.score) == (
        "1", "ARGS:q", b"an attack", "an attack", 5
    )  # fmt: skip


def test_what_only_matches_is_told_and_passes(program: Program):
    opinion = ask(program, b"/?q=odd")

    assert opinion.refusal is None
    assert [hit.rule for hit in opinion.hits] == ["2"]


def test_a_redirect_is_a_refusal(program: Program):
    assert ask(program, b"/?q=away").refusal.status == 403


def test_watching_refuses_nothing_and_tells_everything(program: Program):
    opinion = ask(program, b"/?q=attack", mode="watch")

    assert opinion.refusal is None
    assert opinion.counted == "waf.watched.rules"
    assert opinion.hits


def test_a_limit_that_was_passed_is_refused(program: Program):
    opinion = ask(program, b"/?" + b"&".join(b"a%d=1" % n for n in range(9)))

    assert (opinion.refusal.code, opinion.refusal.status) == ("limit-arguments", 413)
    assert ask(program, b"/?a&b&c&d&e&f&g", mode="watch").refusal is None


def test_what_takes_long_to_decode_is_refused(program: Program):
    request = Request(
        method=b"POST",
        target=b"/",
        host=b"a",
        headers=((b"content-type", b"application/x-www-form-urlencoded"),),
        body=b"a=" + b"%26lt;" * 20_000,
    )

    refusal = waf.check(program, Rules())(request, KNOWN).refusal
    assert (refusal.code, refusal.status) == ("limit-decode", 413)


@pytest.mark.parametrize(
    ("path", "is_refused"),
    [(b"/", True), (b"/free", False), (b"/free/x", True), (b"/watched/7/x", False),
     (b"/x/../free", True), (b"/free/..%2f", True), (b"//free", True)],
)  # fmt: skip
def test_a_route_has_its_own_mode_beyond_doubt(program: Program, path: bytes, is_refused: bool):
    routes = (
        RulesRoute(path="/free", mode="off"),
        RulesRoute(path="/watched/{id}/*", mode="watch"),
    )

    opinion = ask(program, path + b"?q=attack", routes=routes)

    assert (opinion.refusal is not None) == is_refused


def test_a_route_may_be_the_only_one_that_is_asked(program: Program):
    routes = (RulesRoute(path="/admin/*", mode="block"),)

    assert ask(program, b"/?q=attack", mode="off", routes=routes) is FINE
    assert ask(program, b"/admin/x?q=attack", mode="off", routes=routes).refusal


def test_an_exclusion_is_of_one_rule_at_one_place_on_one_route(program: Program):
    exclusions = (Exclusion(path="/search", parameter="ARGS:q", rule=1),)

    def is_refused(target: bytes, *headers: tuple[bytes, bytes]) -> bool:
        opinion = ask(program, target, *headers, exclusions=exclusions)
        return opinion.refusal is not None

    assert not is_refused(b"/search?q=attack")
    assert not is_refused(b"/search?Q=attack")  # names are compared as the rules do
    assert is_refused(b"/search?p=attack")
    assert is_refused(b"/other?q=attack")
    assert is_refused(b"/x/../search?q=attack")
    assert is_refused(b"/search?q=1", (b"x", b"attack"))


def test_what_our_own_edge_wrote_is_not_looked_at(program: Program):
    assert ask(program, b"/", (b"x-forwarded-host", b"attack.example")) is FINE
    assert ask(program, b"/", (b"x-other", b"attack.example")).refusal


def test_answers_are_looked_at_for_leaks(program: Program):
    assert waf.reads_answers(program)
    check = waf.answer_check(program, Rules())
    request = Request(method=b"GET", target=b"/?q=odd", host=b"a", headers=())
    headers = ((b"content-type", b"text/html"),)

    def ask(body: bytes | None):
        return check(request, Response(status=200, headers=headers, body=body), KNOWN)

    assert ask(b"hello") is FINE
    assert ask(None) is FINE
    leak = ask(b"root:x:0:0")
    assert leak.refusal.status == 403
    assert [hit.rule for hit in leak.hits] == ["3"]


def test_an_attack_that_was_only_watched_hides_no_leak(program: Program):
    check = waf.answer_check(program, Rules())
    request = Request(method=b"POST", target=b"/attack?q=attack", host=b"a", headers=())
    headers = ((b"content-type", b"text/html"),)

    opinion = check(request, Response(status=200, headers=headers, body=b"root:x:0:0"), KNOWN)

    assert [hit.rule for hit in opinion.hits] == ["3"]


def test_what_leaked_does_not_leak_into_an_event(program: Program):
    check = waf.answer_check(program, Rules(mode="watch"))
    request = Request(method=b"GET", target=b"/", host=b"a", headers=())

    opinion = check(request, Response(status=200, headers=(), body=b"root:x:0:0"), KNOWN)

    assert opinion is FINE  # the set does not read bytes
    typed = Response(status=200, headers=((b"content-type", b"text/plain"),), body=b"root:x:0:0")
    opinion = check(request, typed, KNOWN)
    assert opinion.refusal is None
    assert opinion.counted == "waf.watched.rules"
    assert [(hit.place, hit.value) for hit in opinion.hits] == [("RESPONSE_BODY", b"")]


def test_an_exclusion_of_answers_holds_on_its_route(program: Program):
    away = Exclusion(path="/tools/*", parameter="RESPONSE_BODY", rule=3)
    check = waf.answer_check(program, Rules(exclusions=(away,)))
    leak = Response(status=200, headers=((b"content-type", b"text/plain"),), body=b"root:x:0:0")

    def ask(target: bytes):
        return check(Request(method=b"GET", target=target, host=b"a", headers=()), leak, KNOWN)

    assert ask(b"/tools/a?b=c") is FINE
    assert ask(b"/other").refusal


def test_an_unreadable_pattern_is_found_before_a_request_is(program: Program):
    with pytest.raises(ValueError, match="last segment"):
        waf.check(program, Rules(routes=(RulesRoute(path="/*/a", mode="off"),)))
