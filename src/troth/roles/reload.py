"""`troth config reload`: check first, then hand it over, and wait until it really runs."""

import time
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from troth.adapters import clock
from troth.roles import check, running
from troth.roles.places import Places
from troth.roles.running import RunningError

WITHIN = timedelta(seconds=10)
LOOK_AGAIN_S = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Reloaded:
    """What came of it.

    Args:
        digest: SHA-256 hex of the configuration that was handed over.
        late: by role, why it does not run it; empty when all do.
        took_s: until the last one ran it, or until we gave up.
    """

    digest: str
    late: dict[str, str]
    took_s: float


def reload(path: Path, places: Places, *, within: timedelta = WITHIN) -> Reloaded:
    """Check `path`, have the running installation read it, wait for edge and guards.

    Whoever refuses it keeps the last good one, and says why.

    Raises:
        Failure: the configuration cannot be served, nothing runs, or what runs reads another file.
    """
    checked = check.check(path, places.data)
    found = running.find(places)
    if found.config and found.config != checked.config:
        raise RunningError(
            "what runs reads another file", where=found.config, mend=f"--config {found.config}"
        )
    began = clock.monotonic_s()
    found.hang_up()
    late = _late(places, checked.digest)
    while late and clock.monotonic_s() - began < within.total_seconds():
        time.sleep(LOOK_AGAIN_S)
        late = _late(places, checked.digest)
    return Reloaded(digest=checked.digest, late=late, took_s=clock.monotonic_s() - began)


def _late(places: Places, digest: str) -> dict[str, str]:
    """Who does not run it, and why."""
    late = {}
    for name, state in running.states(places).items():
        if state is None:
            late[name] = "says nothing of what it runs"
        elif state.config != digest:
            late[name] = state.refused or f"still runs {state.config[:16]}"
    return late
