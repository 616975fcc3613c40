"""The ASGI door: what is decided, what the application sees, what comes back."""

import asyncio
import json
from collections.abc import Iterable
from dataclasses import replace

import pytest
from starlette.applications import Starlette
from starlette.requests import Request as StarletteRequest
from starlette.responses import JSONResponse, PlainTextResponse, StreamingResponse
from starlette.routing import Route, WebSocketRoute

from troth.adapters.scratch import Room
from troth.enforce.asgi import Door
from troth.enforce.snapshot import Body
from troth.enforce.wire import Reply
from troth.enforce.within import Inside
from troth.engines.uploads.eicar import TEST
from troth.kernel.request import Awaited, Opinion, Refusal

NO = Opinion(refusal=Refusal(slug="waf", code="rules"))


async def echo(request: StarletteRequest) -> JSONResponse:
    body = await request.body()
    return JSONResponse(
        {"headers": request.headers.items(), "body": body.decode("latin-1")},
        headers={"troth-refused": "forged", "ratelimit": "theirs"},
    )


async def stream(_: StarletteRequest) -> StreamingResponse:
    async def parts():
        yield b"secret 1\n"
        yield b"secret 2\n"

    return StreamingResponse(parts(), media_type="text/event-stream")


async def socket(websocket) -> None:
    await websocket.accept()
    await websocket.send_text("hello")
    await websocket.close()


APP = Starlette(
    routes=[
        Route("/stream", stream, methods=["POST"]),
        Route("/{path:path}", echo, methods=["GET", "POST", "HEAD"]),
        WebSocketRoute("/ws", socket),
    ]
)
HEADERS = ((b"host", b"a.example"), (b"x-troth-client", b"forged"))


class Said:
    """What the server got."""

    def __init__(self, sent: list[dict]) -> None:
        self.sent = sent
        self.status = sent[0].get("status")
        self.headers = dict(sent[0].get("headers", ()))
        self.body = b"".join(event.get("body", b"") for event in sent[1:])

    @property
    def echoed(self) -> dict:
        return json.loads(self.body)


def ask(
    door: Door,
    *parts: bytes,
    path: str = "/x",
    headers: Iterable[tuple[bytes, bytes]] = HEADERS,
    hangs: bool = False,
    **scope: object,
) -> Said:
    """One request with its body in parts, at once."""
    events = [
        {"type": "http.request", "body": part, "more_body": at < len(parts) - 1 or hangs}
        for at, part in enumerate(parts or (b"",))
    ]
    sent: list[dict] = []

    async def receive():
        if events:
            return events.pop(0)
        if hangs:
            await asyncio.Event().wait()
        return {"type": "http.disconnect"}

    async def send(event):
        sent.append(event)

    given = {
        "type": "http",
        "method": "POST",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"q=1",
        "headers": list(headers),
        "client": ("192.0.2.1", 5),
        "http_version": "1.1",
        "extensions": {},
    }
    asyncio.run(door({**given, **scope}, receive, send))
    return Said(sent) if sent else None


def test_the_check_and_the_application_see_the_same_request(play):
    said = ask(Door(APP, play.keeper), b"one ", b"two")

    (request,) = play.seen
    assert (request.method, request.target, request.host) == (b"POST", b"/x?q=1", b"a.example")
    assert (request.client, request.body) == ("192.0.2.1", b"one two")
    assert said.status == 200
    assert said.echoed["body"] == "one two"
    assert ["x-troth-client", "192.0.2.1"] in said.echoed["headers"]
    assert "forged" not in str(said.echoed["headers"])


def test_headers_are_set_and_taken_off(play):
    play.opinion = Opinion(
        add=((b"x-troth-user", b"7"),), remove=(b"remote-user",), answer=((b"ratelimit", b"ours"),)
    )
    headers = (*HEADERS, (b"remote-user", b"admin"), (b"x-troth-user", b"1"))

    said = ask(Door(APP, play.keeper), headers=headers)

    names = dict(said.echoed["headers"])
    assert names["x-troth-user"] == "7"
    assert "remote-user" not in names
    assert said.headers[b"ratelimit"] == b"ours"
    assert b"troth-refused" not in said.headers


def test_a_refusal_is_the_page_and_the_application_is_not_asked(play):
    play.opinion = NO

    said = ask(Door(None, play.keeper), b"x")

    assert (said.status, said.headers[b"troth-refused"]) == (403, b"waf")
    assert b"00ff" in said.body
    assert int(said.headers[b"content-length"]) == len(said.body)


def test_a_bug_refuses(play):
    play.opinion = ZeroDivisionError("x")

    assert ask(Door(None, play.keeper)).status == 503


def test_a_body_too_large_is_refused_before_it_is_read(play):
    length = (*HEADERS, (b"content-length", b"1001"))

    assert ask(Door(None, play.keeper), hangs=True, headers=length).status == 413
    assert ask(Door(None, play.keeper), b"x" * 600, b"x" * 600).status == 413
    assert play.seen == []


@pytest.mark.parametrize("length", [b"-1", b"x", b"1, 2"])
def test_nonsense_for_a_length_is_refused(play, length):
    headers = (*HEADERS, (b"content-length", length))

    assert ask(Door(None, play.keeper), headers=headers).status == 400


@pytest.mark.parametrize("headers", [(), ((b"host", b"a"), (b"host", b"b")), ((b"host", b""),)])
def test_a_request_without_one_host_is_refused(play, headers):
    assert ask(Door(None, play.keeper), headers=headers).status == 400
    assert play.seen == []


def test_a_body_that_does_not_come_is_not_waited_for(play):
    door = Door(None, play.keeper, Inside(body_s=0.01))

    assert ask(door, b"x", hangs=True).status == 408


def test_who_leaves_while_sending_is_let_go(play):
    events = [{"type": "http.disconnect"}]
    sent = []

    async def receive():
        return events.pop(0)

    async def send(event):
        sent.append(event)

    scope = {"type": "http", "method": "POST", "path": "/", "headers": list(HEADERS)}
    asyncio.run(Door(None, play.keeper)(scope, receive, send))

    assert (sent, play.seen) == ([], [])


def test_what_is_not_read_goes_by(play):
    play.kind = Body.UNREAD

    said = ask(Door(APP, play.keeper), b"x" * 5000)

    assert play.seen[0].body is None
    assert len(said.echoed["body"]) == 5000


@pytest.mark.parametrize(
    "header", [(b"content-type", b"application/grpc+proto"), (b"upgrade", b"h2c")]
)
def test_no_header_of_the_visitor_hides_a_body(play, header):
    ask(Door(APP, play.keeper), b"x", headers=(*HEADERS, header))

    assert play.seen[0].body == b"x"


FORM = (
    b'--B\r\nContent-Disposition: form-data; name="title"\r\n\r\nhello\r\n'
    b'--B\r\nContent-Disposition: form-data; name="f"; filename="a.bin"\r\n\r\n'
    + b"\x00" * 50_000
    + b"\r\n--B--\r\n"
)


def test_an_upload_lies_on_disk_and_is_told_in_short(play):
    play.kind = Body.UPLOAD
    door = Door(APP, play.keeper)

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

    said = upload(Door(APP, play.keeper), b"%PDF-1.4 " * 6_000, "application/pdf")
    refused = upload(Door(None, play.keeper), b"MZ\0" * 6_000, "application/pdf")

    assert len(said.echoed["body"]) == 54_000
    assert refused.status == 415


def upload(door, body, kind="multipart/form-data; boundary=B"):
    return ask(
        door, body[:30_000], body[30_000:], headers=(*HEADERS, (b"content-type", kind.encode()))
    )


def test_an_answer_is_looked_at_and_may_be_kept_back(play):
    play.answers = (
        lambda _, response, __: NO if b"root:" in (response.body or b"") else Opinion(),
    )
    door = Door(APP, play.keeper)

    assert ask(door, b"root:x:0").status == 403
    assert ask(door, b"harmless").status == 200


def test_a_stream_is_left_alone(play):
    bodies = []
    play.answers = (lambda _, response, __: bodies.append(response.body) or Opinion(),)

    said = ask(Door(APP, play.keeper), path="/stream")

    assert bodies == [None]
    assert [event.get("body") for event in said.sent[1:3]] == [b"secret 1\n", b"secret 2\n"]


def test_a_check_that_waited_is_told(play):
    seen = []

    def heard(response, _):
        seen.append((response.status, response.body is not None))
        return Opinion(answer=((b"set-cookie", b"d=1"),))

    play.opinion = Opinion(awaits=(Awaited(ask=heard, reads_body=True),))

    said = ask(Door(APP, play.keeper), b"x")

    assert seen == [(200, True)]
    assert said.headers[b"set-cookie"] == b"d=1"


def test_what_is_troths_own_is_answered_here(play):
    inside = Inside(own=lambda message: Reply(status=200, body=message.target))

    assert ask(Door(None, play.keeper, inside), path="/-/healthz").body == b"/-/healthz?q=1"
    assert play.seen == []


def websocket(door: Door, **extensions: object) -> list[dict]:
    sent: list[dict] = []

    async def receive():
        return {"type": "websocket.connect"}

    async def send(event):
        sent.append(event)

    scope = {
        "type": "websocket", "path": "/ws", "query_string": b"", "headers": list(HEADERS),
        "client": None, "extensions": extensions,
    }  # fmt: skip
    asyncio.run(door(scope, receive, send))
    return sent


def test_a_handshake_is_decided_by_its_headers(play):
    sent = websocket(Door(APP, play.keeper))

    assert [event["type"] for event in sent] == [
        "websocket.accept", "websocket.send", "websocket.close"
    ]  # fmt: skip
    assert (play.seen[0].method, play.seen[0].target) == (b"GET", b"/ws")


def test_a_refused_handshake_is_no_connection(play):
    play.opinion = NO

    assert websocket(Door(None, play.keeper)) == [{"type": "websocket.close", "code": 1008}]
    sent = websocket(Door(None, play.keeper), **{"websocket.http.response": {}})
    assert sent[0]["status"] == 403
    assert sent[0]["type"] == "websocket.http.response.start"


def test_the_lifespan_goes_by(play):
    called = []

    async def app(scope, *_):
        called.append(scope["type"])

    asyncio.run(Door(app, play.keeper)({"type": "lifespan"}, None, None))

    assert called == ["lifespan"]


def test_a_path_without_its_raw_form_is_written_again(play):
    ask(Door(APP, play.keeper), path="/a b/ü", raw_path=None)

    assert play.seen[0].target == b"/a%20b/%C3%BC?q=1"


def test_head_gets_no_body(play):
    play.opinion = NO

    assert ask(Door(None, play.keeper), method="HEAD").body == b""


def test_a_plain_answer_of_a_function_passes(play):
    app = Starlette(routes=[Route("/x", lambda _: PlainTextResponse("hi"), methods=["POST"])])

    assert ask(Door(app, play.keeper)).body == b"hi"


def _with_room(snapshot):
    return replace(snapshot, max_body_bytes=10_000)
