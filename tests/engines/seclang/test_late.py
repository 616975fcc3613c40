"""What reads answers says the same as the whole program, and asks less."""

import pytest

from troth.engines.seclang import Message, Program, Source, compile, parse  # noqa: A004 -- its word
from troth.engines.seclang.late import of_answers
from troth.engines.seclang.scan import Scanner
from troth.engines.seclang.transform import FUNCTIONS

SET = r"""
SecRuleEngine On
SecResponseBodyAccess On
SecAction "id:1,phase:1,pass,nolog,setvar:tx.high=5"
SecRule REQUEST_URI "@contains attack" "id:2,phase:1,deny,log"
SecRule REQUEST_URI "@contains admin" "id:3,phase:1,pass,nolog,setvar:tx.is_admin=%{tx.raised}"
SecRule REQUEST_URI "@contains a" "id:4,phase:1,pass,nolog,setvar:tx.raised=1"
SecRule REQUEST_URI "@contains docs" "id:5,phase:1,pass,nolog,ctl:ruleRemoveById=23"
SecRule REQUEST_HEADERS "@contains odd" "id:6,phase:1,pass,log,setvar:tx.inbound=1"
SecRule REQUEST_URI "@contains skip" "id:7,phase:1,pass,nolog,skipAfter:END"
SecRule REQUEST_URI "@contains skip" "id:8,phase:1,pass,nolog,setvar:tx.is_skipped=1"
SecMarker END
SecRule RESPONSE_STATUS "@rx ^5" "id:20,phase:3,pass,log,setvar:tx.out=+1"
SecRule RESPONSE_BODY "@contains leak" "id:21,phase:4,pass,log,setvar:tx.out=+%{tx.high}"
SecRule TX:is_admin "@eq 1" "id:22,phase:4,pass,log"
SecRule RESPONSE_BODY "@contains secret" "id:23,phase:4,deny,log,status:502"
SecRule REQUEST_URI "@contains shown" "id:24,phase:4,pass,log"
SecRule REQUEST_HEADERS "@contains odd" "id:25,phase:4,pass,log"
SecRule TX:is_skipped "@eq 1" "id:26,phase:4,pass,log"
SecRule TX:out "@ge 5" "id:27,phase:4,deny,log,status:500"
"""
LATE = (3, 4)


def scanned(text: str) -> Program:
    program = compile(parse([Source("a.conf", text)], {}))
    return program.with_scan(Scanner(program.tests, FUNCTIONS, {}))


@pytest.fixture(scope="module")
def pair() -> tuple[Program, Program]:
    whole = scanned(SET)
    return whole, of_answers(whole)


def late(program: Program, uri: bytes, status: int, body: bytes):
    verdict = program.inspect(
        Message(
            method=b"GET", uri=uri, headers=((b"host", b"h"), (b"x", b"odd")), status=status,
            response_headers=((b"content-type", b"text/html"),), response_body=body,
        )
    )  # fmt: skip
    said = [(m.rule, m.place, m.value) for m in verdict.matches if m.phase in LATE]
    return said, verdict.is_disrupted, verdict.status


@pytest.mark.parametrize("uri", [b"/", b"/admin", b"/docs", b"/shown", b"/skip", b"/admin/docs"])
@pytest.mark.parametrize("body", [b"", b"leak", b"secret", b"leak secret"])
@pytest.mark.parametrize("status", [200, 500])
def test_the_same_is_said_of_an_answer(pair, uri: bytes, body: bytes, status: int):
    whole, small = pair

    assert late(small, uri, status, body) == late(whole, uri, status, body)


def test_it_asks_less(pair):
    whole, small = pair

    assert [len(small.phases[number].unasked) for number in (1, 2)] == [5, 0]
    assert small.phases[1].finders == ()
    assert whole.phases[1].finders


def test_an_attack_is_not_asked_about_again(pair):
    whole, small = pair

    assert late(whole, b"/attack", 200, b"leak")[0] == []
    assert (21, "RESPONSE_BODY", b"leak") in late(small, b"/attack", 200, b"leak")[0]


@pytest.mark.parametrize(
    "rule",
    [
        'SecRule TX:/^x/ "@eq 1" "id:30,phase:4,pass,log"',
        'SecRule TX "@eq 1" "id:30,phase:4,pass,log"',
    ],
    ids=["a pattern", "all"],
)
def test_where_it_cannot_be_told_nothing_is_left_out(rule: str):
    whole = scanned(f"{SET}\n{rule}\n")

    assert of_answers(whole) is whole


def test_what_is_not_scanned_is_left_as_it_is():
    program = compile(parse([Source("a.conf", SET)], {}))

    assert of_answers(program) is program
