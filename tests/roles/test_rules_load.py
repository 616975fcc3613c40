"""From settings to rules that run: pinned, whole or not at all."""

from pathlib import Path

import msgspec
import pytest

from troth.engines.seclang import RuleError
from troth.kernel.errors import Failure
from troth.promises.guard.settings.waf import Rules, RulesRoute
from troth.roles import rules_load

GOOD = 'SecRuleEngine On\nSecRule ARGS "@contains x" "id:1,phase:2,deny,log,msg:\'x\'"\n'


def folder(tmp_path: Path, text: str = GOOD) -> Path:
    made = tmp_path / "set"
    made.mkdir(exist_ok=True)
    (made / "a.conf").write_text(text)
    (made / "crs-setup.conf").write_text("")
    return made


def pinned(place: Path) -> Rules:
    return Rules(set=str(place), sha256=rules_load.digest_of(place))


def test_our_own_pack_loads_with_nothing_to_download():
    program = rules_load.program_of(Rules())

    assert len(program.ruleset.rules) > 50
    assert program.scan is not None


def test_a_pinned_set_loads_and_unreadable_bodies_are_refused_by_it(tmp_path: Path):
    program = rules_load.program_of(pinned(folder(tmp_path)))

    assert {1, 9099901, 9099902} <= {rule.id for rule in program.ruleset.rules}


def test_a_set_that_changed_is_not_loaded(tmp_path: Path):
    rules = pinned(folder(tmp_path))
    folder(tmp_path, GOOD + "# one byte more")

    with pytest.raises(Failure, match="not those that were imported"):
        rules_load.program_of(rules)


def test_a_set_without_a_pin_is_not_loaded(tmp_path: Path):
    with pytest.raises(Failure, match="needs its sha256"):
        rules_load.program_of(Rules(set=str(folder(tmp_path))))


def test_a_set_is_refused_whole_for_one_rule_that_does_not_parse(tmp_path: Path):
    place = folder(tmp_path, GOOD + 'SecRule ARGS "@nosuch x" "id:2,phase:2,deny"\n')

    with pytest.raises(RuleError) as caught:
        rules_load.program_of(pinned(place))

    assert caught.value.where == "a.conf:3"


def test_no_rules_are_loaded_where_none_are_asked():
    assert rules_load.program_of(Rules(mode="off")) is None
    routes = (RulesRoute(path="/a", mode="block"),)
    assert rules_load.program_of(Rules(mode="off", routes=routes)) is not None


def test_the_key_is_what_the_program_depends_on(tmp_path: Path):
    rules = pinned(folder(tmp_path))
    key = rules_load.key_of(rules)

    assert rules_load.key_of(msgspec.structs.replace(rules, mode="watch")) == key
    assert rules_load.key_of(msgspec.structs.replace(rules, paranoia=2)) != key
    assert rules_load.key_of(msgspec.structs.replace(rules, threshold=9)) != key
    folder(tmp_path, GOOD + "#")
    assert rules_load.key_of(rules) != key


def test_a_folder_that_is_none_is_said_to_be_none(tmp_path: Path):
    with pytest.raises(Failure, match="no such folder"):
        rules_load.digest_of(tmp_path / "gone")
