"""What the two doors inside an application share: where a request comes from, what goes back.

There is no edge in front, so these doors also do what the edge does for the guard: they write the
visitor's address, take off what only Troth may say, bound bodies, and hold an answer back until it
was looked at. TLS, time limits and HTTP itself stay with the server that runs the application.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Generic, TypeVar
from urllib.parse import quote

from troth.adapters.scratch import Room, Scratch, ScratchError
from troth.enforce import answers
from troth.enforce.decide import Decision
from troth.enforce.keeper import PASSED, Keeper, Ruling
from troth.enforce.page import EVENT
from troth.enforce.snapshot import Body, Snapshot
from troth.enforce.wire import Message, Reply
from troth.kernel.request import CLIENT, MARKER, Headers, Request

CHUNK = 64 * 1024
A = TypeVar("A")  # an application, as its interface has it
AT_ONCE, TOTAL_BYTES = 32, 2 * 1024**3  # of uploads; as `[guard.uploads]` says by default

Own = Callable[[Message], Reply | None]  # what Troth itself answers below its prefix


class Door(Generic[A]):
    """One application behind the guard.

    Args:
        app: what is called with what is let through.
        keeper: decides.
        inside: how the door is set up.
    """

    def __init__(self, app: A, keeper: Keeper, inside: "Inside | None" = None) -> None:
        self.app = app
        self.keeper = keeper
        self.inside = inside or Inside()

    def own(self, request: Request) -> Ruling | None:
        """What Troth itself answers; None for what is the application's."""
        said = own(request, self.keeper, self.inside)
        return Ruling(refused=said) if said else None

    def unread(self, request: Request) -> Ruling | None:
        """The refusal of what is no request; None for one that is."""
        return None if is_one(request) else self.keeper.refuse(400, "malformed", request)


class Doubt(Exception):  # noqa: N818 -- what becomes a refusal is no error
    """A request that is not read on: the status of the answer, and why."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(code)
        self.status = status
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class Inside:
    """How a door inside an application is set up.

    Args:
        own: answers below Troth's prefix; None for what is not Troth's.
        body_s: within which a body must have come, where the door can end the wait (ASGI).
        upload_s: the same for an upload.
        room: how much of uploads is held at once, on disk.
    """

    own: Own = lambda _: None
    body_s: float = 30.0
    upload_s: float = 600.0
    room: Room = field(default_factory=lambda: Room(AT_ONCE, TOTAL_BYTES))


def target_of(path: bytes, query: bytes, raw: bytes) -> bytes:
    """The target as it was sent, or as near as the server lets us come.

    Args:
        path: decoded, as the application is given it.
        query: without its question mark.
        raw: path as sent, where the server has it (a query in it is left out); else empty.
    """
    sent = raw.partition(b"?")[0] or quote(path, safe="/~!$&'()*+,;=:@").encode()
    return sent + b"?" + query if query else sent


def vouched(request: Request) -> Request:
    """The request with the visitor's address in our words, whatever the visitor said of it."""
    headers = tuple((name, value) for name, value in request.headers if name != CLIENT)
    return replace(request, headers=(*headers, (CLIENT, request.client.encode("ascii", "replace"))))


def with_body(request: Request, body: bytes | None) -> Request:
    """The request with what is inspected of its body; an empty one is none."""
    return replace(request, body=body) if body else request


def own(request: Request, keeper: Keeper, inside: Inside) -> Reply | None:
    """What Troth itself answers; None for what is the application's."""
    if not request.target.startswith(keeper.current.snapshot.prefix.encode()):
        return None
    return inside.own(
        Message(
            method=request.method,
            target=request.target,
            headers=request.headers,
            body=request.body or b"",
        )
    )


def is_one(request: Request) -> bool:
    """Whether it has one host and a path: what else there may be is not understood, so refused.

    A comma in the host is two of them, which a WSGI server joined.
    """
    is_star = request.target == b"*" and request.method == b"OPTIONS"
    return bool(
        len(request.values(b"host")) == 1
        and request.host
        and b"," not in request.host
        and (request.target.startswith(b"/") or is_star)
    )


def limit_of(kind: Body, snapshot: Snapshot) -> int:
    """How many bytes a body of this kind may have."""
    return snapshot.max_upload_bytes if kind is Body.UPLOAD else snapshot.max_body_bytes


def declared(request: Request, limit: int) -> int | None:
    """The length that was declared; None for none.

    Raises Doubt when it is nonsense, or more than the limit.
    """
    lengths = set(request.values(b"content-length"))
    if not lengths:
        return None
    length = lengths.pop()
    if lengths or not length.isdigit():
        raise Doubt(400, "malformed")
    if int(length) > limit:
        raise Doubt(413, "too-large")
    return int(length)


def scratch(inside: Inside) -> Scratch:
    """Where an upload is to lie. Raises Doubt when there is no room."""
    try:
        return Scratch(None, inside.room)
    except ScratchError as error:
        raise Doubt(503, "no-room") from error


def stored(file: Scratch, piece: bytes) -> None:
    """Keep a piece of an upload. Raises Doubt when there is no room."""
    try:
        file.write(piece)
    except ScratchError as error:
        raise Doubt(503, "no-room") from error


def looked(keeper: Keeper, request: Request, file: Scratch) -> Ruling:
    """The ruling on an upload that lies whole. Slow: never in an event loop.

    Fails closed: what breaks while it is looked at is 503.
    """
    uploads = keeper.current.snapshot.uploads
    if uploads is None:
        return PASSED
    try:
        found = uploads.look(request, file)
    except Exception:  # noqa: BLE001 -- a machine's loop: a bug refuses
        return keeper.refuse(503, "failed", request)
    if found.fault is None and not found.outline:
        return PASSED
    return keeper.uploaded(with_body(request, found.outline), found.fault)


def for_application(headers: Headers, decision: Decision) -> list[tuple[bytes, bytes]]:
    """The request's headers as the application is to see them."""
    gone = {name.lower() for name, _ in decision.add} | {name.lower() for name in decision.remove}
    return [pair for pair in headers if pair[0] not in gone] + [
        (name.lower(), value) for name, value in decision.add
    ]


def for_visitor(
    headers: Sequence[tuple[bytes, bytes]], answer: Headers
) -> list[tuple[bytes, bytes]]:
    """The answer's headers as the visitor is to see them: nobody but us says what is ours."""
    ours = {MARKER, EVENT, *(name.lower() for name, _ in answer if name.lower() != b"set-cookie")}
    return [pair for pair in headers if pair[0].lower() not in ours] + list(answer)


def is_looked_at(
    keeper: Keeper,
    request: Request,
    decision: Decision,
    status: int,
    headers: Sequence[tuple[bytes, bytes]],
) -> bool:
    """Whether an answer's body is held back until somebody has looked at it.

    What rules look at, and what they leave alone (`answers.left_alone`), is counted.
    """
    has_rules = bool(keeper.current.snapshot.answers)
    is_awaited = any(each.reads_body for each in decision.awaits)
    if not has_rules and not is_awaited:
        return False
    most = keeper.current.snapshot.max_answer_bytes
    left = answers.left_alone(status, headers, most, is_head=request.method == b"HEAD")
    if has_rules:
        keeper.counts[f"answer.left.{left}" if left else "answer.read"] += 1
    return not left and (is_awaited or answers.is_text(headers))


def page_of(reply: Reply, method: bytes) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    """Status, headers and body of what is said instead of the application."""
    headers = [*reply.headers, (b"content-length", b"%d" % len(reply.body))]
    return reply.status, headers, b"" if method == b"HEAD" else reply.body
