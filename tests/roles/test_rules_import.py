"""A rule set from elsewhere: copied, parsed, pinned, in force; or nothing has changed."""

import hashlib
import io
import tarfile
from pathlib import Path

import pytest

from troth.kernel.errors import Failure
from troth.roles import policy, rules_import, rules_load, up
from troth.roles.places import Places

RULE = 'SecRuleEngine On\nSecRule ARGS "@contains attack" "id:1,phase:2,deny,log,msg:\'x\'"\n'
CONFIG = """
[troth]
name = "n"
host = "t.localhost"
[application]
host = "a.localhost"
upstream = "http://127.0.0.1:1"
[status]
host = "s.localhost"
"""
DEBIAN = Path("/usr/share/modsecurity-crs/rules")


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "troth.toml"
    path.write_text(CONFIG)
    return path


@pytest.fixture
def places(tmp_path: Path) -> Places:
    made = Places(tmp_path / "data")
    made.prepare()
    return made


def tarball(path: Path, files: dict[str, str]) -> str:
    with tarfile.open(path, "w:gz") as archive:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text.encode()))
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_tarball_is_pinned_and_in_force(tmp_path: Path, config: Path, places: Places):
    source = tmp_path / "crs.tar.gz"
    digest = tarball(
        source,
        {"crs/rules/a.conf": RULE, "crs/crs-setup.conf.example": "", "crs/rules/w.data": "x",
         "crs/../../evil.conf": "SecRule", "crs/tests/b.conf": "SecRule"},
    )  # fmt: skip

    told = rules_import.bring(config, up.read(config), places, source, digest)

    rules = up.read(config).guard.rules
    assert (rules.set, rules.sha256) == (told.folder, told.sha256)
    names = sorted(path.name for path in Path(rules.set).iterdir())
    assert names == ["a.conf", "crs-setup.conf.example", "w.data"]
    assert policy.build(config).checks


def test_another_tarball_than_was_said_changes_nothing(
    tmp_path: Path, config: Path, places: Places
):
    source = tmp_path / "crs.tar.gz"
    tarball(source, {"crs/rules/a.conf": RULE})

    with pytest.raises(Failure, match="not 0000"):
        rules_import.bring(config, up.read(config), places, source, "0" * 64)
    assert config.read_text() == CONFIG


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ({"crs/rules/a.conf": "SecRule ARGS"}, "a.conf"),
        ({"crs/rules/a.data": "x"}, "no rule files"),
    ],
)
def test_what_is_no_rule_set_changes_nothing(
    tmp_path: Path, config: Path, places: Places, files: dict[str, str], why: str
):
    source = tmp_path / "crs.tar.gz"
    tarball(source, files)

    with pytest.raises(Failure, match=why):
        rules_import.bring(config, up.read(config), places, source)
    assert config.read_text() == CONFIG
    assert not (places.data / rules_import.FOLDER).exists()


def test_what_is_no_tarball_is_said_to_be_none(tmp_path: Path, config: Path, places: Places):
    for content in (b"", b"x" * 4000):
        (tmp_path / "x").write_bytes(content)
        with pytest.raises(Failure):
            rules_import.bring(config, up.read(config), places, tmp_path / "x")
    with pytest.raises(Failure, match="does not exist"):
        rules_import.bring(config, up.read(config), places, tmp_path / "gone")


def test_debians_rules_load_unchanged(config: Path, places: Places):
    if not DEBIAN.is_dir():
        pytest.skip("no OWASP CRS here (Debian: apt install modsecurity-crs)")

    told = rules_import.bring(config, up.read(config), places, DEBIAN)

    assert told.rules > 400
    assert told.sha256 == rules_load.digest_of(Path(told.folder))
