"""A guard's world without a wire: time, trails, bans, and an application that answers."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from troth.enforce.decide import Decision, decide, decide_answer
from troth.enforce.snapshot import Snapshot
from troth.enforce.trails import Trails
from troth.kernel.request import Ban, Known, Request, Response
from troth.kernel.site import Site
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

    def known(self) -> Known:
        return Known(now=self.now, trails=self.trails, bans=self.bans)

    def snapshot(self) -> Snapshot:
        return Snapshot(
            checks=self.checks,
            site=SITE,
            prefix="/-/",
            max_body_bytes=65536,
            config="",
            made=START,
        )

    def judge(self, request: Request) -> Decision:
        decision = decide(request, self.snapshot(), self.known(), lambda _: {})
        self._settle(decision)
        return decision

    def answer(self, request: Request, decision: Decision, response: Response) -> Decision:
        found = decide_answer(request, response, self.snapshot(), self.known(), decision.awaits)
        self._settle(found)
        return found

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


@pytest.fixture
def world() -> World:
    return World()


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
        site = SITE
        start = START

    Make.post, Make.answer = staticmethod(post), staticmethod(answer)
    return Make
