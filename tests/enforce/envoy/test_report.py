"""The guard hears, through a real Envoy, what the application answered: once, and nobody else."""

import gzip
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from troth.enforce import wire
from troth.enforce.envoy import Upstream, report
from troth.enforce.envoy.report import SCRIPT

NAME = "0." + "ab" * 16
WITHIN_S = 30


@dataclass
class Doors:
    """A guard's two sockets: names what is to be waited for, keeps what it was told."""

    name: str = NAME
    told: list[wire.Message] = field(default_factory=list)
    reply: wire.Reply = field(default_factory=lambda: wire.Reply(status=200))

    def ask(self, message: wire.Message) -> wire.Reply:
        named = ((b"x-troth-awaited", self.name.encode()),) if self.name else ()
        unnamed = b"x-troth-awaited" if not self.name else b"x-troth-user"
        return wire.Reply(
            status=200, headers=(*named, (b"x-envoy-auth-headers-to-remove", unnamed))
        )

    def tell(self, message: wire.Message) -> wire.Reply:
        self.told.append(message)
        return self.reply

    def hears(self) -> wire.Message:
        end = time.monotonic() + WITHIN_S
        while not self.told:
            assert time.monotonic() < end, "it was told nothing"
            time.sleep(0.01)
        (message,) = self.told
        return message


@pytest.fixture
def doors(edge, stand: Callable, sock: Callable, serving: Callable, monkeypatch) -> Iterator[tuple]:
    """An edge that asks and tells our doors, before an application that does as a test says."""
    made = Doors()
    patient = SCRIPT.replace(f", {report.WAIT_MS})", ", 20000)")  # this machine may be busy
    assert patient != SCRIPT
    monkeypatch.setattr(report, "SCRIPT", patient)
    with (
        stand("told-app") as app,
        serving((sock("ask-0"), made.ask), (sock("seen-0"), made.tell)),
        edge.altered(
            upstream=Upstream(socket=str(sock("told-app"))),
            guards=(sock("ask-0"),),
            guard_seen=(sock("seen-0"),),
            guard_timeout_ms=10_000,
        ),
    ):
        yield made, app


def test_status_and_location_are_told_and_a_cookie_comes_with_the_answer(edge, doors):
    guard, app = doors
    app.answer = lambda *_: (302, {"Location": "/home", "Set-Cookie": "sid=1"}, b"")
    guard.reply = wire.Reply(status=200, headers=((b"set-cookie", b"__Host-known=1; Path=/"),))

    answer = edge.ask("/login", method="POST", body=b"a=b")

    message = guard.hears()
    told = dict(message.headers)
    assert message.method == b"POST"
    assert message.target == b"/" + NAME[2:].encode()
    assert (told[b"status"], told[b"location"], message.body) == (b"302", b"/home", b"")
    assert [one for one in answer.all("set-cookie") if one.startswith("__Host-known")] == [
        "__Host-known=1; Path=/"
    ]
    assert any(one.startswith("sid=1; ") and "secure" in one for one in answer.all("set-cookie"))
    (asked,) = app.asked
    assert not [name for name in asked[1] if name.startswith("x-troth-awaited")]


def test_who_is_not_waited_for_is_not_told_of(edge, doors):
    guard, app = doors
    guard.name = ""

    assert edge.ask("/", headers={"X-Troth-Awaited": NAME}).status == 200
    assert guard.told == []
    assert "x-troth-awaited" not in app.asked[0][1]


def test_a_visitor_cannot_choose_the_name(edge, doors):
    guard, _ = doors
    edge.ask("/login", headers={"X-Troth-Awaited": "0." + "cd" * 16})

    assert guard.hears().target == b"/" + NAME[2:].encode()


@pytest.mark.parametrize("name", ["x", "0.zz", "000.ab", "0.ab/../x", "7.abab"])
def test_a_name_that_is_none_or_nobodys_harms_nothing(edge, doors, name):
    guard, _ = doors
    guard.name = name

    assert edge.ask("/login").status == 200
    assert guard.told == []


def test_a_short_body_is_told_when_it_is_wanted(edge, doors):
    guard, app = doors
    guard.name += "w"
    app.answer = lambda *_: (200, {"Content-Type": "text/html"}, b"<p>wrong password</p>")

    answer = edge.ask("/login", method="POST")

    assert answer.body == b"<p>wrong password</p>"
    assert guard.hears().body == b"<p>wrong password</p>"


def test_of_a_long_body_the_beginning_is_told_and_all_of_it_arrives(edge, doors):
    guard, app = doors
    guard.name += "w"
    page = b"wrong password" + b"x" * 200_000
    app.answer = lambda *_: (200, {"Content-Type": "text/html"}, page)

    answer = edge.ask("/login", method="POST")

    assert answer.body == page
    assert guard.hears().body == page[: 16 * 1024]


def test_a_compressed_body_is_left_alone(edge, doors):
    guard, app = doors
    guard.name += "w"
    packed = gzip.compress(b"wrong password")
    app.answer = lambda *_: (200, {"Content-Encoding": "gzip"}, packed)

    assert edge.ask("/login", method="POST").status == 200
    assert guard.hears().body == b""


def test_a_guard_that_does_not_hear_keeps_nobody_waiting(edge, doors, sock):
    with edge.altered(guard_seen=(sock("nobody"),)):
        answer = edge.ask("/login", method="POST")

    assert answer.status == 200


def test_no_route_leads_to_the_socket(edge, doors):
    guard, _ = doors
    guard.name = ""
    for path in (f"/{NAME[2:]}", f"/-/{NAME[2:]}", "/-/seen", "/answered"):
        edge.ask(path, method="POST", headers={"status": "200", "Host": f"guard-seen-0:{path}"})
        edge.ask(path, method="POST", headers={"status": "200"})

    assert guard.told == []


def test_it_is_short():
    assert SCRIPT.count("\n") <= 60
