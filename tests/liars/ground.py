"""The ground on which liars stand: what is started once, and an edge for each of them."""

import json
import shutil
import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import msgspec

import ports
from liars import upstream
from liars.liar import HONEST, Liar
from liars.record import Record
from troth.adapters import chance, clock, files, process
from troth.adapters.vantage import Vantage
from troth.catalogue import Settings, site
from troth.enforce.envoy import compile_edge
from troth.engines.certificates import authority
from troth.engines.envoy import binary, push, resources, server
from troth.kernel.evidence import Signer
from troth.kernel.site import Site
from troth.prove.ledger import config_digest
from troth.roles import edge_plan
from troth.roles.places import Places

HOSTS = ("demo.localhost", "troth.demo.localhost")
STATUS = "status.demo.localhost"
RECORD_FOR_S = 30.0  # a look counts for 60 s
READY_WITHIN = timedelta(seconds=20)
POLICY = (
    f"default-src 'none'; script-src '{upstream.SCRIPT_HASH}'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; object-src 'none'"
)


@dataclass(frozen=True, slots=True)
class Ports:
    """Ports that were free a moment ago."""

    app: int
    http: int
    status: int


def honest_settings(ports: Ports, places: Places) -> Settings:
    """What the operator of the honest system says."""
    form = {"path": "/signup", "fields": {"email": "canary@example.org", "password": "{random}"}}
    return msgspec.convert(
        {
            "troth": {"name": "Liars", "host": HOSTS[1], "data": str(places.data)},
            "application": {"host": HOSTS[0], "upstream": f"unix:{places.socket('app')}"},
            "status": {"host": STATUS, "port": ports.status},
            "edge": {
                "addresses": ["127.0.0.1"],
                "port": ports.app,
                "http_port": ports.http,
                "hsts": {"max_age_s": 63_072_000, "include_subdomains": True},
                "csp": {"mode": "enforced", "policy": POLICY},
                "headers": {
                    "cross_origin_opener_policy": True,
                    "cross_origin_resource_policy": True,
                },
                "cors": {"origins": ["https://partner.example"], "credentials": True},
                "upload_paths": ["/photos"],
                "probe": {"broken": "/broken", "cookie": form, "forms": [form]},
            },
            "guard": {
                "bans": {"drill_s": 1},
                "rules": {"leak_paths": ["/"]},
                "login": [
                    {
                        "path": "/login",
                        "account": "email",
                        "password": "password",
                        "failure": [{"status": [401]}],
                        "success": [{"status": [303]}],
                    }
                ],
                "csrf": {"paths": ["/order"]},
                "escaping": {
                    "plant": [{"path": "/said", "fields": {"note": "{plant}"}}],
                    "pages": ["/said"],
                    "reflected": ["/said?q={plant}"],
                    "undo": [{"path": "/said", "fields": {"note": "nothing"}}],
                },
                "flows": [{"name": "orders", "kind": "count", "path": "/order", "most": 20}],
                "canary": {"account": "guessed@courts.example", "password": upstream.PASSWORD},
                "lists": [
                    {
                        "name": "own",
                        "source": f"file:{places.data / 'blocklist.txt'}",
                        "refresh_s": 1,
                        "max_age_s": 3600,
                    }
                ],
            },
            "trust": {
                "security_contact": "mailto:security@courts.example",
                "company": {
                    "legal_name": "Example Courts",
                    "address": ["1 Example Street", "Exampletown"],
                    "mail": "hello@courts.example",
                    "imprint": "/about",
                    "privacy": "/about",
                },
            },
        },
        Settings,
    )


@dataclass(frozen=True, slots=True)
class System:
    """A running system, honest or not, as the probes are told of it."""

    site: Site
    settings: Settings
    data: Path
    signer: Signer | None = None

    def vantage(self) -> Vantage:
        """A fresh place to look from; with a signer, its clients are named by a header."""
        return Vantage(
            site=self.site,
            name="liars",
            now=clock.now(),
            rng=chance.system(),
            data=self.data,
            signer=self.signer,
            by_header=self.signer is not None,
        )


class Ground:
    """What all liars share: authority, certificates, application, pages, guard, ports."""

    def __init__(self, places: Places, ports: Ports, rude: upstream.Rude) -> None:
        self.places = places
        self.ports = ports
        self.settings = honest_settings(ports, places)
        self._rude = rude
        self._binary = binary.locate()
        authority.keep(
            places.tls, (*HOSTS, STATUS), name="Liars", now=clock.now(), rng=chance.system()
        )
        self._run = 0
        self._record: Record | None = None
        self._recorded = float("-inf")

    @contextmanager
    def up(self, liar: Liar = HONEST) -> Iterator[System]:
        """The system with that one thing wrong, until the end of the `with`."""
        declared = liar.declared(self.settings)
        built = liar.settings(declared)
        place = site(declared, str(self.places.tls / "ca.pem"))
        with ExitStack() as stack:
            guards = self.places
            if built.guard != self.settings.guard:
                guards = Places(self.places.data / "guard")
                stack.enter_context(guarding(guards, built))
            self._rude.behave(liar.upstream)
            stack.callback(self._rude.behave, upstream.Manners())
            stack.enter_context(self._edge(liar, built, guards))
            stack.enter_context(liar.beside(self.places.data, place))
            yield System(place, declared, self.places.data)

    def record(self) -> None:
        """Put the honest system's verdicts on the page, unless those there are still fresh."""
        if clock.monotonic_s() - self._recorded < RECORD_FOR_S:
            return
        config = config_digest((self.places.data / "troth.toml").read_bytes())
        with self.up() as system:
            self._record = self._record or Record(self.places, self.settings)
            self._record.make(system.vantage(), config)
        self._recorded = clock.monotonic_s()

    @contextmanager
    def _edge(self, liar: Liar, built: Settings, guards: Places) -> Iterator[None]:
        self._run += 1
        folder = self.places.edge / str(self._run)
        folder.mkdir()
        honest = replace(
            edge_plan.plan(built, self.places),
            guards=(guards.socket("guard-0"),),
            guard_http=guards.socket("guard-http"),
            access_log="",
        )
        honest = replace(
            honest, guard_seen=tuple(guards.socket(path.stem) for path in honest.guard_seen)
        )
        certificates = liar.certificates(honest.certificates, folder)
        for host, certificate in certificates.items():
            push.write_certificate(host, certificate)
        plan = liar.plan(replace(honest, certificates=certificates))
        made = liar.resources(compile_edge(plan, liar.fragments(edge_plan.fragments(built))))
        admin = self.places.run / f"admin-{self._run}.sock"
        bootstrap = resources.bootstrap(folder, admin, max_connections=1000)
        running = server.start(self._binary, folder, bootstrap, made, workers=1)
        try:
            yield
        finally:
            running.stop(timedelta(seconds=1))
            shutil.rmtree(folder)


@contextmanager
def guarding(places: Places, settings: Settings) -> Iterator[None]:
    """A guard with these settings, its sockets in `places.run`."""
    with _role("guard", places, settings, "--index", "0"):
        yield


@contextmanager
def telling(places: Places, settings: Settings) -> Iterator[None]:
    """The ledger, the publisher and the status role: Troth's own pages and the status host."""
    with ExitStack() as stack:
        for name in ("ledger", "publisher", "status"):
            stack.enter_context(_role(name, places, settings))
        yield


@contextmanager
def _role(name: str, places: Places, settings: Settings, *more: str) -> Iterator[None]:
    """A role as a process, from when it says that it is ready."""
    places.prepare()
    config = places.data / "troth.toml"
    files.write_atomic(config, written(settings).encode())
    log, ear = places.logs / f"{name}.log", places.run / "ready.sock"
    argv = (sys.executable, "-m", f"troth.roles.{name}", "--config", str(config))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as door, log.open("wb") as output:
        ear.unlink(missing_ok=True)
        door.bind(str(ear))
        door.settimeout(0.05)
        child = process.start(
            [*argv, "--data", str(places.data), *more],
            output=output.fileno(),
            env={"NOTIFY_SOCKET": str(ear)},
        )
        try:
            push.wait_until(lambda: _is_ready(door, child, log), READY_WITHIN, f"no {name}")
            yield
        finally:
            child.stop()


def _is_ready(door: socket.socket, child: process.Child, log: Path) -> bool:
    if child.code() is not None:
        raise RuntimeError(f"it ended at once: {log.read_text('utf-8')[-500:]}")
    try:
        return b"READY=1" in door.recv(1024)
    except TimeoutError:
        return False


def written(settings: Settings) -> str:
    """The settings as a troth.toml; what is None is left out."""
    whole = msgspec.to_builtins(settings)
    return "".join(f"{key} = {_toml(value)}\n" for key, value in whole.items())


def _toml(value: object) -> str:
    if isinstance(value, dict):
        pairs = (f"{json.dumps(k)} = {_toml(v)}" for k, v in value.items() if v is not None)
        return f"{{ {', '.join(pairs)} }}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_toml, value))}]"
    return json.dumps(value)  # strings, numbers and truth are spelled alike


@contextmanager
def ground() -> Iterator[Ground]:
    """Everything that liars share, in a folder of its own that goes away afterwards."""
    data = Path(tempfile.mkdtemp(prefix="troth-liars-"))
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, data, ignore_errors=True)
        places = Places(data)
        places.prepare()
        (places.data / "blocklist.txt").write_text("127.66.255.2\n", "utf-8")
        rude = stack.enter_context(upstream.serving(places.socket("app")))
        stack.enter_context(upstream.pages(places.socket("console")))
        made = Ground(places, Ports(*ports.free(3)), rude)
        stack.enter_context(telling(places, made.settings))
        stack.enter_context(guarding(places, made.settings))
        stack.enter_context(_role("uploads", places, made.settings))
        yield made
