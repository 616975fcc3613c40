"""The only door to sockets of our own: inner listeners, who is at their other end, free ports.

An inner listener is a file in a 0750 folder, mode 0660, and the peer is asked for its credentials
when it connects. Fails closed: a peer that cannot be told is no friend.
"""

import os
import socket
import struct
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from troth.kernel.errors import Failure

MODE = 0o660
MAX_PATH_BYTES = 107  # Source: unix(7), sun_path is 108 bytes with its terminator
BACKLOG = 1024
SO_PEERGROUPS = 59  # Source: Linux asm-generic/socket.h, since 4.13; not named by Python
_CREDENTIALS = struct.Struct("3i")  # pid, uid, gid. Source: unix(7), struct ucred
_MAX_GROUP_BYTES = 1024  # what Python's getsockopt takes: 256 groups


class SocketError(Failure):
    """A socket that could not be bound or reached."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """Who connected, as the kernel says: at the moment of `connect`, whatever happened since."""

    pid: int
    uid: int
    groups: frozenset[int]


@dataclass(frozen=True, slots=True)
class Listener:
    """A bound, listening unix socket at `path`, and the file's identity."""

    path: Path
    door: socket.socket
    file: tuple[int, int]

    def unlink(self) -> None:
        """Remove the file, unless another process has taken the path over since."""
        with suppress(FileNotFoundError):
            if _identity(self.path) == self.file:
                self.path.unlink()


def listen_unix(path: Path, *, mode: int = MODE) -> Listener:
    """Listen at `path`, taking it over from whoever listened there, without a moment of absence.

    The socket is bound beside its place and renamed over it: a client that connects finds the old
    process or the new one, never nothing. Raises SocketError.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    if len(os.fsencode(beside)) > MAX_PATH_BYTES:
        raise SocketError(
            f"a socket's path may have {MAX_PATH_BYTES} bytes",
            where=str(beside),
            mend="choose a shorter data directory",
        )
    door = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    try:
        beside.unlink(missing_ok=True)
        door.bind(str(beside))
        beside.chmod(mode)
        door.listen(BACKLOG)
        door.setblocking(False)
        file = _identity(beside)
        beside.rename(path)
    except OSError as error:
        door.close()
        beside.unlink(missing_ok=True)
        raise SocketError(f"cannot listen: {error.strerror}", where=str(path)) from error
    return Listener(path, door, file)


def _identity(path: Path) -> tuple[int, int]:
    found = path.lstat()
    return found.st_dev, found.st_ino


def peer_of(door: socket.socket) -> Peer:
    """Who is at the other end of a connected unix socket. Raises OSError when it cannot be told.

    Of a peer in more than 256 groups only the first is known.
    """
    raw = door.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    pid, uid, gid = _CREDENTIALS.unpack(raw)
    more = b""
    with suppress(OSError):
        more = door.getsockopt(socket.SOL_SOCKET, SO_PEERGROUPS, _MAX_GROUP_BYTES)
    return Peer(pid=pid, uid=uid, groups=frozenset({gid, *memoryview(more).cast("I")}))


def is_friend(peer: Peer, *, uid: int, group: int) -> bool:
    """Whether a peer may talk to an inner listener: root, ourselves, or a member of our group.

    Args:
        peer: who connected.
        uid: the user that listens.
        group: the group of the socket's folder, by which the installation's roles know each other.
    """
    return peer.uid in {0, uid} or group in peer.groups


def ask(path: Path, line: bytes, *, timeout_s: float = 5, limit_bytes: int = 65536) -> bytes:
    """One line to an inner listener and the one line that comes back, both without the newline.

    Raises:
        SocketError: nobody there, too slow, broken off, or longer than the limit. Whether the
            line was acted on is then not known.
    """
    got = bytearray()
    deadline = time.monotonic() + timeout_s
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC) as door:
        try:
            door.settimeout(timeout_s)
            door.connect(str(path))
            door.sendall(line + b"\n")
            while not got.endswith(b"\n") and len(got) <= limit_bytes:
                door.settimeout(max(deadline - time.monotonic(), 0.001))
                piece = door.recv(limit_bytes)
                if not piece:
                    break
                got += piece
        except OSError as error:
            raise SocketError(f"cannot be asked: {error}", where=str(path)) from error
    if not got.endswith(b"\n"):
        raise SocketError("an answer that was cut off", where=str(path))
    return bytes(got[:-1])


def reach(path: Path, *, timeout_s: float = 2) -> None:
    """See whether somebody listens at a unix socket. Raises SocketError when nobody does."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC) as door:
        door.settimeout(timeout_s)
        try:
            door.connect(str(path))
        except OSError as error:
            why = error.strerror or str(error)
            raise SocketError(f"nobody listens: {why}", where=str(path)) from error


def is_free(address: str, port: int) -> bool:
    """Whether a TCP port of this machine could be bound now: neither taken nor forbidden to us."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM | socket.SOCK_CLOEXEC) as door:
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            door.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        try:
            door.bind((address, port))
        except OSError:
            return False
    return True
