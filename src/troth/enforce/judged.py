"""The guard's side door for uploads: the desk that holds one asks what the rules say of it.

A question is the upload's own head with what is read of its body in the body's place, and what was
found in it in a header of ours. 200 releases it; any other answer goes to the visitor as it is.
Who asks is a role of ours (`wire.Door` admits no other), so the header is no visitor's.
"""

import asyncio
import base64
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path

import msgspec

from troth.enforce import authz, wire
from troth.enforce.keeper import Keeper
from troth.engines.uploads import Fault
from troth.kernel.request import Headers

FOUND = b"x-troth-found"
OF_THE_WIRE = (b"content-length", b"transfer-encoding", b"connection", b"expect")
MAX_REPLY_BYTES = 256 * 1024
MEBIBYTE = 1024 * 1024
# What rules read of an upload is bounded by `[guard.rules] body_bytes`: 16 MiB at most.
LIMITS = wire.Limits(body_bytes=17 * MEBIBYTE)


class _Said(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    code: str
    status: int
    message: str
    place: str
    value: bytes


def question(
    method: bytes, target: bytes, headers: Headers, body: bytes, fault: Fault | None
) -> bytes:
    """The question as bytes of HTTP/1.1."""
    lines = [
        b"%b %b HTTP/1.1" % (method, target),
        *(b"%b: %b" % pair for pair in headers if pair[0].lower() not in (*OF_THE_WIRE, FOUND)),
        b"content-length: %d" % len(body),
    ]
    if fault is not None:
        said = _Said(fault.code, fault.status, fault.message, fault.place, fault.value)
        lines.append(b"%b: %b" % (FOUND, base64.b64encode(msgspec.json.encode(said))))
    return b"\r\n".join((*lines, b"", body))


class Judged:
    """Answers one question after another; never raises."""

    def __init__(self, keeper: Keeper) -> None:
        self._keeper = keeper
        self.counts = keeper.counts

    def answer(self, message: wire.Message) -> wire.Reply:
        """The reply to one question."""
        found = [value for name, value in message.headers if name == FOUND]
        headers = tuple(pair for pair in message.headers if pair[0] != FOUND)
        request = authz.request_of(replace(message, headers=headers))
        if request is None:
            return wire.Reply(status=400)
        try:
            fault = _fault(found[0]) if found else None
        except ValueError:
            return wire.Reply(status=400)
        ruling = self._keeper.uploaded(request, fault)
        return wire.OK if ruling.refused is None else ruling.refused


def _fault(written: bytes) -> Fault:
    said = msgspec.json.decode(base64.b64decode(written, validate=True), type=_Said)
    return Fault(
        code=said.code,
        status=said.status,
        message=said.message,
        place=said.place,
        value=said.value,
    )


async def ask(place: Path, asked: bytes) -> wire.Reply | None:
    """Ask a guard's side door; None when the upload is let through.

    Raises OSError, ValueError or asyncio.IncompleteReadError when there is no whole answer.
    """
    reader, writer = await asyncio.open_unix_connection(str(place), limit=MAX_REPLY_BYTES)
    try:
        writer.write(asked)
        first, *lines = (await reader.readuntil(b"\r\n\r\n")).rstrip(b"\r\n").split(b"\r\n")
        status = int(first.split(b" ")[1])
        pairs = [line.partition(b": ")[::2] for line in lines]
        length = int(dict(pairs).get(b"content-length", b"0"))
        if length > MAX_REPLY_BYTES:
            raise ValueError("too long an answer")
        body = await reader.readexactly(length)
    finally:
        writer.close()
    if status == HTTPStatus.OK:
        return None
    headers = tuple(pair for pair in pairs if pair[0] not in OF_THE_WIRE)
    return wire.Reply(status=status, headers=headers, body=body)
