"""The house's own rules: what no linter knows."""

import importlib
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from troth.catalogue import CATALOGUE
from troth.kernel.model import Check, Promise

HOUSE = Path(__file__).parent.parent
SRC = HOUSE / "src" / "troth"
MODULES = sorted(SRC.rglob("*.py"))
ROOMS = set(
    "kernel adapters engines promises enforce prove publish console roles cli catalogue.py"
    " __init__.py py.typed liars.json queries.sql".split()
)
SILENT_NAMES = set("utils util helpers helper common base manager managers misc".split())
AREAS = sorted(path.parent for path in (SRC / "promises").glob("*/__init__.py"))
AREA_FILES = {
    "promise",
    "settings",
    "rules",
    "enforce",
    "jobs",
    "probe",
    "judge",
    "pack",
    "__init__",
}
LANGUAGES = {"en", "it", "de", "fr"}
CHECKS = [(promise, check) for promise in CATALOGUE for check in promise.checks]


def tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=HOUSE, capture_output=True, check=False
    ).stdout.decode()
    files = [HOUSE / name for name in listed.split("\0") if name]
    return [file for file in files if file.is_file()] or pytest.skip("not a git checkout")


def test_the_rooms_are_those_of_the_design():
    found = {path.name for path in SRC.iterdir() if path.name != "__pycache__"}

    assert found <= ROOMS, "a new top-level room is a change of the design"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(SRC)))
def test_files_stay_small_and_names_say_something(path: Path):
    lines = path.read_text("utf-8").count("\n")

    # A stranger downloads verify.py alone: it carries its own Ed25519, tree and rules in one file.
    assert lines <= (500 if path.name == "verify.py" and path.parent.name == "static" else 400)
    assert not SILENT_NAMES & {part.removesuffix(".py") for part in path.relative_to(SRC).parts}


@pytest.mark.parametrize("area", AREAS, ids=lambda path: path.name)
def test_an_area_uses_the_fixed_file_names(area: Path):
    names = {item.stem for item in area.iterdir() if item.name != "__pycache__"}

    assert names - {"sentences"} <= AREA_FILES
    assert {"promise", "sentences"} <= names


def test_slugs_and_check_ids_are_unique():
    slugs = [promise.slug for promise in CATALOGUE]
    ids = [check.id for _, check in CHECKS]

    assert len(set(slugs)) == len(slugs)
    assert len(set(ids)) == len(ids)
    assert all(check.id.startswith(f"{promise.slug}.") for promise, check in CHECKS)


def test_every_promise_is_on_one_line_of_the_catalogue():
    declared = set()
    for area in {promise.area for promise in CATALOGUE}:
        module = importlib.import_module(f"troth.promises.{area}.promise")
        declared |= {value.slug for value in vars(module).values() if isinstance(value, Promise)}

    assert declared == {promise.slug for promise in CATALOGUE}


def test_what_rests_on_what_is_acyclic_and_two_steps_at_most():
    rests = {promise.slug: promise.rests_on for promise in CATALOGUE}

    def depth(slug: str, seen: tuple[str, ...] = ()) -> int:
        assert slug not in seen, f"{slug} rests on itself"
        assert slug in rests, f"{seen[-1]} rests on {slug}, which nobody declares"
        return 1 + max((depth(under, (*seen, slug)) for under in rests[slug]), default=-1)

    assert max(depth(slug) for slug in rests) <= 2


@pytest.mark.parametrize(("promise", "check"), CHECKS, ids=[check.id for _, check in CHECKS])
def test_a_check_names_its_probe_and_judge(promise: Promise, check: Check):
    for path in (check.probe, check.judge):
        module, _, name = path.partition(":")
        assert module.startswith(f"troth.promises.{promise.area}.")
        function = getattr(importlib.import_module(module), name)
        assert callable(function)
        assert function.__doc__, f"{path} has no contract"
    assert check.command
    assert "\n" not in check.command
    assert not re.search(r"\btroth\b(?! ?[-\"'/.])", check.command.replace("$TROTH", "")), (
        "a stranger's command holds none of our code"
    )


@pytest.mark.parametrize("promise", CATALOGUE, ids=lambda promise: promise.slug)
def test_a_promise_is_worded_in_four_languages(promise: Promise):
    words = tomllib.loads((SRC / "promises" / promise.area / "sentences.toml").read_text("utf-8"))

    entry = words[promise.slug]
    assert set(entry) >= LANGUAGES | {"how"}
    assert set(entry["how"]) == LANGUAGES
    assert promise.controls, "it supports no control of any framework"


def test_the_catalogue_drags_in_no_scanner():
    program = (
        "import sys, troth.catalogue; "
        "print(*[m for m in sys.modules if m.startswith(('troth.', 'ssl', 'psycopg', 'django'))])"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout.split()

    assert not [m for m in loaded if m.startswith("troth.adapters")]
    assert not [m for m in loaded if ".probe" in m or ".judge" in m]
    assert not [m for m in loaded if m.split(".")[0] in {"ssl", "psycopg", "django"}]


def test_nothing_of_this_place_is_written_down():
    machine = re.compile(rb"(?<![\w.$])/(?:work|root|farm)/")
    index = re.compile(rb"https?://[^\s\"']*(?:pypi|pythonhosted|npmjs|debian\.org)")
    for path in tracked():
        content = path.read_bytes()
        assert not machine.search(content), path
        if path.parent.name == "requirements" or "lock" in path.name or path.name == ".npmrc":
            assert b"://" not in content, path
        assert not index.search(content), path


def test_the_locks_carry_hashes():
    for lock in (HOUSE / "requirements").glob("*.txt"):
        lines = lock.read_text("utf-8").splitlines()
        pins = [line for line in lines if re.match(r"[a-z0-9]", line)]
        assert pins
        assert all("==" in line for line in pins)
        assert sum("--hash=sha256:" in line for line in lines) >= len(pins)


CONTRACTS = {
    "arrows go one way": ("kernel/bad.py", "import troth.adapters.clock\n"),
    "the kernel imports the standard library only": ("kernel/bad.py", "import msgspec\n"),
    "areas are strangers to each other": (
        "promises/guard/bad.py", "import troth.promises.edge.rules\n"),
    "django lives in the console only": ("publish/bad.py", "import django\n"),
    "what decides and what judges reaches no adapter": (
        "promises/edge/rules.py", "import troth.adapters.clock\n"),
    "dangers are opened in adapters only": ("engines/bad.py", "import socket\n"),
    "the machines know a promise's shape and never its name": (
        "prove/bad.py", "import troth.promises.edge.rules\n"),
    "exhaustive": ("newroom/__init__.py", "\n"),
}  # fmt: skip


@pytest.mark.parametrize("contract", CONTRACTS)
def test_each_import_contract_bites(contract: str, tmp_path: Path):
    """Break it in a copy of the house and see the linter say so."""
    shutil.copytree(SRC, tmp_path / "src" / "troth", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(HOUSE / "pyproject.toml", tmp_path)
    name, line = CONTRACTS[contract]
    broken = tmp_path / "src" / "troth" / name
    broken.parent.mkdir(exist_ok=True)
    if not (broken.parent / "__init__.py").exists():
        (broken.parent / "__init__.py").touch()
    broken.write_text(line + (broken.read_text() if broken.exists() else ""))

    done = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as m; m()",
         "--no-cache"],
        cwd=tmp_path, env={"PYTHONPATH": str(tmp_path / "src"), "PATH": "/usr/bin:/bin"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode != 0, done.stdout
    wanted = "arrows go one way" if contract == "exhaustive" else contract
    assert re.search(re.escape(wanted) + r".* BROKEN", done.stdout), done.stdout + done.stderr
