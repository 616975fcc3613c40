"""Many connections of one client at once, each of them slow: for drills. Bounded in count and time.

A crowd connects, sends the beginning of something, then a byte now and then, and tells how many
connections the other side ended.
"""

import contextlib
import selectors
import socket
import ssl
import time
from dataclasses import dataclass

from troth.adapters import tcp, tls
from troth.kernel.errors import Failure

MAX_CROWD = 1000
MAX_S = 60.0
_STEP_S = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Crowd:
    """What a crowd does.

    Args:
        name: of the crowd, for the facts.
        source: local address it comes from; empty lets the system choose.
        count: connections, 1 to MAX_CROWD.
        opening: what each sends first; may be empty.
        drip: what each sends each second afterwards; empty sends nothing.
        context: of TLS; None stays on the bare connection.
    """

    name: str
    source: str
    count: int
    opening: bytes = b""
    drip: bytes = b""
    context: ssl.SSLContext | None = None


@dataclass(slots=True, kw_only=True)
class Met:
    """What came of a crowd: connections opened, refused, and ended by the other side."""

    opened: int = 0
    refused: int = 0
    ended: int = 0


def gather(host: str, port: int, crowds: tuple[Crowd, ...], *, for_s: float) -> dict[str, Met]:
    """All crowds at once, for `for_s` seconds (at most MAX_S) or until every connection is ended.

    A connection that is not taken, or not for a handshake, is refused, which is no error here.
    """
    if any(not 1 <= crowd.count <= MAX_CROWD for crowd in crowds) or not 0 < for_s <= MAX_S:
        raise ValueError("a crowd without bounds")
    met = {crowd.name: Met() for crowd in crowds}
    held: dict[socket.socket, Crowd] = {}
    deadline = time.monotonic() + for_s
    with contextlib.ExitStack() as stack, selectors.DefaultSelector() as waiting:
        for crowd in crowds:
            for _ in range(crowd.count):
                door = _opened(host, port, crowd, deadline)
                if door is None:
                    met[crowd.name].refused += 1
                    continue
                stack.callback(door.close)
                held[door] = crowd
                waiting.register(door, selectors.EVENT_READ, door)
                met[crowd.name].opened += 1
        last = time.monotonic()
        while held and (now := time.monotonic()) < deadline:
            for key, _ in waiting.select(_STEP_S):
                slow: socket.socket = key.data
                if _has_ended(slow):
                    met[held.pop(slow).name].ended += 1
                    waiting.unregister(slow)
            if now - last >= 1:
                last = now
                for slow in [slow for slow in held if not _dripped(slow, held[slow])]:
                    met[held.pop(slow).name].ended += 1
                    waiting.unregister(slow)
    return met


def _opened(host: str, port: int, crowd: Crowd, deadline: float) -> socket.socket | None:
    left = min(5.0, deadline - time.monotonic())
    if left <= 0:
        return None
    try:
        door = tcp.connect(host, port, timeout_s=left, source=crowd.source)
        if crowd.context is not None:
            door = tls.wrap(door, crowd.context, server_name=host, where=f"{host}:{port}")
        if crowd.opening:
            door.sendall(crowd.opening)
    except (Failure, OSError):
        return None
    door.setblocking(False)
    return door


def _has_ended(door: socket.socket) -> bool:
    try:
        return not door.recv(tcp.CHUNK_BYTES)
    except (BlockingIOError, ssl.SSLWantReadError):
        return False
    except OSError:
        return True


def _dripped(door: socket.socket, crowd: Crowd) -> bool:
    if not crowd.drip:
        return True
    try:
        door.send(crowd.drip)
    except (BlockingIOError, ssl.SSLWantWriteError):
        return True
    except OSError:
        return False
    return True
