"""Whether an installation runs here, how it is told something, and what each role says it runs."""

import json
import os
import shutil
import signal
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from troth.adapters import files, process
from troth.kernel.errors import Failure
from troth.roles.places import Places

LOCK, WHO = "up.lock", "up.json"
RENEWED = "renewed.json"  # what came of the last `Supervisor.renew`
INSTALLED = "installed.json"
MAX_STATE_BYTES = 64 * 1024
RELOADING = (
    "edge",
    "guard-0",
    "guard-1",
    "ledger",
    "publisher",
    "uploads",
    "worker",
)  # they take SIGHUP
_SYSTEMCTL_WITHIN = timedelta(seconds=60)


class RunningError(Failure):
    """Nothing runs there, or it cannot be told."""


class State(msgspec.Struct, frozen=True):
    """What a role last said of its configuration: the digest it runs, and why no newer one."""

    config: str
    at: datetime
    refused: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A running installation.

    Args:
        places: its data directory.
        pid: of its supervisor (`troth up`); None where systemd supervises.
        config: the troth.toml it reads; empty where systemd's units say so.
    """

    places: Places
    pid: int | None
    config: str = ""

    def hang_up(self) -> None:
        """Have every role that can read its settings again. Raises RunningError."""
        if self.pid is not None:
            self.signal(signal.SIGUSR1)
            return
        units = [f"troth-{name}.service" for name in RELOADING]
        try:
            process.run(["systemctl", "reload", *units], timeout=_SYSTEMCTL_WITHIN)
        except process.ProcessError as error:
            raise RunningError(error.what, where="systemctl reload") from error

    def signal(self, number: signal.Signals) -> None:
        """Send the supervisor a signal. Raises RunningError."""
        assert self.pid is not None  # noqa: S101 -- callers ask
        try:
            os.kill(self.pid, number)
        except OSError as error:
            why = error.strerror or str(error)
            raise RunningError(f"cannot be told: {why}", where=f"process {self.pid}") from error


def note(places: Places, config: Path) -> None:
    """Write down who supervises; called while holding the lock."""
    words = {"pid": os.getpid(), "config": str(config.absolute())}
    files.write_atomic(places.data / WHO, json.dumps(words).encode(), mode=0o640, durable=False)


def find(places: Places) -> Running:
    """The installation that runs on a data directory. Raises RunningError when none does."""
    if is_held(places.data / LOCK):
        words = json.loads(files.read_capped(places.data / WHO, MAX_STATE_BYTES))
        return Running(places=places, pid=int(words["pid"]), config=str(words["config"]))
    if (places.data / INSTALLED).exists() and shutil.which("systemctl"):
        return Running(places=places, pid=None)
    raise RunningError("nothing runs here", where=str(places.data), mend="start it: troth up")


def is_held(lock: Path) -> bool:
    """Whether somebody holds a lock file."""
    if not lock.exists():
        return False
    try:
        files.Lock(lock).release()
    except files.FileError:
        return True
    return False


def tell(path: Path, *, config: str, now: datetime, refused: str = "") -> None:
    """Say what this role runs. Fails open: a lost note is no reason to stop."""
    state = State(config=config, at=now, refused=refused)
    try:
        files.write_atomic(path, msgspec.json.encode(state), mode=0o640, durable=False)
    except files.FileError:
        return


def states(places: Places) -> dict[str, State | None]:
    """What edge and guards say; None of one that said nothing that can be read."""
    told = {"edge": places.edge / "state.json"}
    told |= {f"guard-{index}": places.spool / f"guard-{index}.json" for index in (0, 1)}
    return {name: read(path) for name, path in told.items()}


def read(path: Path) -> State | None:
    """What a role said there; None when that cannot be read."""
    try:
        return msgspec.json.decode(files.read_capped(path, MAX_STATE_BYTES), type=State)
    except (OSError, Failure, msgspec.MsgspecError):
        return None
