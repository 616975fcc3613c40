"""Failed logins in the doors within an application: the same counts, without an edge."""

import asyncio
import io
from urllib.parse import urlencode

import pytest

from troth.enforce import asgi, wsgi
from troth.enforce.keeper import Keeper, Means
from troth.enforce.snapshot import Current
from troth.promises.guard.enforce import login
from troth.promises.guard.settings.login import Lockout, LoginRoute

BODY = urlencode({"username": "ann", "password": "guess"}).encode()


class Site:
    """An application whose login succeeds when it is told to, and what it saw."""

    def __init__(self) -> None:
        self.status, self.seen = 200, []

    def wsgi(self, environ, start_response):
        self.seen.append({key.lower() for key in environ})
        start_response(f"{self.status} Whatever", [("Content-Type", "text/html")])
        return [b"page"]

    async def asgi(self, scope, receive, send):
        while (await receive()).get("more_body"):
            pass
        self.seen.append({name.decode() for name, _ in scope["headers"]})
        headers = [(b"content-type", b"text/html")]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": b"page"})


def by_wsgi(site, keeper):
    door = wsgi.Door(site.wsgi, keeper)

    def attempt(cookie=""):
        said = []
        environ = {
            "REQUEST_METHOD": "POST", "PATH_INFO": "/login", "QUERY_STRING": "",
            "HTTP_HOST": "app.example", "REMOTE_ADDR": "192.0.2.1", "SERVER_NAME": "a",
            "SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.1", "HTTP_COOKIE": cookie,
            "CONTENT_TYPE": "application/x-www-form-urlencoded", "CONTENT_LENGTH": str(len(BODY)),
            "wsgi.input": io.BytesIO(BODY), "wsgi.errors": io.StringIO(), "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http", "wsgi.multithread": False, "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }  # fmt: skip
        answer = door(environ, lambda status, headers, _=None: said.append((status, headers)))
        b"".join(answer)
        getattr(answer, "close", lambda: None)()
        ((status, headers),) = said
        cookies = [value for name, value in headers if name.lower() == "set-cookie"]
        return int(status.split()[0]), "".join(cookies)

    return attempt


def by_asgi(site, keeper):
    door = asgi.Door(site.asgi, keeper)

    def attempt(cookie=""):
        sent = []
        headers = [
            (b"host", b"app.example"), (b"content-type", b"application/x-www-form-urlencoded"),
            (b"content-length", b"%d" % len(BODY)), (b"cookie", cookie.encode()),
        ]  # fmt: skip
        scope = {
            "type": "http", "method": "POST", "path": "/login", "raw_path": b"/login",
            "query_string": b"", "headers": headers, "client": ("192.0.2.1", 1),
            "http_version": "1.1", "scheme": "http", "server": ("a", 80), "root_path": "",
        }  # fmt: skip
        events = [{"type": "http.request", "body": BODY, "more_body": False}]

        async def receive():
            return events.pop(0) if events else {"type": "http.disconnect"}

        async def send(event):
            sent.append(event)

        asyncio.run(door(scope, receive, send))
        cookies = [value for name, value in sent[0]["headers"] if name == b"set-cookie"]
        return sent[0]["status"], b"".join(cookies).decode()

    return attempt


@pytest.mark.parametrize("door", [by_wsgi, by_asgi], ids=["wsgi", "asgi"])
def test_the_fifth_is_refused_and_a_known_device_gets_in(world, make, door):
    route = LoginRoute(path="/login", preset="django")
    world.checks = login.checks((route,), Lockout(), make.secrets)
    world.looks = login.looks((route,), Lockout(), make.secrets)
    site = Site()
    means = Means(
        now=lambda: world.now,
        new_id=lambda: "0" * 16,
        told=lambda *_: None,
        known=lambda _: world.known(),
        settle=lambda decision, _: world._settle(decision),
        elsewhere=make.elsewhere(world) if world.is_elsewhere else None,
    )
    attempt = door(site, Keeper(Current(world.snapshot(), lambda *_: None), means))

    site.status = 302
    status, known = attempt()
    assert status == 302
    assert known.startswith("__Host-known=1.")
    site.status = 200
    assert [attempt()[0] for _ in range(4)] == [200] * 4
    assert attempt()[0] == 403
    assert len(site.seen) == 5
    site.status = 302
    assert attempt(known.partition(";")[0])[0] == 302
    assert not any("awaited" in name for seen in site.seen for name in seen)
