"""Whatever door an answer leaves by, the same leaks are withheld and the same answers go out."""

import asyncio
import gzip
import io
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from wsgiref.util import setup_testing_defaults

import pytest

from troth.enforce import answers, asgi, wire, wsgi
from troth.enforce.decide import decide_answer
from troth.enforce.envoy import Upstream
from troth.enforce.keeper import Keeper, Means
from troth.enforce.snapshot import Current, Snapshot
from troth.engines.seclang import Program
from troth.kernel.request import Known, Request, Response
from troth.kernel.site import Site
from troth.promises.guard.enforce import waf
from troth.promises.guard.settings.waf import Exclusion, Rules
from troth.roles import rules_load

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SITE = Site(name="n", app="https://a", http="http://a", troth="https://t", status="https://s")
FILE = Path(__file__).parents[2] / "vectors" / "answers" / "leaks.vectors"
EXCLUDED = Exclusion(path="/tools/traces", parameter="RESPONSE_BODY", rule=9018040)
RULES = Rules(exclusions=(EXCLUDED,))
KEYS = set("about expect answer method path encoding sent padding left".split())
WITHHELD = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Vector:
    said: dict[str, str]
    text: bytes

    @property
    def status(self) -> int:
        return int(self.said["answer"].split()[0])

    @property
    def method(self) -> str:
        return self.said.get("method", "GET")

    @property
    def path(self) -> str:
        return self.said.get("path", "/a")

    @property
    def body(self) -> bytes:
        whole = b"x" * int(self.said.get("padding", "0")) + self.text
        return gzip.compress(whole, mtime=0) if "encoding" in self.said else whole

    @property
    def headers(self) -> dict[str, str]:
        kind = self.said["answer"].partition(" ")[2]
        return {
            **({"Content-Type": kind} if kind else {}),
            **({"Content-Encoding": "gzip"} if "encoding" in self.said else {}),
            **({} if "sent" in self.said else {"Content-Length": str(len(self.body))}),
        }


@dataclass(frozen=True, slots=True)
class Became:
    status: int
    body: bytes


def vectors() -> Iterator[Vector]:
    for text in FILE.read_text("utf-8").split("\n---\n"):
        head, _, body = text.partition("\n\n")
        said = dict(re.fullmatch(r"([a-z]+): (.+)", line).groups() for line in head.splitlines())
        assert set(said) <= KEYS, said
        yield Vector(said=said, text=body.encode())


VECTORS = list(vectors())


@pytest.fixture(scope="module")
def program() -> Program:
    made = rules_load.program_of(RULES)
    assert made is not None
    return made


@pytest.fixture
def keeper(program: Program) -> Keeper:
    snapshot = Snapshot(
        checks=(), answers=(waf.answer_check(program, RULES),), site=SITE, prefix="/-/",
        max_body_bytes=1, config="", made=NOW,
    )  # fmt: skip
    means = Means(now=lambda: NOW, new_id=lambda: "00ff", told=lambda *_: None)
    return Keeper(Current(snapshot, lambda *_: None), means)


def by_decide(vector: Vector, keeper: Keeper) -> Became:
    """What a door shows, and what is said of it."""
    headers = tuple((k.lower().encode(), v.encode()) for k, v in vector.headers.items())
    request = Request(
        method=vector.method.encode(), target=vector.path.encode(), host=b"a", headers=()
    )
    is_head = vector.method == "HEAD"
    snapshot = keeper.current.snapshot
    left = answers.left_alone(vector.status, headers, snapshot.max_answer_bytes, is_head=is_head)
    if left:
        keeper.counts[f"answer.left.{left}"] += 1
    shown = None if left or is_head or not answers.is_text(headers) else vector.body
    response = Response(status=vector.status, headers=headers, body=shown)
    decision = decide_answer(request, response, snapshot, Known(now=NOW))
    if decision.refusal:
        return Became(decision.refusal.status, b"")
    return Became(vector.status, b"" if is_head else vector.body)


def by_asgi(vector: Vector, keeper: Keeper) -> Became:
    sent: list[dict] = []
    headers = [(k.lower().encode(), v.encode()) for k, v in vector.headers.items()]
    body = b"" if vector.method == "HEAD" else vector.body
    parts = [body[:50], body[50:]]  # a length may be declared and the body come in parts

    async def app(_scope, _receive, send):
        await send({"type": "http.response.start", "status": vector.status, "headers": headers})
        for more, part in ((True, parts[0]), (False, parts[1])):
            await send({"type": "http.response.body", "body": part, "more_body": more})

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(event):
        sent.append(event)

    scope = {
        "type": "http", "method": vector.method, "path": vector.path, "query_string": b"",
        "headers": [(b"host", b"a")], "client": ("127.0.0.1", 1), "http_version": "1.1",
    }  # fmt: skip
    asyncio.run(asgi.Door(app, keeper)(scope, receive, send))
    return Became(sent[0]["status"], b"".join(event.get("body", b"") for event in sent[1:]))


def by_wsgi(vector: Vector, keeper: Keeper) -> Became:
    said: list[str] = []

    def app(_environ, start_response):
        start_response(f"{vector.status} X", list(vector.headers.items()))
        return [] if vector.method == "HEAD" else [vector.body[:50], vector.body[50:]]

    environ: dict[str, object] = {
        "REQUEST_METHOD": vector.method, "PATH_INFO": vector.path, "HTTP_HOST": "a",
        "REMOTE_ADDR": "127.0.0.1", "wsgi.input": io.BytesIO(),
    }  # fmt: skip
    setup_testing_defaults(environ)
    body = b"".join(wsgi.Door(app, keeper)(environ, lambda status, *_: said.append(status)))
    return Became(int(said[0].split()[0]), body)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.said["about"])
@pytest.mark.parametrize("door", [by_decide, by_asgi, by_wsgi], ids=lambda door: door.__name__)
def test_every_door_withholds_alike(vector: Vector, door: Callable, keeper: Keeper):
    check(vector, door(vector, keeper), keeper.counts, has_page=door is not by_decide)


def test_the_edge_withholds_alike(edge, stand, sock, serving, keeper: Keeper):
    """All in one: an edge takes a moment to be another."""
    doors = (
        (sock("asked"), lambda _: wire.Reply(status=200)),
        (sock("leaks"), answers.Answers(keeper).answer),
    )
    plan = {
        "upstream": Upstream(socket=str(sock("answers"))),
        "guards": (doors[0][0],),
        "guard_leaks": (doors[1][0],),
        "leak_paths": ("/",),
        "guard_timeout_ms": 10_000,
    }
    with stand("answers") as app, serving(*doors), edge.altered(**plan):
        for vector in VECTORS:
            more = {key: v for key, v in vector.headers.items() if key != "Content-Length"}
            if "sent" in vector.said:
                more["Transfer-Encoding"] = "chunked"
            app.answer = lambda *_, v=vector, more=more: (v.status, more, v.body)
            keeper.counts.clear()
            answer = edge.ask(vector.path, method=vector.method)
            until(lambda v=vector: "left" not in v.said or keeper.counts)
            try:
                check(vector, Became(answer.status, answer.body), keeper.counts, has_page=True)
            except AssertionError as error:
                raise AssertionError(vector.said["about"]) from error


def until(is_true: Callable[[], object]) -> None:
    end = time.monotonic() + 30
    while not is_true():
        assert time.monotonic() < end
        time.sleep(0.01)


def check(vector: Vector, became: Became, counts: Counter[str], *, has_page: bool) -> None:
    left = {name for name in counts if name.startswith("answer.left")}
    assert left == ({f"answer.left.{vector.said['left']}"} if "left" in vector.said else set())
    if vector.said["expect"] == "pass":
        is_head = vector.method == "HEAD"
        assert became == Became(vector.status, b"" if is_head else vector.body)
        return
    assert became.status == WITHHELD
    assert vector.text not in became.body
    assert (b"00ff" in became.body) is has_page
