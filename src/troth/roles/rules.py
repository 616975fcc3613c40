"""Rule sets from disk: `troth rules ...`."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from troth.engines.seclang import Program, Source, compile, ftw, parse  # noqa: A004 -- its word
from troth.engines.seclang.scan.scanner import Scanner
from troth.engines.seclang.transform import FUNCTIONS
from troth.kernel.errors import Failure

_MAX_FILE = 8 << 20
_SETUPS = ("crs-setup.conf", "crs-setup.conf.example")
_FIRST = ("modsecurity.conf",)
_OWN = ("REQUEST-900-*.conf", "RESPONSE-999-*.conf")
_DEBIAN = Path("/etc/modsecurity/crs/crs-setup.conf")  # where Debian's modsecurity-crs has it

# What ModSecurity's recommended configuration does and rule sets rest on: bodies are read, and XML
# and JSON are read as what they are. The ids are such as nobody gives.
FOUNDATION = Source(
    "foundation",
    r"""
SecRuleEngine On
SecRequestBodyAccess On
SecResponseBodyAccess On
SecRule REQUEST_HEADERS:Content-Type "@rx ^(?:application(?:/soap\+|/)|text/)xml" \
    "id:2147480001,phase:1,t:none,t:lowercase,pass,nolog,ctl:requestBodyProcessor=XML"
SecRule REQUEST_HEADERS:Content-Type "@rx ^application/(?:[a-z0-9.+-]+\+)?json" \
    "id:2147480002,phase:1,t:none,t:lowercase,pass,nolog,ctl:requestBodyProcessor=JSON"
""",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """One test that failed, and why."""

    test: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tested:
    """How a rule set did.

    Args:
        passed, failed, skipped: how many tests.
        failures: each that failed.
    """

    passed: int
    failed: int
    skipped: int
    failures: tuple[Failed, ...]


def sources_of(folder: Path) -> tuple[tuple[Source, ...], Mapping[str, bytes]]:
    """The rule files of a folder in CRS order, its set-up first, and its data files by base name.

    The set-up is `crs-setup.conf` (or its `.example`) in the folder or beside it, else the one
    that Debian's package installs.

    Raises:
        Failure: there is no rule file, or one cannot be read.
    """
    if not folder.is_dir():
        raise Failure("there is no such folder of rules", where=str(folder))
    places = (folder / name for folder in (folder, folder.parent) for name in _SETUPS)
    setup = next((path for path in (*places, _DEBIAN) if path.is_file()), None)
    rules = {path.name: path for path in folder.glob("*.conf") if path.name not in _SETUPS}
    if not rules:
        raise Failure("no rule files (*.conf) are in it", where=str(folder))
    if setup is not None:  # the operator's own exclusions stand beside the set-up
        rules |= {path.name: path for kind in _OWN for path in setup.parent.glob(kind)}
    first = [rules.pop(name) for name in _FIRST if name in rules]
    first += [setup] if setup is not None else []
    chosen = [*first, *(rules[name] for name in sorted(rules))]
    sources = tuple(Source(path.name, _text(path)) for path in chosen)
    data = {path.name: path.read_bytes() for path in sorted(folder.glob("*.data"))}
    return (FOUNDATION, *sources), data


def _text(path: Path) -> str:
    if path.stat().st_size > _MAX_FILE:
        raise Failure("a rule file of more than 8 MiB", where=str(path))
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Failure(f"cannot be read: {error}", where=str(path)) from None


def program_of(
    folder: Path, *, paranoia: int | None, settings: Mapping[str, str] | None = None
) -> Program:
    """A folder's rules, compiled and scanned on RE2.

    Raises:
        Failure: a rule does not parse, or a file cannot be read.
    """
    sources, data = sources_of(folder)
    program = compile(parse(sources, data), paranoia=paranoia, settings=settings or {})
    return program.with_scan(Scanner(program.tests, FUNCTIONS, data))


def test(tests: Path, rules: Path, *, paranoia: int, progress: Callable[[str], None]) -> Tested:
    """Run go-ftw tests against a rule set, in the engine.

    Args:
        tests: a file, or a folder that is searched for `*.yaml` and `*.yml`.
        rules: the folder of the rule set.
        paranoia: 1 to 4.
        progress: told a line a file.

    Raises:
        Failure: rules or tests cannot be read.
    """
    program = program_of(rules, paranoia=paranoia, settings=ftw.SETTINGS)
    passed, skipped, failures = 0, 0, list[Failed]()
    for name, cases in _cases(tests):
        for case in cases:
            if not case.is_enabled:
                skipped += 1
                continue
            why = ftw.failures(case, program)
            passed += not why
            failures += [Failed(test=case.name, why="; ".join(why))] if why else []
        progress(f"{name}: {len(cases)} tests")
    return Tested(passed=passed, failed=len(failures), skipped=skipped, failures=tuple(failures))


def _cases(tests: Path) -> Iterator[tuple[str, tuple[ftw.Case, ...]]]:
    paths = [tests] if tests.is_file() else sorted(tests.rglob("*.y*ml"))
    if not paths:
        raise Failure("no tests (*.yaml) are in it", where=str(tests))
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    for path in paths:
        try:
            document = yaml.load(_quoted(_text(path)), Loader=loader)  # noqa: S506 -- a safe one
        except yaml.YAMLError as error:
            raise Failure(f"no YAML: {error}", where=str(path)) from None
        yield path.name, ftw.cases(document, path.name)


def _quoted(text: str) -> str:
    """YAML forbids some control characters that old tests hold; they are left out."""
    return re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", "", text)


def lines(tested: Tested) -> Iterator[str]:
    """What `troth rules test` prints."""
    for failure in tested.failures:
        yield f"{failure.test}: {failure.why}"
    yield f"passed {tested.passed}, failed {tested.failed}, skipped {tested.skipped}"
