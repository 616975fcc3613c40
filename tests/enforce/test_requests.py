"""What is kept of a refused request: enough to ask again, no secret."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from troth.enforce import requests
from troth.enforce.decide import Decision
from troth.kernel.request import Hit, Refusal, Request

NOW = datetime(2026, 1, 1, tzinfo=UTC)
NO = Decision(refusal=Refusal(slug="waf", code="rules"))


def request(body: bytes | None = None, kind: bytes = b"", **more: object) -> Request:
    headers = ((b"host", b"a"), *(((b"content-type", kind),) if kind else ()))
    given = {"method": b"POST", "target": b"/a", "host": b"a", "headers": headers, "body": body}
    return Request(**{**given, **more})


def through(asked: Request) -> Request:
    return requests.read(requests.record("00ff", asked, NO, NOW)).request


def test_what_holds_no_secret_is_kept_byte_for_byte():
    asked = request(b"a=%27+OR+1&b", b"application/x-www-form-urlencoded", target=b"/\xff?q=%00&x")

    kept = requests.read(requests.record("00ff", asked, NO, NOW))

    assert kept.request == asked
    assert kept.is_whole
    assert (kept.id, kept.at, kept.slug, kept.code, kept.status) == (
        "00ff", NOW, "waf", "rules", 403
    )  # fmt: skip


def test_what_the_edge_says_of_itself_is_no_secret():
    asked = request(headers=((b"host", b"a"), (b"x-envoy-auth-partial-body", b"false")))

    assert requests.read(requests.record("00ff", asked, NO, NOW)).is_whole


FORM = b"application/x-www-form-urlencoded"
PART = (
    b'--B\r\nContent-Disposition: form-data; name="%b"\r\n\r\n%b\r\n'
    b'--B\r\nContent-Disposition: form-data; name="text"\r\n\r\nhello\r\n--B--\r\n'
)


@pytest.mark.parametrize(
    ("asked", "secret", "stays"),
    [
        (request(b"pass%77ord=hunter2&text=hello", FORM), "hunter2", "text=hello"),
        (request(b'{"user":{"password":"hunter2"},"text":"hello"}', b"application/json"),
         "hunter2", "hello"),
        (request(b'{"password":"hunter2"', b"application/json"), "hunter2", ""),
        (request(PART % (b"password", b"hunter2"), b"multipart/form-data; boundary=B"),
         "hunter2", "hello"),
        (request(b"my password is hunter2", b"text/plain"), "hunter2", ""),
        (request(b"card=4111+1111+1111+1111", FORM), "1111+1111", ""),
        (request(b'{"n":4111111111111111}', b"application/json"), "411111", ""),
        (request(target=b"/a?api_key=hunter2&q=hello"), "hunter2", "q=hello"),
        (request(headers=((b"cookie", b"sid=hunter2; theme=dark"),)), "hunter2", "sid=***"),
        (request(headers=((b"authorization", b"Bearer hunter2"),)), "hunter2", ""),
        (request(headers=((b"referer", b"https://a/?token=hunter2"),)), "hunter2", "https://a/"),
    ],
)  # fmt: skip
def test_secrets_are_taken_out(asked: Request, secret: str, stays: str):
    kept = requests.read(requests.record("00ff", asked, NO, NOW))

    assert secret not in repr(kept)
    assert stays in repr(kept)
    assert not kept.is_whole


def test_what_a_rule_saw_is_kept_unless_it_is_a_secret():
    hits = (
        Hit(rule="1", place="ARGS:q", value=b"' or 1", message="m"),
        Hit(rule="2", place="ARGS:password", value=b"hunter2", message="m"),
    )
    refusal = Refusal(slug="s", code="c")

    kept = requests.read(
        requests.record("00ff", request(), Decision(refusal=refusal, hits=hits), NOW)
    )

    assert [rule["value"] for rule in kept.rules] == ["' or 1", "***"]


def test_everything_is_bounded():
    huge = request(
        b"a=" + b"x" * 1_000_000, FORM, target=b"/?" + b"y" * 100_000,
        headers=tuple((b"h%d" % n, b"z" * 10_000) for n in range(200)),
    )  # fmt: skip

    assert len(requests.record("00ff", huge, NO, NOW)) < 256 * 1024
    assert not requests.read(requests.record("00ff", huge, NO, NOW)).is_whole


@pytest.mark.parametrize("line", [b"", b"[]", b"{}", b"null", json.dumps({"id": 1}).encode()])
def test_what_is_no_record_is_said_to_be_none(line: bytes):
    with pytest.raises(ValueError):  # noqa: PT011 -- json's own is one
        requests.read(line)


@given(st.binary(max_size=200), st.sampled_from([FORM, b"application/json", b"text/plain",
       b"multipart/form-data; boundary=B"]), st.binary(max_size=60))  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_any_bytes_can_be_kept(body: bytes, kind: bytes, query: bytes):
    through(request(body, kind, target=b"/?" + query))
