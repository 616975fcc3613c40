"""A keeper whose checks say what a test tells them to, for every door."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from troth.enforce.keeper import Keeper, Means
from troth.enforce.snapshot import Body, Current, Snapshot
from troth.kernel.request import FINE, Known, Opinion, Request
from troth.kernel.site import Site
from troth.promises.guard.enforce import uploads
from troth.promises.guard.settings.uploads import Uploads

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SITE = Site(name="n", app="https://a", http="http://a", troth="https://t", status="https://s")


@dataclass
class Play:
    """What the check says, and what it was asked."""

    opinion: Opinion | Exception = FINE
    kind: Body = Body.INSPECTED
    answers: tuple[Any, ...] = ()
    scan: Any = None
    seen: list[Request] = field(default_factory=list)
    told: list[tuple[str, dict[str, object]]] = field(default_factory=list)

    def check(self, request: Request, _: Known) -> Opinion:
        self.seen.append(request)
        if isinstance(self.opinion, Exception):
            raise self.opinion
        return self.opinion

    @property
    def keeper(self) -> Keeper:
        snapshot = Snapshot(
            checks=(self.check,),
            bodies=(self.check,),
            uploads=uploads.of(Uploads(), 10_000, self.scan),
            answers=self.answers,
            site=SITE,
            prefix="/-/",
            max_body_bytes=1000,
            max_upload_bytes=100_000,
            body=lambda _: self.kind,
            config="",
            made=NOW,
        )
        means = Means(
            now=lambda: NOW,
            new_id=lambda: "00ff",
            told=lambda *event: self.told.append(event),
        )
        return Keeper(Current(snapshot, lambda *_: None), means)


@pytest.fixture
def play() -> Play:
    return Play()
