"""A made-up area with probes that can be told what to do, and a ledger in a temporary folder."""

import sys
import types
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from troth.adapters.chance import seeded
from troth.adapters.vantage import Vantage
from troth.kernel.model import (
    Check,
    Judgement,
    Kind,
    Method,
    Observation,
    Promise,
    Severity,
    Verdict,
)
from troth.kernel.site import Site

MODULE = "made_up_area"
SITE = Site(
    name="Demo",
    app="https://demo.localhost:1",
    http="http://demo.localhost:1",
    troth="https://troth.demo.localhost:1",
    status="https://status.demo.localhost:1",
)


class Clock:
    def __init__(self) -> None:
        self.time = datetime(2026, 11, 21, 12, 0, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.time

    def go(self, **span: float) -> datetime:
        self.time += timedelta(**span)
        return self.time


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def area() -> Iterator[types.ModuleType]:
    """A module whose `probe` and `judge` a test may replace; honest and passing at first."""
    module = types.ModuleType(MODULE)
    module.probe = lambda vantage, settings: Observation(  # type: ignore[attr-defined]
        facts={"seen": 1, "secret": "inner"}, public=frozenset({"seen"})
    )
    module.judge = lambda facts, settings: Judgement(Verdict.PASS, "all well")  # type: ignore[attr-defined]
    sys.modules[MODULE] = module
    yield module
    del sys.modules[MODULE]


def check(id_: str = "hsts.answers", method: Method = Method.LOOK, **kw) -> Check:
    look = method is Method.LOOK
    given = {
        "id": id_,
        "method": method,
        "interval": timedelta(seconds=20) if look else timedelta(minutes=5),
        "ttl": timedelta(seconds=60) if look else timedelta(minutes=15),
        "probe": f"{MODULE}:probe",
        "judge": f"{MODULE}:judge",
        "command": "true",
    }
    return Check(**(given | kw))


@pytest.fixture
def make_check():
    return check


@pytest.fixture
def make_promise():
    def make(slug: str = "hsts", *checks: Check, **kw) -> Promise:
        return Promise(
            slug=slug,
            area="edge",
            kind=Kind.ENFORCED,
            severity=Severity.HIGH,
            checks=checks or (check(f"{slug}.answers"),),
            **kw,
        )

    return make


@pytest.fixture
def vantage(clock: Clock) -> Vantage:
    return Vantage(site=SITE, name="local", now=clock(), rng=seeded(1))
