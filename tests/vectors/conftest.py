"""The doors that are servers: ASGI under uvicorn, WSGI under waitress, nginx with auth_request."""

import asyncio
import http.client
import json
import os
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from shutil import which
from typing import Any

import pytest
import uvicorn
import uvloop
import waitress

from troth.enforce import asgi, authz, wire, wsgi
from troth.enforce.keeper import Keeper, Means
from troth.enforce.snapshot import Current, Snapshot
from troth.kernel.site import Site

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SITE = Site(
    name="Demo",
    app="https://demo.localhost:8443",
    http="http://demo.localhost:8080",
    troth="https://troth.demo.localhost:8443",
    status="https://status.demo.localhost:8444",
)
DEADLINE_S = 30.0
DOC = Path(__file__).parents[2] / "docs" / "how" / "nginx.md"


@dataclass(slots=True)
class Served:
    """A server whose snapshot a test may swap: plain HTTP on 127.0.0.1."""

    port: int
    keeper: Keeper

    def ask(self, raw: bytes, client: str) -> tuple[int, dict[str, str], dict[str, Any]]:
        """Status, headers, and what the application received (empty if it was not asked)."""
        place, source = ("127.0.0.1", self.port), (client or "127.0.0.1", 0)
        with socket.create_connection(place, timeout=20, source_address=source) as line:
            line.sendall(raw)
            answer = http.client.HTTPResponse(line, method=raw.split()[0].decode("latin-1"))
            answer.begin()
            headers = {key.lower(): value for key, value in answer.getheaders()}
            body = b"" if answer.status == 101 else answer.read()
        is_echo = headers.get("content-type") == "application/json" and b'"method"' in body
        return answer.status, headers, json.loads(body) if is_echo else {}


def keeper() -> Keeper:
    nothing = Snapshot(
        checks=(), site=SITE, prefix="/-/", max_body_bytes=2**20, config="0" * 64, made=NOW
    )
    means = Means(now=lambda: NOW, new_id=lambda: "0123456789abcdef", told=lambda *_: None)
    return Keeper(Current(nothing, lambda *_: None), means)


async def asgi_echo(scope, receive, send) -> None:
    if scope["type"] == "lifespan":
        return
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.close"})
        return
    body = b""
    while True:
        event = await receive()
        body += event.get("body", b"")
        if not event.get("more_body"):
            break
    said = echoed(
        scope["method"], [(n.decode("latin-1"), v.decode("latin-1")) for n, v in scope["headers"]],
        body,
    )  # fmt: skip
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(said))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": said})


def wsgi_echo(environ, start_response) -> list[bytes]:
    names = [
        (key[5:].replace("_", "-").lower(), value)
        for key, value in environ.items()
        if key.startswith("HTTP_")
    ]
    said = echoed(environ["REQUEST_METHOD"], names, environ["wsgi.input"].read())
    start_response(
        "200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(said)))]
    )
    return [said]


def echoed(method: str, headers: list[tuple[str, str]], body: bytes) -> bytes:
    return json.dumps(
        {"method": method, "headers": headers, "body": body.decode("latin-1")}
    ).encode()


@pytest.fixture(scope="module")
def asgi_door() -> Iterator[Served]:
    kept = keeper()
    config = uvicorn.Config(
        asgi.Door(asgi_echo, kept), host="127.0.0.1", port=0, log_level="critical",
        lifespan="off", http="httptools", ws="websockets-sansio",
    )  # fmt: skip
    server = uvicorn.Server(config)
    door = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [door]})
    thread.start()
    yield Served(door.getsockname()[1], kept)
    server.should_exit = True
    thread.join(DEADLINE_S)


@pytest.fixture(scope="module")
def wsgi_door() -> Iterator[Served]:
    kept = keeper()
    server = waitress.create_server(wsgi.Door(wsgi_echo, kept), host="127.0.0.1", port=0, threads=2)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    yield Served(server.effective_port, kept)
    server.close()


@pytest.fixture(scope="module")
def nginx_door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Debian's nginx with the very configuration that the documentation gives."""
    nginx = which("nginx") or which("nginx", path="/usr/sbin:/usr/local/sbin")
    if nginx is None:
        pytest.skip("no nginx here (Debian: apt install nginx-light)")
    place = tmp_path_factory.mktemp("nginx")
    kept = keeper()
    with socket.create_server(("127.0.0.1", 0)) as found:
        port = found.getsockname()[1]
    app = waitress.create_server(wsgi_echo, host="127.0.0.1", port=0, threads=2)
    threading.Thread(target=app.run, daemon=True).start()
    guard = place / "guard.sock"
    given = documented().replace("/var/lib/troth/run/guard-0.sock", str(guard))
    given = given.replace("127.0.0.1:8000", f"127.0.0.1:{app.effective_port}")
    given = given.replace("listen 443 ssl;", f"listen 127.0.0.1:{port};")
    config = place / "nginx.conf"
    user = "user root;" if os.geteuid() == 0 else ""
    config.write_text(
        f"{user} daemon off; worker_processes 1; pid {place}/pid; error_log {place}/error.log;\n"
        "events { worker_connections 64; }\n"
        f"http {{ access_log off; client_body_temp_path {place}/body;\n"
        f"proxy_temp_path {place}/proxy; fastcgi_temp_path {place}/f; uwsgi_temp_path {place}/u;\n"
        f"scgi_temp_path {place}/s; merge_slashes off;\n{given}\n}}\n"
    )
    with ExitStack() as stack:
        stack.callback(app.close)
        stack.enter_context(serving(guard, authz.Authz(kept).answer))
        running = stack.enter_context(
            subprocess.Popen([nginx, "-p", place, "-e", place / "error.log", "-c", config])
        )
        stack.callback(running.terminate)
        wait_for(port, running, place / "error.log")
        yield Served(port, kept)


def documented() -> str:
    """The nginx configuration in docs/how/nginx.md: whatever stands between its fences."""
    return "\n".join(
        block.partition("```")[0] for block in DOC.read_text("utf-8").split("```nginx\n")[1:]
    )


def wait_for(port: int, running: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline and running.poll() is None:
        with socket.socket() as door:
            if door.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise TimeoutError(log.read_text() if log.exists() else "nothing was said")


@contextmanager
def serving(path: Path, answer: wire.Answer) -> Iterator[None]:
    """A guard's door in a thread of its own, for as long as the block lasts."""
    is_open, loop, stop = threading.Event(), uvloop.new_event_loop(), asyncio.Event()

    async def serve() -> None:
        door = wire.Door(path, answer, lambda *_: None)
        await door.open()
        is_open.set()
        await stop.wait()
        await door.close()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    assert is_open.wait(DEADLINE_S)
    yield
    loop.call_soon_threadsafe(stop.set)
    thread.join(DEADLINE_S)
    loop.close()
