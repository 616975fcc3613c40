"""`troth init` looks at a real server and writes what does not break it."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from troth.adapters import config
from troth.adapters.config import ConfigError
from troth.catalogue import Settings
from troth.roles.init import InitError, Wish, init


class Application(BaseHTTPRequestHandler):
    taken: tuple[str, ...] = ()
    catches_all = False

    def do_GET(self):
        known = self.path == "/" or self.path in self.taken
        self.send_response(200 if known or self.catches_all else 404)
        self.send_header("Set-Cookie", "a=b")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok" if known or not self.catches_all else b"--")

    def log_message(self, *_):
        return


@pytest.fixture
def serve():
    servers = []

    def start(**attributes) -> str:
        handler = type("Handler", (Application,), attributes)
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def wish(tmp_path: Path, upstream: str, **more) -> Wish:
    return Wish(upstream=upstream, host="demo.localhost", config=tmp_path / "troth.toml", **more)


def test_what_it_writes_is_gentle_and_loads(serve, tmp_path):
    seen = init(wish(tmp_path, serve()))

    assert (seen.status, seen.cookies) == (200, 1)
    settings = config.load(tmp_path / "troth.toml", Settings)
    assert settings.edge.csp.mode == "report-only"
    assert settings.edge.hsts.max_age_s == 300
    assert not settings.edge.hsts.include_subdomains
    assert not settings.edge.headers.no_store
    assert settings.troth.host == "troth.demo.localhost"


def test_a_file_that_is_there_stays(serve, tmp_path):
    (tmp_path / "troth.toml").write_text("mine")

    with pytest.raises(InitError, match="exists already"):
        init(wish(tmp_path, serve()))
    assert (tmp_path / "troth.toml").read_text() == "mine"


def test_a_prefix_in_use_is_refused(serve, tmp_path):
    upstream = serve(taken=("/-/session",))

    with pytest.raises(InitError, match="answers /-/session"):
        init(wish(tmp_path, upstream))
    init(wish(tmp_path, upstream, prefix="/troth/"))


def test_an_application_that_answers_everything_alike_is_no_conflict(serve, tmp_path):
    init(wish(tmp_path, serve(catches_all=True)))


def test_an_application_that_is_away(tmp_path):
    with pytest.raises(InitError, match="does not answer"):
        init(wish(tmp_path, "http://127.0.0.1:1"))
    with pytest.raises(InitError, match="does not answer"):
        init(wish(tmp_path, f"unix:{tmp_path}/none.sock"))
    with pytest.raises(ConfigError):
        init(wish(tmp_path, "gopher://x"))
    assert not (tmp_path / "troth.toml").exists()
