"""Roles as processes of their own, on a data directory in a temporary folder."""

import json
import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from troth.adapters import sockets
from troth.engines.tlog.note import NoteVerifier
from troth.engines.tlog.read import read_log
from troth.prove.keys import load_or_create
from troth.roles.places import Places

CONFIG = """
[troth]
name = "Demo"
host = "troth.demo.localhost"
[application]
host = "demo.localhost"
upstream = "http://127.0.0.1:1"
[status]
host = "status.demo.localhost"
"""


class Role:
    """A role as a process of its own, ready when `start` returns."""

    def __init__(self, name: str, places: Places, config: Path) -> None:
        self.name, self.places, self.config = name, places, config
        self.process: subprocess.Popen[bytes] | None = None
        self.output = places.logs / f"{name}.out"

    def start(self) -> None:
        place = self.places.run / f"notify-{self.name}"
        place.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear, self.output.open("ab") as out:
            ear.bind(str(place))
            ear.settimeout(30)
            argv = [sys.executable, "-m", f"troth.roles.{self.name}"]
            argv += ["--config", str(self.config), "--data", str(self.places.data)]
            env = os.environ | {"NOTIFY_SOCKET": str(place)}
            self.process = subprocess.Popen(argv, env=env, stdout=out, stderr=out)
            assert b"READY=1" in ear.recv(4096)

    def end(self, number: int) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(10)


class Ledger(Role):
    def __init__(self, tmp_path: Path) -> None:
        places = Places(tmp_path / "data")
        places.prepare()
        config = tmp_path / "troth.toml"
        config.write_text(CONFIG)
        super().__init__("ledger", places, config)
        self.door = places.socket("ledger")

    def ask(self, **asked):
        return json.loads(sockets.ask(self.door, json.dumps(asked).encode(), timeout_s=10))

    def verified(self) -> list[bytes]:
        key = load_or_create(self.places.keys / "ledger.key")
        vkey = NoteVerifier("troth.demo.localhost", key.public)
        return [raw for _, raw in read_log(self.places.log, vkey).entries()]


@pytest.fixture
def ledger(tmp_path):
    made = Ledger(tmp_path)
    made.start()
    yield made
    stop(made)


@pytest.fixture
def worker(ledger):
    made = Role("worker", ledger.places, ledger.config)
    yield made
    stop(made)


def stop(role: Role) -> None:
    if role.process is not None and role.process.poll() is None:
        role.process.kill()
        role.process.wait(10)


@pytest.fixture
def until():
    def wait(condition, seconds: float = 20) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline
            time.sleep(0.05)

    return wait


@pytest.fixture
def serve_mute():
    """A port that accepts and never says a word; `count()` tells how many are kept waiting."""
    door = socket.create_server(("127.0.0.1", 0), backlog=512)
    held: list[socket.socket] = []

    def accept() -> None:
        while True:
            try:
                held.append(door.accept()[0])
            except OSError:
                return

    thread = threading.Thread(target=accept)

    def start() -> int:
        thread.start()
        return int(door.getsockname()[1])

    start.count = lambda: len(held)  # type: ignore[attr-defined]
    yield start
    door.shutdown(socket.SHUT_RDWR)
    door.close()
    thread.join(10)
    for one in held:
        one.close()
