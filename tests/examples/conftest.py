"""The example applications as real processes on unix sockets."""

import http.client
import json
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlencode

import psycopg
import pytest

from troth.engines.postgres.cluster import SUPERUSER, Cluster

EXAMPLES = Path(__file__).parents[2] / "examples"
DEADLINE_S = 30.0


class Visitor:
    """A browser's worth of HTTP over a unix socket: keeps cookies, follows nothing."""

    def __init__(self, path: Path) -> None:
        self.path, self.cookies, self.timeout = path, {}, DEADLINE_S

    def open(self, method, target, body=None, headers=None):
        connection = http.client.HTTPConnection("example", timeout=self.timeout)
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.settimeout(self.timeout)
        connection.sock.connect(str(self.path))
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        connection.request(
            method, target, body, ({"Cookie": cookie} if cookie else {}) | (headers or {})
        )
        answer = connection.getresponse()
        for line in answer.headers.get_all("Set-Cookie", []):
            name, _, value = line.split(";")[0].partition("=")
            self.cookies[name] = value
        return answer, connection

    def ask(self, method, target, body=None, headers=None):
        """Return status, headers and body."""
        answer, connection = self.open(method, target, body, headers)
        with answer:
            content = answer.read()
        connection.close()
        return answer.status, answer.headers, content

    def get(self, target):
        status, _, content = self.ask("GET", target)
        return status, content.decode()

    def post(self, target, **form):
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        status, headers, content = self.ask("POST", target, urlencode(form), kind)
        return status, headers.get("Location"), content.decode()

    def api(self, target, wish=None):
        kind = {"Content-Type": "application/json"}
        method = "GET" if wish is None else "POST"
        body = None if wish is None else json.dumps(wish)
        status, headers, content = self.ask(method, target, body, kind)
        assert headers["Content-Type"] == "application/json", content
        return status, json.loads(content)


def wait_for(ready: Callable[[], bool], process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + DEADLINE_S
    while not ready():
        assert process.poll() is None, f"it died: {log.read_text()}"
        assert time.monotonic() < end, f"not ready in time: {log.read_text()}"
        time.sleep(0.02)  # between two looks; the event itself is what is waited for


def stop(process: subprocess.Popen[bytes]) -> int:
    process.terminate()
    try:
        return process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder with a path short enough for a socket (108 bytes)."""
    with tempfile.TemporaryDirectory(prefix="troth-ex-") as folder:
        yield Path(folder)


def create_database(cluster: Cluster, name: str) -> str:
    """Make an empty database, owned by a plain role of the same name; return its URL."""
    with psycopg.connect(cluster.url("postgres", SUPERUSER), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        connection.execute(f"DROP ROLE IF EXISTS {name}")
        connection.execute(f"CREATE ROLE {name} LOGIN")
        connection.execute(f"CREATE DATABASE {name} OWNER {name}")
    return cluster.url(name, name)


@pytest.fixture(scope="module")
def database(cluster, request) -> str:
    """The URL of a database of the module's own."""
    return create_database(cluster, request.module.__name__.rpartition(".")[2])


@pytest.fixture
def short_lived_database(cluster) -> tuple[str, Callable[[], None]]:
    """The URL of a database, and what makes it go away."""
    url = create_database(cluster, "short_lived")

    def drop() -> None:
        with psycopg.connect(cluster.url("postgres", SUPERUSER), autocommit=True) as connection:
            connection.execute("DROP DATABASE short_lived WITH (FORCE)")
            connection.execute("DROP ROLE short_lived")

    return url, drop


def start_booking(database: str, folder: Path) -> tuple[subprocess.Popen[bytes], Path]:
    at, log = folder / "app", folder / "log"
    with log.open("ab") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "booking", "--unix", at],
            cwd=EXAMPLES / "booking",
            env={"BOOKING_DATABASE_URL": database, "BOOKING_UPLOADS": str(folder / "uploads")},
            stdout=out,
            stderr=out,
        )
    try:
        wait_for(lambda: at.exists() and _listens(at), process, log)
    except BaseException:
        process.kill()
        process.wait()
        raise
    return process, at


def _listens(at: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(at)) == 0


@pytest.fixture(scope="module")
def booking(database) -> Iterator[Path]:
    """The booking application, running; gives its socket."""
    with tempfile.TemporaryDirectory(prefix="troth-ex-") as folder:
        process, at = start_booking(database, Path(folder))
        yield at
        stop(process)


@pytest.fixture
def visitor(booking) -> Callable[[], Visitor]:
    """Makes visitors, each with cookies of their own."""
    return lambda: Visitor(booking)


@pytest.fixture
def customer(visitor, request) -> Callable[[str], Visitor]:
    """Makes visitors who have just signed up, named as asked, new in each test."""

    def sign_up(name: str) -> Visitor:
        someone = visitor()
        email = f"{name}.{request.node.name}@customers.example"
        status, location, _ = someone.post("/signup", name=name, email=email, password="let me in")
        assert (status, location) == (302, "/")
        return someone

    return sign_up


@pytest.fixture
def run_booking(place) -> Iterator[Callable[[str], tuple[subprocess.Popen[bytes], Visitor]]]:
    """Starts the booking application on a database for one test."""
    started = []

    def start(url: str) -> tuple[subprocess.Popen[bytes], Visitor]:
        process, at = start_booking(url, place)
        started.append(process)
        return process, Visitor(at)

    yield start
    for process in started:
        if process.poll() is None:
            stop(process)


@pytest.fixture
def echo(place) -> Iterator[Visitor]:
    """The echo upstream, running; gives a visitor to it."""
    process = subprocess.Popen(
        [sys.executable, EXAMPLES / "echo" / "echo.py", "--unix", place / "echo"],
        stdout=subprocess.PIPE,
    )
    with process.stdout as out:
        assert out.readline() == f"listening {place / 'echo'}\n".encode()
        yield Visitor(place / "echo")
        assert stop(process) == 0
