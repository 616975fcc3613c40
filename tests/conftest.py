"""What several rooms' tests need: an open place, PostgreSQL, an edge, an ACME authority."""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import ports
from troth.adapters import chance, clock, http
from troth.enforce.envoy import Plan, Upstream, compile_edge
from troth.engines.certificates import acme, authority
from troth.engines.certificates.pair import place
from troth.engines.envoy import binary, push, server
from troth.engines.envoy.resources import Certificate, bootstrap
from troth.engines.postgres.binaries import find, readable, unprivileged
from troth.engines.postgres.cluster import Cluster
from troth.kernel.fragment import Fragment
from troth.promises.edge.enforce import fragments
from troth.promises.edge.settings import Csp, EdgeSettings, Headers, Hsts

APP_HOST, TROTH_HOST = "demo.localhost", "troth.demo.localhost"
DEADLINE_S = 30.0
ECHO = Path(__file__).parents[1] / "examples" / "echo" / "echo.py"
# What an operator of the demo says; tests alter it.
HONEST = EdgeSettings(
    hsts=Hsts(max_age_s=63_072_000, include_subdomains=True),
    csp=Csp(mode="enforced", policy="default-src 'none'; script-src 'self'"),
    headers=Headers(
        cross_origin_opener_policy=True,
        cross_origin_resource_policy=True,
        cross_origin_embedder_policy=True,
        no_store=True,
    ),
)


@pytest.fixture(scope="session")
def open_place() -> Iterator[Path]:
    """A directory for this worker that an unprivileged user may enter; pytest's own are closed."""
    place = Path(tempfile.mkdtemp(prefix="troth-"))
    place.chmod(0o755)
    yield place
    shutil.rmtree(place)


@pytest.fixture(scope="session")
def cluster(open_place: Path) -> Iterator[Cluster]:
    """A running cluster, one for each worker. Use a database of your own in it."""
    identity = unprivileged()
    made = Cluster(
        directory=open_place / "shared",
        binaries=readable(find(), identity, open_place / "bin"),
        socket_directory=open_place / "shared-run",
        name="shared",
        identity=identity,
    )
    made.create()
    log = os.open(open_place / "shared.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    child = made.start(log)
    try:
        made.wait_ready(child, log)
        yield made
    finally:
        made.stop(child)
        os.close(log)


@dataclass(slots=True)
class Edge:
    """A running edge of this worker's, in front of examples/echo, without a guard."""

    folder: Path
    plan: Plan
    fragments: tuple[Fragment, ...]
    server: server.Server

    @property
    def ca_file(self) -> str:
        return str(self.folder / "ca.pem")

    def url(self, path: str = "/", host: str = APP_HOST) -> str:
        return f"https://{host}:{self.plan.port}{path}"

    def plain_url(self, path: str = "/", host: str = APP_HOST) -> str:
        return f"http://{host}:{self.plan.http_port}{path}"

    def ask(self, path: str = "/", host: str = APP_HOST, **more: Any) -> http.Response:
        return http.fetch(self.url(path, host), ca_file=self.ca_file, **more)

    @contextmanager
    def altered(
        self, fragments: Sequence[Fragment] | None = None, **changes: Any
    ) -> Iterator["Edge"]:
        """With other fragments, or other fields of the plan, until the end of the `with`."""
        before = self.plan, self.fragments
        self.plan = replace(self.plan, **changes)
        self.fragments = self.fragments if fragments is None else tuple(fragments)
        try:
            self._push()
            yield self
        finally:
            self.plan, self.fragments = before
            self._push()

    def _push(self) -> None:
        push.push(self.folder, self.server.admin, compile_edge(self.plan, self.fragments))


@pytest.fixture(scope="session")
def echo(open_place: Path) -> Iterator[Path]:
    """The socket of examples/echo."""
    path = open_place / "echo.sock"
    with subprocess.Popen(
        [sys.executable, ECHO, "--unix", path], stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline().startswith("listening")
        yield path
        child.terminate()


@pytest.fixture(scope="session")
def edge_plan(open_place: Path, echo: Path) -> Plan:
    """A plan whose files are in place: two hosts of a local authority, free ports, no guard."""
    folder = open_place / "edge"
    folder.mkdir()
    hosts = (APP_HOST, TROTH_HOST)
    authority.keep(folder, hosts, name="Test", now=clock.now(), rng=chance.system())
    pairs = {host: place(folder, host) for host in hosts}
    certificates = {
        host: Certificate(pair.chain, pair.key, folder / f"sds-{host}.json")
        for host, pair in pairs.items()
    }
    for host, certificate in certificates.items():
        push.write_certificate(host, certificate)
    port, http_port = ports.free(2)
    return Plan(
        app_host=APP_HOST,
        troth_host=TROTH_HOST,
        certificates=certificates,
        addresses=("127.0.0.1",),
        port=port,
        http_port=http_port,
        upstream=Upstream(socket=str(echo)),
        guards=(),
        status=folder / "status.sock",
        console=folder / "console.sock",
        access_log=str(folder / "access.log"),
    )


@pytest.fixture(scope="session")
def edge(edge_plan: Plan) -> Iterator[Edge]:
    """One warm edge for each worker; alter it with `edge.altered(...)`."""
    folder = edge_plan.status.parent
    chosen = fragments(HONEST)
    running = server.start(
        binary.locate(),
        folder,
        bootstrap(folder, folder / "admin.sock", max_connections=1000),
        compile_edge(edge_plan, chosen),
        workers=1,
    )
    yield Edge(folder, edge_plan, chosen, running)
    running.stop()


@pytest.fixture(scope="session")
def pebble(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[acme.Account, int]]:
    """An authority, a DNS that sends every name to 127.0.0.1, and the port it will ask."""
    for program in ("pebble", "pebble-challtestsrv"):
        if not shutil.which(program):
            pytest.skip(f"no {program} here (Debian: apt install pebble)")
    folder = tmp_path_factory.mktemp("pebble")
    api, management, validation, tls, dns, more = ports.free(6)
    authority.keep(folder, ("localhost",), name="Pebble", now=clock.now(), rng=chance.system())
    config = {
        "listenAddress": f"127.0.0.1:{api}",
        "managementListenAddress": f"127.0.0.1:{management}",
        "certificate": str(folder / "localhost.pem"),
        "privateKey": str(folder / "localhost.key"),
        "httpPort": validation,
        "tlsPort": tls,
        "ocspResponderURL": "",
        "externalAccountBindingRequired": False,
        "domainBlocklist": ["blocked-domain.example"],
    }
    (folder / "pebble.json").write_text(json.dumps({"pebble": config}))
    environment = {"PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "0", "PATH": "/usr/bin"}
    environment["PEBBLE_AUTHZREUSE"] = "100"  # what was proven once counts at the next order
    with ExitStack() as stack:
        for argv in (
            [
                *("pebble-challtestsrv", "-dns01", f"127.0.0.1:{dns}", "-defaultIPv6", ""),
                *("-http01", "", "-https01", "", "-tlsalpn01", ""),
                *("-management", f"127.0.0.1:{more}"),
            ],
            [
                *("pebble", "-config", str(folder / "pebble.json")),
                *("-dnsserver", f"127.0.0.1:{dns}", "-strict"),
            ],
        ):
            child = stack.enter_context(
                subprocess.Popen(
                    argv,
                    env=environment,
                    cwd=folder,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                )
            )
            stack.callback(child.terminate)
        place = acme.Account(
            directory=f"https://localhost:{api}/dir",
            contact="",
            ca_file=str(folder / "ca.pem"),
            key=folder / "account.key",
        )
        wait_for(api)
        yield place, validation


def wait_for(port: int) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline:
        with socket.socket() as door:
            if door.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise TimeoutError(port)
