"""What a decision costs: CPU per request of the guard's process, and decisions a second.

Run `python bench/guard.py [--seconds S] [--rounds N]`. Variants are interleaved (A, B, C, A, B, C,
...), so that what else the machine does hits them alike: trust the ratios, not the digits. One
client with 16 connections and one request under way on each; it is Python too, so decisions a
second are what client and guard manage together.
"""

import argparse
import asyncio
import os
import platform
import socket
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path

import uvloop

from troth.adapters import clock
from troth.enforce import authz, wire
from troth.enforce.decide import decide
from troth.enforce.keeper import Keeper, Means
from troth.enforce.snapshot import Current, Snapshot
from troth.kernel.request import Known
from troth.kernel.site import Site
from troth.promises.guard import enforce
from troth.promises.guard.settings import GuardSettings

CONNECTIONS = 16
BROWSER = (
    b"Host: app.example\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101\r\n"
    b"Accept: text/html,application/xhtml+xml\r\nAccept-Language: de-CH,de;q=0.8,en;q=0.5\r\n"
    b"Accept-Encoding: gzip, deflate, br\r\nCookie: sid=0123456789abcdef; theme=dark\r\n"
    b"X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: https\r\nX-Troth-Client: 192.0.2.1\r\n"
    b"X-Request-Id: 5f0c\r\nContent-Length: 0\r\n"
)
OWN = b"Origin: https://app.example\r\nSec-Fetch-Site: same-origin\r\n"
FOREIGN = b"Origin: https://stranger.example\r\nSec-Fetch-Site: cross-site\r\n"
VARIANTS = {
    "door alone, GET": ("bare", b"GET /a HTTP/1.1\r\n" + BROWSER + b"\r\n"),
    "guard, GET": ("guard", b"GET /a HTTP/1.1\r\n" + BROWSER + b"\r\n"),
    "guard, own POST": ("guard", b"POST /a HTTP/1.1\r\n" + BROWSER + OWN + b"\r\n"),
    "guard, forged POST (page)": ("guard", b"POST /a HTTP/1.1\r\n" + BROWSER + FOREIGN + b"\r\n"),
}


def snapshot() -> Snapshot:
    site = Site(
        name="n", app="https://app.example", http="http://x", troth="https://t", status="https://s"
    )
    composed = enforce.compose(GuardSettings(), site)
    return Snapshot(
        gates=composed.gates,
        asks=composed.asks,
        opened=composed.opened,
        checks=composed.checks,
        site=site,
        prefix="/-/",
        max_body_bytes=1024,
        config="",
        made=datetime(2026, 1, 1, tzinfo=UTC),
    )


def serve(path: str, kind: str) -> None:
    means = Means(now=clock.now, new_id=lambda: "0123456789abcdef", told=lambda *_: None)
    asked = authz.Authz(Keeper(Current(snapshot(), lambda *_: None), means))
    answer = asked.answer if kind == "guard" else lambda _: wire.OK

    async def run() -> None:
        await wire.Door(Path(path), answer, lambda *_: None).open()
        await asyncio.Event().wait()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run())


class Client(asyncio.Protocol):
    """Asks again as soon as it is answered."""

    def __init__(self, raw: bytes) -> None:
        self.raw, self.count, self.due = raw, 0, 0

    def connection_made(self, transport) -> None:
        self.transport = transport
        transport.write(self.raw)

    def data_received(self, data: bytes) -> None:
        self.due -= len(data)
        if b"HTTP/1.1 " in data:
            head, _, _ = data.partition(b"\r\n\r\n")
            size = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
            self.due = len(head) + 4 + size - len(data)
        if self.due <= 0:
            self.count += 1
            self.transport.write(self.raw)


async def load(path: str, raw: bytes, seconds: float) -> int:
    loop = asyncio.get_running_loop()
    clients = [
        (await loop.create_unix_connection(lambda: Client(raw), path))[1]
        for _ in range(CONNECTIONS)
    ]
    await asyncio.sleep(seconds)
    for client in clients:
        client.transport.abort()
    return sum(client.count for client in clients)


def cpu_us(pid: int) -> float:
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1000


@contextmanager
def servers(folder: str) -> Iterator[dict[str, tuple[str, int]]]:
    fork = get_context("fork")
    made = {kind: (f"{folder}/{kind}.sock", fork.Process(target=serve, args=(
        f"{folder}/{kind}.sock", kind), daemon=True)) for kind in ("bare", "guard")}  # fmt: skip
    for path, child in made.values():
        child.start()
        while True:
            with socket.socket(socket.AF_UNIX) as door:
                if door.connect_ex(path) == 0:
                    break
            time.sleep(0.05)
    yield {kind: (path, child.pid) for kind, (path, child) in made.items()}
    for _, child in made.values():
        child.terminate()
        child.join()


def decide_us(raw: bytes) -> float:
    """decide() alone, without a socket."""
    head = raw.split(b"\r\n")
    method, target, _ = head[0].split()
    pairs = [line.split(b": ", 1) for line in head[1:] if line]
    headers = tuple((name.lower(), value) for name, value in pairs)
    request = authz.request_of(
        wire.Message(method=method, target=target, headers=headers, body=b"")
    )
    known, current, count = Known(now=clock.now()), snapshot(), 20_000
    began = time.perf_counter()
    for _ in range(count):
        decide(request, current, known, lambda _: {})
    return (time.perf_counter() - began) / count * 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--rounds", type=int, default=4)
    known = parser.parse_args()
    print(f"{platform.platform()}, Python {platform.python_version()}, {os.cpu_count()} CPUs, "
          f"load {os.getloadavg()[0]:.1f}, {CONNECTIONS} connections, "
          f"{known.rounds} rounds of {known.seconds} s")  # fmt: skip
    costs: dict[str, list[float]] = {name: [] for name in VARIANTS}
    rates: dict[str, list[float]] = {name: [] for name in VARIANTS}
    with tempfile.TemporaryDirectory() as folder, servers(folder) as places:
        for _ in range(known.rounds):
            for name, (kind, raw) in VARIANTS.items():
                path, pid = places[kind]
                before = cpu_us(pid)
                count = uvloop.run(load(path, raw, known.seconds))
                costs[name].append((cpu_us(pid) - before) / count)
                rates[name].append(count / known.seconds)
    base = min(costs["door alone, GET"])
    print(f"{'':28}{'CPU us/request min / median':>30}{'ratio':>8}{'best/s':>10}{'decide us':>12}")
    for name, (kind, raw) in VARIANTS.items():
        least, middle = min(costs[name]), statistics.median(costs[name])
        pure = f"{decide_us(raw):.1f}" if kind == "guard" else "-"
        print(f"{name:28}{least:>18.1f} / {middle:<9.1f}{least / base:>8.2f}"
              f"{max(rates[name]):>10.0f}{pure:>12}")  # fmt: skip


if __name__ == "__main__":
    main()
