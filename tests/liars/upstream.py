"""A rude application: whatever the edge does not repair or remove is wrong in its answers.

Its cookies have no flags and a wide Domain, it turns the old XSS filter on, lets every origin read
with credentials, names its software, and sends a file without a type.
"""

import base64
import hashlib
import html
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import parse_qs

SCRIPT = b"document.title = document.title + '.';\n"
SCRIPT_HASH = f"sha256-{base64.b64encode(hashlib.sha256(SCRIPT).digest()).decode()}"
_PAGE = f"""<!doctype html><html lang=en><title>Rude</title>
<link rel=stylesheet href=/style.css>
<script src=/app.js integrity="{SCRIPT_HASH}" defer></script>
<p>A page. <a href=/about>About</a> <a href=/old>Old</a> <a href=/odd>Odd</a>
<a href=/gone>Gone</a> <img src=/picture.svg alt=picture>
<form method=post action=/signup><input name=email><input name=password></form></html>""".encode()
_HTML = "text/html; charset=utf-8"
# The imprint, as `[trust.company]` of the honest system has it.
_ABOUT = b"""<!doctype html><html lang=en><title>About</title><p>Example Courts<br>1 Example Street
<br>Exampletown<p><a href=mailto:hello@courts.example>hello@courts.example</a> <a href=/>home</a>"""
_ANSWERS: dict[str, tuple[int, str, bytes]] = {
    "/": (200, _HTML, _PAGE),
    "/about": (200, _HTML, _ABOUT),
    "/style.css": (200, "text/css", b"p { color: inherit }\n"),
    "/app.js": (200, "text/javascript", SCRIPT),
    "/picture.svg": (200, "image/svg+xml", b'<svg xmlns="http://www.w3.org/2000/svg"/>'),
    "/odd": (200, "", b"GIF89a; alert(1)"),
    "/broken": (500, _HTML, b"<!doctype html><title>Oops</title>"),
    "/api": (200, "application/json", b'{"rude": true}'),
}
COOKIE = "rude={}; Path=/; Domain={}"


PASSWORD = "the-canary-knows-it"  # of the only account there is, at /login


@dataclass(frozen=True, slots=True)
class Manners:
    """How the application behaves; the defaults are what the honest system repairs.

    Args:
        headers: added to every answer.
        pages: paths with other answers: status, content type, body.
        is_raw: /said shows what it is told as it is.
    """

    headers: tuple[tuple[str, str], ...] = ()
    pages: tuple[tuple[str, tuple[int, str, bytes]], ...] = ()
    is_raw: bool = False


class _Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    request_queue_size = 64
    manners = Manners()
    said = ""  # the last note that was posted to /said

    def handle_error(self, *_: object) -> None:
        """The edge hung up: a drill cancels requests by the hundred."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def address_string(self) -> str:
        return "unix"

    def log_message(self, *args: object) -> None:
        pass

    def version_string(self) -> str:
        return "Rude/1.0"

    def _answer(self) -> None:
        size = int(self.headers.get("content-length") or 0)
        sent = self.rfile.read(size)
        path = self.path.partition("?")[0]
        pages = _ANSWERS | dict(self.server.manners.pages)
        status, kind, body = pages.get(path, (404, _HTML, b"<!doctype html><title>None</title>"))
        if path == "/signup" and self.command == "POST":
            status, kind, body = 303, "", b""
        if path == "/login" and self.command == "POST":
            status, kind, body = (303 if PASSWORD.encode() in sent else 401), "", b""
        if path == "/said":
            status, kind, body = 200, _HTML, self._said(sent)
        if path == "/old":
            status, kind, body = 302, "", b""
        self.send_response(status)
        if status in (302, 303):
            self.send_header("Location", "/")
        if kind:
            self.send_header("Content-Type", kind)
        host = (self.headers.get("host") or "").partition(":")[0]
        self.send_header("Set-Cookie", COOKIE.format(self.command.lower(), host))
        self.send_header("X-XSS-Protection", "1; mode=block")
        self.send_header("X-Powered-By", "rudeness")
        if origin := self.headers.get("origin"):
            self.send_header("Access-Control-Allow-Origin", origin)
            self.send_header("Access-Control-Allow-Credentials", "true")
        for name, value in self.server.manners.headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _said(self, sent: bytes) -> bytes:
        """A page that shows the last note and its own query."""
        if self.command == "POST":
            self.server.said = parse_qs(sent.decode()).get("note", [""])[0]
        asked = parse_qs(self.path.partition("?")[2]).get("q", [""])[0]
        shown = (self.server.said, asked)
        note, query = shown if self.server.manners.is_raw else map(html.escape, shown)
        page = f'<!doctype html><title>Said</title><p>{note}<p><input name=q value="{query}">'
        return page.encode()

    def __getattr__(self, name: str) -> Callable[[], None]:
        if name.startswith("do_"):
            return self._answer
        raise AttributeError(name)


class Rude:
    """The running application; `manners` may be changed between requests."""

    def __init__(self, server: _Server) -> None:
        self._server = server

    def behave(self, manners: Manners) -> None:
        """Answer like this from now on."""
        self._server.manners = manners


@contextmanager
def serving(socket: Path) -> Iterator[Rude]:
    """The application on a unix socket."""
    with _serve(socket, _Handler) as server:
        yield Rude(server)


class _Pages(_Handler):
    """Stands in for Troth's own pages where a test does not need the true ones."""

    def _answer(self) -> None:
        size = int(self.headers.get("content-length") or 0)
        self.rfile.read(size)
        path = self.path.partition("?")[0]
        is_there = path in ("/trust/", "/api/v1/promises.json")
        body = b"<!doctype html><title>Trust</title>" if path == "/trust/" else b"{}\n"
        self.send_response(200 if is_there else 404)
        self.send_header("Content-Type", _HTML if path == "/trust/" else "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


@contextmanager
def pages(socket: Path) -> Iterator[None]:
    """Troth's own pages on a unix socket."""
    with _serve(socket, _Pages):
        yield


@contextmanager
def _serve(socket: Path, handler: type[BaseHTTPRequestHandler]) -> Iterator[_Server]:
    socket.unlink(missing_ok=True)
    with _Server(str(socket), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
            socket.unlink(missing_ok=True)
