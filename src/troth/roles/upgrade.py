"""`troth upgrade`: the code that is installed now takes over from the code that runs.

Checked first, the state dumped as a way back, migrated, then one role after another begins another
life (`Supervisor.renew`, or the units of systemd in the same order). The application is served all
the while. `--back` restores a dump; the older code is installed first.
"""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import troth
from troth.adapters import clock, process
from troth.catalogue import Settings
from troth.engines.postgres import dump
from troth.engines.postgres.binaries import Binaries, find, readable, unprivileged
from troth.kernel.errors import Failure
from troth.roles import check, plan, postgres, running, state, units
from troth.roles.invite import console_user
from troth.roles.places import Places
from troth.roles.running import Running
from troth.roles.supervisor import RENEW

MIGRATED_WITHIN = timedelta(minutes=15)
RENEWED_WITHIN = timedelta(minutes=5)
KEPT_DUMPS = 5
LOOK_AGAIN_S = 0.2

Told = Callable[[str], None]


class UpgradeError(Failure):
    """It did not come to its end; what runs is named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Upgraded:
    """What came of it: the version that runs, the way back, how long it took."""

    version: str
    way_back: str
    took_s: float


def upgrade(
    config: Path, settings: Settings, places: Places, now: datetime, told: Told
) -> Upgraded:
    """Bring what runs on a data directory to the code that is installed now.

    Raises:
        Failure: the configuration is none for this code, nothing runs, or a step failed: then the
            roles that were not yet renewed run on as they were.
    """
    began = clock.monotonic_s()
    checked = check.check(config, places.data)
    told(f"checked {config} with Troth {troth.__version__}: {checked.promises} promises")
    found = running.find(places)
    path = _way_back(settings, places, now)
    told(f"dumped the state to {path}")
    _migrate(config, places)
    told("migrated")
    _renew(found, settings, config, told)
    return Upgraded(
        version=troth.__version__, way_back=str(path), took_s=clock.monotonic_s() - began
    )


def back(config: Path, settings: Settings, places: Places, path: Path, told: Told) -> Upgraded:
    """Restore a dump of `upgrade` and renew all roles with the code that is installed now."""
    began = clock.monotonic_s()
    check.check(config, places.data)
    found = running.find(places)
    dump.restore(_programs(settings, places), state.owner_url(settings, places), path)
    told(f"restored {path}")
    _migrate(config, places)
    _renew(found, settings, config, told)
    return Upgraded(
        version=troth.__version__, way_back=str(path), took_s=clock.monotonic_s() - began
    )


def _way_back(settings: Settings, places: Places, now: datetime) -> Path:
    folder = places.private / "upgrades"
    folder.mkdir(mode=0o700, exist_ok=True)
    path = folder / f"state-{now:%Y%m%dT%H%M%SZ}.dump"
    dump.dump(_programs(settings, places), state.owner_url(settings, places), path)
    for old in sorted(folder.glob("state-*.dump"))[:-KEPT_DUMPS]:
        old.unlink()
    return path


def _programs(settings: Settings, places: Places) -> Binaries:
    given = settings.database.bindir
    identity = unprivileged()
    programs = postgres.home(places, identity) / "programs"
    return readable(find(Path(given) if given else None), identity, programs)


def _migrate(config: Path, places: Places) -> None:
    argv: list[str | Path] = [sys.executable, "-m", "troth.roles.migrate"]
    argv += ["--config", config.absolute(), "--data", places.data]
    identity = console_user(places)
    done = process.run(argv, timeout=MIGRATED_WITHIN, identity=identity, ok=None)
    if done.code:
        said = done.err.decode("utf-8", "replace").strip()[-1000:]
        raise UpgradeError(f"not migrated: {said}", mend="what ran before runs on")


def _renew(found: Running, settings: Settings, config: Path, told: Told) -> None:
    """Another life for every role, one at a time."""
    if found.pid is None:
        _renew_units(found, settings, config, told)
        return
    path = found.places.data / running.RENEWED
    before = running.read(path)
    found.signal(RENEW)
    end = clock.monotonic_s() + RENEWED_WITHIN.total_seconds()
    while (after := running.read(path)) == before:
        if clock.monotonic_s() > end:
            raise UpgradeError(f"not renewed within {RENEWED_WITHIN}", mend="troth logs")
        time.sleep(LOOK_AGAIN_S)
    if after is not None and after.refused:
        raise UpgradeError(after.refused, mend="the roles before it run on as they were")
    told("every role runs the new code (the supervisor itself at its next start)")


def _renew_units(found: Running, settings: Settings, config: Path, told: Told) -> None:
    for unit in reversed(plan.units(settings, config, found.places)):
        name = units.unit_name(unit)
        match unit.handover:
            case "never":
                continue
            case "signal":
                argv = ["systemctl", "kill", "--kill-whom=main", f"--signal={RENEW.name}", name]
            case _:
                argv = ["systemctl", "restart", name]
        process.run(argv, timeout=RENEWED_WITHIN)
        told(" ".join(argv))
