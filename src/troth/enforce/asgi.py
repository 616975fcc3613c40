"""The guard inside an ASGI application (Starlette, FastAPI, Django): no edge, the same decisions.

    app = Door(app, keeper)

Requests are decided about before the application is called, with their whole body where the
snapshot says that it is read; the application then reads that body as if nothing had been. On
upload routes the body lies on disk until it was looked at. WebSockets are decided about by their
handshake; their frames are never seen. Answers are looked at where a check asks for it; streams
and compressed bodies go by untouched.

Fails closed: what cannot be read is 400, what is too large 413, too slow 408, a check that breaks
503. Source of the messages: ASGI 3.0, HTTP and WebSocket message format 2.5.
"""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Self

from troth.adapters.scratch import Scratch
from troth.enforce import within
from troth.enforce.decide import Decision
from troth.enforce.keeper import Keeper, Ruling
from troth.enforce.snapshot import Body
from troth.enforce.wire import Reply
from troth.kernel.request import Request, Response

Scope = MutableMapping[str, Any]
Event = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Event]]
Send = Callable[[Event], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

POLICY_VIOLATION = 1008  # Source: RFC 6455, 7.4.1


class _Gone(Exception):  # noqa: N818 -- never leaves this file
    """The visitor went before the request was whole."""


class Door(within.Door[App]):
    """One application behind the guard; see `within.Door`."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One connection, as the server hands it over."""
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._websocket(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = self.keeper.recognised(request_of(scope))
        with _Read() as body:
            try:
                ruling = await self._decided(body, request, receive)
                request = within.with_body(request, body.inspected)
            except _Gone:
                return
            except within.Doubt as doubt:
                ruling = self.keeper.refuse(doubt.status, doubt.code, request)
            if ruling.refused is not None:
                await _say(send, ruling.refused, request.method)
                return
            answer = _Answer(self.keeper, request, ruling.decision, send)
            let = {**scope, "headers": within.for_application(request.headers, ruling.decision)}
            await self.app(let, body.replayed(receive), answer.send)

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = self.keeper.recognised(request_of(scope))
        ruling = await self._judge(request)
        if ruling.refused is None:
            headers = within.for_application(request.headers, ruling.decision)
            await self.app({**scope, "headers": headers}, receive, send)
            return
        await receive()  # websocket.connect
        if "websocket.http.response" in scope.get("extensions", {}):
            await _say(send, ruling.refused, request.method, kind="websocket.http.response")
        else:
            await send({"type": "websocket.close", "code": POLICY_VIOLATION})

    async def _decided(self, body: "_Read", request: Request, receive: Receive) -> Ruling:
        """Read, then judge; an upload is judged by its headers before any of it is read."""
        if self.keeper.current.snapshot.body(request) is not Body.UPLOAD:
            await self._read(body, request, receive)
            request = within.with_body(request, body.inspected)
            return self.own(request) or await self._judge(request)
        ruling = await self._judge(request)
        if ruling.refused is not None:
            return ruling
        await self._read(body, request, receive)
        if body.file is None:
            return ruling
        more = await asyncio.to_thread(within.looked, self.keeper, request, body.file)
        return ruling if more.refused is None else more

    async def _judge(self, request: Request) -> Ruling:
        return self.unread(request) or await self.keeper.judge_later(request)

    async def _read(self, body: "_Read", request: Request, receive: Receive) -> None:
        """Read the body as far as it is read at all. Raises _Gone, within.Doubt."""
        snapshot = self.keeper.current.snapshot
        kind = snapshot.body(request)
        if kind is Body.UNREAD:
            return
        limit = within.limit_of(kind, snapshot)
        within.declared(request, limit)
        is_upload = kind is Body.UPLOAD
        try:
            async with asyncio.timeout(self.inside.upload_s if is_upload else self.inside.body_s):
                await body.all(receive, limit, self.inside if is_upload else None)
        except TimeoutError as error:
            raise within.Doubt(408, "too-slow") from error


class _Read:
    """A body that was read, in memory or on disk, to be read again by the application."""

    def __init__(self) -> None:
        self.inspected: bytes | None = None
        self.file: Scratch | None = None
        self._is_read = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.file is not None:
            self.file.close()

    async def all(self, receive: Receive, limit: int, disk: within.Inside | None) -> None:
        """Read to the end, onto disk if one is given.

        Raises Doubt when it is longer than the limit, or finds no room; _Gone.
        """
        size, parts = 0, []
        self._is_read = True
        while True:
            event = await receive()
            if event["type"] == "http.disconnect":
                raise _Gone
            part = event.get("body", b"")
            size += len(part)
            if size > limit:
                raise within.Doubt(413, "too-large")
            if disk is not None:
                self.file = self.file or within.scratch(disk)
                await asyncio.to_thread(within.stored, self.file, part)
            elif part:
                parts.append(part)
            if not event.get("more_body", False):
                break
        if disk is None:
            self.inspected = b"".join(parts)

    def replayed(self, receive: Receive) -> Receive:
        """The same events once more, then whatever comes after them."""
        if not self._is_read:
            return receive
        is_done, at = False, 0

        async def replay() -> Event:
            nonlocal is_done, at
            if is_done:
                return await receive()
            if self.file is None:
                is_done = True
                return {"type": "http.request", "body": self.inspected or b"", "more_body": False}
            part = await asyncio.to_thread(self.file.read, at, within.CHUNK)
            at += len(part)
            is_done = at >= self.file.size or not part
            return {"type": "http.request", "body": part, "more_body": not is_done}

        return replay


class _Answer:
    """The application's answer on its way: looked at where somebody asks, else let go at once."""

    def __init__(self, keeper: Keeper, request: Request, decision: Decision, send: Send) -> None:
        self._keeper = keeper
        self._request = request
        self._decision = decision
        self._send = send
        self._held: Event | None = None  # the start, while the body is held
        self._parts: list[Event] = []
        self._is_refused = False

    async def send(self, event: Event) -> None:
        """What the application sends."""
        if self._is_refused:
            return
        if event["type"] == "http.response.start":
            await self._start(event)
        elif event["type"] == "http.response.body" and self._held is not None:
            await self._body(event)
        elif await self._let_go(None):
            await self._send(event)

    async def _start(self, event: Event) -> None:
        headers = [(bytes(name).lower(), bytes(value)) for name, value in event["headers"]]
        event = {**event, "headers": headers}
        status = int(event["status"])
        if within.is_looked_at(self._keeper, self._request, self._decision, status, headers):
            self._held = event
        elif not await self._refused(event, None):
            await self._send(event)

    async def _body(self, event: Event) -> None:
        """Held to its end, which its declared length bounds; more than it said is not read."""
        self._parts.append(event)
        is_whole = not event.get("more_body", False)
        size = sum(len(part.get("body", b"")) for part in self._parts)
        if is_whole or size > self._keeper.current.snapshot.max_answer_bytes:
            whole = b"".join(part.get("body", b"") for part in self._parts)
            await self._let_go(whole if is_whole else None)

    async def _let_go(self, body: bytes | None) -> bool:
        """Ask about what is held, then send it; False when it was refused."""
        if self._held is None:
            return not self._is_refused
        held, self._held = self._held, None
        if await self._refused(held, body):
            return False
        for event in (held, *self._parts):
            await self._send(event)
        self._parts.clear()
        return True

    async def _refused(self, start: Event, body: bytes | None) -> bool:
        response = Response(status=start["status"], headers=tuple(start["headers"]), body=body)
        ruling = await self._keeper.answered_later(self._request, response, self._decision)
        if ruling.refused is not None:
            self._is_refused = True
            await _say(self._send, ruling.refused, self._request.method)
            return True
        start["headers"] = within.for_visitor(
            start["headers"], (*self._decision.answer, *ruling.decision.answer)
        )
        return False


def request_of(scope: Scope) -> Request:
    """The request of an HTTP or WebSocket scope, without its body."""
    headers = tuple((bytes(name).lower(), bytes(value)) for name, value in scope["headers"])
    hosts = [value for name, value in headers if name == b"host"]
    client = scope.get("client")
    return within.vouched(
        Request(
            method=str(scope.get("method", "GET")).encode("ascii", "replace"),
            target=within.target_of(
                scope["path"].encode(),
                scope.get("query_string", b""),
                scope.get("raw_path") or b"",
            ),
            host=hosts[0].lower() if hosts else b"",
            headers=headers,
            client=str(client[0]) if client else "",
            protocol=b"HTTP/" + str(scope.get("http_version", "1.1")).encode(),
        )
    )


async def _say(send: Send, reply: Reply, method: bytes, kind: str = "http.response") -> None:
    status, headers, body = within.page_of(reply, method)
    await send({"type": f"{kind}.start", "status": status, "headers": headers})
    await send({"type": f"{kind}.body", "body": body, "more_body": False})
