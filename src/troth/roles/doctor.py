"""`troth doctor`: what is missing or odd on this machine, each with its mend."""

import json
import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

from troth.adapters import browser, config, process, tcp
from troth.catalogue import Settings
from troth.engines.envoy import binary
from troth.engines.postgres.binaries import find
from troth.kernel.errors import Failure
from troth.roles import check, running
from troth.roles.places import Places

Word = Literal["fine", "odd", "missing"]
PYTHON = (3, 11)
LITTLE_BYTES = 1024**3
LITTLE_FILES = 4096
CLOCK_SLACK = timedelta(seconds=5)
_WITHIN = timedelta(seconds=20)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at: what it is, how it is, what to do."""

    what: str
    word: Word
    told: str
    mend: str = ""

    @property
    def line(self) -> str:
        """As a person reads it."""
        mend = f" ({self.mend})" if self.mend else ""
        return f"{self.word:8} {self.what}: {self.told}{mend}"


def examine(path: Path, places: Places | None, now: datetime) -> Iterator[Finding]:
    """Look at the machine, then at the installation if there is one. Raises nothing."""
    yield _python()
    yield _envoy()
    yield _postgres()
    yield _chromium()
    yield _scanner()
    yield from _limits()
    try:
        settings = config.load(path, Settings)
    except Failure as failure:
        yield Finding("configuration", "missing", failure.what, failure.mend)
        return
    yield _checked(path, places)
    here = places or Places(Path(settings.troth.data))
    yield from _data(here)
    yield from _names(settings)
    if (here.data / running.LOCK).exists() or (here.data / running.INSTALLED).exists():
        yield from _running(here, now)


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info[:2] < PYTHON:
        return Finding("python", "missing", version, "install Python 3.11 or newer")
    return Finding("python", "fine", version)


def _envoy() -> Finding:
    try:
        found = binary.identify(binary.locate(""))
    except Failure as failure:
        return Finding("envoy", "missing", failure.what, failure.mend)
    return Finding("envoy", "fine", found.version)


def _postgres() -> Finding:
    try:
        found = find()
    except Failure as failure:
        return Finding("postgresql", "missing", failure.what, failure.mend)
    return Finding("postgresql", "fine", f"{found.major}")


def _chromium() -> Finding:
    try:
        found = browser.find("")
    except Failure as failure:
        mend = "apt install chromium: without it the checks in a browser cannot look"
        return Finding("chromium", "missing", failure.what, mend)
    return Finding("chromium", "fine", str(found))


def _scanner() -> Finding:
    """The environment of sslyze, which cannot share ours."""
    for place in (Path(sys.prefix).with_name(".venv-scan"), Path(sys.prefix) / "scan"):
        program = place / "bin" / "sslyze"
        if program.exists():
            try:
                said = process.run([program, "--help"], timeout=_WITHIN).text[:40]
            except process.ProcessError as error:
                return Finding("sslyze", "odd", error.what, "make clean, then make demo")
            return Finding("sslyze", "fine", f"{program} ({said.split(chr(10))[0][:30]})")
    mend = "python3 -m venv .venv-scan with requirements/scan.txt (make demo does it)"
    return Finding("sslyze", "missing", "no environment of its own beside ours", mend)


def _limits() -> Iterator[Finding]:
    import resource  # noqa: PLC0415 -- not on every system that can read this file

    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < LITTLE_FILES:
        yield Finding("open files", "odd", f"{soft} at most", "ulimit -n 65536")
    else:
        yield Finding("open files", "fine", f"{soft} at most")
    if not os.access("/dev/shm", os.W_OK):  # noqa: S108 -- what Envoys after one another share
        mend = "mount a tmpfs at /dev/shm: without it an upgrade restarts the edge with a gap"
        yield Finding("shared memory", "odd", "cannot be written", mend)


def _checked(path: Path, places: Places | None) -> Finding:
    try:
        found = check.check(path, places.data if places else None)
    except Failure as failure:
        return Finding("configuration", "odd", failure.hint())
    if found.warning:
        return Finding("configuration", "odd", found.warning)
    return Finding("configuration", "fine", f"{path} ({found.promises} promises)")


def _data(places: Places) -> Iterator[Finding]:
    if not places.data.exists():
        yield Finding("data", "fine", f"{places.data} will be made by troth up")
        return
    usage = shutil.disk_usage(places.data)
    free = f"{usage.free / 1024**3:.1f} GiB free"
    if usage.free < LITTLE_BYTES:
        yield Finding("disk", "odd", free, f"make room below {places.data}")
    else:
        yield Finding("disk", "fine", free)
    for room in (places.keys, places.tls, places.private):
        if room.exists() and room.stat().st_mode & 0o004:
            yield Finding(
                "permissions", "odd", f"{room} can be read by anybody", f"chmod o-r {room}"
            )
    for key in (*places.keys.glob("*.key"), *places.tls.glob("*.key")):
        if key.stat().st_mode & 0o007:
            yield Finding("permissions", "odd", f"{key} is open to others", f"chmod o-rwx {key}")


def _names(settings: Settings) -> Iterator[Finding]:
    for host in (settings.application.host, settings.troth.host, settings.status.host):
        try:
            found = tcp.resolve(host)
        except Failure as failure:
            mend = "add it to your DNS, pointing here"
            yield Finding("name", "odd", f"{host}: {failure.what}", mend)
        else:
            yield Finding("name", "fine", f"{host} is {found[0]}")


def _running(places: Places, now: datetime) -> Iterator[Finding]:
    for role, said in running.states(places).items():
        if said is None:
            yield Finding(role, "odd", "says nothing of what it runs", f"troth logs {role}")
        elif said.refused:
            yield Finding(
                role, "odd", f"keeps the last good one: {said.refused}", "mend troth.toml"
            )
        else:
            yield Finding(
                role, "fine", f"runs {said.config[:16]} since {said.at:%Y-%m-%d %H:%M} UTC"
            )
    published = places.public / "api" / "v1" / "promises.json"
    try:
        generated = datetime.fromisoformat(json.loads(published.read_bytes())["generated"])
    except (OSError, ValueError, KeyError) as error:
        yield Finding("page", "odd", f"cannot be read: {error}", "troth logs publisher")
        return
    if generated - now > CLOCK_SLACK:
        mend = "set the clock (NTP); what was signed in the future stays"
        yield Finding("clock", "odd", f"behind what was published at {generated}", mend)
    else:
        yield Finding("clock", "fine", f"{now:%Y-%m-%d %H:%M:%S} UTC, after all that was published")


def fails(findings: list[Finding]) -> int:
    """The exit code: 0 all fine, 1 something odd or missing."""
    return 1 if any(one.word != "fine" for one in findings) else 0
