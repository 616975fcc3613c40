"""`troth upgrade` under load: every role begins another life; how many requests failed.

    .venv/bin/python bench/upgrade.py

A plain upstream, `troth up` on free ports, eight clients that open a connection for each request or
keep one, on the application's host, Troth's own and the status host. Exits 1 when one of the application's
failed.
"""

import collections
import contextlib
import http.client
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

TROTH = Path(sys.executable).parent / "troth"
READY_S = 90


class Application(BaseHTTPRequestHandler):
    """Says hello."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """The same for every path but Troth's prefix."""
        found = not self.path.startswith("/-/")
        self.send_response(200 if found else 404)
        self.send_header("Content-Length", "5")
        self.send_header("Content-Type", "text/plain")
        self.end_headers()
        self.wfile.write(b"hello")

    def log_message(self, *_: object) -> None:
        """Silent."""

    def handle(self) -> None:
        """Whoever leaves, leaves."""
        with contextlib.suppress(ConnectionResetError):
            super().handle()


def free_ports(count: int) -> list[int]:
    """Ports that are free now."""
    doors = [socket.socket() for _ in range(count)]
    for door in doors:
        door.bind(("127.0.0.1", 0))
    ports = [door.getsockname()[1] for door in doors]
    for door in doors:
        door.close()
    return ports


class Load:
    """Clients that ask until they are told to stop."""

    def __init__(self, ca: str, places: list[tuple[str, int, str]]) -> None:
        self.seen: collections.Counter[str] = collections.Counter()
        self.stop = threading.Event()
        self._context = ssl.create_default_context(cafile=ca)
        self._threads = [
            threading.Thread(target=self._ask, args=place, kwargs={"keeps": keeps})
            for place in places
            for keeps in (False, True)
        ]
        for one in self._threads:
            one.start()

    def end(self) -> None:
        """Stop and wait."""
        self.stop.set()
        for one in self._threads:
            one.join()

    def _connect(self, host: str, port: int) -> http.client.HTTPSConnection:
        made = http.client.HTTPSConnection(host, port, context=self._context, timeout=10)
        door = socket.create_connection(("127.0.0.1", port), timeout=10)
        made.sock = self._context.wrap_socket(door, server_hostname=host)
        return made

    def _ask(self, host: str, port: int, path: str, *, keeps: bool) -> None:
        open_one: http.client.HTTPSConnection | None = None
        while not self.stop.is_set():
            is_used = open_one is not None
            try:
                open_one = open_one or self._connect(host, port)
                open_one.request("GET", path)
                answer = open_one.getresponse()
                answer.read()
                self.seen[f"{host} {path} {answer.status}"] += 1
                if not keeps or answer.getheader("connection", "") == "close":
                    open_one.close()
                    open_one = None
            except (http.client.RemoteDisconnected, ConnectionResetError) as error:
                # A kept connection that was closed between two requests: every client asks again.
                self.seen[f"{host} {path} " + ("closed idle" if is_used else repr(error))] += 1
                open_one = None
            except OSError as error:
                self.seen[f"{host} {path} {error!r}"] += 1
                open_one = None
            time.sleep(0.01)


def main() -> int:
    """Start, load, upgrade, stop, tell."""
    folder = Path(tempfile.mkdtemp(prefix="troth-upgrade-"))
    folder.chmod(0o755)  # PostgreSQL's user enters; else its cluster would stand elsewhere
    folder.chmod(0o755)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Application)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    app, plain, status = free_ports(3)
    here = ("--config", str(folder / "troth.toml"), "--data", str(folder / "data"))
    upstream = f"http://127.0.0.1:{server.server_port}"
    names = ("--host", "demo.localhost", "--ports", f"{app},{plain},{status}")
    subprocess.run([TROTH, "init", "--upstream", upstream, *names, *here], check=True)
    ready = folder / "ready"
    with (folder / "up.log").open("wb") as log:
        child = subprocess.Popen([TROTH, "up", *here, "--ready", ready], stdout=log, stderr=log)
    try:
        end = time.monotonic() + READY_S
        while not ready.exists():
            if child.poll() is not None or time.monotonic() > end:
                sys.exit((folder / "up.log").read_text())
            time.sleep(0.1)
        facts = json.loads(ready.read_text())
        places = [
            ("demo.localhost", app, "/"),
            ("troth.demo.localhost", app, "/trust/"),
            ("troth.demo.localhost", app, "/account/setup"),
            ("status.demo.localhost", status, "/"),
        ]
        load = Load(facts["ca"], places)
        time.sleep(2)
        done = subprocess.run(
            [TROTH, "upgrade", *here, "--json"], capture_output=True, text=True, check=False
        )
        time.sleep(25)  # until the Envoy before has ended: its connections must not be cut off
        load.end()
    finally:
        child.send_signal(signal.SIGINT)
        child.wait(60)
        shutil.rmtree(folder, ignore_errors=True)
    fine = ("200", "410", "closed idle")  # 410: a setup link that is none
    wrong = {what: n for what, n in load.seen.items() if not what.endswith(fine)}
    failed = sum(n for what, n in wrong.items() if what.startswith("demo."))
    for what, count in sorted(load.seen.items()):
        print(f"{count:7} {what}")
    print(done.stdout or done.stderr, end="")
    print(
        f"{load.seen.total()} requests during an upgrade, {failed} failed ({os.cpu_count()} cores)"
    )
    return 1 if failed or done.returncode else 0


if __name__ == "__main__":
    sys.exit(main())
