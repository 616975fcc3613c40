"""The snapshot in force: swapped whole, and the last good one kept."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from troth.enforce.snapshot import Current, Snapshot
from troth.kernel.errors import Failure
from troth.kernel.site import Site

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SITE = Site(name="n", app="https://a", http="http://a", troth="https://t", status="https://s")
FIRST = Snapshot(checks=(), site=SITE, prefix="/-/", max_body_bytes=1, config="1", made=NOW)


@pytest.fixture
def events():
    return []


@pytest.fixture
def current(events):
    return Current(FIRST, lambda *event: events.append(event))


def test_a_new_one_is_swapped_in_and_told(current, events):
    second = replace(FIRST, config="2")

    assert current.renew(lambda: second)

    assert current.snapshot is second
    assert events == [("snapshot.swapped", {"config": "2", "before": "1"})]


def test_the_same_configuration_is_no_news(current, events):
    assert current.renew(lambda: replace(FIRST))
    assert events == []


@pytest.mark.parametrize("error", [Failure("no", where="troth.toml:3"), ValueError("no")])
def test_a_bad_one_leaves_the_last_good(current, events, error):
    def build():
        raise error

    assert not current.renew(build)

    assert current.snapshot is FIRST
    assert [name for name, _ in events] == ["snapshot.kept"]
    assert "no" in events[0][1]["because"]


def test_a_bug_is_not_swallowed(current):
    def build():
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        current.renew(build)
    assert current.snapshot is FIRST
