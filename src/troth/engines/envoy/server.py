"""A running Envoy: started from files, watched, drained and stopped."""

import json
import os
import signal
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from troth.adapters import files, process
from troth.engines.envoy.admin import Admin
from troth.engines.envoy.errors import EnvoyError
from troth.engines.envoy.push import MODE, refused, wait_until, write
from troth.engines.envoy.resources import Json, Resources

LOG_FLUSHED_MS = 1000
READY_WITHIN = timedelta(seconds=20)
DRAIN_S = 10  # connections of a replaced listener may live this long
SOCKET_NAME = "edge-admin.sock"
_TOLD_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Succession:
    """Which of several Envoys after one another this is (Envoy, hot restart).

    A successor takes over the listening sockets of the one before, which lets its open connections
    finish for `2 * DRAIN_S` and ends by itself: no connection is refused or cut off.

    Args:
        base_id: the same for all of them, another for each edge of this machine; 1 to 400,000,000.
        epoch: 0 for the first.
        socket: where they talk; the owner alone may. Two files are made beside it.
    """

    base_id: int
    epoch: int
    socket: Path


class Server:
    """One Envoy process and its files.

    Args:
        child: the process.
        folder: where `bootstrap.json`, `lds.json` and `cds.json` are.
        admin: its admin door.
        doors: sockets in the file system that it listens on.
    """

    def __init__(
        self, child: process.Child, folder: Path, admin: Admin, doors: tuple[Path, ...] = ()
    ) -> None:
        self.child = child
        self.folder = folder
        self.admin = admin
        self.doors = doors

    def stop(self, grace: timedelta = timedelta(seconds=2)) -> int:
        """End it and remove its sockets; the exit code. Open requests are cut off."""
        code = self.child.stop(signal.SIGTERM, grace)
        for door in (self.admin.socket, *self.doors):
            door.unlink(missing_ok=True)
        return code


def start(  # noqa: PLR0913 -- each is one part of what is started
    binary: Path,
    folder: Path,
    bootstrap: Json,
    resources: Resources,
    *,
    workers: int = 2,
    within: timedelta = READY_WITHIN,
    succession: Succession | None = None,
) -> Server:
    """Write the files, start Envoy, wait until it listens (about 0.2 s).

    The child dies with the thread that called this.

    Raises:
        EnvoyError: it ended, refused the configuration, or was not ready in time; it is gone.
    """
    admin = Admin(Path(bootstrap["admin"]["address"]["pipe"]["path"]))
    admin.socket.unlink(missing_ok=True)
    path = folder / "bootstrap.json"
    files.write_atomic(path, json.dumps(bootstrap, indent=1).encode(), mode=MODE)
    write(folder, resources)
    log = folder / "envoy.log"
    fresh = 0 if succession and succession.epoch else os.O_TRUNC
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | fresh
    output = os.open(log, flags, MODE)
    try:
        child = process.start(_argv(binary, path, workers, succession), output=output)
    finally:
        os.close(output)
    server = Server(child, folder, admin, _doors(resources))

    def is_up() -> bool:
        if child.code() is not None:
            raise EnvoyError(f"ended at once: {_last_words(log)}", where=str(log))
        return admin.is_ready() and _is_listening(admin, len(resources.listeners))

    try:
        wait_until(is_up, within, "Envoy was not ready")
    except EnvoyError:
        server.stop()
        raise
    return server


def _doors(resources: Resources) -> tuple[Path, ...]:
    pipes = (each["address"].get("pipe") for each in resources.listeners)
    return tuple(Path(pipe["path"]) for pipe in pipes if pipe)


def _argv(binary: Path, bootstrap: Path, workers: int, succession: Succession | None) -> list[str]:
    restart = ["--disable-hot-restart"]
    if succession:
        restart = [
            *("--base-id", str(succession.base_id), "--restart-epoch", str(succession.epoch)),
            *("--socket-path", str(succession.socket), "--socket-mode", "600"),
        ]
    return [
        *(str(binary), "-c", str(bootstrap), "--concurrency", str(workers)),
        *("--log-level", "warning", *restart),
        *("--file-flush-interval-msec", str(LOG_FLUSHED_MS)),
        *("--drain-time-s", str(DRAIN_S), "--parent-shutdown-time-s", str(2 * DRAIN_S)),
    ]


def _is_listening(admin: Admin, count: int) -> bool:
    """Whether every listener was taken: a port that is taken leaves Envoy ready without it."""
    stats = admin.stats(r"^listener_manager\.(total_listeners_active|lds.update_rejected)$")
    if stats.get("listener_manager.lds.update_rejected"):
        raise refused(admin.rejected())
    return stats.get("listener_manager.total_listeners_active", 0) == count


def _last_words(log: Path) -> str:
    text = log.read_text("utf-8", "replace")[-_TOLD_BYTES:].strip()
    return " ".join(text.splitlines()[-1:]) or "it said nothing"
