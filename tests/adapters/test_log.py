"""Events as JSON lines, and secrets that stay."""

import copy
import json
import os
import pickle
from datetime import UTC, datetime

import pytest

from troth.adapters.log import MAX_FIELD, MAX_LINE_BYTES, Log, Secret

NOW = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)


@pytest.fixture
def place(tmp_path):
    return tmp_path / "role.log"


@pytest.fixture
def log(place):
    fd = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    yield Log("role", lambda: NOW, fd)
    os.close(fd)


def test_one_object_a_line(log, place):
    log.event("ban.placed", ip="192.0.2.1", count=3, path=b"/a\xff\n", seen=None)
    log.event("ban.lifted")

    first, second = map(json.loads, place.read_text().splitlines())
    assert first == {
        "at": "2026-01-02T03:04:05.678+00:00",
        "role": "role",
        "event": "ban.placed",
        "ip": "192.0.2.1",
        "count": 3,
        "path": "/a\\xff\n",
        "seen": None,
    }
    assert second["event"] == "ban.lifted"


def test_what_is_too_long_is_cut(log, place):
    log.event("long", text="x" * 10_000)
    log.event("wide", **{f"field{n}": "x" * MAX_FIELD for n in range(30)})

    long, wide = map(json.loads, place.read_text().splitlines())
    assert len(long["text"]) == MAX_FIELD
    assert set(wide) == {"at", "role", "event", "cut"}
    assert wide["cut"] > MAX_LINE_BYTES


def test_a_log_may_be_emptied_under_a_running_role(log, place):
    log.event("before")
    os.truncate(place, 0)
    log.event("after")

    assert json.loads(place.read_bytes())["event"] == "after"


def test_an_event_that_cannot_be_written_is_lost_and_counted():
    reader, writer = os.pipe()
    os.close(reader)
    os.close(writer)
    log = Log("role", lambda: NOW, writer)

    log.event("lost")

    assert log.lost == 1


def test_a_secret_stays(log, place):
    secret = Secret("hunter2")
    log.event("login", password=secret, nested={"list": [secret]})

    assert "hunter2" not in f"{secret} {secret!r} {[secret]} {place.read_text()}"
    assert json.loads(place.read_text())["password"] == "***"
    assert secret.reveal() == "hunter2"
    for travel in (pickle.dumps, copy.copy):
        with pytest.raises(TypeError):
            travel(secret)
