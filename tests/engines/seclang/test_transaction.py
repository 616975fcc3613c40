"""What a message meets on its way. Each case runs without and with a scanner (conftest)."""

import json
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from troth.engines import seclang
from troth.engines.seclang import Limits, Message, Source, parse
from troth.engines.seclang.model import Selector

FORM = (("Content-Type", "application/x-www-form-urlencoded"),)


def test_rules_run_in_order_and_skip_after_passes_over(ids):
    rules = """
    SecRule ARGS "@rx a" "id:1,phase:2,log,pass,skipAfter:END"
    SecRule ARGS "@rx a" "id:2,phase:2,log,pass"
    SecMarker END
    SecRule ARGS "@rx a" "id:3,phase:2,log,pass"
    SecRule ARGS "@rx a" "id:4,phase:1,log,pass"
    """

    assert ids(rules, uri="/?x=a") == (4, 1, 3)
    assert ids(rules, uri="/?x=b") == ()


def test_skip_passes_over_so_many(ids):
    rules = """
    SecRule ARGS "@rx a" "id:1,phase:2,log,pass,skip:1"
    SecRule ARGS "@rx a" "id:2,phase:2,log,pass"
    SecRule ARGS "@rx a" "id:3,phase:2,log,pass"
    """

    assert ids(rules, uri="/?x=a") == (1, 3)


def test_a_chain_matches_when_every_link_does(ids):
    rules = """
    SecRule ARGS "@rx (b+)" "id:1,phase:2,log,pass,capture,chain"
        SecRule TX:1 "@streq bb" "chain"
            SecRule MATCHED_VARS_NAMES "@rx ^ARGS:x$"
    """

    assert ids(rules, uri="/?x=abba") == (1,)
    assert ids(rules, uri="/?x=aba") == ()


def test_setvar_acts_at_each_value_and_even_when_the_chain_fails(asked):
    rules = """
    SecRule ARGS "@rx a" "id:1,phase:2,pass,nolog,setvar:tx.n=+2,chain"
        SecRule REQUEST_METHOD "@streq POST"
    SecRule TX:N "@eq 4" "id:2,phase:2,log,pass,logdata:'%{tx.n}'"
    """

    verdict = asked(rules, uri="/?x=a&y=a&z=b")
    assert verdict.rules == (2,)
    assert verdict.matches[0].data == b"4"


def test_negation_holds_for_each_value_there_is(ids):
    rules = """
    SecRule ARGS "!@rx ^[0-9]+$" "id:1,phase:2,log,pass"
    SecRule REQUEST_HEADERS:Nope "!@rx a" "id:2,phase:2,log,pass"
    """

    assert ids(rules, uri="/?a=1&b=x") == (1,)
    assert ids(rules, uri="/?a=1&b=2") == ()


def test_counts_exclusions_and_patterns_of_names(ids):
    rules = r"""
    SecRule &ARGS:/^a/ "@eq 2" "id:1,phase:2,log,pass"
    SecRule ARGS|!ARGS:/^pass/|!ARGS:Note "@rx x" "id:2,phase:2,log,pass"
    SecRule &REQUEST_HEADERS:Host "@eq 0" "id:3,phase:1,log,pass"
    """

    assert ids(rules, uri="/?ab=1&AC=2&password=x&NOTE=x") == (3, 1)
    assert ids(rules, uri="/?b=x", headers=[("host", "h")]) == (2,)


def test_multi_match_sees_every_stage(ids):
    rules = r"""
    SecRule ARGS "@rx \.\./" "id:1,phase:2,log,pass,t:urlDecode,t:normalizePath,multiMatch"
    SecRule ARGS "@rx \.\./" "id:2,phase:2,log,pass,t:urlDecode,t:normalizePath"
    """

    assert ids(rules, uri="/?a=a/%252e%252e/b") == (1,)


def test_denial_ends_the_way_but_for_logging(asked):
    rules = """
    SecRule ARGS "@rx a" "id:1,phase:2,deny,status:406"
    SecRule ARGS "@rx a" "id:2,phase:2,log,pass"
    SecRule ARGS "@rx a" "id:3,phase:5,log,pass"
    """

    verdict = asked(rules, uri="/?x=a")
    assert (verdict.rules, verdict.status, verdict.by) == ((1, 3), 406, 1)
    watched = asked("SecRuleEngine DetectionOnly\n" + rules, uri="/?x=a")
    assert (watched.rules, watched.status, watched.is_disrupted) == ((1, 2, 3), None, False)


def test_allow_ends_the_way_without_a_no(ids):
    rules = """
    SecRule REQUEST_URI "@beginsWith /health" "id:1,phase:1,log,allow"
    SecRule REQUEST_URI "@beginsWith /phase" "id:2,phase:1,log,allow:phase"
    SecRule ARGS "@rx a" "id:3,phase:1,log,deny"
    SecRule ARGS "@rx a" "id:4,phase:2,log,deny"
    """

    assert ids(rules, uri="/health?x=a") == (1,)
    assert ids(rules, uri="/phase?x=a") == (2, 4)
    assert ids(rules, uri="/?x=a") == (3,)


def test_redirect_says_where_to(asked):
    rules = """SecRule ARGS "@rx a" "id:1,phase:2,redirect:'https://x.example/%{ARGS.x}'" """

    verdict = asked(rules, uri="/?x=a")
    assert (verdict.status, verdict.redirect) == (302, b"https://x.example/a")


def test_ctl_takes_rules_and_targets_away(ids):
    rules = """
    SecRule REQUEST_URI "@beginsWith /id" "id:1,phase:1,pass,nolog,ctl:ruleRemoveById=11-12"
    SecRule REQUEST_URI "@beginsWith /tag" "id:2,phase:1,pass,nolog,ctl:ruleRemoveByTag=two"
    SecRule REQUEST_URI "@beginsWith /arg" "id:3,phase:1,pass,nolog,\\
        ctl:ruleRemoveTargetById=11;ARGS:x,ctl:ruleRemoveTargetByTag=two;ARGS:/^x/"
    SecRule REQUEST_URI "@beginsWith /off" "id:4,phase:1,pass,nolog,ctl:ruleEngine=Off"
    SecRule ARGS "@rx a" "id:11,phase:2,log,pass,tag:one"
    SecRule ARGS "@rx a" "id:12,phase:2,log,pass,tag:two"
    SecRule ARGS "@rx a" "id:13,phase:2,log,pass,tag:one"
    """

    assert ids(rules, uri="/?x=a") == (11, 12, 13)
    assert ids(rules, uri="/id?x=a") == (13,)
    assert ids(rules, uri="/tag?x=a") == (11, 13)
    assert ids(rules, uri="/arg?x=a") == (13,)
    assert ids(rules, uri="/arg?y=a") == (11, 12, 13)
    assert ids(rules, uri="/off?x=a") == ()


def test_a_message_can_bring_exclusions_of_its_own(ids):
    rules = 'SecRule ARGS "@rx a" "id:1,phase:2,log,pass"\nSecRule ARGS "@rx a" "id:2,log,pass"'
    barred = ((2, Selector(collection="ARGS", key="x")),)

    assert ids(rules, uri="/?x=a", excluded=barred) == (1,)
    assert ids(rules, uri="/?x=a", removed=frozenset({1})) == (2,)


def test_body_processor_by_ctl_and_forced_raw_body(ids):
    rules = """
    SecRule REQUEST_HEADERS:Content-Type "@contains json" \\
        "id:1,phase:1,pass,nolog,ctl:requestBodyProcessor=JSON"
    SecRule ARGS:json.a "@streq b" "id:2,phase:2,log,pass"
    SecRule REQBODY_ERROR "!@eq 0" "id:3,phase:2,log,pass"
    SecRule ARGS_POST:a "@streq b" "id:4,phase:2,log,pass"
    """
    json = (("Content-Type", "application/json"),)

    assert ids(rules, method="POST", headers=json, body=b'{"a":"b"}') == (2,)
    assert ids(rules, method="POST", headers=json, body=b'{"a":') == (3,)
    assert ids(rules, method="POST", headers=FORM, body=b"a=b") == (4,)
    assert ids("SecRequestBodyAccess Off\n" + rules, headers=FORM, body=b"a=b") == ()


def test_response_phases_run_when_there_is_a_response(ids):
    rules = """
    SecRule RESPONSE_STATUS "@rx ^5" "id:1,phase:3,log,pass"
    SecRule RESPONSE_HEADERS:X-A "@streq b" "id:2,phase:3,log,pass"
    SecRule RESPONSE_BODY "@contains ORA-" "id:3,phase:4,log,pass"
    SecRule RESPONSE_STATUS "@streq 500" "id:4,phase:4,log,deny"
    """
    html, image = (
        ((b"Content-Type", b"text/html"), (b"X-A", b"b")),
        ((b"Content-Type", b"image/x"),),
    )

    assert ids(rules) == ()
    assert ids(rules, status=500, response_headers=html, response_body=b"ORA-1") == (1, 2, 3, 4)
    assert ids(rules, status=500, response_headers=html) == (1, 2, 4)
    assert ids(rules, status=200, response_headers=image, response_body=b"ORA-1") == ()


def test_what_a_phase_sees_too_early_is_seen_again(ids):
    rules = """
    SecRule RESPONSE_BODY "@contains a" "id:1,phase:3,log,pass"
    SecRule RESPONSE_BODY "@contains a" "id:2,phase:4,log,pass"
    SecRule ARGS|REQUEST_BODY "@contains a" "id:3,phase:1,log,pass"
    SecRule ARGS|REQUEST_BODY "@contains a" "id:4,phase:2,log,pass"
    """
    html = ((b"Content-Type", b"text/html"),)

    assert ids(rules, status=200, response_headers=html, response_body=b"a") == (2,)
    assert ids(rules, method="POST", headers=FORM, body=b"x=a") == (4,)


def test_stores_live_as_long_as_the_message(ids):
    rules = """
    SecAction "id:1,phase:1,pass,nolog,setvar:ip.n=+1"
    SecAction "id:2,phase:1,pass,nolog,initcol:ip=%{remote_addr}"
    SecAction "id:3,phase:1,pass,nolog,setvar:ip.n=+1"
    SecRule IP:n "@eq 1" "id:4,phase:1,log,pass"
    """

    assert ids(rules, client="192.0.2.1") == (4,)


def test_paranoia_is_the_callers_word(ids):
    rules = """
    SecAction "id:1,phase:1,pass,nolog,setvar:tx.detection_paranoia_level=1"
    SecRule TX:DETECTION_PARANOIA_LEVEL "@lt 2" "id:2,phase:2,pass,nolog,skipAfter:END"
    SecRule ARGS "@rx a" "id:3,phase:2,log,pass"
    SecMarker END
    """

    assert ids(rules, uri="/?x=a") == ()
    assert ids(rules, uri="/?x=a", paranoia=2) == (3,)
    assert ids(rules, uri="/?x=a", settings={"detection_paranoia_level": "4"}) == (3,)


def test_scores_are_told(asked):
    rules = """
    SecAction "id:1,phase:1,pass,nolog,setvar:tx.critical_anomaly_score=5"
    SecRule ARGS "@rx a" "id:2,phase:2,log,pass,severity:CRITICAL,tag:t,msg:'M %{MATCHED_VAR}',\\
        setvar:tx.inbound_anomaly_score_pl1=+%{tx.critical_anomaly_score}"
    """

    verdict = asked(rules, uri="/?x=a&y=aa")
    match = verdict.matches[0]
    assert (verdict.inbound, verdict.outbound) == (10, 0)
    assert (match.place, match.value, match.message) == ("ARGS:y", b"aa", "M aa")
    assert (match.severity, match.tags, match.phase) == (2, ("t",), 2)


def test_limits_are_told():
    rules = parse([Source("t", 'SecRule ARGS "@rx never" "id:1,phase:2,deny"')])
    few = seclang.compile(rules, limits=Limits(arguments=2))
    short = seclang.compile(rules, limits=Limits(body=4))
    little = seclang.compile(rules, limits=Limits(work=10))
    many = Message(method=b"GET", uri=b"/?a=1&b=2&c=3")
    long = Message(
        method=b"POST", uri=b"/", headers=((b"Content-Type", b"text/plain"),), body=b"12345"
    )

    assert few.inspect(many).limits == ("arguments",)
    assert short.inspect(long).limits == ("body",)
    assert little.inspect(Message(method=b"GET", uri=b"/?a=" + b"x" * 11)).limits == ("work",)
    assert seclang.compile(rules).inspect(many).limits == ()


TYPED_FORM = ((b"Content-Type", b"application/x-www-form-urlencoded"),)
JSON = ((b"Content-Type", b"application/json"),)
IMAGE = ((b"Content-Type", b"image/png"),)
LOOKING = """
    SecRule REQUEST_HEADERS:Content-Type "json" \
        "id:1,phase:1,pass,nolog,ctl:requestBodyProcessor=JSON"
    SecRule ARGS|REQUEST_BODY "@rx ." "id:2,phase:2,deny"
    """


def sent(headers: tuple[tuple[bytes, bytes], ...], body: bytes) -> Message:
    return Message(method=b"POST", uri=b"/", headers=headers, body=body)


@pytest.mark.parametrize(
    "escape", [b"%26%23x3c;", b"%5cu0027", b"${", b"%25u0041", b"%c0%af", b"%ef%bc%81"]
)
def test_what_takes_long_to_decode_is_refused_unread(escape):
    program = seclang.compile(parse([Source("t", LOOKING)]))

    apart = b"&".join(b"a%d=%b" % (n, escape * 900) for n in range(20))
    for body in (b"a=" + escape * 20_000, apart):
        verdict = program.inspect(sent(TYPED_FORM, body))
        assert (verdict.limits, verdict.rules, verdict.status) == (("decode",), (), None)


@pytest.mark.parametrize(
    "text",
    [
        "Прогулка по парку, и дождь. ",
        "ฝนตกที่สนามเทนนิส ",
        "球场在下雨，我们去室内吧。",  # noqa: RUF001 -- as it is written
        "コートは雨、ＡＢＣ１２３。",  # noqa: RUF001 -- as it is written
        "<p>It&nbsp;rained &amp; we played</p> ",
        "Save it in C:\\games\\court or ${HOME}/court; ",
    ],
)
def test_no_text_of_64_kb_takes_too_long_to_decode(text):
    program = seclang.compile(parse([Source("t", LOOKING)]))
    long = text * (65_536 // len(text.encode()))
    entities = long.encode("ascii", "xmlcharrefreplace").decode()[:65_532]

    for value in (long, json.dumps(long)[:65_530], entities):
        body = json.dumps({"text": value}).encode()
        assert program.inspect(sent(JSON, body)).limits == ()


def test_an_image_is_no_text_that_is_decoded():
    program = seclang.compile(parse([Source("t", LOOKING)]))
    noise = random.Random(1).randbytes(1 << 20)

    assert program.inspect(sent(IMAGE, noise)).limits == ()


RULES = seclang.compile(
    parse(
        [
            Source(
                "t",
                r"""
    SecRule ARGS|ARGS_NAMES|REQUEST_COOKIES|REQUEST_HEADERS|REQUEST_URI|XML:/*|FILES "@rx (a)(b)?" \
        "id:1,phase:2,log,pass,capture,t:urlDecodeUni,t:htmlEntityDecode,t:lowercase,\
        logdata:'%{TX.1} %{MATCHED_VAR_NAME}',setvar:'tx.seen_%{MATCHED_VAR_NAME}=%{MATCHED_VAR}',\
        ctl:requestBodyProcessor=XML"
    SecRule TX:/^seen_/ "@rx a" "id:2,phase:2,log,deny"
    """,
            )
        ]
    )
)
KINDS = st.sampled_from(
    [b"application/x-www-form-urlencoded", b"multipart/form-data; boundary=x", b"text/plain"]
)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=60), st.binary(max_size=60), st.binary(max_size=200), KINDS)
def test_no_bytes_break_it(uri, header, body, kind):
    message = Message(
        method=header[:4],
        uri=b"/?" + uri,
        headers=((header, uri), (b"Cookie", header), (b"Content-Type", kind)),
        body=body,
    )

    verdict = RULES.inspect(message)
    assert verdict == RULES.inspect(message)
    assert verdict.is_disrupted == (2 in verdict.rules)
