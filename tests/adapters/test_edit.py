"""Values of troth.toml are changed and tables added, comments and order kept."""

from pathlib import Path

import pytest

from troth.adapters import edit
from troth.adapters.config import ConfigError

TEXT = """# ours
[a] # first
x = 1 # why

[[a.b]]
n = 1
# last
"""


def test_a_value_is_set_where_it_stands(tmp_path: Path):
    path = tmp_path / "t.toml"
    path.write_text(TEXT)
    path.chmod(0o640)

    old = edit.set_values(path, {"a.x": 2, "c.d.e": "new"})

    assert old == TEXT
    assert path.read_text().startswith("# ours\n[a] # first\nx = 2 # why\n")
    assert '[c.d]\ne = "new"' in path.read_text()
    assert path.stat().st_mode & 0o777 == 0o640


def test_tables_are_added_after_those_that_are_there(tmp_path: Path):
    path = tmp_path / "t.toml"
    path.write_text(TEXT)

    edit.add_tables(path, "a.b", [{"n": 2}, {"n": 3}])
    edit.add_tables(path, "z.y", [{"n": 4}])

    text = path.read_text()
    assert text.count("[[a.b]]") == 3
    assert text.index("n = 1") < text.index("n = 2") < text.index("n = 3")
    assert "[[z.y]]\nn = 4" in text
    assert "# last" in text
    assert "n = 3\n\n" in text


def test_what_is_no_toml_is_said_to_be_none(tmp_path: Path):
    path = tmp_path / "t.toml"
    path.write_text("[a\n")

    with pytest.raises(ConfigError, match="not valid TOML"):
        edit.add_tables(path, "a.b", [{}])
    assert path.read_text() == "[a\n"
