"""A decision as an OCSF event: what it says, and what it never says."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from troth.enforce import events
from troth.enforce.decide import ALLOWED, Decision
from troth.enforce.events import Event
from troth.kernel.request import Ask, Ban, Hit, Refusal, Request, Strike

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def request(**more: object) -> Request:
    given = {
        "method": b"POST",
        "target": b"/book?card=4111111111111111&password=hunter2",
        "host": b"demo.localhost:8443",
        "headers": ((b"cookie", b"sid=s3cret"), (b"user-agent", b"Browser/1")),
        "client": "192.0.2.1",
        "body": b"password=hunter2",
    }
    return Request(**{**given, **more})


def record(decision: Decision, **more: object) -> dict:
    return events.record(Event(id="00ff", at=NOW, request=request(**more), decision=decision))


def hit(place: str = "ARGS:q", value: bytes = b"1' or 1=1") -> Hit:
    return Hit(rule="9000001", place=place, value=value, message="SQL")


def test_a_refusal_has_the_schemas_required_fields():
    found = record(Decision(refusal=Refusal(slug="waf", code="rules"), hits=(hit(),)))

    assert found["class_uid"] == 4002
    assert found["category_uid"] == 4
    assert found["activity_id"] == 6
    assert found["type_uid"] == 400206
    assert found["time"] == 1767225600000
    assert found["metadata"]["uid"] == "00ff"
    assert found["metadata"]["version"] == "1.3.0"
    assert found["metadata"]["product"]["name"] == "Troth"
    assert (found["action_id"], found["disposition_id"], found["severity_id"]) == (2, 2, 3)
    assert found["src_endpoint"] == {"ip": "192.0.2.1"}
    assert found["http_response"] == {"code": 403}
    assert found["http_request"]["url"] == {
        "hostname": "demo.localhost", "port": 8443, "path": "/book", "scheme": "https"
    }  # fmt: skip
    assert found["firewall_rule"]["uid"] == "9000001"
    assert found["firewall_rule"]["match_details"] == ["1' or 1=1"]
    assert found["unmapped"]["promise"] == "waf"


def test_no_secret_gets_in():
    hits = (
        hit("ARGS:password", b"hunter2"),
        hit("REQUEST_COOKIES:sid", b"s3cret"),
        hit("ARGS:q", b"4111111111111111"),
        hit("REQUEST_COOKIES:theme", b"s3cret"),
    )
    text = json.dumps(record(Decision(refusal=Refusal(slug="waf", code="rules"), hits=hits)))

    assert "hunter2" not in text
    assert "s3cret" not in text
    assert "411111" not in text
    assert "************1111" in text


@pytest.mark.parametrize(
    ("decision", "expected"),
    [
        (ALLOWED, (1, 1, 1)),
        (Decision(hits=(hit(),)), (1, 15, 2)),
        (Decision(refusal=Refusal(slug="s", code="c")), (2, 2, 2)),
        (Decision(refusal=Refusal(slug="guard", code="failed", status=503)), (2, 27, 4)),
        (Decision(refusal=Refusal(slug="s", code="c", status=500), hits=(hit(),)), (2, 2, 3)),
    ],
)
def test_what_was_done_and_how_grave_it_is(decision: Decision, expected: tuple[int, int, int]):
    found = record(decision)

    assert (found["action_id"], found["disposition_id"], found["severity_id"]) == expected


def test_another_method_is_named():
    found = record(ALLOWED, method=b"PROPFIND")

    assert (found["activity_id"], found["activity_name"]) == (99, "PROPFIND")


@pytest.mark.parametrize("host", [b"demo.localhost", b"", b"[::1]", b"a:b:c", b"\xff"])
def test_any_host_can_be_written(host: bytes):
    json.dumps(record(ALLOWED, host=host))


def test_everything_is_clipped():
    many = tuple(hit(value=b"x" * 10_000) for _ in range(1000))
    text = json.dumps(
        record(
            Decision(refusal=Refusal(slug="s", code="c"), hits=many),
            target=b"/" + b"a" * 50_000,
            headers=((b"user-agent", b"u" * 50_000),),
        )
    )

    assert len(text) < 16_000


def test_strikes_and_bans_are_told():
    ask = Ask(key="k", limit=1, period=timedelta(1), burst=1)
    strike = Strike(ask=ask, subject="192.0.2.1", cause="login:failures")

    found = record(Decision(strikes=(strike,)))

    assert found["unmapped"]["strikes"] == ["login:failures"]
    ban = Ban(subject="192.0.2.1", cause="login:failures", since=NOW, until=NOW + timedelta(1))
    banned = events.banned("01", NOW, ban)
    assert banned["disposition_id"] == 24
    assert banned["unmapped"]["ban"]["until"] == "2026-01-02T00:00:00+00:00"
