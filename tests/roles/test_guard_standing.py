"""What a guard counts, where, and what becomes of it when that place is gone: with a real Redis."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from troth.adapters import process
from troth.roles import bans
from troth.roles.places import Places

WITHIN_S = 60
TOML = """
[troth]
name = "Demo"
host = "troth.demo.localhost"
[application]
host = "demo.localhost"
upstream = "http://127.0.0.1:1"
[status]
host = "status.demo.localhost"
[counters]
url = "file:{url}"
key = "file:{key}"
timeout_ms = 2000
[guard]
active = 2
fail_open_paths = ["/open"]
[guard.rules]
mode = "off"
[guard.limits]
rules = [{{name = "all", rate = "20/h"}}]
ban_after = 2
"""


class Guards:
    """Two guards of a machine that decide, and the server in which they count.

    A second machine has the first one's server.
    """

    def __init__(
        self, places: Places, stack: ExitStack, first: "Guards | None" = None, count: int = 2
    ) -> None:
        self.places, self.stack = places, stack
        self.children = {}
        self.server = None
        url = places.data / "counters"
        url.write_text(f"unix://{(first or self).places.data}/redis.sock\n")
        self.config = places.data / "troth.toml"
        key = places.data / "counters-key"
        key.write_text("a key of two and thirty characters\n")
        self.config.write_text(TOML.format(url=url, key=key))
        if first is None:
            self.serve()
        for index in range(count):
            self.start(index)

    def serve(self) -> None:
        door = self.places.data / "redis.sock"
        door.unlink(missing_ok=True)
        self.server = subprocess.Popen(
            ["redis-server", "--port", "0", "--unixsocket", str(door), "--save", "", "--dir",
             str(self.places.data)],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        self.stack.callback(self.end)
        until(door.exists)

    def end(self) -> None:
        with suppress(ProcessLookupError):
            self.server.kill()
        self.server.wait(WITHIN_S)

    def start(self, index: int) -> None:
        place = self.places.run / f"n{index}"
        place.unlink(missing_ok=True)
        log = os.open(self.places.logs / f"{index}.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
            ear.bind(str(place))
            ear.settimeout(WITHIN_S)
            child = process.start(
                [sys.executable, "-m", "troth.roles.guard", "--index", str(index),
                 "--config", str(self.config), "--data", str(self.places.data)],
                output=log, env={"NOTIFY_SOCKET": str(place)},
            )  # fmt: skip
            os.close(log)
            self.children[index] = child
            self.stack.callback(lambda: child.code() is None and child.stop())
            assert b"READY=1" in ear.recv(4096)

    def ask(self, index: int, client: str, path: str = "/") -> tuple[int, str, str]:
        """Status, promise and RateLimit, as the edge is told."""
        with socket.socket(socket.AF_UNIX) as door:
            door.settimeout(WITHIN_S)
            door.connect(str(self.places.socket(f"guard-{index}")))
            door.sendall(
                f"GET {path} HTTP/1.1\r\nHost: demo.localhost\r\nX-Troth-Client: {client}\r\n"
                "\r\n".encode()
            )
            head = door.recv(65536).decode("latin-1")
        found = dict(re.findall(r"^([\w-]+): (.*)\r$", head, re.MULTILINE))
        return int(head.split()[1]), found.get("troth-refused", ""), found.get("ratelimit", "")

    def events(self) -> list[str]:
        lines = (self.places.logs / "0.log").read_text().splitlines()
        return [json.loads(line)["event"] for line in lines]


def until(condition):
    end = time.monotonic() + WITHIN_S
    while not (found := condition()):
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)
    return found


@pytest.fixture
def guards():
    if not shutil.which("redis-server"):
        pytest.skip("no redis-server here (Debian: apt install redis-server)")
    with tempfile.TemporaryDirectory(prefix="troth-") as place, ExitStack() as stack:
        places = Places(Path(place))
        places.prepare()
        yield Guards(places, stack)


def test_two_guards_count_as_one_and_a_ban_of_one_is_a_ban_of_both(guards):
    said = [guards.ask(number % 2, "192.0.2.1") for number in range(24)]

    assert [status for status, _, _ in said[:23]] == [200] * 20 + [429] * 3
    assert said[0][2].startswith('"all";r=19;t=')
    assert said[20][1] == "rate-limit-ip"
    for index in (0, 1):
        until(lambda index=index: guards.ask(index, "192.0.2.1")[1] == "auto-response")
        assert guards.ask(index, "192.0.2.2")[0] == 200
    (ban,) = bans.ask(guards.places, "bans")["bans"]
    assert (ban["subject"], ban["cause"]) == ("192.0.2.1", "rate-limit-ip:all")


def test_without_its_counters_nothing_passes_but_where_it_may(guards):
    assert guards.ask(0, "192.0.2.1")[0] == 200

    os.kill(guards.server.pid, signal.SIGKILL)
    guards.server.wait(WITHIN_S)

    assert guards.ask(0, "192.0.2.1")[:2] == (503, "guard")
    assert guards.ask(0, "192.0.2.1", "/open/x")[0] == 200
    assert guards.ask(0, "192.0.2.1", "/opener")[0] == 503
    guards.serve()
    until(lambda: guards.ask(0, "192.0.2.1")[0] == 200)
    assert {"counters.gone", "counters.back"} <= set(guards.events())


@pytest.fixture
def machines(guards):
    with tempfile.TemporaryDirectory(prefix="troth-") as place, ExitStack() as stack:
        places = Places(Path(place))
        places.prepare()
        yield guards, Guards(places, stack, first=guards, count=1)


def test_two_machines_count_as_one_and_a_ban_of_one_is_a_ban_of_both_until_it_is_lifted(machines):
    here, there = machines

    said = [(here, there)[number % 2].ask(0, "192.0.2.1")[0] for number in range(24)]
    assert said == [200] * 20 + [429] * 4
    until(lambda: there.ask(0, "192.0.2.1")[1] == here.ask(0, "192.0.2.1")[1] == "auto-response")

    bans.ask(here.places, "ban", address="192.0.2.7", for_s=600)
    until(lambda: there.ask(0, "192.0.2.7")[1] == "auto-response")
    there.children[0].stop()
    there.start(0)  # it has its journal, and the board
    assert there.ask(0, "192.0.2.7")[1] == "auto-response"
    bans.ask(there.places, "unban", address="192.0.2.7")
    until(lambda: here.ask(0, "192.0.2.7")[0] == here.ask(1, "192.0.2.7")[0] == 200)
    assert here.ask(0, "192.0.2.8")[0] == 200
