"""An answer on a route that opted in waits, in a real Envoy, until the guard has read it."""

import asyncio
import gzip
import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from troth.enforce import wire
from troth.enforce.answers import Answers
from troth.enforce.envoy import Upstream, leaks
from troth.enforce.keeper import Keeper, Means
from troth.enforce.snapshot import Current, Snapshot
from troth.kernel.request import FINE, Hit, Known, Opinion, Refusal, Request, Response
from troth.kernel.site import Site

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SITE = Site(name="n", app="https://a", http="http://a", troth="https://t", status="https://s")
CAP = 64 * 1024
SECRET = b"-----BEGIN SECRET-----"
NO = Opinion(
    refusal=Refusal(slug="waf", code="rules", status=500),
    hits=(Hit(rule="1", place="RESPONSE_BODY", value=b"", message="m"),),
)


@dataclass
class Reader:
    """A guard that lets requests pass and reads answers."""

    seen: list[tuple[Request, Response]] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def check(self, request: Request, response: Response, _: Known) -> Opinion:
        self.seen.append((request, response))
        is_secret = SECRET in (response.body or b"") or response.values(b"x-leak")
        return NO if is_secret else FINE

    @property
    def door(self) -> wire.Answer:
        snapshot = Snapshot(
            checks=(), answers=(self.check,), site=SITE, prefix="/-/", max_body_bytes=1,
            config="", made=NOW,
        )  # fmt: skip
        means = Means(now=lambda: NOW, new_id=lambda: "00ff", told=lambda *_: None)
        keeper = Keeper(Current(snapshot, lambda *_: None), means)
        self.counts = keeper.counts
        return Answers(keeper).answer


@pytest.fixture
def reader(edge, stand: Callable, sock: Callable, serving: Callable) -> Iterator[tuple]:
    made = Reader()
    with (
        stand("leak-app") as app,
        serving(
            (sock("asked"), lambda _: wire.Reply(status=200)),
            (sock("leaks"), made.door),
        ),
        edge.altered(
            upstream=Upstream(socket=str(sock("leak-app"))),
            guards=(sock("asked"),),
            guard_leaks=(sock("leaks"),),
            leak_paths=("/admin",),
            fail_open_paths=("/admin/open", "/other"),
            answer_bytes=CAP,
            guard_timeout_ms=10_000,
        ),
    ):
        yield made, app


def until(is_true: Callable[[], object]) -> None:
    end = time.monotonic() + 30
    while not is_true():
        assert time.monotonic() < end
        time.sleep(0.01)


def page(body: bytes, kind: str = "text/html", status: int = 200, **more: str):
    headers = {"Content-Type": kind, **{k.replace("_", "-"): v for k, v in more.items()}}
    return lambda *_: (status, headers, body)


def test_a_leak_is_replaced_by_a_page_and_nothing_of_the_answer_is_left(edge, reader):
    _, app = reader
    app.answer = page(
        SECRET, Set_Cookie="sid=1", Location="/x", ETag='"1"', Troth_Refused="not you"
    )

    answer = edge.ask("/admin/a", headers={"Accept": "text/html", "Accept-Language": "de"})

    assert answer.status == 500
    assert SECRET not in answer.body
    assert 'lang="de"' in answer.body.decode()
    assert "00ff" in answer.body.decode()
    assert answer.one("troth-refused") == "waf"
    assert answer.one("content-length") == str(len(answer.body))
    assert answer.one("content-type") == "text/html; charset=utf-8"
    assert answer.one("strict-transport-security")
    assert not [n for n in ("set-cookie", "location", "etag") if answer.all(n)]


def test_a_program_gets_json(edge, reader):
    _, app = reader
    app.answer = page(SECRET)

    answer = edge.ask("/admin/a", headers={"Accept": "application/json"})

    assert json.loads(answer.body) == {"error": "withheld", "promise": "waf", "event": "00ff"}


def test_a_harmless_answer_is_as_it_was(edge, reader):
    guard, app = reader
    app.answer = page(b"hello", status=404, Set_Cookie="sid=1", X_Note="a", ETag='"1"')

    answer = edge.ask("/admin/a?b=c", method="POST", body=b"x", headers={"Accept": "text/html"})

    assert (answer.status, answer.body) == (404, b"hello")
    assert answer.one("x-note") == "a"
    assert answer.one("etag") == '"1"'
    assert answer.one("set-cookie").startswith("sid=1")
    ((request, response),) = guard.seen
    assert (request.method, request.target) == (b"POST", b"/admin/a?b=c")
    assert request.host.decode() in edge.url()
    assert request.client == "127.0.0.1"
    assert (response.status, response.body) == (404, b"hello")
    assert response.values(b"x-note") == [b"a"]
    assert response.values(b"content-type") == [b"text/html"]


def test_the_application_is_asked_for_plain_answers_there_and_there_only(edge, reader):
    guard, app = reader

    edge.ask("/admin/a", headers={"Accept-Encoding": "gzip, br"})
    edge.ask("/b", headers={"Accept-Encoding": "gzip, br"})

    assert [asked[1]["accept-encoding"] for asked in app.asked] == ["identity", "gzip, br"]
    assert len(guard.seen) == 1


def test_other_routes_are_not_looked_at(edge, reader):
    guard, app = reader
    app.answer = page(SECRET)

    assert edge.ask("/b").body == SECRET
    assert edge.ask("/other").body == SECRET
    assert guard.seen == []


@pytest.mark.parametrize(
    ("left", "answer"),
    [
        ("long", page(SECRET + b"x" * CAP)),
        ("long", page(SECRET + b"x" * 1_800_000)),
        ("pieces", page(SECRET, Transfer_Encoding="chunked")),
        ("pieces", page(SECRET + b"x" * 1_800_000, Transfer_Encoding="chunked")),
        ("encoded", page(gzip.compress(SECRET), Content_Encoding="gzip")),
        ("stream", page(b"data: " + SECRET, "text/event-stream", Transfer_Encoding="chunked")),
    ],
    ids=["long", "longer than a buffer", "pieces", "many pieces", "gzip", "events"],
)  # fmt: skip
def test_what_cannot_be_held_passes_and_is_counted(edge, reader, left, answer):
    guard, app = reader
    app.answer = answer
    body = answer()[2]

    assert edge.ask("/admin/a").body == body
    until(lambda: guard.seen)
    assert guard.counts[f"answer.left.{left}"] == 1
    assert [response.body for _, response in guard.seen] == [None]


@pytest.mark.parametrize("left", ["long", "pieces"])
def test_headers_are_looked_at_all_the_same(edge, reader, left):
    _, app = reader
    more = {"Transfer_Encoding": "chunked"} if left == "pieces" else {}
    app.answer = page(b"x" * (CAP + 1), X_Leak="1", **more)

    assert edge.ask("/admin/a").status == 500


@pytest.mark.parametrize(("status", "method"), [(204, "GET"), (304, "GET"), (200, "HEAD")])
def test_what_has_no_body_passes_and_is_not_counted(edge, reader, status, method):
    guard, app = reader
    app.answer = lambda *_: (status, {"X-Note": "1"}, b"12345" if method == "HEAD" else b"")

    answer = edge.ask("/admin/a", method=method)

    assert (answer.status, answer.body, answer.one("x-note")) == (status, b"", "1")
    assert answer.one("content-length") == ("5" if method == "HEAD" else None)
    assert not [name for name in guard.counts if name.startswith("answer.left")]


def test_a_refused_head_has_no_body(edge, reader):
    _, app = reader
    app.answer = page(b"12345", X_Leak="1")

    answer = edge.ask("/admin/a", method="HEAD")

    assert (answer.status, answer.body) == (500, b"")


@pytest.mark.parametrize("status", [204, 304])
def test_a_refused_answer_without_a_body_gets_a_page(edge, reader, status):
    _, app = reader
    app.answer = lambda *_: (status, {"X-Leak": "1"}, b"")

    answer = edge.ask("/admin/a")

    assert answer.status == 500
    assert b"00ff" in answer.body


def test_a_connection_that_becomes_another_is_untouched(edge, reader):
    guard, app = reader
    upgraded = {"Upgrade": "websocket", "Connection": "Upgrade", "X-Leak": "1"}
    app.answer = lambda *_: (101, upgraded, b"")

    answer = edge.ask("/admin/socket", headers={"Upgrade": "websocket", "Connection": "Upgrade"})

    assert answer.status == 101
    assert guard.seen == []


def test_pictures_are_not_told(edge, reader):
    guard, app = reader
    app.answer = page(SECRET, "image/png")

    assert edge.ask("/admin/a").body == SECRET
    assert [response.body for _, response in guard.seen] == [b""]


def test_a_header_that_comes_twice_is_told_twice(edge, reader):
    guard, app = reader
    app.answer = page(b"x", Set_Cookie="a=1", set_cookie="b=2")

    edge.ask("/admin/a")

    ((_, response),) = guard.seen
    assert len(response.values(b"set-cookie")) == 2


def test_without_a_guard_nothing_goes_out(edge, reader, sock):
    _, app = reader
    app.answer = page(b"hello", Set_Cookie="sid=1")
    with edge.altered(guard_leaks=(sock("nobody"),)):
        html = edge.ask("/admin/a", headers={"Accept": "text/html"})
        program = edge.ask("/admin/a", headers={"Accept": "application/json"})
        opened = edge.ask("/admin/open/a")

    assert html.status == program.status == 503
    assert b"Not available" in html.body
    assert b"/-/page.css" in html.body
    assert html.one("retry-after") == "5"
    assert html.one("content-type") == "text/html; charset=utf-8"
    assert not html.all("set-cookie")
    assert json.loads(program.body)["status"] == 503
    assert program.one("content-type") == "application/problem+json"
    assert (opened.status, opened.body) == (200, b"hello")


def test_where_requests_fail_open_answers_are_looked_at_too(edge, reader):
    _, app = reader
    app.answer = page(SECRET)

    assert edge.ask("/admin/open/a").status == 500


@pytest.mark.parametrize("first", ["nobody", "hangs"])
def test_the_standby_reads_where_the_first_does_not(edge, reader, sock, serving, first):
    guard, app = reader
    app.answer = page(b"hello")
    hangs = (sock("hangs"), lambda _: asyncio.get_running_loop().create_future())
    two = {"guards": (sock("asked"),) * 2, "guard_leaks": (sock(first), sock("leaks"))}
    with serving(hangs), edge.altered(**two, guard_timeout_ms=3000):
        assert edge.ask("/admin/a").status == 200
    assert guard.seen


def test_a_guard_that_hangs_is_as_none(edge, reader, sock, serving):
    _, app = reader
    app.answer = page(b"hello")
    with (
        serving((sock("hangs"), lambda _: asyncio.get_running_loop().create_future())),
        edge.altered(guard_leaks=(sock("hangs"),), guard_timeout_ms=300),
    ):
        assert edge.ask("/admin/a").status == 503


def test_it_is_short():
    text = leaks.script(kept=("a", "b"), most_bytes=1, wait_ms=1, prefix="/-/")

    assert text.count("\n") <= 60
