"""One request, one decision, whatever the door: the text files beside this one say which.

A door is a callable: settings and raw request in, what became of it out. To add one, write it and
name it in `DOORS`.
"""

import asyncio
import http.client
import json
import os
import random
import re
import shutil
import socket
import ssl
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest
import uvloop

from troth.adapters import process
from troth.adapters.counters import Memory
from troth.adapters.scratch import Room
from troth.enforce import authz, judged, wire
from troth.enforce.decide import Decision, decide, decide_upload
from troth.enforce.desk import Desk, Policy
from troth.enforce.envoy import Plan, Upstream, compile_edge
from troth.enforce.incoming import Bounds
from troth.enforce.keeper import Keeper, Means
from troth.enforce.snapshot import Body, Current, Snapshot, Told
from troth.engines.certificates import authority
from troth.engines.envoy import binary, push, resources, server
from troth.engines.envoy.resources import Certificate
from troth.engines.seclang import Program
from troth.engines.uploads import Content, Held, Looked
from troth.engines.uploads.eicar import TEST
from troth.kernel.request import Ban, Known, Request
from troth.kernel.site import Site
from troth.promises.guard import enforce as guard
from troth.promises.guard.rules.ranges import Ranges
from troth.promises.guard.settings import GuardSettings
from troth.promises.guard.settings.waf import Rules
from troth.roles import rules_load
from troth.roles.places import Places

HERE = Path(__file__).parent
ECHO = HERE.parent.parent / "examples" / "echo" / "echo.py"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
APP, TROTH = "demo.localhost:8443", "troth.demo.localhost:8443"
KEYS = set(
    "about expect counted removed edge asgi wsgi nginx in exempt origins rules "
    "client only times settings banned allowed".split()
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Vector:
    """One request with what is expected of it."""

    name: str
    said: dict[str, str]
    raw: bytes

    @property
    def settings(self) -> GuardSettings:
        said: dict[str, Any] = {
            "origin": {
                "origins": self.said.get("origins", "").split(),
                "exempt": self.said.get("exempt", "").split(),
            },
            "rules": {"mode": "block" if "rules" in self.said else "off"},
            **json.loads(self.said.get("settings", "{}")),
        }
        return msgspec.convert(said, GuardSettings)

    @property
    def client(self) -> str:
        return self.said.get("client", "")

    @property
    def times(self) -> int:
        return int(self.said.get("times", "1"))

    def known(self, now: datetime) -> Known:
        banned = [each.split("=") for each in self.said.get("banned", "").split()]
        return Known(
            now=now,
            bans={
                subject: Ban(
                    subject=subject, cause="a:cause", since=NOW,
                    until=NOW + timedelta(seconds=int(seconds)),
                )
                for subject, seconds in banned
            },
            lists={"allowed": Ranges(self.said.get("allowed", "").split())},
        )  # fmt: skip

    def request(self, app: str = APP, troth: str = TROTH) -> bytes:
        raw = self.raw.replace(b"{app}", app.encode()).replace(b"{troth}", troth.encode())
        raw = raw.replace(b"{eicar}", TEST)
        head, _, body = raw.replace(b"{{}}", b"{}").partition(b"\n\n")
        lines = head.strip(b"\n").split(b"\n")
        if body.strip(b"\n"):
            body = body.rstrip(b"\n")
            if b"multipart/" in head:
                body = body.replace(b"\n", b"\r\n")
            lines.append(b"Content-Length: %d" % len(body))
        return b"\r\n".join([*lines, b"", b""]) + body.strip(b"\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class Became:
    """What a door made of a request; None where it cannot be seen from outside that door."""

    refused: tuple[str, str | None] | None  # promise, code
    removed: frozenset[str] | None = None
    counted: frozenset[str] | None = None


def vectors() -> Iterator[Vector]:
    for path in sorted(HERE.glob("*/*.txt")):
        for text in path.read_text("utf-8").split("\n---\n"):
            head, _, raw = text.partition("\n\n")
            said = dict(
                re.fullmatch(r"([a-z]+): (.+)", line).groups() for line in head.splitlines()
            )
            assert set(said) <= KEYS, (path, said)
            assert {"about", "expect"} <= set(said), (path, head)
            name = f"{path.stem}: {said['about']}"
            yield Vector(name=name, said=said, raw=raw.encode())


VECTORS = list(vectors())


@cache
def program(mode: str) -> Program | None:
    """Our own rules, compiled once a process."""
    return rules_load.program_of(Rules()) if mode == "block" else None


def kind(request: Request) -> Body:
    """As a policy with `upload_paths = ["/upload/"]` says."""
    is_upload = request.path.startswith(b"/upload/") and request.method not in {b"GET", b"HEAD"}
    return Body.UPLOAD if is_upload else Body.INSPECTED


def snapshot(settings: GuardSettings) -> Snapshot:
    site = Site(
        name="Demo",
        app=f"https://{APP}",
        http="http://demo.localhost:8080",
        troth=f"https://{TROTH}",
        status="https://status.demo.localhost:8444",
    )
    composed = guard.compose(settings, site, program=program(settings.rules.mode))
    return Snapshot(
        gates=composed.gates,
        asks=composed.asks,
        opened=composed.opened,
        checks=composed.checks,
        bodies=composed.bodies,
        uploads=composed.uploads,
        body=kind,
        site=site,
        prefix="/-/",
        max_body_bytes=64 * 1024,
        config="0" * 64,
        made=NOW,
    )


def keeper(settings: GuardSettings, told: Told) -> Keeper:
    """What every door asks."""
    means = Means(now=lambda: NOW, new_id=lambda: "0123456789abcdef", told=told)
    return Keeper(Current(snapshot(settings), lambda *_: None), means)


def armed(kept: Keeper, vector: Vector) -> None:
    """Give a keeper what a vector says: settings, who is banned; counters that begin anew."""
    kept.current.snapshot = snapshot(vector.settings)
    kept.means = replace(kept.means, known=vector.known, take=Memory().take)


def by_decide(vector: Vector) -> Became:
    """The function itself, with a reader that is not ours to make the request."""
    head, _, body = vector.request().partition(b"\r\n\r\n")
    first, *lines = head.split(b"\r\n")
    method, target, _ = first.split(b" ")
    pairs = [line.split(b":", 1) for line in lines]
    headers = tuple((name.lower(), value.strip()) for name, value in pairs)
    request = Request(
        method=method,
        target=target,
        host=dict(headers)[b"host"],
        headers=headers,
        client=vector.client,
        body=body or None,
    )
    current, known, take = snapshot(vector.settings), vector.known(NOW), Memory().take

    for _ in range(vector.times):
        decision = decided(request, current, known, take)

    return Became(
        refused=(decision.refusal.slug, decision.refusal.code) if decision.refusal else None,
        removed=frozenset(name.decode() for name in decision.remove),
        counted=frozenset(decision.counted),
    )


def decided(request: Request, current: Snapshot, known: Known, take: Any) -> Decision:
    """As doors do: an upload by its headers, then by what was found where it lies."""
    if kind(request) is not Body.UPLOAD:
        return decide(request, current, known, take)
    decision = decide(replace(request, body=None), current, known, take)
    if decision.refusal is not None:
        return decision
    looked = current.uploads.look(request, Held(request.body or b""))
    return decide_upload(replace(request, body=looked.outline), current, known, looked.fault)


def by_authz(vector: Vector, folder: Path) -> Became:
    """Envoy's question on a real socket."""
    events: list[dict[str, object]] = []
    kept = keeper(vector.settings, lambda _, fields: events.append(fields))
    armed(kept, vector)
    asked = authz.Authz(kept)
    raw = vector.request()
    is_upload = re.match(rb"(POST|PUT|PATCH) /upload/", raw)
    if is_upload and not vector.said["expect"].startswith("refuse origin-check"):
        asked, raw = judged.Judged(kept), asked_of(vector, kept)
    if vector.client:
        raw = raw.replace(b"\r\n", b"\r\nX-Troth-Client: %b\r\n" % vector.client.encode(), 1)

    async def ask() -> bytes:
        door = wire.Door(folder / "door.sock", asked.answer, lambda *_: None)
        await door.open()
        for _ in range(vector.times):
            events.clear()
            asked.counts.clear()
            reader, writer = await asyncio.open_unix_connection(str(door.path))
            writer.write(raw)
            head = await reader.readuntil(b"\r\n\r\n")
            writer.close()
        await door.close()
        return head

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        head = runner.run(ask()).decode()
    headers = dict(re.findall(r"^([\w-]+): (.*)\r$", head, re.MULTILINE))
    status = int(head.split()[1])
    if status == 200:
        removed = headers.get("x-envoy-auth-headers-to-remove", "").split(",")
        return Became(
            refused=None,
            removed=frozenset(filter(None, removed)),
            counted=frozenset(asked.counts) - {"allowed"},
        )
    assert (status, len(events)) == (status_of(vector), 1)
    return Became(refused=(headers["troth-refused"], str(events[0]["code"])))


def asked_of(vector: Vector, kept: Keeper) -> bytes:
    """What the desk asks of an upload that its headers let through."""
    head, _, body = vector.request().partition(b"\r\n\r\n")
    first, *lines = head.split(b"\r\n")
    pairs = [line.split(b": ", 1) for line in lines]
    headers = tuple((name.lower(), value) for name, value in pairs)
    method, target, _ = first.split(b" ")
    request = Request(method=method, target=target, host=b"", headers=headers)
    looked = kept.current.snapshot.uploads.look(request, Held(body))
    return judged.question(method, target, headers, looked.outline or b"", looked.fault)


STATUSES = {"kind": 415, "pretends": 415, "encoding": 415, "malformed": 400}


def status_of(vector: Vector) -> int:
    """Of a refusal: by whom, and for what."""
    _, slug, code = vector.said["expect"].split()
    if slug == "uploads-scanned":
        return STATUSES.get(code, 403)
    return 429 if slug == "rate-limit-ip" else 403


Door = Callable[[Vector], Became]


@pytest.fixture(params=["decide", "authz"])
def door(request: pytest.FixtureRequest, tmp_path: Path) -> Door:
    if request.param == "decide":
        return by_decide
    return lambda vector: by_authz(vector, tmp_path)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.name)
def test_every_door_decides_alike(vector: Vector, door: Door):
    became = door(vector)

    check(vector, became)


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """A real Envoy before an echo, asking a real door whose snapshot a test may swap."""

    port: int
    keeper: Keeper
    context: ssl.SSLContext

    def ask(self, raw: bytes, host: str, client: str) -> tuple[int, dict[str, str], dict[str, Any]]:
        """Status, headers, and what the application received (empty if it was not asked)."""
        place, source = ("127.0.0.1", self.port), (client or "127.0.0.1", 0)
        with socket.create_connection(place, timeout=20, source_address=source) as plain:
            name = host if host.endswith("demo.localhost") else "demo.localhost"
            with self.context.wrap_socket(plain, server_hostname=name) as line:
                line.sendall(raw)
                answer = http.client.HTTPResponse(line, method=raw.split()[0].decode())
                answer.begin()
                headers = {key.lower(): value for key, value in answer.getheaders()}
                body = b"" if answer.status == 101 else answer.read()
        is_echo = headers.get("content-type") == "application/json" and b'"method"' in body
        return answer.status, headers, json.loads(body) if is_echo else {}


@pytest.fixture(scope="module")
def edge() -> Iterator[Edge]:
    """The compiler's own Envoy without fragments: they keep promises of other areas."""
    place = Path(tempfile.mkdtemp(prefix="troth-"))
    folders = Places(place)
    folders.prepare()
    with (
        socket.create_server(("127.0.0.1", 0)) as one,
        socket.create_server(("127.0.0.1", 0)) as two,
    ):
        port, http_port = one.getsockname()[1], two.getsockname()[1]
    hosts = ("demo.localhost", "troth.demo.localhost")
    authority.keep(
        folders.tls, hosts, name="Demo", now=datetime.now(UTC), rng=random.SystemRandom()
    )
    upstream = place / "app.sock"
    echo = process.start(
        [sys.executable, str(ECHO), "--unix", str(upstream)],
        output=os.open(place / "echo.log", os.O_WRONLY | os.O_CREAT),
    )
    kept = keeper(GuardSettings(), lambda *_: None)
    asked = authz.Authz(kept)
    certificates = {
        host: Certificate(
            folders.tls / f"{host}.pem",
            folders.tls / f"{host}.key",
            folders.edge / f"sds-{host}.json",
        )
        for host in hosts
    }
    for host, certificate in certificates.items():
        push.write_certificate(host, certificate)
    plan = Plan(
        app_host=hosts[0], troth_host=hosts[1], certificates=certificates,
        addresses=("127.0.0.1",), port=port, http_port=http_port,
        upstream=Upstream(socket=str(upstream)), guards=(folders.socket("guard-0"),),
        status=upstream, console=upstream, guard_timeout_ms=5000,
        upload_paths=("/upload/",), desk=folders.socket("uploads"),
        released=folders.socket("released"),
    )  # fmt: skip
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, place)
        stack.callback(echo.stop)
        stack.enter_context(serving(folders.socket("guard-0"), asked.answer))
        side = folders.socket("guard-uploads-0")
        stack.enter_context(serving(side, judged.Judged(kept).answer))
        stack.enter_context(lying(folders, side, kept))
        envoy = server.start(
            binary.locate(),
            folders.edge,
            resources.bootstrap(folders.edge, folders.socket("edge-admin"), max_connections=100),
            compile_edge(plan, ()),
            workers=1,
        )
        stack.callback(envoy.stop)
        context = ssl.create_default_context(cafile=str(folders.tls / "ca.pem"))
        yield Edge(port=port, keeper=kept, context=context)


@contextmanager
def lying(folders: Places, side: Path, kept: Keeper) -> Iterator[None]:
    """An upload desk in a thread of its own."""
    is_open, loop, stop = threading.Event(), uvloop.new_event_loop(), asyncio.Event()

    def look(request: Request, scratch: Content) -> Looked:
        return kept.current.snapshot.uploads.look(request, scratch)

    policy = Policy(look=look, max_bytes=lambda _: 10**6, bounds=Bounds())

    async def serve() -> None:
        desk = Desk(
            folders.socket("uploads"), guards=(side,), released=folders.socket("released"),
            folder=folders.uploads, room=Room(10, 10**8), policy=policy,
            told=lambda *_: None, new_id=lambda: "0123456789abcdef",
        )  # fmt: skip
        await desk.open()
        is_open.set()
        await stop.wait()
        await desk.close()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    assert is_open.wait(10)
    yield
    loop.call_soon_threadsafe(stop.set)
    thread.join(10)
    loop.close()


@contextmanager
def serving(path: Path, answer: wire.Answer) -> Iterator[None]:
    """A door in a thread of its own, for as long as the block lasts."""
    is_open, loop, stop = threading.Event(), uvloop.new_event_loop(), asyncio.Event()

    async def serve() -> None:
        door = wire.Door(path, answer, lambda *_: None)
        await door.open()
        is_open.set()
        await stop.wait()
        await door.close()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    assert is_open.wait(10)
    yield
    loop.call_soon_threadsafe(stop.set)
    thread.join(10)
    loop.close()


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.name)
def test_the_edge_decides_alike(vector: Vector, edge: Edge):
    skip_unless_loopback(vector)
    app, troth = (f"{host}:{edge.port}" for host in ("demo.localhost", "troth.demo.localhost"))
    raw = vector.request(app, troth)
    host = re.search(rb"\nHost: ([^:\r]+)", raw)[1].decode()
    armed(edge.keeper, vector)

    for _ in range(vector.times):
        status, headers, received = edge.ask(raw, host, vector.client)

    if "edge" in vector.said:
        assert 400 <= status < 500 or status == 307  # a redirect to the decoded path asks again
        assert not received
    elif vector.said["expect"] == "pass":
        assert status == (101 if b"\nUpgrade:" in raw else 200)
        assert received or status == 101 or raw.startswith(b"HEAD")
        names = {name.lower() for name, _ in received.get("headers", [])}
        assert not names & set(vector.said.get("removed", "").split())
    else:
        assert (status, received) == (status_of(vector), {})
        check(vector, Became(refused=(headers["troth-refused"], None)))


def skip_unless_loopback(vector: Vector) -> None:
    if vector.said.get("only") == "decide":
        pytest.skip("nobody comes from that address here")


@pytest.mark.parametrize("name", ["asgi", "wsgi", "nginx"])
@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.name)
def test_every_server_decides_alike(vector: Vector, name: str, request: pytest.FixtureRequest):
    skip_unless_loopback(vector)
    served = request.getfixturevalue(f"{name}_door")
    armed(served.keeper, vector)
    raw = vector.request()

    for _ in range(vector.times):
        status, headers, received = served.ask(raw, vector.client)

    wanted = vector.said["expect"]
    if vector.said.get(name) == "refused":  # the server or the door says no without a check
        assert 400 <= status < 500
        assert not received
    elif vector.said.get(name) == "unseen" or (name == "nginx" and vector.said.get("in") == "body"):
        assert status == 200
    elif wanted == "pass":
        assert status in {200, 101}, headers
        assert received or status == 101 or raw.startswith(b"HEAD")
        if name != "nginx":
            names = {key.lower() for key, _ in received.get("headers", [])}
            assert not names & set(vector.said.get("removed", "").split())
    else:
        assert received == {}
        assert headers.get("troth-refused") == wanted.split()[1]
        assert status == status_of(vector)
        assert headers["troth-event"] == "0123456789abcdef"


def check(vector: Vector, became: Became) -> None:
    if vector.said["expect"] == "pass":
        assert became.refused is None
        if became.removed is not None:
            assert became.removed == frozenset(vector.said.get("removed", "").split())
        if became.counted is not None:
            assert became.counted == frozenset(vector.said.get("counted", "").split())
        return
    word, slug, code = vector.said["expect"].split()
    assert word == "refuse"
    assert became.refused is not None
    assert became.refused[0] == slug
    assert became.refused[1] in {code, None}


def test_there_are_vectors_of_both_kinds():
    expected = {vector.said["expect"].split()[0] for vector in VECTORS}

    assert expected == {"pass", "refuse"}
    assert len(VECTORS) > 50
    assert len({vector.name for vector in VECTORS}) == len(VECTORS)
