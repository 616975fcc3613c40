"""What the desk asks a guard, and what it hears."""

import pytest

from troth.enforce import judged, wire
from troth.enforce.judged import FOUND, Judged, question
from troth.engines.uploads import Fault

HEADERS = ((b"host", b"a"), (b"content-type", b"text/plain"), (b"content-length", b"999"))
FAULT = Fault(code="malware", status=403, message="malware: x", place="FILES:f", value=b"\xff")


def message(asked: bytes) -> wire.Message:
    head, _, body = asked.partition(b"\r\n\r\n")
    first, *lines = head.split(b"\r\n")
    method, target, _ = first.split(b" ")
    pairs = tuple(tuple(line.split(b": ", 1)) for line in lines)
    return wire.Message(method=method, target=target, headers=pairs, body=body)


def test_a_question_has_the_uploads_head_and_what_is_read_of_its_body():
    asked = message(question(b"PUT", b"/up", HEADERS, b"short", None))

    assert (asked.method, asked.target, asked.body) == (b"PUT", b"/up", b"short")
    assert dict(asked.headers)[b"content-length"] == b"5"
    assert FOUND not in dict(asked.headers)


def test_a_fault_is_refused_and_told_and_its_header_is_no_visitors(play):
    forged = (*HEADERS, (FOUND, b"e30="))
    asked = message(question(b"PUT", b"/up", forged, b"", FAULT))

    reply = Judged(play.keeper).answer(asked)

    assert [name for name, _ in asked.headers].count(FOUND) == 1
    assert (reply.status, dict(reply.headers)[b"troth-refused"]) == (403, b"uploads-scanned")
    assert play.told[0][1]["code"] == "malware"
    assert play.seen == []


def test_what_is_read_is_asked_about(play):
    asked = message(question(b"PUT", b"/up", HEADERS, b"short", None))

    assert Judged(play.keeper).answer(asked) is wire.OK
    assert play.seen[0].body == b"short"


@pytest.mark.parametrize("found", [b"", b"no base64", b"e30="])
def test_what_cannot_be_read_is_refused(play, found):
    asked = message(question(b"PUT", b"/up", HEADERS, b"x", None))
    odd = wire.Message(
        method=asked.method, target=asked.target, headers=(*asked.headers, (FOUND, found)), body=b""
    )

    assert Judged(play.keeper).answer(odd).status == 400


def test_a_check_that_breaks_refuses(play):
    play.opinion = RuntimeError("a bug")
    asked = message(question(b"PUT", b"/up", HEADERS, b"short", None))

    assert Judged(play.keeper).answer(asked).status == 503
    assert judged.LIMITS.body_bytes >= 16 * 1024 * 1024
