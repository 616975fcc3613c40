"""Asking through the edge for what the application says."""

from collections.abc import Callable
from urllib.parse import urlencode

import msgspec
import pytest

from troth.promises.edge.enforce import fragments
from troth.promises.edge.settings import EdgeSettings


@pytest.fixture
def told(edge) -> Callable[..., object]:
    """Ask for an answer that carries the given header lines of the application."""

    def ask(*lines: str, status: int = 200, **more: object) -> object:
        query = urlencode([("header", line) for line in lines] + [("status", str(status))])
        return edge.ask(f"/?{query}", **more)

    return ask


@pytest.fixture
def with_settings(edge, request) -> Callable[..., object]:
    """The edge under other `[edge]` settings, given as in troth.toml."""

    def alter(**settings: object) -> object:
        return edge.altered(fragments(msgspec.convert(settings, EdgeSettings)))

    return alter


@pytest.fixture
def without(edge) -> Callable[..., object]:
    """The edge without the fragments of one promise."""

    def alter(slug: str) -> object:
        rest = [each for each in edge.fragments if each.promise != slug]
        assert len(rest) < len(edge.fragments), slug
        return edge.altered(rest)

    return alter
