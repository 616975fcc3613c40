"""The guard as processes: ready, renewed, replaced under load, killed; through a real edge."""

import asyncio
import gc
import json
import os
import signal
import socket
import ssl
import sys
import tempfile
import threading
import time
import weakref
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

import ports
from troth.adapters import chance, clock, config, process
from troth.adapters.vantage import Vantage
from troth.catalogue import Settings, site
from troth.kernel.model import Verdict
from troth.promises.guard.judge import origin as judge
from troth.promises.guard.probe import origin as probe
from troth.roles.guard import _count, _set_aside
from troth.roles.places import Places

ECHO = Path(__file__).parents[2] / "examples" / "echo" / "echo.py"
WITHIN_S = 30


def until(condition: Callable[[], object]) -> object:
    end = time.monotonic() + WITHIN_S
    while not (found := condition()):
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)
    return found


@dataclass(slots=True)
class Installation:
    """A data directory, a troth.toml, and the processes that were started on them."""

    places: Places
    config: Path
    port: int
    stack: ExitStack
    logs: dict[int, Path] = field(default_factory=dict)

    def write(self, more: str = "") -> None:
        beside = self.config.with_suffix(".new")
        beside.write_text(TOML.format(port=self.port, http=self.port + 1,
                                      upstream=self.places.data / "app.sock") + more)  # fmt: skip
        beside.rename(self.config)

    def start(self, role: str, *more: str) -> process.Child:
        log = self.places.logs / f"{role}-{len(self.logs)}.log"
        ear = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        address = self.places.run / f"n{len(self.logs)}"
        ear.bind(str(address))
        ear.settimeout(WITHIN_S)
        output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        argv = [sys.executable, "-m", f"troth.roles.{role}",
                "--config", str(self.config), "--data", str(self.places.data), *more]  # fmt: skip
        child = process.start(argv, output=output, env={"NOTIFY_SOCKET": str(address)})
        os.close(output)
        self.logs[child.pid] = log
        self.stack.callback(lambda: child.code() is None and child.stop())
        with ear:
            assert b"READY=1" in ear.recv(4096), log.read_text()
        address.unlink()
        return child

    def events(self, child: process.Child, name: str) -> list[dict]:
        lines = self.logs[child.pid].read_text().splitlines()
        return [line for line in map(json.loads, lines) if line["event"] == name]


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
"""


def two_free_ports() -> int:
    while True:
        port = ports.free(1)[0]
        try:
            socket.create_server(("127.0.0.1", port + 1)).close()
        except OSError:
            continue
        return port


@pytest.fixture
def installation() -> Iterator[Installation]:
    with tempfile.TemporaryDirectory(prefix="troth-") as place, ExitStack() as stack:
        places = Places(Path(place))
        places.prepare()
        made = Installation(places, places.data / "troth.toml", two_free_ports(), stack)
        made.write()
        yield made


def ask(path: Path, raw: bytes) -> bytes:
    with socket.socket(socket.AF_UNIX) as door:
        door.settimeout(WITHIN_S)
        door.connect(str(path))
        door.sendall(raw)
        return door.recv(65536)


FOREIGN = (b"POST / HTTP/1.1\r\nHost: demo.localhost\r\nOrigin: https://pay.example\r\n"
           b"Connection: close\r\n\r\n")  # fmt: skip


def test_it_serves_until_it_is_told_to_stop(installation):
    guard = installation.start("guard", "--index", "0")
    standby = installation.start("guard", "--index", "1")
    run = installation.places.run

    doors = ("", "-seen", "-leaks", "-uploads", "-desk")
    assert {item.name for item in run.iterdir()} == {
        "guard-http.sock",
        *(f"guard{door}-{index}.sock" for door in doors for index in (0, 1)),
    }
    assert all(item.stat().st_mode & 0o777 == 0o660 for item in run.iterdir())
    for index in (0, 1):
        assert b" 403 " in ask(installation.places.socket(f"guard-{index}"), FOREIGN)
    health = b"GET /-/healthz HTTP/1.1\r\nHost: a\r\n\r\n"
    assert b'{"status":"ok"}' in ask(installation.places.socket("guard-http"), health)

    began = time.monotonic()
    assert (guard.stop(), standby.stop()) == (0, 0)
    assert time.monotonic() - began < 10
    assert list(run.iterdir()) == []
    (stopped,) = installation.events(guard, "guard.stopped")
    assert stopped["origin-check"] == 1


def test_a_bad_configuration_is_one_line(installation):
    installation.write("\n[guard.origin]\nexempt = ['/']\n")
    where = ["--config", str(installation.config), "--data", str(installation.places.data)]
    argv = [sys.executable, "-m", "troth.roles.guard", *where]
    log = installation.places.logs / "bad.log"
    output = os.open(log, os.O_WRONLY | os.O_CREAT)
    child = process.start(argv, output=output)
    os.close(output)
    until(lambda: child.code() is not None)
    assert child.code() == 2
    (line,) = log.read_text().splitlines()
    assert "troth.toml:" in line
    assert "exempt" in line


def test_a_change_is_taken_up_and_a_mistake_is_not(installation):
    guard = installation.start("guard", "--index", "0")
    path = installation.places.socket("guard-0")
    assert b" 403 " in ask(path, FOREIGN)

    installation.write("\n[guard.origin]\norigins = ['https://pay.example']\n")
    until(lambda: b" 200 " in ask(path, FOREIGN))
    assert len(installation.events(guard, "snapshot.swapped")) == 1

    installation.write("\n[guard.origin]\norigin = ['https://pay.example']\n")
    until(lambda: installation.events(guard, "snapshot.kept"))
    assert b" 200 " in ask(path, FOREIGN)

    installation.config.unlink()
    until(lambda: len(installation.events(guard, "snapshot.kept")) == 2)
    installation.write()
    guard.send(signal.SIGHUP)
    until(lambda: b" 403 " in ask(path, FOREIGN))


def test_what_was_counted_is_told_now_and_then():
    counts, told = (Counter(allowed=2), Counter()), []

    async def play() -> None:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(_count(counts, lambda *event: told.append(event), 0.001))
            while not told:
                await asyncio.sleep(0.001)
            counts[1]["report.taken"] += 1
            while len(told) < 2:
                await asyncio.sleep(0.001)
            await asyncio.sleep(0.01)
            task.cancel()

    asyncio.run(play())

    assert told == [("guard.counted", {"allowed": 2}), ("guard.counted", {"report.taken": 1})]


class Load:
    """Visitors who keep asking: an honest GET, and a forged POST that must never get through."""

    def __init__(self, installation: Installation, context: ssl.SSLContext) -> None:
        self.port, self.context = installation.port, context
        self.stop = threading.Event()
        self.honest: list[int] = []
        self.forged: list[int] = []
        self.threads = [threading.Thread(target=self.run) for _ in range(3)]
        for thread in self.threads:
            thread.start()

    def run(self) -> None:
        get = b"GET /x HTTP/1.1\r\nHost: demo.localhost\r\n\r\n"
        post = FOREIGN.replace(b"Connection: close\r\n", b"")
        with (
            socket.create_connection(("127.0.0.1", self.port), timeout=WITHIN_S) as plain,
            self.context.wrap_socket(plain, server_hostname="demo.localhost") as line,
            line.makefile("rb") as stream,
        ):
            while not self.stop.is_set():
                for raw, told in ((get, self.honest), (post, self.forged)):
                    line.sendall(raw)
                    told.append(answer(stream))

    def end(self) -> None:
        self.stop.set()
        for thread in self.threads:
            thread.join(WITHIN_S)


def answer(stream) -> int:
    status, size = int(stream.readline().split()[1]), 0
    while (line := stream.readline().strip()) != b"":
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            size = int(value)
        assert value.strip() != b"chunked"
    stream.read(size)
    return status


@pytest.fixture
def served(installation) -> Installation:
    """Echo, two guards and the edge."""
    output = os.open(installation.places.logs / "echo.log", os.O_WRONLY | os.O_CREAT)
    place = installation.places.data / "app.sock"
    echo = process.start([sys.executable, str(ECHO), "--unix", str(place)], output=output)
    os.close(output)
    installation.stack.callback(echo.stop)
    until(place.exists)
    return installation


def context_of(installation: Installation) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(installation.places.tls / "ca.pem"))


def test_a_guard_is_replaced_under_load_and_nothing_is_lost(served):
    guards = [served.start("guard", "--index", "0"), served.start("guard", "--index", "1")]
    served.start("edge")
    load = Load(served, context_of(served))
    served.stack.callback(load.end)
    until(lambda: len(load.honest) > 50)

    for index in (0, 1, 0):
        old, guards[index] = guards[index], served.start("guard", "--index", str(index))
        assert old.stop() == 0
        seen = len(load.honest)
        until(lambda seen=seen: len(load.honest) > seen + 50)

    load.end()
    assert set(load.honest) == {200}
    assert set(load.forged) == {403}


def test_a_killed_guard_is_followed_and_nothing_passes_unseen(served):
    guard = served.start("guard", "--index", "0")
    standby = served.start("guard", "--index", "1")
    served.start("edge")
    load = Load(served, context_of(served))
    served.stack.callback(load.end)
    until(lambda: len(load.honest) > 50)

    guard.send(signal.SIGKILL)
    until(lambda: guard.code() is not None)
    killed = len(load.forged)
    until(lambda: load.honest[-10:] == [200] * 10 and len(load.forged) > killed + 30)
    standby.send(signal.SIGKILL)
    until(lambda: load.honest[-10:] == [503] * 10)
    served.start("guard", "--index", "0")
    until(lambda: load.honest[-10:] == [200] * 10)

    load.end()
    assert set(load.honest) <= {200, 503}
    assert set(load.forged) <= {403, 503}


def test_the_probes_see_the_guard_through_the_edge(served):
    guard = served.start("guard", "--index", "0")
    served.start("guard", "--index", "1")
    served.start("edge")
    settings = config.load(served.config, Settings)
    vantage = Vantage(
        site=site(settings, str(served.places.tls / "ca.pem")),
        name="v",
        now=clock.now(),
        rng=chance.seeded(1),
    )

    look = probe.origin_look(vantage, settings.guard)
    attack = probe.origin_attack(vantage.as_client("origin-check.matrix"), settings.guard)

    assert judge.origin_look(look.facts, settings.guard).verdict is Verdict.PASS
    assert judge.origin_attack(attack.facts, settings.guard).verdict is Verdict.PASS, attack.facts
    clients = {event["client"] for event in served.events(guard, "guard.refused")}
    assert len(clients) == 2
    assert any(client.startswith("127.66.") for client in clients)


def test_reports_arrive_through_the_edge(served):
    guard = served.start("guard", "--index", "0")
    served.start("guard", "--index", "1")
    served.start("edge")
    app = f"https://demo.localhost:{served.port}"
    settings = config.load(served.config, Settings)
    vantage = Vantage(
        site=site(settings, str(served.places.tls / "ca.pem")),
        name="v",
        now=clock.now(),
        rng=chance.seeded(1),
    )
    report = {"document-uri": f"{app}/x", "effective-directive": "img-src", "blocked-uri": "data"}

    taken = vantage.fetch(
        f"{app}/-/csp",
        method="POST",
        headers=(("Content-Type", "application/csp-report"), ("Sec-Fetch-Site", "cross-site")),
        body=json.dumps({"csp-report": report}).encode(),
    )
    health = vantage.fetch(f"{app}/-/healthz")

    assert (taken.status, health.status, health.body) == (204, 200, b'{"status":"ok"}')
    assert guard.stop() == 0
    (seen,) = json.loads((served.places.spool / "csp.json").read_bytes())
    assert (seen["directive"], seen["source"], seen["count"]) == ("img-src", "data", 1)


LOGIN = """
[[guard.login]]
path = "/login"
preset = "django"
"""


def login(served, status, *, account="ann", cookie="", address="127.0.0.5", path="/login"):
    """One attempt, the application answering with that status; (status, cookie that was set)."""
    body = f"username={account}&password=guess".encode()
    where = f"{path}?status={status}&header=Location:%20/home"
    host = f"demo.localhost:{served.port}"
    head = f"POST {where} HTTP/1.1\r\nHost: {host}\r\nOrigin: https://{host}\r\n"
    head += "Content-Type: application/x-www-form-urlencoded\r\nConnection: close\r\n"
    head += f"Cookie: {cookie}\r\n" if cookie else ""
    head += f"Content-Length: {len(body)}\r\n\r\n"
    with (
        socket.create_connection(
            ("127.0.0.1", served.port), timeout=WITHIN_S, source_address=(address, 0)
        ) as plain,
        context_of(served).wrap_socket(plain, server_hostname="demo.localhost") as line,
        line.makefile("rb") as stream,
    ):
        line.sendall(head.encode() + body)
        answered = int(stream.readline().split()[1])
        cookies = [
            header.partition(b":")[2].strip().decode()
            for header in iter(lambda: stream.readline().strip(), b"")
            if header.lower().startswith(b"set-cookie:")
        ]
    return answered, "".join(cookies)


def test_failed_logins_through_the_edge_block_an_address_and_no_known_device(served):
    served.write(LOGIN)
    guard = served.start("guard", "--index", "0")
    served.start("guard", "--index", "1")
    served.start("edge")

    # On a busy machine an answer does not wait for the guard's word: the next one has the cookie.
    known = until(lambda: login(served, 302, address="127.0.0.9")[1])
    assert known.startswith("__Host-known=1.")
    cookie = known.partition(";")[0]
    assert [login(served, 200)[0] for _ in range(4)] == [200] * 4
    until(lambda: login(served, 302)[0] == 403)
    assert login(served, 302) == (403, "")
    assert login(served, 302, path="/%6Cogin") == (403, "")
    assert login(served, 302, account="ben")[0] == 403
    assert login(served, 302, account="ben", address="127.0.0.6")[0] == 302
    assert login(served, 302, cookie=cookie)[0] == 302

    assert guard.stop() == 0
    (stopped,) = served.events(guard, "guard.stopped")
    assert stopped["login.failed"] == 4
    assert stopped["login.fine"] >= 3
    assert all("guess" not in log.read_text() for log in served.logs.values())


def test_what_lasts_is_left_out_of_collections_and_what_was_replaced_is_freed():
    class Node:
        own: object = None

    node = Node()
    node.own = node
    gone = weakref.ref(node)
    try:
        _set_aside()
        assert gc.get_freeze_count() > 10_000
        del node
        _set_aside()
        assert gone() is None
    finally:
        gc.unfreeze()
