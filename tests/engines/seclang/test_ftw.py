import base64

import pytest

from troth.engines import seclang
from troth.engines.seclang import Source, ftw, parse

PROGRAM = seclang.compile(
    parse(
        [
            Source(
                "t",
                """
    SecRule ARGS "@contains evil" "id:1,phase:2,deny,log,msg:'Evil'"
    SecRule ARGS "@contains watch" "id:2,phase:2,pass,log"
    SecRule RESPONSE_BODY "@contains leak" "id:3,phase:4,deny,log"
    """,
            )
        ]
    )
)
HOST = {"Host": "localhost"}


def old(asked, output):
    stage = {"stage": {"input": {"headers": HOST, **asked}, "output": output}}
    return ftw.cases({"meta": {}, "tests": [{"test_title": "1-1", "stages": [stage]}]}, "f")


def new(asked, output):
    stage = {"input": {"headers": HOST, **asked}, "output": output}
    return ftw.cases({"rule_id": 1, "tests": [{"test_id": 1, "stages": [stage]}]}, "f")


GOOD = [
    old({"uri": "/?a=evil"}, {"log_contains": 'id "1"', "status": [403]}),
    old({"uri": "/?a=b"}, {"no_log_contains": 'id "1"', "status": 200}),
    old({"method": "POST", "data": "a=evil&b=c"}, {"log_contains": "Evil"}),
    old({"method": "POST", "data": ["a=evil", ""]}, {"log_contains": 'id "1"'}),
    old({"uri": "/ x"}, {"status": 400}),
    old({"encoded_request": base64.b64encode(b"GET /?a=evil HTTP/1.0\r\n\r\n").decode()},
        {"log_contains": 'id "1"'}),
    old({"headers": {**HOST, "Content-Length": "9"}, "stop_magic": True}, {"expect_error": True}),
    new({"uri": "/?a=watch"}, {"log": {"expect_ids": [2], "no_expect_ids": [1]}}),
    new({"uri": "/?a=watch"}, {"log": {"expect_ids": [2]}, "isolated": True}),
    new({"uri": "/?a=evil"}, {"log": {"match_regex": 'id "1"', "no_match_regex": 'id "2"'}}),
    new({"method": "POST", "uri": "/reflect", "data": '{"body":"leak","headers":{"Content-Type":'
         '"text/html"}}', "headers": {**HOST, "Content-Type": "application/json"}},
        {"log": {"expect_ids": [3]}}),
]  # fmt: skip
BAD = [
    (old({"uri": "/?a=b"}, {"log_contains": 'id "1"'}), 'the log does not hold id "1"'),
    (old({"uri": "/?a=evil"}, {"no_log_contains": 'id "1"'}), 'the log holds id "1"'),
    (old({"uri": "/"}, {"status": [403, 400]}), "answered 200, not 400 or 403"),
    (old({"uri": "/"}, {"expect_error": True}), "an answer came"),
    (new({"uri": "/"}, {"log": {"expect_ids": [2]}}), "2 did not match (matched: nothing)"),
    (new({"uri": "/?a=watch"}, {"log": {"no_expect_ids": [2]}}), "2 matched"),
    (new({"uri": "/?a=evil"}, {"log": {"expect_ids": []}, "isolated": True}), "others"),
]


@pytest.mark.parametrize("cases", GOOD, ids=range(len(GOOD)))
def test_what_passes(cases):
    assert [ftw.failures(case, PROGRAM) for case in cases] == [()]


@pytest.mark.parametrize(("cases", "why"), BAD, ids=range(len(BAD)))
def test_what_fails_says_why(cases, why):
    found = [ftw.failures(case, PROGRAM) for case in cases]

    assert len(found[0]) == 1
    assert why in found[0][0]


def test_a_disabled_file_is_told_as_such():
    document = {"meta": {"enabled": False}, "tests": [{"test_title": "x", "stages": []}]}

    assert [case.is_enabled for case in ftw.cases(document, "f")] == [False]
    assert ftw.cases(None, "f") == ()


@pytest.mark.parametrize(
    "document", [[], {}, {"tests": 1}, {"tests": [{"stages": 3}]}, {"tests": [{"stages": [1]}]}]
)
def test_what_is_no_test_file(document):
    with pytest.raises(ftw.TestFileError):
        ftw.cases(document, "f")
