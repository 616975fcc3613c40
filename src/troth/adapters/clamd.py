r"""A ClamAV daemon on its unix socket, asked about one content at a time.

Source: clamd(8), "COMMANDS": `zINSTREAM\0`, then chunks of a 4-byte length in network order with
their bytes, ended by a length of zero; the reply ends with NUL and says `stream: OK`, `stream: NAME
FOUND`, or something with `ERROR`. Fails closed: whatever is not `OK` or `FOUND` raises.
"""

import socket
import struct
import time
from datetime import timedelta
from pathlib import Path
from typing import Protocol

CHUNK = 256 * 1024
MAX_REPLY_BYTES = 4096
MAX_NAME = 200
_LENGTH = struct.Struct("!I")


class ScanError(OSError):
    """Nobody there, too slow, or an answer that is none; also when it is too large for clamd."""


class Content(Protocol):
    """What is read piece by piece."""

    @property
    def size(self) -> int:
        """How many bytes there are."""
        ...

    def read(self, at: int, size: int) -> bytes:
        """What stands there."""
        ...


def scan(place: Path, content: Content, *, within: timedelta) -> str:
    """What clamd calls it; empty for nothing found.

    Args:
        place: of the socket.
        content: what it is shown, all of it.
        within: for the whole conversation.

    Raises:
        ScanError: it could not be scanned.
    """
    deadline = time.monotonic() + within.total_seconds()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC) as door:
        try:
            _remaining(door, deadline)
            door.connect(str(place))
            sent = _send(door, content, deadline)
        except OSError as error:
            raise ScanError(f"clamd at {place}: {error}") from error
        try:
            reply = _reply(door, deadline)
        except OSError as error:
            raise ScanError(f"clamd at {place}: {error}") from error
    return _read(reply, is_whole=sent)


def _send(door: socket.socket, content: Content, deadline: float) -> bool:
    """Whether all was taken: beyond its own limit clamd answers and listens no more."""
    door.sendall(b"zINSTREAM\0")
    at = 0
    try:
        while at < content.size:
            piece = content.read(at, CHUNK)
            if not piece:
                raise ScanError("the content ended too early")
            _remaining(door, deadline)
            door.sendall(_LENGTH.pack(len(piece)) + piece)
            at += len(piece)
        door.sendall(_LENGTH.pack(0))
    except (BrokenPipeError, ConnectionResetError):
        return False
    return True


def _reply(door: socket.socket, deadline: float) -> bytes:
    reply = b""
    while not reply.endswith(b"\0") and len(reply) <= MAX_REPLY_BYTES:
        _remaining(door, deadline)
        piece = door.recv(MAX_REPLY_BYTES)
        if not piece:
            break
        reply += piece
    return reply


def _remaining(door: socket.socket, deadline: float) -> None:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("too slow")
    door.settimeout(left)


def _read(reply: bytes, *, is_whole: bool) -> str:
    said = reply.removesuffix(b"\0").decode("ascii", "replace").strip()
    if is_whole and said == "stream: OK":
        return ""
    if said.startswith("stream: ") and said.endswith(" FOUND"):
        name = said.removeprefix("stream: ").removesuffix(" FOUND")
        return "".join(each for each in name if each.isprintable())[:MAX_NAME] or "unnamed"
    raise ScanError(f"clamd said: {said[:MAX_NAME] or 'nothing'}")
