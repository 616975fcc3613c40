"""The edge's next life: the same process with new code, and a new Envoy beside the old one.

On SIGUSR2 the role replaces itself (`execv`): the process id stays, so whoever supervises it sees
nothing, and the old Envoy stays its child. The new code starts a new Envoy that takes over the old
one's listening sockets; the old one ends by itself when its connections have (20 s at most).
"""

import contextlib
import os
import signal
import sys
import zlib
from collections.abc import Sequence
from pathlib import Path

from troth.engines.envoy.server import Succession
from troth.roles.places import Places

EPOCH = "TROTH_EDGE_EPOCH"  # epoch and process id of the Envoy before, across execv
SHARED = Path("/dev/shm")  # noqa: S108 -- where Envoys after one another keep what they share
BASE_IDS = 400_000_000  # Envoy multiplies it by ten into 32 bits


class Lives:
    """Counts them, and sees the one before to its end."""

    def __init__(self, places: Places) -> None:
        self.before = 0
        self.epoch = 0
        self._places = places
        told = os.environ.pop(EPOCH, "").split()
        if len(told) == 2:  # noqa: PLR2004 -- epoch and process id
            self.epoch, self.before = int(told[0]) + 1, int(told[1])

    @property
    def succession(self) -> Succession | None:
        """For Envoy; None where this machine has no place for what they share: no next life."""
        if not os.access(SHARED, os.W_OK):
            return None
        base = zlib.crc32(os.fsencode(self._places.data.absolute())) % BASE_IDS + 1
        return Succession(base, self.epoch, self._places.edge / "envoy")

    def look(self) -> bool:
        """Whether the Envoy before is gone; collects it when it has just ended."""
        if self.before:
            with contextlib.suppress(ChildProcessError):
                if os.waitpid(self.before, os.WNOHANG) == (0, 0):
                    return False
            self.before = 0
        return True

    def end(self) -> None:
        """The Envoy before ends now: the role is stopping."""
        if not self.look():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.before, signal.SIGTERM)

    def renew(self, argv: Sequence[str], pid: int) -> None:
        """Begin the next life. Does not return."""
        os.environ[EPOCH] = f"{self.epoch} {pid}"
        os.execv(sys.executable, [sys.executable, "-m", "troth.roles.edge", *argv])  # noqa: S606
