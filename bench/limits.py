"""Limits and bans: what is admitted too much, what a request's counters cost, how soon a ban acts.

Run `python bench/limits.py [--seconds S]`. Four parts: (1) a seeded crowd against an exact bucket of
fractions, in process: how many were admitted that should not have been; (2) CPU of the counters of
one request, in process; (3) four processes with one Redis: how many more than the rate allows;
(4) from `troth ban` to the refusal in each of four guard processes and at the edge.
"""

import argparse
import asyncio
import json
import multiprocessing
import os
import platform
import random
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from datetime import timedelta
from fractions import Fraction
from pathlib import Path

from troth.adapters import http, process
from troth.adapters.counters import Memory
from troth.adapters.counters.remote import Remote
from troth.adapters.log import Secret
from troth.kernel.errors import Failure
from troth.kernel.request import Ask
from troth.roles import bans
from troth.roles.places import Places

PROCESSES = 4
SECOND_NS = 10**9
ECHO = Path(__file__).parent.parent / "examples" / "echo" / "echo.py"
TOML = """
[troth]
name = "Bench"
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
workers = 2
[counters]
url = "file:{url}"
[guard]
active = 4
timeout_ms = 5000
"""


def crowd(requests: int) -> tuple[int, int]:
    """A seeded crowd of 300 clients at three rates: how many were admitted, and how many wrongly."""
    rng, now = random.Random(20260101), 10**15
    counters = Memory(now_ns=lambda: now)
    rates = {"a": (600, 60, 200), "b": (7, 1, 3), "c": (5, 60, 5)}
    buckets: dict[str, tuple[Fraction, int]] = {}
    admitted = wrong = 0
    for _ in range(requests):
        now += rng.choice((0, 1, 10**3, 10**6, rng.randrange(20 * 10**6)))
        kind = rng.choice("abc")
        limit, period, burst = rates[kind]
        key = f"{kind}:{rng.randrange(100)}"
        ask = Ask(key=key, limit=limit, period=timedelta(seconds=period), burst=burst)
        tokens, at = buckets.get(key, (Fraction(burst), now))
        tokens = min(Fraction(burst), tokens + Fraction((now - at) * limit, period * SECOND_NS))
        if not counters.take((ask,))[key].is_over:
            admitted += 1
            wrong += tokens < 1
            tokens -= 1
        buckets[key] = tokens, now
    return admitted, wrong


def cost_us(asks: int, rounds: int = 7, count: int = 20_000) -> tuple[float, float]:
    """CPU of taking from so many counters, for clients that come again: least and median."""
    counters = Memory()
    batches = [
        tuple(
            Ask(
                key=f"k{kind}:192.0.{n % 7}.{n % 251}",
                limit=10**6,
                period=timedelta(minutes=1),
                burst=10**5,
            )
            for kind in range(asks)
        )
        for n in range(count)
    ]
    found = []
    for _ in range(rounds):
        began = time.process_time()
        for batch in batches:
            counters.take(batch)
        found.append((time.process_time() - began) / count * 1e6)
    return min(found), statistics.median(found)


def worker(url: str, seconds: float, begin: object, out: object) -> None:
    """Ask for one counter as often as it goes; what was admitted, asked, and how long it took."""

    async def run() -> tuple[int, int, float, float]:
        remote = Remote(Secret(url), lambda *_: None, timeout=timedelta(seconds=5))
        ask = (Ask(key="bench:one", limit=1000, period=timedelta(seconds=1), burst=100),)
        async with asyncio.TaskGroup() as group:
            running = group.create_task(remote.run())
            await remote.look()
            await asyncio.to_thread(begin.wait)
            admitted = asked = 0
            waits = []
            began = time.monotonic()
            while time.monotonic() < began + seconds:
                one = time.monotonic()
                said = await asyncio.gather(*(remote.ask(ask) for _ in range(16)))
                waits.append(time.monotonic() - one)
                asked += 16
                admitted += sum(not taken.tallies["bench:one"].is_over for taken in said)
            ended = time.monotonic()
            running.cancel()
        return admitted, asked, ended - began, statistics.median(waits)

    out.put(asyncio.run(run()))


def four(url: str, seconds: float) -> str:
    """Four processes, one counter: how many more than burst and rate allow were admitted."""
    context = multiprocessing.get_context("spawn")
    begin, out = context.Barrier(PROCESSES), context.Queue()
    children = [
        context.Process(target=worker, args=(url, seconds, begin, out)) for _ in range(PROCESSES)
    ]
    for child in children:
        child.start()
    found = [out.get(timeout=seconds + 60) for _ in children]
    for child in children:
        child.join()
    admitted, asked = sum(each[0] for each in found), sum(each[1] for each in found)
    allowed = 100 + 1000 * max(each[2] for each in found)
    over = max(0.0, admitted / allowed - 1)
    return (
        f"four processes: {admitted} of {asked} admitted, {allowed:.0f} allowed, over-admits "
        f"{over:.2%}; {asked / seconds:.0f} asked/s, median of 16 together "
        f"{statistics.median(each[3] for each in found) * 1000:.1f} ms"
    )


def serve_redis(place: Path, stack: ExitStack) -> str:
    child = subprocess.Popen(
        [
            "redis-server",
            "--port",
            "0",
            "--unixsocket",
            f"{place}/redis.sock",
            "--save",
            "",
            "--dir",
            str(place),
        ],
        stdout=subprocess.DEVNULL,
    )
    stack.callback(child.wait)
    stack.callback(child.terminate)
    while not (place / "redis.sock").exists():
        time.sleep(0.01)
    return f"unix://{place}/redis.sock"


def ready(port: int, ca: str) -> None:
    """Wait until a visitor is served."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            answer = http.fetch(f"https://demo.localhost:{port}/", source="127.66.9.9", ca_file=ca)
            if answer.status == 200:
                return
        except (Failure, OSError):
            pass
        time.sleep(0.1)
    raise TimeoutError("nothing was served")


def latencies(places: Places, url: str, stack: ExitStack, rounds: int) -> list[str]:
    """From the line to the desk until each guard, and the edge, refuses: four guards and Envoy."""
    with (
        socket.create_server(("127.0.0.1", 0)) as one,
        socket.create_server(("127.0.0.1", 0)) as two,
    ):
        port, plain = one.getsockname()[1], two.getsockname()[1]
    (places.data / "url").write_text(url)
    config, upstream = places.data / "troth.toml", places.data / "app.sock"
    config.write_text(
        TOML.format(upstream=upstream, port=port, http=plain, url=places.data / "url")
    )
    log = os.open(places.logs / "bench.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    stack.callback(
        process.start([sys.executable, str(ECHO), "--unix", str(upstream)], output=log).stop
    )
    for name, more in [("guard", ("--index", str(n))) for n in range(4)] + [("edge", ())]:
        argv = [
            sys.executable,
            "-m",
            f"troth.roles.{name}",
            "--config",
            str(config),
            "--data",
            str(places.data),
            *more,
        ]
        stack.callback(process.start(argv, output=log).stop)
    ca = str(places.tls / "ca.pem")
    ready(port, ca)
    doors = []
    for index in range(4):
        door = socket.socket(socket.AF_UNIX)
        door.connect(str(places.socket(f"guard-{index}")))
        doors.append(door)
    guards, edges, commands = [], [], []
    for number in range(rounds):
        client = f"127.66.{100 + number // 200}.{number % 200}"
        began = time.monotonic()
        bans.ask(places, "ban", address=client, for_s=20)
        commands.append(time.monotonic() - began)
        for door in doors:
            while refused(door, client) != 403:
                time.sleep(0.0002)
            guards.append(time.monotonic() - began)
        while client not in (places.edge / "bans.json").read_text():
            time.sleep(0.001)
        while http.fetch(f"https://demo.localhost:{port}/", source=client, ca_file=ca).all(
            "troth-event"
        ):
            time.sleep(0.001)
        edges.append(time.monotonic() - began)

    def line(name: str, found: list[float]) -> str:
        worst = max(found) * 1000
        return f"ban {name}: median {statistics.median(found) * 1000:.1f} ms, worst {worst:.1f} ms of {len(found)}"

    return [
        line("said at the desk", commands),
        line("acts in every guard", guards),
        line("acts at the edge alone", edges),
    ]


def refused(door: socket.socket, client: str) -> int:
    door.sendall(
        f"GET / HTTP/1.1\r\nHost: demo.localhost\r\nX-Troth-Client: {client}\r\n\r\n".encode()
    )
    raw = door.recv(65536)
    head, _, body = raw.partition(b"\r\n\r\n")
    length = next(
        int(line.split(b":")[1])
        for line in head.split(b"\r\n")
        if line.lower().startswith(b"content-length:")
    )
    while len(body) < length:
        body += door.recv(65536)
    return int(head.split()[1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--json", action="store_true")
    known = parser.parse_args()
    print(
        f"{platform.platform()}, Python {platform.python_version()}, {os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}"
    )
    admitted, wrong = crowd(200_000)
    print(
        f"in process: {wrong} of {admitted} admitted too much against the reference, 200000 asked"
    )
    costs = {asks: cost_us(asks) for asks in (1, 2, 3)}
    for asks, (least, middle) in costs.items():
        print(f"counters of a request, {asks}: CPU us least {least:.1f}, median {middle:.1f}")
    if not shutil.which("redis-server"):
        print("skipped: no redis-server here (Debian: apt install redis-server)")
        sys.exit(wrong > 0)
    with tempfile.TemporaryDirectory(prefix="troth-") as folder, ExitStack() as stack:
        places = Places(Path(folder))
        places.prepare()
        url = serve_redis(places.data, stack)
        print(four(url, known.seconds))
        for line in latencies(places, url, stack, known.rounds):
            print(line)
    if known.json:
        print(json.dumps({"wrong": wrong, "admitted": admitted, "us": costs}))
    sys.exit(wrong > 0)


if __name__ == "__main__":
    main()
