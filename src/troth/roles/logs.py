"""`troth logs`: what the roles said, from the files of `troth up` or from systemd's journal."""

import os
import shutil
import time
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TextIO

from troth.adapters import process
from troth.kernel.errors import Failure
from troth.roles import running
from troth.roles.places import Places

LOOK_AGAIN_S = 0.25
TAIL_BYTES = 256 * 1024
WITHIN = timedelta(seconds=30)

Line = tuple[str, str]  # role, what it said


class LogsError(Failure):
    """There is nothing to show."""


def known(places: Places) -> list[str]:
    """The roles that have a log here, sorted."""
    return sorted(path.stem for path in places.logs.glob("*.log") if "~" not in path.stem)


def last(places: Places, roles: Sequence[str], count: int) -> list[Line]:
    """The last lines of each role, oldest first within a role.

    Raises LogsError for a role without a log.
    """
    if _is_in_journal(places):
        return [(role, line) for role in _units(roles) for line in _journal(role, count)]
    found = []
    for role in roles or known(places):
        path = _path(places, role)
        with path.open("rb") as file:
            file.seek(max(path.stat().st_size - TAIL_BYTES, 0))
            text = file.read(TAIL_BYTES).decode("utf-8", "replace")
        found += [(role, line) for line in text.splitlines()[-count:]]
    return found


def follow(places: Places, roles: Sequence[str]) -> Iterator[Line]:
    """What they say from now on, across rotations; ends only when nobody asks any more."""
    if _is_in_journal(places):
        units = [word for role in _units(roles) for word in ("-u", f"troth-{role}.service")]
        journal = shutil.which("journalctl") or "journalctl"
        os.execv(journal, [journal, "-f", "-n0", "-ocat", *units])  # noqa: S606 -- it takes over
    open_files: dict[str, TextIO] = {}
    try:
        for role in roles or known(places):
            open_files[role] = _open(_path(places, role))
            open_files[role].seek(0, os.SEEK_END)
        yield from _lines(places, open_files)
    finally:
        for file in open_files.values():
            file.close()


def _lines(places: Places, open_files: dict[str, TextIO]) -> Iterator[Line]:
    while True:
        for role, file in open_files.items():
            while line := file.readline():
                yield role, line.rstrip("\n")
            if _is_moved(file, _path(places, role)):
                file.close()
                open_files[role] = _open(_path(places, role))
        time.sleep(LOOK_AGAIN_S)


def _open(path: Path) -> TextIO:
    return path.open(encoding="utf-8", errors="replace")


def _path(places: Places, role: str) -> Path:
    path = places.logs / f"{role}.log"
    if "/" in role or not path.exists():
        names = ", ".join(known(places)) or "none yet"
        raise LogsError("has no log", where=role, mend=f"one of: {names}")
    return path


def _is_moved(file: TextIO, path: Path) -> bool:
    try:
        return path.stat().st_ino != os.fstat(file.fileno()).st_ino
    except OSError:
        return False


def _is_in_journal(places: Places) -> bool:
    is_up = running.is_held(places.data / running.LOCK)
    return (places.data / running.INSTALLED).exists() and not is_up


def _units(roles: Sequence[str]) -> Sequence[str]:
    return roles or ("*",)


def _journal(role: str, count: int) -> list[str]:
    argv = ["journalctl", "--no-pager", "-ocat", "-n", str(count), "-u", f"troth-{role}.service"]
    try:
        return process.run(argv, timeout=WITHIN).text.splitlines()
    except process.ProcessError as error:
        raise LogsError(error.what, where="journalctl") from error
