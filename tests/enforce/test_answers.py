"""What the edge's script asks of an answer, and what is left alone."""

import json

import pytest

from troth.enforce import wire
from troth.enforce.answers import Answers, is_text, left_alone
from troth.kernel.request import FINE, Opinion, Refusal

NO = Opinion(refusal=Refusal(slug="waf", code="rules", status=500))
ASKED = (
    (b"a-method", b"POST"), (b"a-path", b"/a?b=c"), (b"a-authority", b"A.example:8443"),
    (b"a-accept", b"application/json"), (b"a-x-troth-client", b"192.0.2.1"),
)  # fmt: skip
SAID = ((b"r-status", b"200"), (b"r-set-cookie", b"a=1"), (b"r-set-cookie", b"b=2"))


def ask(play, *headers, body=b"hello", method=b"POST", target=b"/answer"):
    message = wire.Message(method=method, target=target, headers=headers, body=body)
    kept = play.keeper
    return Answers(kept).answer(message), kept.counts


def test_the_rules_see_the_answer_and_what_is_needed_of_the_request(play):
    seen = []
    play.answers = (lambda *said: seen.append(said[:2]) or FINE,)

    reply, counts = ask(play, *ASKED, *SAID)

    ((request, response),) = seen
    assert (reply.status, reply.headers, reply.body) == (200, (), b"")
    assert (request.method, request.target, request.host) == (b"POST", b"/a?b=c", b"a.example:8443")
    assert request.client == "192.0.2.1"
    assert response.status == 200
    assert response.headers == ((b"set-cookie", b"a=1"), (b"set-cookie", b"b=2"))
    assert response.body == b"hello"
    assert counts == {"answer.read": 1}


def test_a_refusal_has_its_status_and_a_page(play):
    play.answers = (lambda *_: NO,)

    reply, _ = ask(play, *ASKED, *SAID)

    headers = dict(reply.headers)
    assert (reply.status, headers[b"status"]) == (200, b"500")
    assert headers[b"p-troth-refused"] == b"waf"
    assert headers[b"p-content-type"] == b"application/json"
    assert json.loads(reply.body) == {"error": "withheld", "promise": "waf", "event": "00ff"}


def test_a_check_that_breaks_withholds(play):
    play.answers = (lambda *_: 1 / 0,)

    reply, _ = ask(play, *ASKED, *SAID)

    assert dict(reply.headers)[b"status"] == b"503"


@pytest.mark.parametrize("left", [b"encoded", b"stream", b"pieces", b"long"])
def test_what_is_left_alone_has_no_body_and_is_counted(play, left):
    bodies = []
    play.answers = (lambda _, response, __: bodies.append(response.body) or FINE,)

    _, counts = ask(play, *ASKED, *SAID, (b"left", left), body=b"")

    assert bodies == [None]
    assert counts == {f"answer.left.{left.decode()}": 1}


@pytest.mark.parametrize(
    "question",
    [
        {"method": b"GET"}, {"target": b"/other"}, {"status": b"x"}, {"status": b""},
    ],
    ids=str,
)  # fmt: skip
def test_what_is_no_question_is_none(play, question):
    play.answers = (lambda *_: NO,)
    status = question.pop("status", b"200")

    reply, _ = ask(play, *ASKED, (b"r-status", status), **question)

    assert (reply.status, reply.headers) == (404, ())


@pytest.mark.parametrize(
    ("status", "headers", "left"),
    [
        (200, {b"Content-Length": b"10"}, ""),
        (200, {b"content-length": b"11"}, "long"),
        (200, {}, "pieces"),
        (200, {b"content-length": b"-1"}, "pieces"),
        (200, {b"content-length": b"5", b"content-encoding": b"br"}, "encoded"),
        (200, {b"content-length": b"5", b"content-encoding": b"Identity"}, ""),
        (200, {b"content-type": b"Text/Event-Stream; charset=utf-8"}, "stream"),
        (200, {b"content-type": b"application/grpc+proto"}, "stream"),
        (204, {}, ""),
        (304, {b"content-length": b"99"}, ""),
    ],
    ids=range(10),
)
def test_what_cannot_be_held_is_left_alone(status, headers, left):
    assert left_alone(status, tuple(headers.items()), 10) == left


def test_a_head_has_nothing_to_leave():
    assert left_alone(200, ((b"content-length", b"99"),), 10, is_head=True) == ""


@pytest.mark.parametrize(
    ("kind", "is_one"),
    [
        (b"text/html; charset=utf-8", True), (b"application/json", True),
        (b"application/problem+json", True), (b"application/xhtml+xml", True),
        (b"application/octet-stream", True), (b"TEXT/PLAIN", True),
        (b"image/png", False), (b"application/zip", False), (b"font/woff2", False),
    ],
    ids=str,
)  # fmt: skip
def test_text_is_read(kind, is_one):
    assert is_text(((b"Content-Type", kind),)) is is_one


def test_what_says_no_type_may_be_text():
    assert is_text(())
