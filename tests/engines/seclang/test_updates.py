import pytest

from troth.engines.seclang import RuleError, Source, parse

RULES = """
SecRule ARGS "@rx a" "id:1,phase:2,log,pass,tag:attack-x,msg:'One rule'"
SecRule ARGS "@rx a" "id:2,phase:2,log,pass,tag:attack-y,msg:'Two rules'"
SecRule ARGS "@rx a" "id:3,phase:2,log,pass,tag:other,msg:'Three rules',chain"
    SecRule ARGS:z "@rx a"
SecRule ARGS "@rx a" "id:4,phase:2,log,pass,tag:last"
"""


@pytest.mark.parametrize(
    ("change", "left"),
    [
        ("SecRuleRemoveById 1", (2, 4)),
        ("SecRuleRemoveById 1 3", (2, 4)),
        ('SecRuleRemoveById "2-9"', (1,)),
        ("SecRuleRemoveByTag ^attack-", (4,)),
        ('SecRuleRemoveByMsg "Two|Three"', (1, 4)),
        ("SecRuleRemoveById 77", (1, 2, 4)),
        ('SecRuleUpdateTargetById 1 "!ARGS:x"', (2, 4)),
        ('SecRuleUpdateTargetById 1-2 "!ARGS:/^x/"', (4,)),
        ('SecRuleUpdateTargetByTag attack "!ARGS:x"', (4,)),
        ('SecRuleUpdateTargetByMsg Two "!ARGS:x"', (1, 4)),
        ('SecRuleUpdateActionById 2 "nolog"', (1, 4)),
        ('SecRuleUpdateActionById 1 "t:length"', (2, 4)),
    ],
)
def test_changes(ids, change, left):
    assert ids(f"{RULES}\n{change}\n", uri="/?x=a") == left


def test_a_link_of_a_chain_is_aimed_elsewhere(ids):
    change = 'SecRuleUpdateTargetById 3:1 "!ARGS:z"'

    assert ids(RULES, uri="/?z=a") == (1, 2, 3, 4)
    assert ids(f"{RULES}\n{change}\n", uri="/?z=a") == (1, 2, 4)


def test_an_action_changes_a_rule_into_one_that_denies(asked):
    verdict = asked(f'{RULES}\nSecRuleUpdateActionById 1 "deny,status:418"\n', uri="/?x=a")

    assert (verdict.status, verdict.by, verdict.rules) == (418, 1, (1,))


@pytest.mark.parametrize(
    "change",
    [
        "SecRuleRemoveById",
        "SecRuleRemoveById a",
        "SecRuleRemoveByTag (",
        "SecRuleUpdateTargetById 1",
        "SecRuleUpdateTargetById 1 !ARGZ",
    ],
)
def test_what_cannot_be_read(change):
    with pytest.raises(RuleError):
        parse([Source("t", RULES + change)])
