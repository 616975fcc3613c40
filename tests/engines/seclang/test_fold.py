"""What is constant vanishes, and nothing else does."""

from troth.engines import seclang
from troth.engines.seclang import Source, parse


def left(rules, **more):
    program = seclang.compile(parse([Source("t", rules)]), **more)
    return [step.rule.id for step in program.steps], dict(program.tx)


def test_set_up_and_paranoia_vanish():
    rules = """
    SecRule &TX:level "@eq 0" "id:1,phase:1,pass,nolog,setvar:tx.level=1"
    SecRule &TX:level "@eq 0" "id:2,phase:1,pass,nolog,setvar:tx.level=9"
    SecAction "id:3,phase:1,pass,nolog,setvar:tx.copy=%{TX.level},setvar:tx.score=0"
    SecRule TX:LEVEL "@lt 2" "id:4,phase:2,pass,nolog,skipAfter:END"
    SecRule ARGS "@rx a" "id:5,phase:2,deny"
    SecMarker END
    SecRule TX:LEVEL "@lt 1" "id:6,phase:2,pass,nolog,skipAfter:LAST"
    SecRule ARGS "@rx a" "id:7,phase:2,deny,setvar:tx.score=+1"
    SecMarker LAST
    SecRule TX:score "@gt 0" "id:8,phase:2,deny"
    """

    assert left(rules) == ([7, 8], {b"level": b"1", b"copy": b"1", b"score": b"0"})
    assert left(rules, settings={"level": "3"})[0] == [5, 7, 8]


def test_what_a_message_decides_stays():
    rules = """
    SecRule ARGS "@rx x" "id:1,phase:1,pass,nolog,setvar:tx.a=1"
    SecRule TX:a "@eq 1" "id:2,phase:1,pass,nolog,setvar:tx.b=1"
    SecRule &TX:b "@eq 0" "id:3,phase:1,pass,nolog,setvar:tx.c=1"
    """

    assert left(rules) == ([1, 2, 3], {})


def test_a_possible_skip_keeps_what_lies_between():
    rules = """
    SecRule ARGS "@rx x" "id:1,phase:1,pass,nolog,skipAfter:END"
    SecAction "id:2,phase:1,pass,nolog,setvar:tx.a=1"
    SecMarker END
    SecRule TX:a "@eq 1" "id:3,phase:1,pass,log"
    """

    assert left(rules) == ([1, 2, 3], {})


def test_an_assignment_stays_behind_one_who_read_the_value(ids):
    rules = """
    SecAction "id:1,phase:1,pass,nolog,setvar:tx.a=1"
    SecRule TX:a "@eq 1" "id:2,phase:1,pass,log"
    SecAction "id:3,phase:1,pass,nolog,setvar:tx.a=2"
    SecRule TX:a "@eq 2" "id:4,phase:1,pass,log"
    """

    assert ids(rules) == (2, 4)


def test_what_a_ctl_may_take_away_is_not_folded(ids):
    rules = """
    SecRule ARGS "@rx x" "id:1,phase:1,pass,nolog,ctl:ruleRemoveById=2"
    SecAction "id:2,phase:1,pass,nolog,setvar:tx.a=1"
    SecRule TX:a "@eq 1" "id:3,phase:1,pass,log"
    """

    assert ids(rules, uri="/?q=x") == ()
    assert ids(rules) == (3,)


def test_names_filled_in_as_it_runs_may_be_any(ids):
    rules = """
    SecAction "id:1,phase:1,pass,nolog,setvar:tx.seen_x=0"
    SecRule ARGS_NAMES "@rx ." "id:2,phase:1,pass,nolog,setvar:'tx.seen_%{MATCHED_VAR}=1'"
    SecRule TX:seen_x "@eq 1" "id:3,phase:1,pass,log"
    SecRule TX:/^seen_/ "@eq 1" "id:4,phase:1,pass,log"
    """

    assert ids(rules, uri="/?x=1") == (3, 4)
    assert ids(rules, uri="/?y=1") == (4,)
