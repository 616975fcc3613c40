"""What the edge costs: CPU per request and latency, beside Envoy alone and nginx as a proxy.

Run `python bench/edge.py [--seconds S] [--rounds N]`. All three stand at once before the same
upstream (nginx, `return 200`, a unix socket) and are loaded in turn (A, B, C, A, B, C, ...), so
that what else the machine does hits them alike: trust the ratios, not the digits. CPU is what the
kernel counted for every thread of the edge, the guards and the upstream
(/proc/PID/task/*/schedstat).

    nginx         Debian's, as a proxy with kept-alive connections, no access log
    envoy         the same Envoy with TLS and its router, no access log
    edge + guard  what `troth up` runs: every fragment, both guards, the access log

Exits 1 when an answer was wrong or nothing could be measured, never for slowness; without wrk or
nginx it says so and measures nothing.
"""

import argparse
import os
import platform
import re
import shutil
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from troth.adapters import chance, clock, config, http
from troth.catalogue import Settings
from troth.enforce.envoy import compile_edge
from troth.engines.certificates import authority
from troth.engines.envoy import binary, push, server
from troth.engines.envoy.resources import (
    Json,
    Resources,
    address,
    bootstrap,
    extension,
    http_filter,
    pipe,
    sds_reference,
    typed,
)
from troth.roles import edge_plan
from troth.roles.places import Places

HOST = "localhost"  # the one name that wrk can look up everywhere; it is sent as SNI
TROTH = "troth.localhost"
CONNECTIONS = 16
WORKERS = 2
BODY = '{"ok":true,"id":"0123456789","items":[1,2,3,4,5,6,7],"note":"a small answer of a shop"}'
BROWSER = (
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "Accept-Language: de-CH,de;q=0.8,en;q=0.5",
    "Accept-Encoding: gzip, deflate, br",
    "Sec-Fetch-Site: same-origin",
    "Sec-Fetch-Mode: navigate",
    "Cookie: sid=0123456789abcdef0123456789abcdef; theme=dark",
)
NGINX = """
{user} worker_processes {workers}; daemon off; pid {folder}/pid; error_log {folder}/error.log crit;
events {{ worker_connections 1024; }}
http {{
  access_log off; keepalive_requests 100000000; tcp_nodelay on; server_tokens off;
  client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
{servers}
}}
"""
UPSTREAM = """
  server {{
    listen unix:{socket}; default_type application/json;
    location / {{ return 200 '{body}'; }}
  }}
"""
PROXY = """
  upstream app {{ server unix:{socket}; keepalive 64; }}
  server {{
    listen 127.0.0.1:{port} ssl; server_name {host};
    ssl_certificate {chain}; ssl_certificate_key {key}; ssl_protocols TLSv1.3;
    location / {{ proxy_pass http://app; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_set_header Host $host; proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header X-Forwarded-Proto https; }}
  }}
"""
SETTINGS = """
[troth]
name = "Bench"
host = "{troth}"
[application]
host = "{host}"
upstream = "unix:{socket}"
[status]
host = "status.localhost"
[edge]
addresses = ["127.0.0.1"]
port = {port}
http_port = {http_port}
[edge.tls]
authority = "local"
[edge.hsts]
max_age_s = 63072000
include_subdomains = true
"""


@dataclass(frozen=True, slots=True)
class Stack:
    """One thing to be loaded: where it listens, and which processes are it."""

    name: str
    port: int
    edge: tuple[int, ...]
    guard: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Round:
    """What one load of one stack showed: CPU in us a request, requests a second, p50 in ms."""

    edge_us: float
    guard_us: float
    upstream_us: float
    per_s: float
    p50_ms: float

    @property
    def total_us(self) -> float:
        return self.edge_us + self.guard_us + self.upstream_us


def program(name: str) -> str:
    """Where a program is, empty when it is not there; Debian keeps nginx in /usr/sbin."""
    return shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin") or ""


def free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        doors = [stack.enter_context(socket.socket()) for _ in range(count)]
        for door in doors:
            door.bind(("127.0.0.1", 0))
        return [door.getsockname()[1] for door in doors]


@contextmanager
def running(argv: list[str], is_up, log: Path, limit_s: float = 20) -> Iterator[int]:
    """A process until the end of the `with`, from when it listens; its pid."""
    with log.open("wb") as said:
        child = subprocess.Popen(argv, stdout=said, stderr=said)
    try:
        end = time.monotonic() + limit_s
        while not is_up():
            if child.poll() is not None or time.monotonic() > end:
                sys.exit(f"edge: {argv[0]} did not start: {log.read_text()[-500:]}")
            time.sleep(0.02)
        yield child.pid
    finally:
        child.terminate()
        try:
            child.wait(5)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def listens(place: str | int):
    """Whether somebody takes a connection at that path or port."""

    def knock() -> bool:
        family = socket.AF_UNIX if isinstance(place, str) else socket.AF_INET
        with socket.socket(family) as door:
            return door.connect_ex(place if isinstance(place, str) else ("127.0.0.1", place)) == 0

    return knock


@contextmanager
def nginx(
    folder: Path, servers: str, is_up, workers: int, *, main: str = ""
) -> Iterator[tuple[int, ...]]:
    """An nginx; the pids of master and workers."""
    folder.mkdir()
    user = main + (" user root;" if os.geteuid() == 0 else "")
    text = NGINX.format(workers=workers, folder=folder, user=user, servers=servers)
    (folder / "nginx.conf").write_text(text)
    argv = [program("nginx"), "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log")]
    with running(argv, is_up, folder / "said.log") as pid:
        family = Path(f"/proc/{pid}/task/{pid}/children")
        while len(children := family.read_text().split()) < workers:  # it listens before it forks
            time.sleep(0.02)
        yield (pid, *map(int, children))


def envoy_alone(port: int, upstream: str, plan) -> Resources:
    """TLS 1.3, HTTP, router: nothing else."""
    routes = [{"match": {"prefix": "/"}, "route": {"cluster": "app"}}]
    manager = extension(
        "envoy.filters.network.http_connection_manager",
        "extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        stat_prefix="alone",
        use_remote_address=True,
        route_config={"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": routes}]},
        http_filters=[http_filter("router", "router.v3.Router")],
    )
    context: Json = {
        "tls_params": {"tls_minimum_protocol_version": "TLSv1_3"},
        "alpn_protocols": ["h2", "http/1.1"],
        "tls_certificate_sds_secret_configs": [sds_reference(HOST, plan.certificates[HOST].sds)],
    }
    secured = extension(
        "envoy.transport_sockets.tls",
        "extensions.transport_sockets.tls.v3.DownstreamTlsContext",
        common_tls_context=context,
    )
    listener = typed(
        "config.listener.v3.Listener",
        name="alone",
        address=address("127.0.0.1", port),
        filter_chains=[{"filters": [manager], "transport_socket": secured}],
    )
    place = {"endpoint": {"address": pipe(Path(upstream))}}
    cluster = typed(
        "config.cluster.v3.Cluster",
        name="app",
        type="STATIC",
        load_assignment={"cluster_name": "app", "endpoints": [{"lb_endpoints": [place]}]},
    )
    return Resources(listeners=(listener,), clusters=(cluster,))


@contextmanager
def envoy(folder: Path, made: Resources, workers: int = WORKERS) -> Iterator[int]:
    folder.mkdir(exist_ok=True)
    start = bootstrap(folder, folder / "admin.sock", max_connections=10_000)
    up = server.start(binary.locate(), folder, start, made, workers=workers)
    try:
        yield up.child.pid
    finally:
        up.stop(timedelta(seconds=2))


@contextmanager
def stacks(folder: Path) -> Iterator[tuple[list[Stack], tuple[int, ...], str]]:
    """All three, the upstream's pids, and the file of the authority."""
    places, ports = Places(folder / "data"), free_ports(4)
    places.prepare()
    app = str(folder / "app.sock")
    text = SETTINGS.format(host=HOST, troth=TROTH, socket=app, port=ports[2], http_port=ports[3])
    path = places.data / "troth.toml"
    path.write_text(text)
    settings = config.load(path, Settings)
    authority.keep(places.tls, (HOST, TROTH), name="Bench", now=clock.now(), rng=chance.system())
    plan = edge_plan.plan(settings, places)
    for host, certificate in plan.certificates.items():
        push.write_certificate(host, certificate)
    pair = plan.certificates[HOST]
    proxy = PROXY.format(socket=app, port=ports[0], host=HOST, chain=pair.chain, key=pair.key)
    with ExitStack() as stack:

        def guard(index: int) -> int:
            argv = [sys.executable, "-m", "troth.roles.guard", "--index", str(index)]
            argv += ["--config", str(path), "--data", str(places.data)]
            up = listens(str(places.socket(f"guard-{index}")))
            log = places.logs / f"guard-{index}.log"
            return stack.enter_context(running(argv, up, log))

        upstream = stack.enter_context(
            nginx(folder / "up", UPSTREAM.format(socket=app, body=BODY), listens(app), 1)
        )
        proxies = stack.enter_context(nginx(folder / "px", proxy, listens(ports[0]), WORKERS))
        alone = stack.enter_context(envoy(folder / "alone", envoy_alone(ports[1], app, plan)))
        guards = (guard(0), guard(1))
        ours = compile_edge(plan, edge_plan.fragments(settings))
        workers = edge_plan.workers(settings, os.cpu_count() or 1)
        whole = stack.enter_context(envoy(places.edge, ours, workers))
        yield (
            [
                Stack("nginx", ports[0], proxies),
                Stack("envoy", ports[1], (alone,)),
                Stack("edge + guard", ports[2], (whole,), guards),
            ],
            upstream,
            str(places.tls / "ca.pem"),
        )


def cpu_us(pids: tuple[int, ...]) -> float:
    """What all threads of these processes have used so far."""
    tasks = [task for pid in pids for task in Path(f"/proc/{pid}/task").iterdir()]
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1000


def load(stack: Stack, upstream: tuple[int, ...], seconds: float) -> Round:
    """Load it once. Exits when an answer was none or not the application's."""
    headers = [word for line in BROWSER for word in ("-H", line)]
    argv = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds:.0f}s", "--latency", *headers]
    groups = (stack.edge, stack.guard, upstream)
    before = [cpu_us(pids) for pids in groups]
    said = subprocess.run(
        [*argv, f"https://{HOST}:{stack.port}/courts?day=today"],
        capture_output=True, text=True, timeout=seconds + 30, check=False,
    ).stdout  # fmt: skip
    after = [cpu_us(pids) for pids in groups]
    done = re.search(r"(\d+) requests in", said)
    if done is None or not int(done[1]) or re.search(r"Non-2xx|Socket errors", said):
        sys.exit(f"edge: {stack.name} gave wrong answers under load:\n{said}")
    count = int(done[1])
    p50 = re.search(r"50%\s+([\d.]+)(us|ms|s)\b", said)
    rate = re.search(r"Requests/sec:\s+([\d.]+)", said)
    edge, guard, up = ((b - a) / count for a, b in zip(before, after, strict=True))
    unit = {"us": 1e-3, "ms": 1.0, "s": 1e3}
    return Round(edge, guard, up, float(rate[1]), float(p50[1]) * unit[p50[2]])


def check(stack: Stack, ca: str) -> str:
    """One request by our own client: the application's answer over TLS 1.3; how it was secured."""
    headers = [tuple(line.split(": ", 1)) for line in BROWSER]
    answer = http.fetch(f"https://{HOST}:{stack.port}/", ca_file=ca, headers=headers)
    has_hsts = answer.one("strict-transport-security") is not None
    if answer.text != BODY or has_hsts != bool(stack.guard):
        sys.exit(f"edge: {stack.name} does not answer as it should: {answer.status}")
    context = ssl.create_default_context(cafile=ca)
    with (
        socket.create_connection(("127.0.0.1", stack.port), 5) as plain,
        context.wrap_socket(plain, server_hostname=HOST) as door,
    ):
        return f"{door.version()} {door.cipher()[0]}"


def table(found: dict[str, list[Round]]) -> None:
    print("  CPU us/request, min / median")
    print(f"  {'':14}{'edge':>16}{'guard':>16}{'upstream':>16}{'total':>16}"
          f"{'r/s med (best)':>20}{'p50 ms':>8}")  # fmt: skip
    for name, rounds in found.items():
        cells = ""
        for part in ("edge_us", "guard_us", "upstream_us", "total_us"):
            values = [getattr(one, part) for one in rounds]
            cell = f"{min(values):.0f} / {statistics.median(values):.0f}" if any(values) else "-"
            cells += f"{cell:>16}"
        rates = [one.per_s for one in rounds]
        rate = f"{statistics.median(rates):.0f} ({max(rates):.0f})"
        p50 = statistics.median(one.p50_ms for one in rounds)
        print(f"  {name:14}{cells}{rate:>20}{p50:>8.2f}")
    ours = found["edge + guard"]
    for peer in ("envoy", "nginx"):
        ratios = []
        for part in ("total_us", "p50_ms"):
            mine, theirs = (
                [getattr(one, part) for one in rounds] for rounds in (ours, found[peer])
            )
            ratios.append(f"{min(mine) / min(theirs):.2f} / "
                          f"{statistics.median(mine) / statistics.median(theirs):.2f}")  # fmt: skip
        print(f"  ratio to {peer:6} (of mins / of medians): CPU {ratios[0]}, p50 {ratios[1]}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--rounds", type=int, default=4)
    known = parser.parse_args()
    missing = [name for name in ("wrk", "nginx") if not program(name)]
    if missing:
        none = " and no ".join(missing)
        print(f"edge: skipped, no {none} here (Debian: apt install nginx-light wrk)")
        return 0
    before = os.getloadavg()[0]
    rounds: dict[str, list[Round]] = {}
    with (
        tempfile.TemporaryDirectory(prefix="troth-bench-") as folder,
        stacks(Path(folder)) as (found, upstream, ca),
    ):
        secured = {stack.name: check(stack, ca) for stack in found}
        for stack in found:
            load(stack, upstream, 1)  # warm
        for _ in range(known.rounds):
            for stack in found:
                rounds.setdefault(stack.name, []).append(load(stack, upstream, known.seconds))
    argv = [program("nginx"), "-v"]
    said = subprocess.run(argv, capture_output=True, text=True, check=True).stderr
    print(
        f"  {platform.system()} {platform.release()}, {os.cpu_count()} CPUs,"
        f" load {before:.1f} before and {os.getloadavg()[0]:.1f} after,"
        f" Envoy {binary.identify(binary.locate()).version},"
        f" nginx {said.strip().rpartition('/')[2]}, {WORKERS} workers each; ours by default"
    )
    print(
        f"  wrk -t1 -c{CONNECTIONS}, HTTPS kept alive, ECDSA P-256, {len(BROWSER) - 1} headers and"
        f" 2 cookies, GET, {len(BODY)} B of JSON, {known.rounds} rounds of"
        f" {known.seconds:.0f} s in turn"
    )
    print("  " + "; ".join(f"{name}: {how}" for name, how in secured.items()))
    table(rounds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
