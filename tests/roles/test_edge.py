"""The edge as a process: ready, reloaded, refused, stopped."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import contextmanager
from pathlib import Path

import pytest

from troth.adapters import http
from troth.kernel.errors import Failure
from troth.roles.places import Places

DEADLINE_S = 30.0
TOML = """
[troth]
name = "Test"
host = "troth.demo.localhost"
[application]
host = "demo.localhost"
upstream = "unix:{echo}"
[status]
host = "status.demo.localhost"
[edge]
addresses = ["127.0.0.1"]
port = {port}
http_port = {http_port}
workers = 1
[edge.hsts]
max_age_s = 300
[guard]
fail_open_paths = ["/"]
"""


class Role:
    """One edge in a data directory of its own."""

    def __init__(self, data, echo, ports):
        self.places = Places(data)
        self.places.prepare()
        self.config = data / "troth.toml"
        self.port, self.http_port = ports
        self.write(TOML.format(echo=echo, port=self.port, http_port=self.http_port))

    def write(self, text):
        beside = self.config.with_suffix(".new")
        beside.write_text(text)
        beside.rename(self.config)

    def replace(self, old, new):
        text = self.config.read_text()
        assert old in text
        self.write(text.replace(old, new))

    def ask(self, path="/"):
        ca_file = str(self.places.tls / "ca.pem")
        return http.fetch(f"https://demo.localhost:{self.port}{path}", ca_file=ca_file)

    def events(self):
        lines = (self.places.logs / "edge.log").read_text().splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    def wait_for(self, event, **fields):
        deadline = time.monotonic() + DEADLINE_S
        while time.monotonic() < deadline:
            for each in self.events():
                if each["event"] == event and fields.items() <= each.items():
                    return each
            time.sleep(0.02)
        raise TimeoutError(f"{event}: {self.events()}")

    @contextmanager
    def running(self):
        """Started, ready, and stopped within three seconds at the end."""
        argv = [sys.executable, "-m", "troth.roles.edge"]
        argv += ["--config", str(self.config), "--data", str(self.places.data)]
        with (
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear,
            (self.places.logs / "edge.log").open("wb") as log,
        ):
            path = self.places.run / "notify"
            ear.bind(str(path))
            ear.settimeout(DEADLINE_S)
            environment = {**os.environ, "NOTIFY_SOCKET": str(path)}
            with subprocess.Popen(argv, stdout=log, stderr=log, env=environment) as child:
                try:
                    assert ear.recv(100).startswith(b"READY=1")
                    yield child
                finally:
                    child.terminate()
                    self.code = child.wait(10)
            path.unlink()


@pytest.fixture
def role(open_place, echo):
    number = time.monotonic_ns()
    with socket.socket() as one, socket.socket() as other:
        one.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        ports = one.getsockname()[1], other.getsockname()[1]
    return Role(open_place / f"r{number}", echo, ports)


def test_it_serves_and_stops_and_leaves_no_socket(role):
    with role.running():
        answer = role.ask()
        began = time.monotonic()

    assert answer.status == 200
    assert answer.one("strict-transport-security") == "max-age=300"
    assert role.code == 0
    assert time.monotonic() - began < 3
    assert list(role.places.run.iterdir()) == []
    ready = role.wait_for("edge.ready")
    assert ready["envoy"].startswith("1.40")
    assert len(ready["sha256"]) == 64


def test_a_change_of_the_file_is_taken_up(role):
    with role.running():
        role.replace("max_age_s = 300", "max_age_s = 86400")
        role.wait_for("edge.reloaded")
        assert role.ask().one("strict-transport-security") == "max-age=86400"


def test_a_signal_asks_for_it_too(role):
    with role.running() as child:
        child.send_signal(signal.SIGHUP)
        role.wait_for("edge.reloaded")


def test_the_access_log_may_be_moved_away(role):
    log = role.places.logs / "access.log"
    with role.running() as child:
        role.ask("/before")
        log.rename(log.with_suffix(".1"))
        child.send_signal(signal.SIGUSR1)
        deadline = time.monotonic() + DEADLINE_S
        while not log.exists():
            assert time.monotonic() < deadline
            time.sleep(0.02)


def test_an_application_that_is_not_there_is_told(role):
    role.replace(".sock", ".nobody")
    with role.running():
        told = role.wait_for("application.silent")
        assert role.ask().status == 503
    assert "nobody listens" in told["why"]


def test_what_is_wrong_is_told_and_the_last_good_one_goes_on(role):
    with role.running():
        role.replace("max_age_s = 300", "max_age_s = 300\nmax_agee_s = 5")
        refused = role.wait_for("edge.refused")
        assert f"{role.config}:" in refused["why"]
        assert "max_agee_s" in refused["why"]
        state = json.loads((role.places.edge / "state.json").read_text())
        assert state["refused"] == refused["why"]
        assert role.ask().one("strict-transport-security") == "max-age=300"

        role.replace("max_agee_s = 5", "")
        role.wait_for("edge.reloaded")
        state = json.loads((role.places.edge / "state.json").read_text())
        assert state["refused"] == ""


def test_a_port_that_is_taken_later(role):
    with socket.socket() as taken, role.running():
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        role.replace(f"http_port = {role.http_port}", f"http_port = {port}")

        refused = role.wait_for("edge.refused")

        assert refused["why"].startswith(f"127.0.0.1:{port}: the port is taken")
        assert http.fetch(f"http://demo.localhost:{role.http_port}/").status == 301


def test_a_port_that_is_taken_is_one_line(role):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", role.port))
        taken.listen()
        argv = [sys.executable, "-m", "troth.roles.edge", "--config", role.config]
        done = subprocess.run(
            [*argv, "--data", role.places.data],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    assert done.returncode == 1
    (line,) = done.stderr.strip().splitlines()
    assert line.startswith(f"127.0.0.1:{role.port}: the port is taken by another program")
    assert list(role.places.run.iterdir()) == []


def test_a_certificate_that_cannot_be_served_is_one_line(role):
    role.replace(
        "workers = 1",
        'workers = 1\n[edge.tls]\nauthority = "files"\ncertificate = "/no.pem"\nkey = "file:/no"',
    )
    argv = [sys.executable, "-m", "troth.roles.edge", "--config", role.config]
    done = subprocess.run(
        [*argv, "--data", role.places.data], capture_output=True, text=True, timeout=60, check=False
    )

    assert done.returncode == 2
    assert done.stderr == "/no.pem: does not exist\n"


def test_when_envoy_dies_the_role_dies(role):
    with role.running() as child:
        children = subprocess.check_output(["ps", "-o", "pid=", "--ppid", str(child.pid)])
        os.kill(int(children), signal.SIGKILL)
        assert child.wait(DEADLINE_S) == 1
    last = (role.places.logs / "edge.log").read_text().strip().splitlines()[-1]
    assert "Envoy ended with code -9" in last


def test_when_the_role_is_killed_envoy_dies(role):
    with role.running() as child:
        pid = int(subprocess.check_output(["ps", "-o", "pid=", "--ppid", str(child.pid)]))
        child.kill()
        deadline = time.monotonic() + DEADLINE_S
        while Path(f"/proc/{pid}/root").exists():
            assert time.monotonic() < deadline
            time.sleep(0.02)


def lives(role) -> int:
    return sum(each["event"] == "edge.ready" for each in role.events())


def test_another_life_of_the_edge_loses_no_request(role):
    seen: Counter[str] = Counter()
    stop = threading.Event()

    def ask():
        while not stop.is_set():
            try:
                seen[str(role.ask().status)] += 1
            except (Failure, TimeoutError, OSError) as error:
                seen[repr(error)] += 1

    with role.running() as child:
        asking = [threading.Thread(target=ask) for _ in range(2)]
        for one in asking:
            one.start()
        try:
            child.send_signal(signal.SIGUSR2)
            deadline = time.monotonic() + DEADLINE_S
            while lives(role) < 2:
                assert time.monotonic() < deadline
                time.sleep(0.02)
            before = seen.total()
            while seen.total() < before + 20:
                assert time.monotonic() < deadline
                time.sleep(0.02)
        finally:
            stop.set()
            for one in asking:
                one.join()
        assert child.poll() is None

    assert set(seen) == {"200"}
