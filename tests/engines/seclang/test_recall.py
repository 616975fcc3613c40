"""What is remembered of whole phases changes no verdict, and stays within bounds."""
# ruff: noqa: E501 -- a rule is a line

import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from tests.engines.seclang import generated

from troth.engines.seclang import Limits, Message, Program, Source, compile, parse  # noqa: A004
from troth.engines.seclang.model import Selector
from troth.engines.seclang.recall import ENTRIES, MAX_KEY_BYTES, reads_of
from troth.engines.seclang.scan import Scanner
from troth.engines.seclang.scan.memo import Memo
from troth.engines.seclang.transform import FUNCTIONS
from troth.roles import rules

CRS = Path("/usr/share/modsecurity-crs/rules")
# Each rule reads something that a memory must not forget.
RULES = r"""
SecRuleEngine On
SecRequestBodyAccess On
SecAction "id:25,phase:1,pass,nolog,setvar:tx.longest=20"
SecRule REQUEST_HEADERS:Content-Type "@contains json" "id:1,phase:1,pass,nolog,ctl:requestBodyProcessor=JSON"
SecRule REQUEST_HEADERS:X-Off "@streq 1" "id:2,phase:1,pass,nolog,ctl:ruleRemoveById=12"
SecRule REQUEST_HEADERS:X-Free "@streq 1" "id:3,phase:1,pass,nolog,ctl:ruleRemoveTargetById=13;ARGS:q"
SecRule REQUEST_HEADERS:X-Engine "@streq off" "id:4,phase:1,pass,nolog,ctl:ruleEngine=DetectionOnly"
SecRule REQUEST_HEADERS:User-Agent "@rx ^(\w+)" "id:5,phase:1,pass,log,capture,msg:'%{TX.1}',setvar:tx.agent=%{TX.1}"
SecRule REQUEST_HEADERS:X-Deny "@streq 1" "id:6,phase:1,deny,status:418,log"
SecRule REQUEST_HEADERS:X-Stop "@streq 1" "id:7,phase:1,allow:phase,log"
SecAction "id:8,phase:1,pass,nolog,initcol:ip=%{REMOTE_ADDR}"
SecRule &REQUEST_HEADERS:Host "@eq 0" "id:9,phase:1,pass,log,msg:'no host',setvar:tx.score=+1"
SecRule REQUEST_HEADERS:User-Agent "@rx ^(c)(u)(r)(l)" "id:20,phase:1,pass,nolog,capture"
SecRule ARGS:r "@rx ^(s)" "id:21,phase:2,pass,nolog,capture"
SecRule TX:3 "@streq r" "id:22,phase:2,pass,log,msg:'left over'"
SecRule REQUEST_METHOD "!@within %{tx.methods}" "id:10,phase:2,pass,log,msg:'%{REQUEST_METHOD} of %{REMOTE_ADDR}'"
SecRule ARGS "@rx (?i)select" "id:11,phase:2,pass,log,msg:'%{MATCHED_VAR_NAME}',setvar:tx.score=+2"
SecRule ARGS "@rx (?i)script" "id:12,phase:2,pass,log,setvar:tx.score=+2,chain"
  SecRule REQUEST_HEADERS:Referer "!@contains trusted" "setvar:tx.strange=%{MATCHED_VAR}"
SecRule ARGS|REQUEST_COOKIES "@rx etc" "id:13,phase:2,pass,log,setvar:tx.score=+2"
SecRule REQUEST_BODY "@rx x$" "id:14,phase:2,pass,log"
SecRule ARGS:q "@eq 7" "id:15,phase:2,pass,log,skipAfter:END"
SecRule TX:AGENT "@streq curl" "id:16,phase:2,pass,log,setvar:tx.score=+1"
SecMarker END
SecRule MULTIPART_FILENAME|FILES|XML:/* "@endswith .php" "id:26,phase:2,pass,log"
SecRule MULTIPART_MISSING_SEMICOLON|URLENCODED_ERROR "!@eq 0" "id:27,phase:2,pass,log,msg:'%{MATCHED_VAR_NAME}'"
SecRule ARGS|REQUEST_HEADERS|REQUEST_COOKIES|FILES "@contains trusted" "id:28,phase:2,pass,log,msg:'%{MATCHED_VAR_NAME}'"
SecRule REQBODY_PROCESSOR "@streq " "id:23,phase:2,pass,log,chain"
  SecRule REQUEST_BODY "@endswith x" "setvar:tx.score=+1,chain"
    SecRule FULL_REQUEST_LENGTH "@gt 40" "setvar:tx.score=+1"
SecRule REQUEST_URI_RAW "@gt %{tx.longest}" "id:24,phase:1,pass,log,t:length,msg:'more than %{tx.longest}: %{MATCHED_VAR}'"
SecRule REQBODY_ERROR "!@eq 0" "id:17,phase:2,deny,status:400,log"
SecRule TX:SCORE "@ge 3" "id:18,phase:2,deny,status:403,log,msg:'%{TX.score} %{TX.strange}'"
SecRule TX:SCORE "@ge 1" "id:19,phase:5,pass,log,msg:'%{TX.score} by %{REQUEST_HEADERS.user-agent}'"
"""


def twins(program: Program, data: dict[str, bytes] | None = None) -> tuple[Program, Program]:
    """The same program, forgetting and remembering."""
    scanner = Scanner(program.tests, FUNCTIONS, data or {})
    return program.with_scan(scanner, is_recalling=False), program.with_scan(scanner)


@pytest.fixture
def pair() -> tuple[Program, Program]:
    return twins(compile(parse([Source("a.conf", RULES)], {})))


NAMES = (b"X-Off", b"X-Free", b"X-Engine", b"X-Deny", b"X-Stop", b"Referer", b"User-Agent")
TEXTS = (b"1", b"off", b"curl/8", b"Mozilla", b"https://trusted/", b"https://a/")
VALUES = ("select", "SCRIPT", "etc", "7", "x", "hello", "%00", "[", "a" * 3000, "", "trusted")
FILE = b'--b\r\ncontent-disposition: form-data; name="f"; filename="%b"\r\n\r\ntrusted\r\n--b--\r\n'
BODIES = (
    FILE % b"a.php",
    FILE % b"trusted",
    b"<a>b.php</a>",
    b"q%=1",
    b"q=select",
    b'{"q": "script"}',
    b'{"q": ',
    b"q=etc&q=x",
    b"",
    b"q=" + b"x" * 5000,
)
KINDS = (b"application/json", b"application/x-www-form-urlencoded", b"text/plain",
         b"multipart/form-data; boundary=b", b"multipart/form-data boundary=b")  # fmt: skip


def messages(count: int, seed: int) -> list[Message]:
    """Few different parts, so that much comes again."""
    dice = random.Random(seed)
    made = []
    for _ in range(count):
        headers = [(dice.choice(NAMES), dice.choice(TEXTS)) for _ in range(dice.randint(0, 3))]
        if dice.random() < 0.8:
            headers.append((dice.choice((b"Host", b"host", b"HOST")), b"a.example"))
        if dice.random() < 0.2:
            headers.append((b"Cookie", dice.choice((b"a=trusted; b=etc", b"a=1"))))
        headers.append((b"Content-Type", dice.choice(KINDS)))
        made.append(
            Message(
                method=dice.choice((b"GET", b"POST")),
                uri=f"/?q={dice.choice(VALUES)}&r={dice.choice(VALUES)}".encode(),
                headers=tuple(headers),
                body=dice.choice(BODIES) if dice.random() < 0.5 else None,
                client=dice.choice(("192.0.2.1", "192.0.2.2")),
                removed=frozenset({13} if dice.random() < 0.1 else ()),
                excluded=((0, Selector(collection="ARGS", key="r")),)
                if dice.random() < 0.1
                else (),
            )
        )
    return made


def same(pair: tuple[Program, Program], asked: Sequence[Message]) -> None:
    forgetting, remembering = pair
    for message in asked:
        assert remembering.inspect(message) == forgetting.inspect(message)


def test_no_verdict_changes(pair):
    same(pair, messages(3000, 21))

    assert len(pair[1].recall.ends) > 50, "nothing was remembered, so nothing was tested"


def test_a_body_that_is_not_looked_at_whole_is_no_reading():
    text = "\n".join(line for line in RULES.splitlines() if '"id:14,' not in line)
    pair = twins(compile(parse([Source("a.conf", text)], {})))
    form, plain = (((b"Content-Type", kind),) for kind in (KINDS[1], KINDS[2]))
    bodies = [b"a=%dx" % number for number in range(50)]
    asked = [Message(method=b"POST", uri=b"/", headers=form, body=body) for body in bodies]

    same(pair, asked)
    assert len(pair[1].recall.ends) == 1
    same(pair, [replace(message, headers=plain) for message in asked])
    assert len(pair[1].recall.ends) == 1 + len(asked)


def test_a_processor_that_changes_late_hides_no_reading():
    late = (
        'SecRule ARGS:r "@streq 1" "id:30,phase:2,pass,nolog,ctl:requestBodyProcessor=JSON"\n'
        'SecRule REQBODY_PROCESSOR "@streq JSON" "id:31,phase:2,pass,log,chain"\n'
        '  SecRule REQUEST_BODY "@endswith x" "setvar:tx.score=+9"\n'
        'SecRule TX:SCORE "@ge 9" "id:32,phase:2,deny,log"\n'
    )
    pair = twins(compile(parse([Source("a.conf", "SecRuleEngine On\n" + late)], {})))
    headers = ((b"Content-Type", KINDS[1]),)
    asked = [
        Message(method=b"POST", uri=b"/", headers=headers, body=body)
        for body in (b"r=1&a=x", b"r=1&a=y", b"r=2&a=x", b"r=1&a=x")
    ]

    same(pair, asked)
    assert [pair[1].inspect(message).is_disrupted for message in asked] == [
        True,
        False,
        False,
        True,
    ]


def test_a_limit_that_nothing_changes_is_asked_by_the_scan():
    pair = twins(compile(parse([Source("a.conf", RULES)], {})))
    by_id = {step.rule.id: step.index for step in pair[1].steps}
    short, long = (Message(method=b"GET", uri=b"/" + b"a" * size) for size in (19, 20))

    assert by_id[24] in {test.number for test in pair[1].tests}
    same(pair, [short, long, short])
    assert [24 in pair[1].inspect(each).rules for each in (short, long)] == [False, True]


def test_a_response_is_looked_at_each_time(pair):
    asked = [replace(m, status=200, response_body=b"x") for m in messages(200, 22)]

    same(pair, asked + asked)


def test_nothing_large_is_kept(pair):
    _, remembering = pair
    large = Message(method=b"POST", uri=b"/", body=b"q=" + b"x" * MAX_KEY_BYTES, headers=(
        (b"Content-Type", b"application/x-www-form-urlencoded"),))  # fmt: skip
    before = len(remembering.recall.ends)
    remembering.inspect(large)
    remembering.inspect(large)

    assert len(remembering.recall.ends) == before


def test_what_a_limit_was_passed_for_is_not_kept():
    limits = Limits(arguments=2)
    pair = twins(compile(parse([Source("a.conf", RULES)], {}), limits=limits))
    few = Message(method=b"GET", uri=b"/?a=1&b=2")
    many = Message(method=b"GET", uri=b"/?a=1&b=2&c=3")

    same(pair, [few, many, few, many, many])
    assert pair[1].inspect(many).limits == ("arguments",)


def test_too_many_cookies_are_told_each_time():
    limits = Limits(arguments=2)
    pair = twins(compile(parse([Source("a.conf", RULES)], {}), limits=limits))
    few, many = (
        Message(method=b"GET", uri=b"/", headers=((b"Cookie", cookies), (b"User-Agent", b"etc")))
        for cookies in (b"a=etc; b=2", b"a=etc; b=2; c=3")
    )

    same(pair, [few, many, many, few, many])
    assert pair[1].inspect(many).limits == ("cookies",)
    assert pair[1].inspect(few).limits == ()


def test_a_small_limit_on_work_is_exact():
    program = compile(parse([Source("a.conf", RULES)], {}), limits=Limits(work=1000))

    assert twins(program)[1].recall is None


def test_a_memo_is_bounded_and_keeps_what_is_in_use():
    memo: Memo[int] = Memo(8)
    memo.put("ours", 1)
    assert memo.get("ours") == 1
    for number in range(500):
        memo.put(number, number)
        if number % 100 == 0:
            assert memo.get("ours") == 1

    assert memo.get("ours") == 1
    assert memo.get(3) is None
    assert len(memo) <= 4 * 8


def test_all_that_a_rule_names_is_known_to_be_read():
    text = RULES + (
        'SecRule ARGS|!ARGS:a|&REQUEST_HEADERS:Host|REQUEST_HEADERS:/^x-/ "@streq %{QUERY_STRING}"'
        " \"id:99,phase:2,pass,log,msg:'%{REQUEST_URI}',logdata:'%{REMOTE_PORT}',"
        'setvar:tx.a=%{UNIQUE_ID}"\n'
    )
    rule = next(rule for rule in parse([Source("a", text)], {}).rules if rule.id == 99)

    assert reads_of(rule) == {
        ("ARGS", "", False),
        ("REQUEST_HEADERS", "host", True),
        ("REQUEST_HEADERS", "", False),
        ("QUERY_STRING", "", False),
        ("REQUEST_URI", "", False),
        ("REMOTE_PORT", "", False),
        ("UNIQUE_ID", "", False),
    }


@pytest.mark.skipif(not CRS.is_dir(), reason="Debian's modsecurity-crs is not installed")
def test_no_verdict_of_the_crs_changes():
    sources, data = rules.sources_of(CRS)
    pair = twins(compile(parse(sources, data), paranoia=2), dict(data))
    asked = list(generated.requests(31, 30))

    same(pair, asked + asked)
    assert 0 < len(pair[1].recall.ends) <= 4 * ENTRIES
