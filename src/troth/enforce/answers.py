"""What the application answers, looked at before the visitor gets it: leaks.

The doors inside an application hold every answer that can be held. The script of the edge
(`envoy.leaks`) holds those of the routes that opted in and asks here, on a socket of its own that
no route of the edge leads to. It says all that is needed with each question, so any guard can
answer it, and one that was started since.

Left alone: event streams, compressed bodies, bodies of a length that is not declared (whoever sends
in pieces streams) or that is over the cap; then only status and headers are looked at, and it is
counted (`answer.left.…`). A body of a type that is no text is not even asked for.

Fails closed, as a request does: an answer that nobody could look at is a 503, unless the route
fails open.
"""

from collections.abc import Sequence

from troth.enforce import wire
from troth.enforce.decide import ALLOWED
from troth.enforce.keeper import Keeper
from troth.kernel.request import CLIENT, Headers, Request, Response

TARGET = b"/answer"
# What is said of the request and of the answer stands under these; ours of the page likewise.
ASKED, SAID, PAGE = b"a-", b"r-", b"p-"
LEFT, STATUS = b"left", b"status"  # why the body is not shown; the status of a refusal
REASONS = frozenset({b"encoded", b"stream", b"pieces", b"long"})
STREAMS = (b"text/event-stream", b"multipart/x-mixed", b"application/grpc")
TEXT = (b"text/", b"json", b"xml", b"application/octet-stream", b"x-httpd-php")
BODILESS = frozenset({204, 304})
_REQUESTS = frozenset({b"accept", b"accept-language", CLIENT})
_OK = wire.Reply(status=200)


def left_alone(
    status: int, headers: Sequence[tuple[bytes, bytes]], most_bytes: int, *, is_head: bool = False
) -> str:
    """Why an answer's body is not looked at: a word, or nothing where it can be held.

    Args:
        status: of the answer; what has no body is not left alone.
        headers: names in any case.
        most_bytes: of a body that is held.
        is_head: it is the answer to a HEAD.
    """
    said = {name.lower(): value.strip().lower() for name, value in headers}
    if is_head or status in BODILESS:
        return ""
    if said.get(b"content-type", b"").startswith(STREAMS):
        return "stream"
    if said.get(b"content-encoding", b"identity") != b"identity":
        return "encoded"
    length = said.get(b"content-length", b"")
    if not length.isdigit():
        return "pieces"
    return "long" if int(length) > most_bytes else ""


def is_text(headers: Sequence[tuple[bytes, bytes]]) -> bool:
    """Whether the type of a body is one that rules may read; one that is not said may be any."""
    said = [value.lower() for name, value in headers if name.lower() == b"content-type"]
    return not said or any(each in said[0] for each in TEXT)


class Answers:
    """Answers the edge's script."""

    def __init__(self, keeper: Keeper) -> None:
        self._keeper = keeper

    def answer(self, message: wire.Message) -> wire.Reply:
        """Whether an answer may go out, or what goes instead; never raises."""
        asked = _prefixed(message.headers, ASKED)
        said = _prefixed(message.headers, SAID)
        status = dict(said).get(b"status", b"")
        if message.method != b"POST" or message.target != TARGET or not status.isdigit():
            return wire.Reply(status=404)
        left = dict(message.headers).get(LEFT, b"")
        what = f"left.{left.decode()}" if left in REASONS else "read"
        self._keeper.counts[f"answer.{what}"] += 1
        response = Response(
            status=int(status),
            headers=tuple(pair for pair in said if pair[0] != b"status"),
            body=None if left else message.body,
        )
        refused = self._keeper.answered(_request(dict(asked)), response, ALLOWED).refused
        if refused is None:
            return _OK
        own = tuple((PAGE + name, value) for name, value in refused.headers)
        page = (STATUS, b"%d" % refused.status)
        return wire.Reply(status=200, headers=(page, *own), body=refused.body)


def _prefixed(headers: Headers, prefix: bytes) -> Headers:
    return tuple(
        (name.removeprefix(prefix), value) for name, value in headers if name.startswith(prefix)
    )


def _request(asked: dict[bytes, bytes]) -> Request:
    host = asked.get(b"authority", b"").lower()
    kept = tuple((name, value) for name, value in asked.items() if name in _REQUESTS)
    return Request(
        method=asked.get(b"method", b"GET"),
        target=asked.get(b"path", b"/"),
        host=host,
        headers=((b"host", host), *kept),
        client=asked.get(CLIENT, b"").decode("ascii", "replace"),
    )
