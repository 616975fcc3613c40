"""Applications with the guard in their own process: two that share a Redis, and their lists."""

import asyncio
import io
import shutil
import threading
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

import pytest
from tests.adapters.counters.conftest import Server

from troth.roles import asgi, wsgi
from troth.roles.within import Guard

WITHIN_S = 40
TOML = """
[troth]
name = "Demo"
host = "troth.demo.localhost"
[application]
host = "demo.localhost"
upstream = "http://127.0.0.1:1"
[status]
host = "status.demo.localhost"
{counters}
[guard]
fail_open_paths = ["/open"]
[guard.rules]
mode = "off"
[guard.limits]
rules = [{{name = "all", rate = "30/h"}}]
[[guard.lists]]
name = "drop"
source = "file:{data}/drop.txt"
[[guard.login]]
path = "/login"
preset = "json"
[guard.lockout]
failures = 4
scope = "all"
"""
SHARED = """
[counters]
url = "file:{data}/url"
key = "file:{data}/key"
timeout_ms = 2000
"""


@dataclass
class Site:
    """An application behind a door, on a machine of its own."""

    folder: Path
    redis: Server | None = None
    door: object = field(init=False)

    def __post_init__(self):
        self.folder.mkdir()
        (self.folder / "drop.txt").write_text("198.51.100.0/24\n")
        counters = ""
        if self.redis is not None:
            (self.folder / "url").write_text(self.redis.url)
            (self.folder / "key").write_text("a key of two and thirty characters\n")
            counters = SHARED.format(data=self.folder)
        self.config = self.folder / "troth.toml"
        self.config.write_text(TOML.format(counters=counters, data=self.folder))

    @property
    def guard(self) -> Guard:
        return self.door.guard

    def login(self, client="192.0.2.1", name="ann"):
        return self.ask("/login", client, urlencode({"username": name, "password": "x"}).encode())


class Wsgi(Site):
    def __post_init__(self):
        super().__post_init__()
        self.door = wsgi.TrothMiddleware(self.app, self.config, self.folder)

    def app(self, environ, start_response):
        failed = environ["REQUEST_METHOD"] == "POST"
        start_response("401 No" if failed else "200 OK", [("Content-Type", "text/plain")])
        return [b"page"]

    def ask(self, path="/", client="192.0.2.1", body=b""):
        said = []
        environ = {
            "REQUEST_METHOD": "POST" if body else "GET", "PATH_INFO": path, "QUERY_STRING": "",
            "HTTP_HOST": "demo.localhost", "REMOTE_ADDR": client, "SERVER_NAME": "a",
            "HTTP_ORIGIN": "https://demo.localhost",
            "SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.1",
            "CONTENT_TYPE": "application/x-www-form-urlencoded", "CONTENT_LENGTH": str(len(body)),
            "wsgi.input": io.BytesIO(body), "wsgi.errors": io.StringIO(), "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http", "wsgi.multithread": True, "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }  # fmt: skip
        b"".join(self.door(environ, lambda status, *_: said.append(int(status.split()[0]))))
        return said[0]


class Asgi(Site):
    def __post_init__(self):
        super().__post_init__()
        self.door = asgi.TrothMiddleware(self.app, self.config, self.folder)

    async def app(self, scope, receive, send):
        await receive()
        status = 401 if scope["method"] == "POST" else 200
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": b"page"})

    def ask(self, path="/", client="192.0.2.1", body=b""):
        return asyncio.run(self.asked(path, client, body))

    async def asked(self, path="/", client="192.0.2.1", body=b""):
        said = []
        kind = (b"content-type", b"application/x-www-form-urlencoded")
        scope = {
            "type": "http", "method": "POST" if body else "GET", "path": path, "query_string": b"",
            "raw_path": path.encode(), "client": (client, 1), "http_version": "1.1",
            "headers": [(b"host", b"demo.localhost"), (b"origin", b"https://demo.localhost"), kind],
        }  # fmt: skip

        async def receive():
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(event):
            if event["type"] == "http.response.start":
                said.append(event["status"])

        await self.door(scope, receive, send)
        return said[0]


@contextmanager
def sites(*found):
    with ExitStack() as stack:
        for site in found:
            stack.callback(site.guard.close)
        yield found


@pytest.fixture
def redis(tmp_path):
    if not shutil.which("redis-server"):
        pytest.skip("no redis-server here (Debian: apt install redis-server)")
    server = Server(tmp_path)
    server.start()
    yield server
    server.kill()


def until(condition):
    end = time.monotonic() + WITHIN_S
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.005)


def test_two_processes_admit_as_one_and_a_ban_of_one_is_a_ban_of_both(tmp_path, redis):
    with sites(Asgi(tmp_path / "a", redis), Wsgi(tmp_path / "b", redis)) as (a, b):
        said = [(a, b)[number % 2].ask() for number in range(34)]
        assert said == [200] * 30 + [429] * 4

        guesses = [(a, b)[number % 2].login("192.0.2.2", f"u{number}") for number in range(4)]
        assert guesses == [401] * 4
        until(lambda: a.ask("/", "192.0.2.2") == b.ask("/", "192.0.2.2") == 403)
        assert a.ask("/", "192.0.2.3") == 200


def test_of_many_guesses_at_once_no_more_are_let_through_than_may_fail(tmp_path, redis):
    with sites(Asgi(tmp_path / "a", redis), Asgi(tmp_path / "b", redis)) as found:

        async def at_once():
            body = [urlencode({"username": f"u{n}", "password": "x"}).encode() for n in range(24)]
            return await asyncio.gather(
                *(found[n % 2].asked("/login", "192.0.2.2", body[n]) for n in range(24))
            )

        said = asyncio.run(at_once())

    assert said.count(401) == 4
    assert set(said) <= {401, 403, 429}


def test_a_server_killed_under_load_closes_all_but_what_may_stay_open(tmp_path, redis):
    with sites(Wsgi(tmp_path / "a", redis), Asgi(tmp_path / "b", redis)) as (a, b):
        said, is_over = [], threading.Event()

        def load(number):
            while not is_over.is_set():
                count = len(said)
                status = a.ask("/", f"10.{number}.{count // 250 % 250}.{count % 250}")
                said.append((time.monotonic(), status))

        threads = [threading.Thread(target=load, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        until(lambda: len(said) > 50)
        gone = time.monotonic()
        redis.kill()
        until(lambda: any(status == 503 for _, status in said))
        assert (a.ask("/open/x"), b.ask("/open/x")) == (200, 200)
        assert b.ask("/", "192.0.2.9") == 503
        assert a.login("192.0.2.9") == 503
        redis.start()
        until(lambda: b.ask("/", "192.0.2.9") == 200)
        back = time.monotonic()
        until(lambda: sum(at > back for at, _ in said) > 20)
        is_over.set()
        for thread in threads:
            thread.join(WITHIN_S)

    assert {status for at, status in said if at < gone} == {200}
    assert {status for _, status in said} <= {200, 503}
    assert said[-1][1] == 200


@pytest.mark.parametrize("kind", [Asgi, Wsgi])
def test_blocklists_are_asked_and_read_again(tmp_path, kind):
    with sites(kind(tmp_path / "a")) as (site,):
        assert site.ask("/", "198.51.100.7") == 403
        assert site.ask("/", "192.0.2.7") == 200
        assert site.guard._standing._thread is not None


def test_a_key_that_is_too_short_starts_nothing(tmp_path, redis):
    site = Asgi(tmp_path / "a", redis)
    site.guard.close()
    (site.folder / "key").write_text("short")

    with pytest.raises(Exception, match="a key of 5 characters"):
        Guard(site.config, site.folder)
