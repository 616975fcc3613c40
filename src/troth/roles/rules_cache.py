"""Compiled rules on disk: databases that take seconds to build, kept until the rules change.

One file a database, under what it was built from (`Job.key`: the patterns, the compiler, the kind
of machine), in a folder that is ours alone. A file is used only when its content has the hash that
stands in it, and when it is ours and nobody else may write it: what is in it goes to native code.
All else is built again, in a process of its own, so that nobody's event loop waits; until then, and
when that fails, the rules run on RE2 alone. Fails open to slowness, never to another answer.
"""

import hashlib
import os
import platform
import stat
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import msgspec

from troth.adapters import files, process
from troth.engines.seclang.scan import Compiled, Job, Scanner, database
from troth.kernel.errors import Failure
from troth.promises.guard.settings.waf import Rules
from troth.roles import rules_load
from troth.roles.places import Places

FOLDER = "rules"  # in the spool, which is the guard's to write
MAX_FILES = 256  # a rule set has about 40; so a handful of sets, the oldest go first
MAX_BYTES = 64 << 20  # of one file
MAX_JOBS_BYTES = 64 << 20
TIME_LIMIT = timedelta(minutes=15)
_SUFFIX = ".database"
_FORBIDDEN = stat.S_IWGRP | stat.S_IWOTH

Progress = Callable[[int, int, float], None]
"""Databases done, of how many, seconds so far."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """What `prepare` did.

    Args:
        total: databases of the rule set.
        found: of them, how many were on disk.
        seconds: for the others.
    """

    total: int
    found: int
    seconds: float


def machine() -> str:
    """What a database depends on besides the patterns: the processor's kind and its features."""
    try:
        text = Path("/proc/cpuinfo").read_text("ascii", "replace")
    except OSError:
        text = ""
    flags = next((line for line in text.splitlines() if line.startswith(("flags", "Features"))), "")
    return f"{platform.machine()} {hashlib.sha256(flags.encode()).hexdigest()}"


def take(scanner: Scanner, folder: Path) -> tuple[Job, ...]:
    """Let a scanner use what is on disk; the jobs that are not."""
    kind, missing = machine(), []
    for job in scanner.jobs:
        path = folder / (job.key(kind) + _SUFFIX)
        compiled = _read(path)
        if compiled is None or not _is_taken(scanner, job, compiled):
            missing.append(job)
        else:
            os.utime(path)  # the oldest are removed first
    return tuple(missing)


def prepare(scanner: Scanner, folder: Path, progress: Progress) -> Built:
    """Build what is missing, here and now, and keep it; seconds to a minute for a large set.

    Raises:
        Failure: the folder is not to be written, or Hyperscan refuses the whole.
    """
    missing = take(scanner, folder)
    total, began = len(scanner.jobs), time.monotonic()
    for number, job in enumerate(missing, total - len(missing) + 1):
        scanner.adopt(job, _built(job, folder))
        progress(number, total, time.monotonic() - began)
    return Built(total=total, found=total - len(missing), seconds=time.monotonic() - began)


def compile_for(rules: Rules, places: Places, progress: Progress) -> Built:
    """Build all that the rules of these settings need, where the guard looks for it.

    Raises:
        Failure: the rules do not parse, or what is built cannot be written.
    """
    program = rules_load.program_of(rules)
    if program is None or not isinstance(program.scan, Scanner):
        return Built(total=0, found=0, seconds=0.0)
    return prepare(program.scan, places.spool / FOLDER, progress)


def line(built: Built) -> str:
    """What `troth rules compile` prints."""
    if not built.total:
        return "no rules are in force: nothing to compile"
    made = built.total - built.found
    return f"{made} of {built.total} databases compiled in {built.seconds:.1f} s, the others kept"


def quicken(scanner: Scanner, folder: Path) -> bool:
    """As `prepare`, but in a process of its own: for a thread beside an event loop.

    Returns whether all databases are in use; when not, the rest runs on RE2 and nothing is lost.
    """
    missing = take(scanner, folder)
    if missing:
        files.make_folder(folder, mode=0o700)
        argv: list[str | Path] = [sys.executable, "-m", "troth.roles.rules_cache", folder]
        process.run(argv, timeout=TIME_LIMIT, stdin=msgspec.msgpack.encode(missing))
        missing = take(scanner, folder)
    return not missing


def _built(job: Job, folder: Path) -> Compiled:
    try:
        compiled = database.compile(job)
    except ValueError as error:
        raise Failure(f"the rules cannot be compiled: {error}") from error
    files.make_folder(folder, mode=0o700)
    path = folder / (job.key(machine()) + _SUFFIX)
    files.write_atomic(path, database.dump(compiled), mode=files.PRIVATE)
    _prune(folder)
    return compiled


def _is_taken(scanner: Scanner, job: Job, compiled: Compiled) -> bool:
    try:
        scanner.adopt(job, compiled)
    except ValueError:
        return False
    return True


def _read(path: Path) -> Compiled | None:
    """A file's database; None when there is none that can be trusted."""
    try:
        known = path.lstat()
        if not stat.S_ISREG(known.st_mode) or known.st_uid != os.geteuid():
            return None
        if known.st_mode & _FORBIDDEN:
            return None
        return database.load(files.read_capped(path, MAX_BYTES))
    except (OSError, files.FileError, ValueError):
        return None


def _prune(folder: Path) -> None:
    kept = sorted(folder.glob(f"*{_SUFFIX}"), key=_age, reverse=True)
    for path in kept[MAX_FILES:]:
        path.unlink(missing_ok=True)


def _age(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def main(arguments: Sequence[str]) -> int:
    """The process that builds: jobs on standard input, databases in the folder that is named."""
    jobs = msgspec.msgpack.decode(sys.stdin.buffer.read(MAX_JOBS_BYTES), type=tuple[Job, ...])
    os.nice(10)
    for job in jobs:
        _built(job, Path(arguments[0]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
