"""Limits and bans as a visitor meets them: through a real edge, from addresses of our own."""

import json
import os
import signal
import socket
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import pytest
from click.testing import CliRunner

from troth.adapters import http, process
from troth.cli.program import group
from troth.roles import bans
from troth.roles.bans import BanError, length
from troth.roles.places import Places

ECHO = Path(__file__).parents[2] / "examples" / "echo" / "echo.py"
WITHIN_S = 60
TOML = """
[troth]
name = "Demo"
host = "troth.demo.localhost"
[application]
host = "demo.localhost"
upstream = "unix:{upstream}"
[status]
host = "status.demo.localhost"
[edge]
addresses = ["127.0.0.1"]
port = {port}
http_port = {http}
workers = 1
[guard]
timeout_ms = 10000
[guard.limits]
rules = [{{name = "canary", path = "/canary", rate = "5/h"}}]
edge_rate = "1/min"
edge_burst = 40
"""


def until(condition):
    end = time.monotonic() + WITHIN_S
    while not (found := condition()):
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)
    return found


class Installation:
    def __init__(self, places: Places, stack: ExitStack) -> None:
        self.places, self.stack = places, stack
        self.config = places.data / "troth.toml"
        ports = []
        with ExitStack() as doors:
            for _ in range(2):
                door = doors.enter_context(socket.create_server(("127.0.0.1", 0)))
                ports.append(door.getsockname()[1])
        self.port = ports[0]
        self.upstream = places.data / "app.sock"
        self.config.write_text(TOML.format(upstream=self.upstream, port=ports[0], http=ports[1]))
        self.children: dict[str, process.Child] = {}

    def start(self, name: str, role: str, *more: str) -> process.Child:
        address = self.places.run / f"n-{name}"
        address.unlink(missing_ok=True)
        log = os.open(self.places.logs / f"{name}.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
            ear.bind(str(address))
            ear.settimeout(WITHIN_S)
            child = process.start(
                [sys.executable, "-m", f"troth.roles.{role}", "--config", str(self.config),
                 "--data", str(self.places.data), *more],
                output=log, env={"NOTIFY_SOCKET": str(address)},
            )  # fmt: skip
            os.close(log)
            self.stack.callback(lambda: child.code() is None and child.stop())
            assert b"READY=1" in ear.recv(4096)
        self.children[name] = child
        return child

    def kill(self, name: str) -> None:
        os.kill(self.children[name].pid, signal.SIGKILL)
        until(lambda: self.children[name].code() is not None)

    def ask(self, client: str, path: str = "/", **headers: str) -> http.Response:
        return http.fetch(
            f"https://demo.localhost:{self.port}{path}", source=client, timeout_s=WITHIN_S,
            headers={name.replace("_", "-"): value for name, value in headers.items()},
            ca_file=str(self.places.tls / "ca.pem"),
        )  # fmt: skip

    def troth(self, *argv: str) -> tuple[int, str]:
        """What a command said, in this process: `troth` takes seconds to start."""
        where = ("--config", str(self.config), "--data", str(self.places.data))
        said = CliRunner().invoke(group, [*argv, *where], standalone_mode=False)
        return said.return_value, said.stdout if said.exception is None else str(said.exception)


@pytest.fixture
def installation():
    with tempfile.TemporaryDirectory(prefix="troth-") as place, ExitStack() as stack:
        places = Places(Path(place))
        places.prepare()
        made = Installation(places, stack)
        log = os.open(places.logs / "echo.log", os.O_WRONLY | os.O_CREAT)
        echo = process.start([sys.executable, str(ECHO), "--unix", str(made.upstream)], output=log)
        os.close(log)
        stack.callback(echo.stop)
        until(made.upstream.exists)
        made.start("guard-0", "guard", "--index", "0")
        made.start("guard-1", "guard", "--index", "1")
        made.start("edge", "edge")
        yield made


def code(answer: http.Response, name: str = "troth-refused") -> tuple[int, str]:
    return answer.status, ",".join(answer.all(name))


def test_a_limit_as_a_visitor_meets_it(installation):
    ask = installation.ask

    first = ask("127.66.1.1", "/canary")
    assert first.status == 200
    assert first.all("ratelimit-policy") == ('"canary";q=5;w=3600',)
    assert first.all("ratelimit")[0].startswith('"canary";r=4;t=')
    sent = {name.lower() for name, _ in json.loads(first.body)["headers"]}
    assert not {"ratelimit", "ratelimit-policy"} & sent
    said = [ask("127.66.1.1", "/canary", X_Forwarded_For=f"10.0.0.{n}",
                X_Troth_Client=f"10.0.0.{n}", X_Real_IP="10.0.0.1", Forwarded="for=10.0.0.1")
            for n in range(6)]  # fmt: skip
    assert [each.status for each in said] == [200] * 4 + [429] * 2
    assert code(said[-1]) == (429, "rate-limit-ip")
    assert 0 < int(said[-1].all("retry-after")[0]) <= 720
    assert ask("127.66.1.2", "/canary").status == 200
    assert ask("127.66.1.1", "/").status == 200

    flood = [ask("127.66.1.3") for _ in range(45)]
    assert [each.status for each in flood[:40]] == [200] * 40
    assert code(flood[-1]) == (429, "rate-limit-ip")  # the edge by itself
    assert flood[-1].all("retry-after")
    assert [ask("127.0.0.1").status for _ in range(45)] == [200] * 45


def test_a_ban_by_hand_everywhere_at_once_and_after_a_kill(installation):
    ask, places = installation.ask, installation.places
    assert ask("127.66.2.1").status == 200

    _, said = installation.troth("ban", "127.66.2.1", "--because", "a test", "--json")
    assert json.loads(said)["subject"] == "127.66.2.1", said
    answer = ask("127.66.2.1")
    assert code(answer) == (403, "auto-response")
    until(lambda: "127.66.2.1" in (places.edge / "bans.json").read_text())
    until(lambda: not ask("127.66.2.1").all("troth-event"))  # the edge by itself
    assert code(ask("127.66.2.1")) == (403, "auto-response")
    assert ask("127.66.2.2").status == 200

    shown = json.loads(installation.troth("bans", "--json")[1])
    assert [(ban["subject"], ban["cause"]) for ban in shown["bans"]] == [
        ("127.66.2.1", "operator:a test")
    ]
    installation.kill("guard-0")
    until(lambda: bans.ask(places, "bans")["count"] == 1)  # the standby
    installation.start("guard-0", "guard", "--index", "0")
    assert bans.ask(places, "bans")["count"] == 1

    assert installation.troth("unban", "127.66.2.1")[0] == 0
    until(lambda: ask("127.66.2.1").status == 200)
    assert installation.troth("unban", "127.66.2.1")[0] == 1
    assert "protected" in installation.troth("ban", "127.0.0.1")[1]
    assert "10.0.0.0/8 allowed until" in installation.troth("allow", "10.0.0.0/8", "--for", "1h")[1]
    assert "10.0.0.0/8" in installation.troth("bans")[1]
    assert "no longer" in installation.troth("allow", "10.0.0.0/8", "--end")[1]

    bans.ask(places, "ban", address="127.66.2.9", for_s=1)
    assert ask("127.66.2.9").status == 403
    until(lambda: ask("127.66.2.9").status == 200)  # by itself


def test_lengths_of_time():
    assert [int(length(text).total_seconds()) for text in ("90s", "30m", "1h", "2d", "1w")] == [
        90, 1800, 3600, 172_800, 604_800
    ]  # fmt: skip
    for wrong in ("", "1", "0h", "1y", "-1h"):
        with pytest.raises(BanError):
            length(wrong)
