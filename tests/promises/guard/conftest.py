"""A guard's world without a wire: time, trails, bans, and an application that answers."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from troth.enforce.decide import Decision, decide_answer, deciding, looking
from troth.enforce.snapshot import Snapshot
from troth.enforce.trails import Trails
from troth.kernel.request import Ban, Known, Request, Response, Taken, Wanted
from troth.kernel.site import Site
from troth.kernel.trail import ELSEWHERE, Looked
from troth.promises.guard.enforce.secrets import Secrets
from troth.promises.guard.rules.tokens import Key, Keyring

SITE = Site(
    name="n", app="https://app.example", http="http://a", troth="https://t", status="https://s"
)
SECRETS = Secrets(ring=Keyring((Key("k1", b"1" * 32),)), passing=Key("p", b"2" * 32))
START = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class World:
    """Drives checks as a door does: judge, mark, answer, mark again."""

    checks: tuple = ()
    now: datetime = START
    trails: Trails = field(default_factory=Trails)
    bans: dict = field(default_factory=dict)
    strikes: list = field(default_factory=list)
    looks: tuple = ()
    is_elsewhere: bool = False  # trails are asked for beforehand, as of a server

    def known(self) -> Known:
        trails = ELSEWHERE if self.is_elsewhere else self.trails
        return Known(now=self.now, trails=trails, bans=self.bans)

    def snapshot(self) -> Snapshot:
        return Snapshot(
            checks=self.checks,
            looks=self.looks,
            site=SITE,
            prefix="/-/",
            max_body_bytes=65536,
            config="",
            made=START,
        )

    def judge(self, request: Request) -> Decision:
        decision = self._asked(deciding(request, self.snapshot(), self.known()))
        self._settle(decision)
        return decision

    def answer(self, request: Request, decision: Decision, response: Response) -> Decision:
        snapshot, awaits = self.snapshot(), decision.awaits
        steps = looking(
            awaits,
            response,
            self.known(),
            lambda known: decide_answer(request, response, snapshot, known, awaits),
        )
        found = self._asked(steps)
        self._settle(found)
        return found

    def _asked(self, steps):
        """Answer as the counters' server does: read, then mark, at one moment."""
        try:
            wanted = next(steps)
            while True:
                wanted = steps.send(self.wait(wanted))
        except StopIteration as end:
            return end.value

    def wait(self, wanted):
        """As `keeper.Elsewhere`."""
        assert isinstance(wanted, Wanted)
        read = {key: self.trails.get(key, ()) for look in wanted.looks for key in look.keys}
        for look in wanted.looks:
            self.trails.mark(look.notes, self.now)
        return Taken({}, Looked(read))

    def ask(self, request: Request, response: Response) -> tuple[Decision, Decision | None]:
        """What became of a request, and of its answer if it had one."""
        decision = self.judge(request)
        if decision.refusal is not None:
            return decision, None
        return decision, self.answer(request, decision, response)

    def later(self, **by: float) -> None:
        self.now += timedelta(**by)

    def _settle(self, decision: Decision) -> None:
        self.trails.mark(decision.notes, self.now)
        self.strikes += decision.strikes
        for strike in decision.strikes:
            if strike.ask.cost > strike.ask.burst and strike.subject:
                self.bans[strike.subject] = Ban(
                    subject=strike.subject, cause=strike.cause, since=self.now,
                    until=self.now + strike.length,
                )  # fmt: skip


@dataclass
class Elsewhere:
    """The world's trails, for a door."""

    world: World

    def wait(self, wanted):
        return self.world.wait(wanted)

    def ask(self, wanted):
        future = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_soon(lambda: future.set_result(self.wait(wanted)))
        return future


@pytest.fixture(params=["at hand", "elsewhere"])
def world(request) -> World:
    """Twice: trails in this process, and trails that several guards share."""
    return World(is_elsewhere=request.param == "elsewhere")


def post(target=b"/login", body=b"", *headers, client="192.0.2.1", kind=None, method=b"POST"):
    kind = b"application/x-www-form-urlencoded" if kind is None else kind
    return Request(
        method=method, target=target, host=b"app.example", client=client, body=body or None,
        headers=((b"content-type", kind), *headers) if body else headers,
    )  # fmt: skip


def answer(status, *headers, body=None):
    return Response(status=status, headers=headers, body=body)


@pytest.fixture
def make():
    """`make.post(...)`, `make.answer(...)`, `make.secrets`: what tests build requests of."""

    class Make:
        secrets = SECRETS
        elsewhere = Elsewhere
        site = SITE
        start = START

    Make.post, Make.answer = staticmethod(post), staticmethod(answer)
    return Make
