import json

import pytest
from click.testing import CliRunner

from troth.cli.rules import rules as command
from troth.kernel.errors import Failure
from troth.roles import rules

RULE = (
    'SecRule ARGS "@pmFromFile w.data" "id:100,phase:2,deny,log,chain"\n  SecRule ARGS "@rx \\d"\n'
)
TEST = """
rule_id: 100
tests:
  - test_id: 1
    stages:
      - input: {uri: "/?a=one1", headers: {Host: localhost}}
        output: {log: {expect_ids: [100]}}
  - test_id: 2
    stages:
      - input: {uri: "/?a=one", headers: {Host: localhost}}
        output: {log: {expect_ids: [100]}}
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "b.conf").write_text(RULE)
    (tmp_path / "rules" / "w.data").write_text("one\n")
    (tmp_path / "crs-setup.conf.example").write_text('SecAction "id:900,phase:1,pass,nolog"\n')
    (tmp_path / "tests" / "x").mkdir(parents=True)
    (tmp_path / "tests" / "x" / "100.yaml").write_text(TEST)
    return tmp_path


def test_tests_are_run_and_told(folder):
    done = CliRunner().invoke(
        command,
        ["test", "--tests", str(folder / "tests"), "--rules", str(folder / "rules"), "--json"],
        standalone_mode=False,
    )

    told = json.loads(done.stdout)
    assert (told["passed"], told["failed"], told["skipped"]) == (1, 1, 0)
    assert told["failures"] == [{"test": "100-2", "why": "100 did not match (matched: nothing)"}]
    assert done.return_value == 1
    assert "100.yaml: 2 tests" in done.stderr


def test_people_are_told_in_lines(folder):
    done = CliRunner().invoke(
        command,
        ["test", "--tests", str(folder / "tests"), "--rules", str(folder / "rules")],
        standalone_mode=False,
    )

    assert done.stdout.splitlines() == [
        "100-2: 100 did not match (matched: nothing)",
        "passed 1, failed 1, skipped 0",
    ]


def test_the_set_up_comes_first_and_the_operators_own_by_name(folder):
    (folder / "REQUEST-900-EXCLUSION-RULES-BEFORE-CRS.conf").write_text("# none\n")
    (folder / "rules" / "crs-setup.conf").write_text("# nearer\n")
    (folder / "rules" / "REQUEST-901-A.conf").write_text("# none\n")

    sources, data = rules.sources_of(folder / "rules")
    assert [s.name for s in sources] == [
        "foundation",
        "crs-setup.conf",
        "REQUEST-901-A.conf",
        "b.conf",
    ]
    assert list(data) == ["w.data"]
    (folder / "rules" / "crs-setup.conf").unlink()
    assert [s.name for s in rules.sources_of(folder / "rules")[0]][1:3] == [
        "crs-setup.conf.example",
        "REQUEST-900-EXCLUSION-RULES-BEFORE-CRS.conf",
    ]


def test_what_is_not_there_is_told(folder, tmp_path):
    with pytest.raises(Failure, match="no such folder"):
        rules.sources_of(tmp_path / "nowhere")
    with pytest.raises(Failure, match="no rule files"):
        rules.sources_of(folder / "tests")
    with pytest.raises(Failure, match="no tests"):
        rules.test(folder / "rules", folder / "rules", paranoia=1, progress=lambda _: None)
    (folder / "tests" / "bad.yaml").write_text("a: [")
    with pytest.raises(Failure, match="no YAML"):
        rules.test(folder / "tests", folder / "rules", paranoia=1, progress=lambda _: None)
