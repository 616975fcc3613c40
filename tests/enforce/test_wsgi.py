"""The WSGI door: what is decided, what the application sees, what comes back."""

import io
import json
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

import pytest

from troth.adapters.scratch import Room
from troth.enforce.snapshot import Body
from troth.enforce.wire import Reply
from troth.enforce.within import Inside
from troth.enforce.wsgi import Door
from troth.engines.uploads.eicar import TEST
from troth.kernel.request import Awaited, Opinion, Refusal

NO = Opinion(refusal=Refusal(slug="waf", code="rules"))


def echo(environ, start_response):
    length = int(environ.get("CONTENT_LENGTH") or 0)
    body = environ["wsgi.input"].read(length)
    names = {key: value for key, value in environ.items() if key.startswith("HTTP_")}
    said = json.dumps({"headers": names, "body": body.decode("latin-1")}).encode()
    headers = [
        ("Content-Type", "application/json"), ("Content-Length", str(len(said))),
        ("Troth-Refused", "forged"), ("RateLimit", "theirs"),
    ]  # fmt: skip
    start_response("200 OK", headers)
    return [said]


class Parts:
    """An answer that comes in pieces, and knows whether it was closed."""

    def __init__(self, *parts: bytes) -> None:
        self.parts, self.is_closed = parts, False

    def __iter__(self):
        return iter(self.parts)

    def close(self) -> None:
        self.is_closed = True


class Said:
    def __init__(self, status: str, headers: list[tuple[str, str]], body: bytes) -> None:
        self.status = int(status.split(maxsplit=1)[0])
        self.headers = {name.lower(): value for name, value in headers}
        self.body = body

    @property
    def echoed(self) -> dict:
        return json.loads(self.body)


def ask(door: Door, body: bytes = b"", **environ: object) -> Said:
    given: dict[str, object] = {
        "REQUEST_METHOD": "POST", "PATH_INFO": "/x", "QUERY_STRING": "q=1",
        "HTTP_HOST": "a.example", "HTTP_X_TROTH_CLIENT": "forged", "REMOTE_ADDR": "192.0.2.1",
        "CONTENT_LENGTH": str(len(body)), "wsgi.input": io.BytesIO(body),
    } | environ  # fmt: skip
    given = {key: value for key, value in given.items() if value is not None}
    setup_testing_defaults(given)
    if environ.get("HTTP_HOST", "") is None:
        del given["HTTP_HOST"]
    said: list[object] = []
    chunks = door(given, lambda status, headers, *_: said.extend([status, headers]))
    whole = b"".join(chunks)
    if hasattr(chunks, "close"):
        chunks.close()
    return Said(*said, whole)


def test_the_check_and_the_application_see_the_same_request(play):
    said = ask(Door(echo, play.keeper), b"one two")

    (request,) = play.seen
    assert (request.method, request.target, request.host) == (b"POST", b"/x?q=1", b"a.example")
    assert (request.client, request.body) == ("192.0.2.1", b"one two")
    assert request.protocol == b"HTTP/1.0"
    assert said.echoed["body"] == "one two"
    assert said.echoed["headers"]["HTTP_X_TROTH_CLIENT"] == "192.0.2.1"
    assert said.headers["ratelimit"] == "theirs"
    assert "troth-refused" not in said.headers


def test_the_door_keeps_to_the_standard(play):
    environ = {"REQUEST_METHOD": "GET", "HTTP_HOST": "a", "QUERY_STRING": ""}
    setup_testing_defaults(environ)
    environ.pop("CONTENT_LENGTH", None)

    def plain(_, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"hi"]

    checked = validator(Door(validator(plain), play.keeper))
    chunks = checked(environ, lambda *_: lambda _: None)
    assert b"".join(chunks) == b"hi"
    chunks.close()


def test_headers_are_set_and_taken_off(play):
    play.opinion = Opinion(
        add=((b"x-troth-user", b"7"),), remove=(b"remote-user",), answer=((b"ratelimit", b"ours"),)
    )

    said = ask(Door(echo, play.keeper), HTTP_REMOTE_USER="admin", HTTP_X_TROTH_USER="1")

    assert said.echoed["headers"]["HTTP_X_TROTH_USER"] == "7"
    assert "HTTP_REMOTE_USER" not in said.echoed["headers"]
    assert said.headers["ratelimit"] == "ours"


def test_a_refusal_is_the_page_and_the_application_is_not_asked(play):
    play.opinion = NO

    said = ask(Door(None, play.keeper), b"x")

    assert (said.status, said.headers["troth-refused"]) == (403, "waf")
    assert b"00ff" in said.body


def test_a_bug_refuses(play):
    play.opinion = ZeroDivisionError("x")

    assert ask(Door(None, play.keeper)).status == 503


def test_a_body_too_large_is_refused(play):
    door = Door(None, play.keeper)

    assert ask(door, b"x" * 1001).status == 413
    endless = {"CONTENT_LENGTH": None, "wsgi.input_terminated": True}
    assert ask(door, b"x" * 1001, **endless).status == 413
    assert play.seen == []


@pytest.mark.parametrize("length", ["-1", "x", "1, 2"])
def test_nonsense_for_a_length_is_refused(play, length):
    assert ask(Door(None, play.keeper), CONTENT_LENGTH=length).status == 400


def test_a_body_that_breaks_off_is_refused(play):
    assert ask(Door(None, play.keeper), b"x", CONTENT_LENGTH="9").status == 400


def test_pieces_without_a_length_need_a_server_that_ends_them(play):
    pieces = {"CONTENT_LENGTH": None, "HTTP_TRANSFER_ENCODING": "chunked"}

    assert ask(Door(None, play.keeper), b"x", **pieces).status == 411
    said = ask(Door(echo, play.keeper), b"x", **pieces, **{"wsgi.input_terminated": True})
    assert said.echoed["body"] == "x"
    assert play.seen[0].body == b"x"


def test_a_request_without_a_host_is_refused(play):
    assert ask(Door(None, play.keeper), HTTP_HOST=None).status == 400


def test_what_is_not_read_goes_by(play):
    play.kind = Body.UNREAD

    assert len(ask(Door(echo, play.keeper), b"x" * 5000).echoed["body"]) == 5000
    assert play.seen[0].body is None


FORM = (
    b'--B\r\nContent-Disposition: form-data; name="title"\r\n\r\nhello\r\n'
    b'--B\r\nContent-Disposition: form-data; name="f"; filename="a.bin"\r\n\r\n'
    + b"\x00" * 50_000
    + b"\r\n--B--\r\n"
)


def test_an_upload_lies_on_disk_and_is_told_in_short(play):
    play.kind = Body.UPLOAD
    door = Door(echo, play.keeper)

    said = upload(door, FORM)

    assert said.echoed["body"].encode("latin-1") == FORM
    headers, inspected = (request.body for request in play.seen)
    assert headers is None
    assert b"hello" in inspected
    assert b'filename="a.bin"' in inspected
    assert inspected.endswith(b"\r\n--B--\r\n")
    assert len(inspected) < 6000
    assert (door.inside.room.files, door.inside.room.bytes) == (0, 0)


def test_an_upload_that_cannot_be_told_apart_is_refused(play):
    play.kind = Body.UPLOAD

    assert upload(Door(None, play.keeper), b"no boundary").status == 400
    assert upload(Door(None, play.keeper), FORM * 3).status == 413


def test_a_refused_upload_never_reaches_the_application(play):
    play.kind = Body.UPLOAD
    eicar = FORM.replace(b"\0" * 50_000, TEST)

    assert upload(Door(None, play.keeper), eicar).status == 403
    play.opinion = NO
    assert upload(Door(None, play.keeper), FORM).status == 403
    assert play.seen[-1].body is None


def test_an_upload_for_which_there_is_no_room_is_told_to_come_again(play):
    play.kind = Body.UPLOAD
    door = Door(None, play.keeper, Inside(room=Room(1, 1000)))

    assert upload(door, FORM).status == 503
    assert (door.inside.room.files, door.inside.room.bytes) == (0, 0)


def test_an_upload_nobody_could_look_at_is_refused(play):
    def gone(_):
        raise OSError("clamd is gone")

    play.kind, play.scan = Body.UPLOAD, gone

    assert upload(Door(None, play.keeper), FORM).status == 503


def test_an_upload_of_one_file_is_looked_at_whole(play):
    play.kind = Body.UPLOAD

    said = upload(Door(echo, play.keeper), b"%PDF-1.4 " * 6_000, "application/pdf")
    refused = upload(Door(None, play.keeper), b"MZ\0" * 6_000, "application/pdf")

    assert len(said.echoed["body"]) == 54_000
    assert refused.status == 415


def upload(door, body, kind="multipart/form-data; boundary=B"):
    return ask(door, body, CONTENT_TYPE=kind)


def test_an_answer_is_looked_at_and_may_be_kept_back(play):
    def leak(_, response, __):
        return NO if b"root:" in (response.body or b"") else Opinion()

    play.answers = (leak,)
    door = Door(echo, play.keeper)

    assert ask(door, b"root:x:0").status == 403
    assert ask(door, b"harmless").status == 200


def test_a_stream_is_left_alone_and_closed(play):
    bodies = []
    play.answers = (lambda _, response, __: bodies.append(response.body) or Opinion(),)
    parts = Parts(b"a", b"", b"b")

    def app(_, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        return parts

    assert ask(Door(app, play.keeper)).body == b"ab"
    assert bodies == [None]
    assert parts.is_closed


def test_what_is_written_the_old_way_comes_in_order(play):
    def app(_, start_response):
        write = start_response("200 OK", [("Content-Type", "text/plain")])
        write(b"1")
        yield b"2"
        write(b"3")
        yield b"4"

    assert ask(Door(app, play.keeper)).body == b"1234"


def test_an_answer_without_a_body_is_one(play):
    def app(_, start_response):
        start_response("204 No Content", [])
        return []

    assert ask(Door(app, play.keeper)).status == 204


def test_a_check_that_waited_is_told(play):
    seen = []

    def heard(response, _):
        seen.append((response.status, response.body is not None))
        return Opinion(answer=((b"set-cookie", b"d=1"),))

    play.opinion = Opinion(awaits=(Awaited(ask=heard, reads_body=True),))

    assert ask(Door(echo, play.keeper), b"x").headers["set-cookie"] == "d=1"
    assert seen == [(200, True)]


def test_what_is_troths_own_is_answered_here(play):
    inside = Inside(own=lambda message: Reply(status=200, body=message.target))

    assert ask(Door(None, play.keeper, inside), PATH_INFO="/-/x").body == b"/-/x?q=1"
    assert play.seen == []


def test_the_path_as_sent_is_used_where_the_server_says_it(play):
    ask(Door(echo, play.keeper), PATH_INFO="/a/b", REQUEST_URI="/a%2fb?q=1")
    ask(Door(echo, play.keeper), PATH_INFO="/a b")

    assert [request.target for request in play.seen] == [b"/a%2fb?q=1", b"/a%20b?q=1"]
