"""A vantage that plays back answers and remembers what was asked."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from troth.adapters.http import Response
from troth.adapters.tcp import TcpError
from troth.kernel.site import Site

SITE = Site(
    name="Test",
    app="https://app.example",
    http="http://app.example",
    troth="https://troth.example",
    status="https://status.example",
)


def answer(status: int = 200, body: bytes = b"", *headers: tuple[str, str]) -> Response:
    return Response(
        status=status,
        reason="",
        headers=headers,
        body=body,
        http_version="1.1",
        certificate_der=None,
        elapsed_s=0.0,
    )


@dataclass
class Played:
    """Stands in for a vantage: `answers` by `METHOD url`, else 404; None breaks off."""

    answers: dict[str, Response | None] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    sent: list[dict[str, Any]] = field(default_factory=list)
    site: Site = SITE
    now: datetime = datetime(2030, 1, 1, tzinfo=UTC)
    rng: random.Random = field(default_factory=lambda: random.Random(7))
    data: Path | None = None
    is_on_loopback: bool = True

    def fetch(self, url: str, *, method: str = "GET", **more: Any) -> Response:
        key = f"{method} {url}"
        self.asked.append(key)
        self.sent.append(more)
        found = self.answers.get(key, answer(404, b"none", ("Content-Type", "text/plain")))
        if found is None:
            raise TcpError("cannot be reached", where=url)
        return found


@pytest.fixture
def played() -> Callable[..., Played]:
    return Played


@pytest.fixture
def html() -> Callable[..., Response]:
    """An HTML answer."""

    def make(text: str, *headers: tuple[str, str], status: int = 200) -> Response:
        kind = ("Content-Type", "text/html; charset=utf-8")
        return answer(status, text.encode(), kind, *headers)

    return make


@pytest.fixture
def plain() -> Callable[..., Response]:
    """An answer."""
    return answer
