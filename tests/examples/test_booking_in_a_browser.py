"""The strictest policy an operator can enforce breaks nothing on the example application."""

import io
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pytest

BOOKING = Path(__file__).parents[2] / "examples" / "booking"
STRICT = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
INLINE = b"<!doctype html><title>c</title><p style='color: red'>x</p><script>'inline'</script>"


class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class Quiet(WSGIRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture
def chromium() -> str:
    found = shutil.which("chromium") or shutil.which("google-chrome")
    if found is None:
        pytest.skip("no Chromium here")
    return found


@pytest.fixture
def strict(database, place, monkeypatch) -> Iterator[tuple[str, list[str]]]:
    """The application with the policy on every answer; gives its address and what it was asked.

    Whoever comes is a customer; one court has a photo.
    """
    monkeypatch.syspath_prepend(BOOKING)
    venue = import_module("booking.venue").Venue(database_url=database, uploads=place / "uploads")
    app = import_module("booking.app").create_app(venue)
    kim = app.test_client()
    form = {"name": "Kim", "email": "kim@customers.example", "password": "x"}
    cookie = kim.post("/signup", data=form).headers["Set-Cookie"].split(";")[0]
    photo = (BOOKING / "booking" / "static" / "favicon.ico").read_bytes()
    kim.post("/courts/lob/photos", data={"photo": (io.BytesIO(photo), "ball.ico")})
    asked = []

    def enforced(environ, start_response):
        asked.append(environ["PATH_INFO"])
        environ["HTTP_COOKIE"] = cookie

        def start(status, headers, *error):
            return start_response(status, [*headers, ("Content-Security-Policy", STRICT)], *error)

        if environ["PATH_INFO"] == "/inline":
            start("200 OK", [("Content-Type", "text/html")])
            return [INLINE]
        return app(environ, start)

    with make_server("127.0.0.1", 0, enforced, Server, Quiet) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        venue.stopping.set()
        server.shutdown()
    for name in [name for name in sys.modules if name.partition(".")[0] == "booking"]:
        monkeypatch.delitem(sys.modules, name)


@pytest.mark.browser
def test_a_strict_policy_breaks_nothing(strict, chromium, place):
    address, asked = strict

    def complaints(path):
        done = subprocess.run(
            [chromium, "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr",
             f"--user-data-dir={place / 'profile'}", f"--screenshot={place / 'shot.png'}",
             address + path],
            capture_output=True, text=True, timeout=60, check=True,
        )  # fmt: skip
        return [line for line in done.stderr.splitlines() if "CONSOLE" in line]

    control = complaints("/inline")
    assert any("style" in line for line in control), control  # the browser does complain, aloud
    assert any("script" in line for line in control), control
    assert complaints("/courts/lob") == []
    assert complaints("/") == []
    (upload,) = [path for path in asked if path.startswith("/uploads/")]
    assert upload.endswith("ball.ico")
    wanted = {"/static/style.css", "/static/live.js", "/static/court.svg", "/events"}
    assert wanted <= set(asked)
