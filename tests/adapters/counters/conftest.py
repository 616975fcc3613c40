"""A real Redis server, on a unix socket of its own, that a test may kill and start again."""

import contextlib
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

DEADLINE_S = 20


@dataclass
class Server:
    folder: Path
    arguments: tuple[str, ...] = ()
    child: subprocess.Popen | None = field(default=None)

    @property
    def url(self) -> str:
        return f"unix://{self.folder}/redis.sock"

    def start(self) -> None:
        (self.folder / "redis.sock").unlink(missing_ok=True)
        self.child = subprocess.Popen(
            ["redis-server", "--port", "0", "--unixsocket", f"{self.folder}/redis.sock",
             "--save", "", "--appendonly", "no", "--dir", str(self.folder), *self.arguments],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        deadline = time.monotonic() + DEADLINE_S
        while not (self.folder / "redis.sock").exists():
            assert time.monotonic() < deadline
            time.sleep(0.01)

    def kill(self) -> None:
        self.child.kill()
        self.child.wait(DEADLINE_S)


@pytest.fixture
def redis() -> Iterator[Server]:
    if not shutil.which("redis-server"):
        pytest.skip("no redis-server here (Debian: apt install redis-server)")
    folder = Path(tempfile.mkdtemp(prefix="troth-"))
    server = Server(folder)
    server.start()
    yield server
    with contextlib.suppress(ProcessLookupError):
        server.kill()
    shutil.rmtree(folder)
