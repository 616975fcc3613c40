"""From `[guard.rules]` to rules that run: our own pack, or a folder that was imported.

Nothing is swapped in that does not parse: the whole set is refused with file and line
(`RuleError`), and whoever asked keeps the set that was in force. Reading and compiling takes
seconds: never call it in an event loop.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from troth.engines.seclang import Program, Source, compile, parse  # noqa: A004 -- its word
from troth.engines.seclang.model import Limits
from troth.engines.seclang.scan import Scanner
from troth.engines.seclang.transform import FUNCTIONS
from troth.kernel.errors import Failure
from troth.promises import guard
from troth.promises.guard.settings.waf import Rules
from troth.roles.rules import sources_of

PACK = Path(guard.__file__).parent / "pack"
OURS = "troth"
MAX_FILES, MAX_FOLDER_BYTES = 500, 64 * 1024 * 1024

# A body that no parser reads is refused as such, never passed unread, whatever the set says.
UNREADABLE = Source(
    "unreadable",
    r"""
SecRule REQBODY_ERROR "!@eq 0" \
    "id:9099901,phase:2,t:none,log,deny,status:400,severity:2,\
    msg:'The body cannot be read as what it says it is'"
SecRule MULTIPART_STRICT_ERROR "!@eq 0" \
    "id:9099902,phase:2,t:none,log,deny,status:400,severity:2,\
    msg:'The parts of the form cannot be told apart beyond doubt'"
""",
)


class RulesError(Failure):
    """Rules that are not what the operator pinned, or that cannot be loaded."""


def folder_of(rules: Rules) -> Path:
    """Where the set lies."""
    return PACK if rules.set == OURS else Path(rules.set)


def digest_of(folder: Path) -> str:
    """SHA-256 hex over every rule and data file of a folder: their names, lengths and content.

    Raises RulesError for a folder that cannot be read, or is none of rules.
    """
    if not folder.is_dir():
        raise RulesError("there is no such folder of rules", where=str(folder))
    whole, size = hashlib.sha256(), 0
    found = sorted(p for p in folder.iterdir() if p.suffix in {".conf", ".data", ".example"})
    if len(found) > MAX_FILES:
        raise RulesError(f"more than {MAX_FILES} files", where=str(folder))
    for path in found:
        try:
            content = path.read_bytes()
        except OSError as error:
            raise RulesError(f"cannot be read: {error.strerror}", where=str(path)) from error
        size += len(content)
        if size > MAX_FOLDER_BYTES:
            raise RulesError(f"more than {MAX_FOLDER_BYTES} bytes of rules", where=str(folder))
        whole.update(b"%d %d " % (len(path.name), len(content)) + path.name.encode() + content)
    return whole.hexdigest()


def program_of(rules: Rules) -> Program | None:
    """The program of these settings, scanned on RE2; None when no rules are asked anywhere.

    Raises:
        Failure: the set is not the one that was pinned, or it does not parse.
    """
    if rules.mode == "off" and not any(route.mode != "off" for route in rules.routes):
        return None
    folder = folder_of(rules)
    if folder == PACK and not any(PACK.glob("*.conf")):
        return None
    if folder != PACK:
        if not rules.sha256:
            raise RulesError(
                "an imported set needs its sha256",
                where="[guard.rules]",
                mend=f"troth rules import {folder}",
            )
        if digest_of(folder) != rules.sha256:
            raise RulesError(
                "the rules are not those that were imported",
                where=str(folder),
                mend=f"look at what changed, then: troth rules import {folder}",
            )
    return compiled(folder, rules)


def compiled(folder: Path, rules: Rules) -> Program:
    """A folder's rules under these settings. Raises Failure when one does not parse."""
    sources, data = sources_of(folder)
    if folder != PACK:
        sources = (*sources, UNREADABLE)
    program = compile(
        parse(sources, data),
        paranoia=rules.paranoia,
        settings=scores(rules),
        limits=Limits(body=rules.body_bytes),
    )
    return program.with_scan(Scanner(program.tests, FUNCTIONS, data))


def scores(rules: Rules) -> Mapping[str, str]:
    """The operator's thresholds, as the rules' variables."""
    return {
        "inbound_anomaly_score_threshold": str(rules.threshold),
        "outbound_anomaly_score_threshold": str(rules.outbound_threshold),
    }


def key_of(rules: Rules) -> str:
    """What a program depends on: two settings with the same key give the same program."""
    folder = folder_of(rules)
    content = digest_of(folder) if folder.is_dir() else ""
    said = (rules.set, content, rules.paranoia, *sorted(scores(rules).items()), rules.body_bytes)
    return hashlib.sha256(repr(said).encode()).hexdigest()
