"""What every foreign application is tried on: a folder, free ports, Troth in front, a browser.

Nothing here knows an application. Children are ended by their own handle; the folder is removed.
"""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

REPOSITORY = Path(__file__).parents[2]
PYTHON = REPOSITORY / ".venv" / "bin" / "python"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or ""
CACHE = Path(os.environ.get("TROTH_FOREIGN", Path(tempfile.gettempdir()) / "troth-foreign"))
ROLES = (("guard", "--index", "0"), ("guard", "--index", "1"), ("edge",))


class NotHereError(Exception):
    """The application cannot be installed or started on this machine; the text says why."""


def free_ports(count: int) -> list[int]:
    """Ports of 127.0.0.1 that nobody listens on."""
    doors = [socket.socket() for _ in range(count)]
    for door in doors:
        door.bind(("127.0.0.1", 0))
    ports = [door.getsockname()[1] for door in doors]
    for door in doors:
        door.close()
    return ports


def wait(is_true: Callable[[], bool], limit_s: float, what: str) -> None:
    """Until it is true; NotHereError after the limit."""
    end = time.monotonic() + limit_s
    while not is_true():
        if time.monotonic() > end:
            raise NotHereError(f"{what}: not within {limit_s:g} s")
        time.sleep(0.1)


def listens(port: int) -> bool:
    """Whether somebody accepts connections there."""
    with socket.socket() as door:
        door.settimeout(1)
        return door.connect_ex(("127.0.0.1", port)) == 0


@dataclass(slots=True)
class Tried:
    """What was tried and what came of it, in order."""

    name: str
    version: str = ""
    rows: list[tuple[str, bool, str]] = field(default_factory=list)

    def check(self, what: str, is_fine: object, told: object = "") -> None:
        """One line of the table."""
        self.rows.append((what, bool(is_fine), str(told)[:300]))
        print(f"  {'ok  ' if is_fine else 'FAIL'} {what} {'' if is_fine else told}", flush=True)

    @property
    def is_fine(self) -> bool:
        """Whether all of it works, and something was tried."""
        return bool(self.rows) and all(fine for _, fine, _ in self.rows)


class Ground:
    """A temporary place with children of ours in it."""

    def __init__(self, host: str) -> None:
        self.host = host
        self.folder = Path(tempfile.mkdtemp(prefix="troth-foreign-"))
        self.folder.chmod(0o755)
        self.port, self.http_port, self.status_port, self.upstream_port = free_ports(4)
        self.url = f"https://{host}:{self.port}"
        self.data = self.folder / "data"
        self.config = self.folder / "troth.toml"
        self._children: list[subprocess.Popen[bytes]] = []

    def run(self, *argv: object, **more: object) -> str:
        """A command to its end; its output. NotHereError when it fails."""
        done = subprocess.run(
            [str(word) for word in argv],
            capture_output=True,
            text=True,
            check=False,
            timeout=900,
            **more,
        )
        if done.returncode:
            said = (done.stderr or done.stdout)[-1500:]
            raise NotHereError(f"{argv[0]} ended with {done.returncode}: {said}")
        return done.stdout

    def start(self, name: str, *argv: object, **more: object) -> "subprocess.Popen[bytes]":
        """A child that lives until the end of the play; its words go to `<name>.log`."""
        with (self.folder / f"{name}.log").open("ab") as log:
            child = subprocess.Popen(
                [str(word) for word in argv],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # its own workers end with it
                **more,
            )
        self._children.append(child)
        return child

    def init(self, *more: str) -> None:
        """`troth init` in front of the upstream port, as an operator types it."""
        ports = f"{self.port},{self.http_port},{self.status_port}"
        self.run(
            *(PYTHON.parent / "troth", "init", "--host", self.host, "--ports", ports),
            *("--upstream", f"http://127.0.0.1:{self.upstream_port}"),
            *("--config", self.config, "--data", self.data, *more),
        )

    def troth(self) -> None:
        """Edge and guards, as the supervisor starts them."""
        self.run(
            PYTHON,
            "-c",
            "import sys;from pathlib import Path;from troth.roles.up import claim;"
            "claim(Path(sys.argv[1]),reset=False)",
            self.data,
        )
        for module, *more in ROLES:
            argv = (PYTHON, "-m", f"troth.roles.{module}", "--config", self.config)
            name = module + "".join(more).replace("--index", "-")
            child = self.start(name, *argv, "--data", self.data, *more)
            socket_name = "edge-admin" if module == "edge" else f"guard-{more[1]}"
            path = self.data / "run" / f"{socket_name}.sock"
            wait(lambda p=path, c=child: p.exists() or c.poll() is not None, 30, name)
        wait(lambda: listens(self.port), 30, "the edge")

    def curl(self, *argv: str) -> str:
        """Curl against the public address, the certificate verified."""
        ca = self.data / "tls" / "ca.pem"
        place = urlsplit(self.url)
        return self.run(
            *("curl", "-sS", "--cacert", ca, "--max-time", "30"),
            *("--resolve", f"{place.hostname}:{place.port}:127.0.0.1", *argv),
        )

    def stop(self) -> None:
        """End every child, newest first."""
        for child in reversed(self._children):
            child.terminate()
            try:
                child.wait(20)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)


@contextlib.contextmanager
def ground(host: str) -> Iterator[Ground]:
    """A ground that is taken down whatever happens; kept when TROTH_FOREIGN_KEEP is set."""
    made = Ground(host)
    try:
        yield made
    finally:
        made.stop()
        if os.environ.get("TROTH_FOREIGN_KEEP"):
            print(f"  kept: {made.folder}", file=sys.stderr)
        else:
            shutil.rmtree(made.folder, ignore_errors=True)
