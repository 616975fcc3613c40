import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from troth.engines import seclang
from troth.engines.seclang import Message, RuleError, Source, parse
from troth.engines.seclang.model import Marker


def ruleset(*texts, data=None):
    return parse([Source(f"{n}.conf", text) for n, text in enumerate(texts)], data)


def test_a_rule_with_its_chain_and_defaults():
    rules = ruleset(
        'SecDefaultAction "phase:2,log,deny,status:406,t:lowercase"\n'
        'SecRule ARGS "@rx a" "id:7,phase:2,block,t:urlDecode,msg:\'M\',severity:ERROR,'
        'tag:x,chain"\n'
        '    SecRule TX:1 "@eq 2" "t:none,setvar:tx.a=1"\n'
        "SecMarker END\n"
    )

    rule, marker = rules.items
    assert marker == Marker("END")
    assert (rule.id, rule.phase, rule.disruption, rule.status) == (7, 2, "deny", 406)
    assert (rule.message, rule.severity, rule.tags, rule.is_logged) == ("M", 3, ("x",), True)
    assert [link.transformations for link in rule.links] == [("lowercase", "urldecode"), ()]
    assert rule.where == "0.conf:2"


def test_none_takes_away_what_stood_before():
    rules = ruleset('SecRule ARGS "@rx a" "id:1,t:lowercase,t:none,t:hexDecode,nolog,pass"').rules

    assert rules[0].links[0].transformations == ("hexdecode",)
    assert not rules[0].is_logged


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ('SecRule ARGZ "@rx a" "id:1"', "no variable is called ARGZ"),
        ('SecRule ARGS "@rxx a" "id:1"', "no operator is called @rxx"),
        ('SecRule ARGS "@rx (" "id:1"', "@rx: "),
        ('SecRule ARGS "@rx a" "id:1,t:rot13"', "no transformation is called rot13"),
        ('SecRule ARGS "@rx a" "id:1,explode"', "no action is called explode"),
        ('SecRule ARGS "@rx a" "id:1,exec:/bin/sh"', "no action is called exec"),
        ('SecRule ARGS "@rx a" "id:1,ctl:nothing=1"', "no ctl is called nothing"),
        ('SecRule ARGS "@rx a" "phase:2"', "a rule without an id"),
        ('SecRule ARGS "@rx a" "id:1,phase:6"', "there is no phase 6"),
        ('SecRule ARGS "@rx a" "id:1,severity:9"', "there is no severity 9"),
        ('SecRule ARGS "@rx a" "id:x"', "id is a number, not 'x'"),
        ('SecRule ARGS "@rx a" "id:1,chain"', "a chain that 0.conf does not end"),
        ('SecRule ARGS "@rx a" "id:1,chain"\nSecMarker A', "a chain that nothing follows"),
        ('SecRule ARGS "@pmFromFile no.data" "id:1"', "@pmfromfile: "),
        ('SecRule ARGS "@rx a" "id:1,setvar:foo.a=1"', "setvar writes into"),
        ('SecRule REQUEST_URI:x "@rx a" "id:1"', "REQUEST_URI has no parts"),
        ("SecRule ARGS", "SecRule takes 2 or 3 arguments, not 1"),
        ("LoadModule x", "no directive is called LoadModule"),
        ("SecRuleEngine Maybe", "SecRuleEngine is one of"),
        ("SecRuleUpdateTargetById x ARGS", "'x' is no rule id"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_place(text, what):
    with pytest.raises(RuleError) as caught:
        ruleset(f'SecAction "id:99,pass"\n{text}\n')

    assert what in caught.value.what
    assert caught.value.where == "0.conf:2"


def test_an_id_is_there_once_over_all_files():
    with pytest.raises(RuleError) as caught:
        ruleset('SecAction "id:1,pass"', '\nSecAction "id:1,pass"')

    assert caught.value.hint() == "1.conf:2: rule 1 is there already, at 0.conf:1"


def test_switches_and_what_is_ignored():
    rules = ruleset(
        "SecRuleEngine DetectionOnly\nSecRequestBodyAccess Off\nSecResponseBodyAccess off\n"
        "SecResponseBodyMimeType text/plain Text/CSS\nSecAuditEngine On\nInclude other.conf\n"
    )

    assert (rules.engine, rules.is_body_read, rules.is_response_read) == (
        "DetectionOnly",
        False,
        False,
    )
    assert rules.response_types == {"text/plain", "text/css"}
    assert [line.partition(" ")[0] for line in rules.ignored] == ["0.conf:5:", "0.conf:6:"]


def test_data_files_are_found_by_base_name():
    rules = ruleset('SecRule ARGS "@pmFromFile a.data" "id:1"', data={"a.data": b"one\ntwo\n"})

    assert rules.rules[0].links[0].operator.argument == "a.data"


RULE = (
    'SecRule ARGS|!ARGS:/^a|b/|&TX:x "@rx (a+)\\d" "id:1,phase:2,t:lowercase,msg:\'M %{TX.1}\','
    "setvar:'tx.a=+%{tx.b}',ctl:ruleRemoveTargetById=2;ARGS:/x/,skipAfter:END,chain\"\n"
    'SecRule TX:1 "!@within %{tx.c} a" "t:none"\nSecMarker END\n'
    'SecRuleUpdateTargetById 1:1 "!TX:/a/"\nSecRuleUpdateActionById 1 "deny,status:403"\n'
)
EDITS = st.lists(
    st.tuples(
        st.integers(0, len(RULE) - 1), st.sampled_from(["", *"\"'\\,:;|&!@%{}()[]=+- \n/.0a"])
    ),
    max_size=3,
)


def outcome(text):
    """Where it is refused, or what its verdict on a request is."""
    try:
        program = seclang.compile(ruleset(text))
    except RuleError as refused:
        return refused.where.partition(":")[0]
    return program.inspect(Message(method=b"GET", uri=b"/?a=b&x=aa1")).limits


@settings(max_examples=200, deadline=None)
@given(EDITS)
def test_any_text_is_read_or_refused_with_its_place(edits):
    text = list(RULE)
    for place, instead in edits:
        text[place] = instead

    assert outcome("".join(text)) in {"0.conf", ()}


@pytest.mark.parametrize(
    "text",
    [
        'SecRule ARGS:/(/ "@rx a" "id:1"',
        'SecRuleUpdateTargetById 1 "!ARGS:/(/"',
        'SecAction "id:1,ctl:ruleRemoveTargetById=1;ARGS:/(/"',
        'SecAction "id:1,ctl:ruleRemoveByTag=("',
        'SecAction "id:1,ctl:ruleRemoveById=x"',
        'SecAction "id:1,ctl:ruleEngine=Maybe"',
    ],
)
def test_patterns_in_places_are_checked_as_well(text):
    assert outcome(text) == "0.conf"
