"""The doors without sockets: the same bytes, read by each, and what each makes of them."""

import asyncio
import io
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote_to_bytes

from troth.enforce import asgi, authz, wire, wsgi
from troth.kernel.request import CLIENT, Request

CLIENT_ADDRESS = "192.0.2.1"


@dataclass
class Heard:
    """What came of a stream: whole messages, then how it was refused if it was."""

    messages: list[wire.Message] = field(default_factory=list)
    refused: list[int] = field(default_factory=list)


class _Wire(asyncio.Transport):
    """Where answers go."""

    def __init__(self) -> None:
        super().__init__()
        self.is_over = False

    def write(self, data: bytes) -> None:
        pass

    def close(self) -> None:
        self.is_over = True

    abort = close

    def is_closing(self) -> bool:
        return self.is_over


class _Clock:
    def time(self) -> float:
        return 0.0


class _Door(wire.Door):
    def admits(self, _: asyncio.Transport) -> bool:
        return True


def heard(pieces: Iterable[bytes]) -> Heard:
    """Feed the guard's own reader."""
    found = Heard()

    def answer(message: wire.Message) -> wire.Reply:
        found.messages.append(message)
        return wire.OK

    def told(_: str, fields: dict[str, object]) -> None:
        found.refused.append(int(str(fields["status"])))

    limits = wire.Limits(head_bytes=2048, body_bytes=2048, headers=32)
    line = wire._Line(_Door(Path("none"), answer, told, limits=limits), _Clock())
    transport = _Wire()
    line.connection_made(transport)
    for piece in pieces:
        if transport.is_over:
            break
        line.data_received(piece)
    return found


def cut(raw: bytes, sizes: bytes) -> list[bytes]:
    """The same bytes in pieces, as long as `sizes` says."""
    pieces, at = [], 0
    for size in sizes or b"\1":
        pieces.append(raw[at : at + size + 1])
        at += size + 1
    return [piece for piece in (*pieces, raw[at:]) if piece]


def compare(message: wire.Message, wrong: type[Exception]) -> None:
    """Hand one message over as each server would; raises `wrong` where doors see two requests."""
    kept = tuple(each for each in message.headers if each[0] != CLIENT)
    vouched = (*kept, (CLIENT, CLIENT_ADDRESS.encode()))
    ours = authz.request_of(
        wire.Message(
            method=message.method, target=message.target, headers=vouched, body=message.body
        )
    )
    path, mark, query = message.target.partition(b"?")
    by_asgi = asgi.request_of(
        {
            "type": "http", "method": message.method.decode("latin-1"),
            "path": unquote_to_bytes(path).decode("utf-8", "replace"), "raw_path": path,
            "query_string": query, "headers": list(message.headers),
            "client": (CLIENT_ADDRESS, 1), "http_version": "1.1",
        }
    )  # fmt: skip
    by_wsgi = wsgi.request_of(_environ(message, path, query))
    for name, theirs in (("asgi", by_asgi), ("wsgi", by_wsgi)):
        _compare_one(name, message, ours, theirs, wrong, has_mark=bool(mark and not query))


def _compare_one(
    name: str, message: wire.Message, ours: Request | None, theirs: Request,
    wrong: type[Exception], *, has_mark: bool,
) -> None:  # fmt: skip
    from troth.enforce import within  # noqa: PLC0415 -- beside the one use

    if (ours is not None) != within.is_one(theirs):
        raise wrong(f"{name}: {ours is not None} against {within.is_one(theirs)}: {message!r}")
    if ours is None:
        return
    target = ours.target.removesuffix(b"?") if has_mark else ours.target  # no server says it
    pairs = (
        ("method", ours.method, theirs.method), ("target", target, theirs.target),
        ("host", ours.host, theirs.host), ("client", ours.client, theirs.client),
        ("headers", _joined(ours), _joined(theirs)),
    )  # fmt: skip
    for what, mine, other in pairs:
        if mine != other:
            raise wrong(f"{name}, {what}: {mine!r} against {other!r}")


def _joined(request: Request) -> dict[bytes, bytes]:
    """Headers by name, repeated ones joined, as CGI does (RFC 3875, 4.1.18), `_` and `-` alike."""
    found: dict[bytes, list[bytes]] = {}
    for name, value in request.headers:
        found.setdefault(name.replace(b"_", b"-"), []).append(value)
    joined = {name: b",".join(values) for name, values in found.items()}
    return {name: value for name, value in joined.items() if value.strip(b",")}  # said nothing


def _environ(message: wire.Message, path: bytes, query: bytes) -> dict[str, object]:
    environ: dict[str, object] = {
        "REQUEST_METHOD": message.method.decode("latin-1"), "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "RAW_URI": message.target.decode("latin-1"), "QUERY_STRING": query.decode("latin-1"),
        "REMOTE_ADDR": CLIENT_ADDRESS, "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.input": io.BytesIO(message.body),
    }  # fmt: skip
    for name, value in message.headers:
        key = name.decode("latin-1").upper().replace("-", "_")
        key = key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"
        had = environ.get(key)
        said = value.decode("latin-1")
        environ[key] = f"{had},{said}" if had is not None else said
    return environ
