"""`troth rules import`: a rule set from elsewhere, copied, parsed whole, pinned, put in force.

What is imported lies in the data directory under its digest, so that what is in force is what was
looked at. A set that does not parse changes nothing.
"""

import hashlib
import tarfile
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

import msgspec

from troth.adapters import files
from troth.catalogue import Settings
from troth.roles import rules_load
from troth.roles.change import change
from troth.roles.places import Places
from troth.roles.rules_load import RulesError

MAX_FILE_BYTES = 16 * 1024 * 1024
MAX_FILES = 500
MAX_TARBALL_BYTES = 64 * 1024 * 1024
KEPT = (".conf", ".data", ".example")
FOLDER = "rulesets"  # in the data directory
_DEBIAN_SETUP = Path("/etc/modsecurity/crs/crs-setup.conf")


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """A set in force: where it lies, the digest that pins it, how many rules it has."""

    folder: str
    sha256: str
    rules: int

    def as_json(self) -> dict[str, object]:
        """As `--json` prints it."""
        return asdict(self)


def bring(
    config: Path, settings: Settings, places: Places, source: Path, sha256: str = ""
) -> Imported:
    """Copy, parse, pin, and write `[guard.rules] set` and `sha256`.

    Args:
        config: troth.toml.
        settings: what it says now.
        places: the data directory.
        source: a folder of `*.conf` and `*.data`, or a tarball that has one in it.
        sha256: of the tarball's bytes, or of the folder as `rules_load.digest_of` has it; empty
            where there is nothing to compare with.

    Raises:
        Failure: it is not what was said, is no rule set, or does not parse; nothing has changed.
    """
    with tempfile.TemporaryDirectory(prefix="troth-rules-") as scratch:
        read = _files(source, sha256)
        staged = Path(scratch)
        for name, content in read.items():
            (staged / name).write_bytes(content)
        digest = rules_load.digest_of(staged)
        if sha256 and source.is_dir() and digest != sha256:
            raise RulesError(f"is {digest}, not {sha256}", where=str(source))
        rules = msgspec.structs.replace(settings.guard.rules, set=str(staged), sha256=digest)
        program = rules_load.compiled(staged, rules)
    folder = places.data / FOLDER / digest[:16]
    files.make_folder(folder)
    for name, content in read.items():
        files.write_atomic(folder / name, content)
    change(config, places.data, {"guard.rules.set": str(folder), "guard.rules.sha256": digest})
    return Imported(folder=str(folder), sha256=digest, rules=len(program.ruleset.rules))


def _files(source: Path, sha256: str) -> dict[str, bytes]:
    found = _of_folder(source) if source.is_dir() else _of_tarball(source, sha256)
    if not any(name.endswith(".conf") for name in found):
        raise RulesError("no rule files (*.conf) are in it", where=str(source))
    if len(found) > MAX_FILES:
        raise RulesError(f"more than {MAX_FILES} files", where=str(source))
    return found


def _of_folder(source: Path) -> dict[str, bytes]:
    chosen = [path for path in sorted(source.iterdir()) if path.suffix in KEPT]
    if not any(path.name.startswith("crs-setup.conf") for path in chosen):
        beside = (source.parent / "crs-setup.conf", source.parent / "crs-setup.conf.example")
        chosen += [path for path in (*beside, _DEBIAN_SETUP) if path.is_file()][:1]
    return {path.name: files.read_capped(path, MAX_FILE_BYTES) for path in chosen}


def _of_tarball(source: Path, sha256: str) -> dict[str, bytes]:
    try:
        raw = files.read_capped(source, MAX_TARBALL_BYTES)
    except FileNotFoundError as error:
        raise RulesError("does not exist", where=str(source)) from error
    digest = hashlib.sha256(raw).hexdigest()
    if sha256 and digest != sha256:
        raise RulesError(f"is {digest}, not {sha256}", where=str(source))
    found: dict[str, bytes] = {}
    try:
        with tarfile.open(source) as archive:
            for member in archive:
                path = Path(member.name)
                is_setup = path.name.startswith("crs-setup.conf")
                is_rule = path.parent.name == "rules" and path.suffix in KEPT
                if not member.isfile() or not (is_setup or is_rule) or "plugins" in path.parts:
                    continue
                if member.size > MAX_FILE_BYTES or len(found) >= MAX_FILES:
                    raise RulesError("is larger than a rule set is", where=f"{source}:{path}")
                content = archive.extractfile(member)
                if content is not None:
                    found[path.name] = content.read(MAX_FILE_BYTES)
    except (tarfile.TarError, OSError, EOFError) as error:
        raise RulesError(f"is no tarball: {error}", where=str(source)) from error
    return found
