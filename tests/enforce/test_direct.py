"""The guard's own addresses: alive or not, and policy reports."""

import json
from datetime import UTC, datetime

import pytest

from troth.enforce import wire
from troth.enforce.direct import Direct
from troth.enforce.reports import Learnt, load
from troth.enforce.sink import Sink
from troth.enforce.snapshot import Current, Snapshot
from troth.kernel.request import Response
from troth.kernel.site import Site

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SITE = Site(
    name="n", app="https://app.example", http="http://a", troth="https://t", status="https://s"
)
REPORT = json.dumps(
    {
        "csp-report": {
            "document-uri": "https://app.example/x",
            "effective-directive": "img-src",
            "blocked-uri": "https://cdn.example/a.png",
        }
    }
).encode()
LEGACY = (b"content-type", b"application/csp-report")


@pytest.fixture
def learnt(tmp_path):
    return Learnt(tmp_path / "csp.json")


@pytest.fixture
def direct(learnt, tmp_path):
    snapshot = Snapshot(checks=(), site=SITE, prefix="/-/", max_body_bytes=1, config="", made=NOW)
    sink = Sink(tmp_path / "sink.json")
    return Direct(Current(snapshot, lambda *_: None), learnt, sink, now=lambda: NOW)


def ask(direct, target, *headers, method=b"GET", body=b""):
    return direct.answer(wire.Message(method=method, target=target, headers=headers, body=body))


def test_it_says_that_it_is_there(direct):
    reply = ask(direct, b"/-/healthz?x")

    assert (reply.status, reply.body) == (200, b'{"status":"ok"}')
    assert ask(direct, b"/-/healthz", method=b"HEAD").status == 200


@pytest.mark.parametrize(
    "target", [b"/", b"/-/", b"/-/other", b"/-/csp/", b"", b"/-/csp/../healthz"]
)
def test_there_is_nothing_else(direct, target):
    assert ask(direct, target).status == 404


def test_a_replay_ends_in_the_sink(direct):
    assert ask(direct, b"/-/sink?q=1").body == b'{"noted":false}'
    assert ask(direct, b"/-/sink", (b"replay-tag", b"0a1b.attack.1")).body == b'{"noted":true}'


def test_other_methods_are_told_which(direct):
    assert dict(ask(direct, b"/-/csp").headers)[b"allow"] == b"POST"
    assert ask(direct, b"/-/csp").status == 405
    assert dict(ask(direct, b"/-/healthz", method=b"POST").headers)[b"allow"] == b"GET, HEAD"


def test_a_report_is_taken(direct, learnt, tmp_path):
    reply = ask(direct, b"/-/csp", LEGACY, method=b"POST", body=REPORT)
    learnt.save()

    assert reply == wire.Reply(status=204)
    assert [(one.directive, one.source) for one in load(tmp_path / "csp.json")] == [
        ("img-src", "https://cdn.example")
    ]
    assert dict(direct.counts) == {"report.taken": 1}


@pytest.mark.parametrize(
    ("headers", "body"),
    [((), REPORT), ((LEGACY, LEGACY), REPORT), ((LEGACY,), b"{"), ((LEGACY,), b" " * 20_000)],
)
def test_what_is_no_report_is_refused(direct, learnt, tmp_path, headers, body):
    assert ask(direct, b"/-/csp", *headers, method=b"POST", body=body).status == 400
    learnt.save()

    assert load(tmp_path / "csp.json") == []
    assert dict(direct.counts) == {"report.refused": 1}


def test_a_204_has_no_length():
    assert b"content-length" not in wire.encoded(wire.Reply(status=204))


def test_what_the_snapshot_answers_by_itself_is_answered(learnt, tmp_path):
    asked = []

    def own(request, now, fresh):
        asked.append((request.host, request.target, now, fresh))
        if request.method == b"PUT":
            raise ZeroDivisionError
        return Response(status=200, headers=((b"a", b"b"),), body=b"mine")

    snapshot = Snapshot(
        checks=(), own={"mine": own}, site=SITE, prefix="/-/", max_body_bytes=1, config="", made=NOW
    )
    current = Current(snapshot, lambda *_: None)
    drain = Sink(tmp_path / "sink.json")
    direct = Direct(current, learnt, drain, now=lambda: NOW, new_id=lambda: "f" * 32)
    reply = ask(direct, b"/-/mine?x", (b"host", b"App.example"))

    assert (reply.status, reply.headers, reply.body) == (200, ((b"a", b"b"),), b"mine")
    assert asked == [(b"app.example", b"/-/mine?x", NOW, "f" * 32)]
    assert ask(direct, b"/-/mine", method=b"PUT").status == 503
    assert ask(direct, b"/mine").status == 404
    assert ask(direct, b"/-/other").status == 404
    silent = Direct(current, learnt, drain, now=lambda: NOW)
    assert ask(silent, b"/-/mine").status == 404
