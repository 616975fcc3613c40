"""The only door to TCP elsewhere: every connect, send and receive has a deadline and a cap.

Fails closed: what could not be looked at raises, so that a caller cannot take silence for an
answer. `*.localhost` is 127.0.0.1 here (RFC 6761, 6.3), which libc does not know.
"""

import contextlib
import errno
import ipaddress
import selectors
import socket
import struct
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from troth.kernel.errors import Failure

LOOPBACK = "127.0.0.1"
CHUNK_BYTES = 65536
MAX_IN_FLIGHT = 256
MAX_PROC_BYTES = 16 * 1024 * 1024
_LISTENING = "0A"  # Source: linux/include/net/tcp_states.h, TCP_LISTEN


class TcpError(Failure):
    """A connection that could not be made, or that broke where it must not."""


class Reach(StrEnum):
    """What a port answers: `silent` means that nothing came back, as behind a firewall."""

    OPEN = "open"
    REFUSED = "refused"
    SILENT = "silent"


@dataclass(frozen=True, slots=True)
class Listener:
    """A TCP socket that somebody on this machine listens on, and whose (user id) it is.

    `inode` is what /proc/<pid>/fd calls it.
    """

    address: str
    port: int
    uid: int
    inode: int = 0


def is_local_name(host: str) -> bool:
    """Whether it is `localhost` or a name under it."""
    name = host.rstrip(".").lower()
    return name == "localhost" or name.endswith(".localhost")


def resolve(host: str) -> tuple[str, ...]:
    """Addresses of a name or an address literal, IPv4 first. Raises TcpError when none."""
    bare = host.strip("[]")
    if is_local_name(bare):
        return (LOOPBACK,)
    with contextlib.suppress(ValueError):
        return (str(ipaddress.ip_address(bare)),)
    try:
        found = socket.getaddrinfo(bare, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise TcpError(f"cannot be resolved: {error}", where=host) from error
    ordered = sorted(found, key=lambda entry: entry[0] is not socket.AF_INET)
    return tuple(dict.fromkeys(str(entry[4][0]) for entry in ordered))


def is_loopback(host: str) -> bool:
    """Whether every address of the host is loopback; False when it has none."""
    try:
        return all(ipaddress.ip_address(address).is_loopback for address in resolve(host))
    except TcpError:
        return False


def is_here(host: str, port: int, *, timeout_s: float = 2) -> bool:
    """Whether what is sent to the host stays on this machine: somebody answers a loopback address.

    No system lets such a source out of the machine, so any address but our own refuses it.
    """
    try:
        connect(host, port, timeout_s=timeout_s, source=LOOPBACK).close()
    except (TcpError, TimeoutError):
        return False
    return True


def connect(host: str, port: int, *, timeout_s: float, source: str = "") -> socket.socket:
    """A connected TCP socket, Nagle off; each later operation is given `timeout_s` too.

    Args:
        host: name or address; the addresses are tried in order within one deadline.
        port: 1 to 65535.
        timeout_s: for all of it.
        source: local address to come from; empty lets the system choose.

    Raises:
        TcpError: nobody could be reached. TimeoutError: nobody answered in time.
    """
    deadline = time.monotonic() + timeout_s
    last: OSError | None = None
    for address in resolve(host):
        left = deadline - time.monotonic()
        if left <= 0:
            break
        try:
            door = socket.create_connection(
                (address, port), timeout=left, source_address=(source, 0) if source else None
            )
        except OSError as error:
            last = error
            continue
        door.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        door.settimeout(timeout_s)
        return door
    if last is None or isinstance(last, TimeoutError):
        raise TimeoutError(f"{host}:{port}: no answer within {timeout_s:g} s")
    raise TcpError(f"cannot be reached: {last.strerror or last}", where=f"{host}:{port}") from last


def drain(
    door: socket.socket,
    *,
    deadline: float,
    limit_bytes: int,
    is_enough: Callable[[bytes], bool] = lambda _: False,
) -> bytes:
    """Read until the peer closes, `is_enough`, the limit, or the deadline (monotonic seconds).

    Raises:
        TimeoutError: the deadline passed and nothing at all had come.
        ConnectionResetError: the peer broke off and nothing at all had come.
    """
    gathered = bytearray()
    while len(gathered) < limit_bytes and not is_enough(bytes(gathered)):
        left = deadline - time.monotonic()
        try:
            door.settimeout(max(left, 0.001))
            piece = door.recv(min(CHUNK_BYTES, limit_bytes - len(gathered)))
        except (TimeoutError, ConnectionResetError, BrokenPipeError):
            if gathered:
                break
            raise
        if not piece:
            break
        gathered += piece
    return bytes(gathered)


def exchange(  # noqa: PLR0913 -- each is one bound of the conversation
    host: str,
    port: int,
    payload: bytes,
    *,
    timeout_s: float = 5,
    limit_bytes: int = CHUNK_BYTES,
    source: str = "",
    is_enough: Callable[[bytes], bool] = lambda _: False,
) -> bytes:
    """Send bytes over TCP and return what comes back; empty when the peer just closed.

    Raises:
        TcpError: not reached, or reset without an answer. TimeoutError: no answer in time.
    """
    deadline = time.monotonic() + timeout_s
    with connect(host, port, timeout_s=timeout_s, source=source) as door:
        try:
            if payload:
                door.sendall(payload)
            return drain(door, deadline=deadline, limit_bytes=limit_bytes, is_enough=is_enough)
        except (ConnectionResetError, BrokenPipeError) as error:
            raise TcpError("reset without an answer", where=f"{host}:{port}") from error


def datagram(
    host: str, port: int, payload: bytes, *, timeout_s: float = 2, source: str = ""
) -> bytes:
    """Send one UDP datagram and return the first that comes back; empty for silence or refusal.

    Raises:
        TcpError: the host has no address, or nothing can be sent from here.
    """
    address = resolve(host)[0]
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as door:
        door.settimeout(timeout_s)
        try:
            if source:
                door.bind((source, 0))
            door.connect((address, port))
            door.send(payload)
        except OSError as error:
            raise TcpError(f"nothing can be sent: {error}", where=f"{host}:{port}") from error
        try:
            return door.recv(CHUNK_BYTES)
        except (TimeoutError, ConnectionRefusedError):
            return b""


def reach(host: str, port: int, *, timeout_s: float = 2, source: str = "") -> Reach:
    """What one port answers. Raises TcpError when the host cannot be looked at."""
    return sweep(host, (port,), timeout_s=timeout_s, source=source)[port]


def can_connect(host: str, port: int, *, timeout_s: float = 2, source: str = "") -> bool:
    """Whether a connection is accepted. Raises TcpError when the host cannot be looked at."""
    return reach(host, port, timeout_s=timeout_s, source=source) is Reach.OPEN


def sweep(
    host: str,
    ports: Iterable[int],
    *,
    rate_per_s: int = 4000,
    timeout_s: float = 2,
    source: str = "",
) -> Mapping[int, Reach]:
    """What each port answers to a connect, 256 at a time, at most `rate_per_s` new ones a second.

    Raises:
        TcpError: the host has no address, or it cannot be looked at (no route, no descriptor).
    """
    address = resolve(host)[0]
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    waiting = iter(sorted(set(ports)))
    found: dict[int, Reach] = {}
    began, sent, has_more = time.monotonic(), 0, True
    with selectors.DefaultSelector() as selector, contextlib.ExitStack() as stack:
        stack.callback(_close_all, selector)
        while has_more or selector.get_map():
            allowed = int((time.monotonic() - began) * rate_per_s) + 1
            while has_more and sent < allowed and len(selector.get_map()) < MAX_IN_FLIGHT:
                port = next(waiting, None)
                if port is None:
                    has_more = False
                else:
                    sent += 1
                    _knock(selector, found, family, (address, port), (source, timeout_s))
            for key, _ in selector.select(0.01 if has_more else 0.1):
                code = key.fileobj.getsockopt(  # type: ignore[union-attr]  # only sockets are here
                    socket.SOL_SOCKET, socket.SO_ERROR
                )
                found[key.data[0]] = _reach_of(code, address)
                _let_go(selector, key)
            late = time.monotonic()
            for key in [k for k in selector.get_map().values() if k.data[1] < late]:
                found[key.data[0]] = Reach.SILENT
                _let_go(selector, key)
    return found


def _knock(
    selector: selectors.BaseSelector,
    found: dict[int, Reach],
    family: int,
    target: tuple[str, int],
    manner: tuple[str, float],
) -> None:
    source, timeout_s = manner
    try:
        door = socket.socket(family, socket.SOCK_STREAM)
    except OSError as error:
        raise TcpError(f"no socket to be had: {error.strerror}", where=target[0]) from error
    try:
        door.setblocking(False)
        if source:
            door.bind((source, 0))
        code = door.connect_ex(target)
    except OSError as error:
        door.close()
        raise TcpError(f"cannot come from {source}: {error.strerror}", where=target[0]) from error
    if code == errno.EINPROGRESS:
        selector.register(door, selectors.EVENT_WRITE, (target[1], time.monotonic() + timeout_s))
        return
    door.close()
    found[target[1]] = _reach_of(code, target[0])


def _reach_of(code: int, address: str) -> Reach:
    if code == 0:
        return Reach.OPEN
    if code in (errno.ECONNREFUSED, errno.ECONNRESET):
        return Reach.REFUSED
    if code == errno.ETIMEDOUT:
        return Reach.SILENT
    raise TcpError(f"cannot be looked at: {errno.errorcode.get(code, code)}", where=address)


def _let_go(selector: selectors.BaseSelector, key: selectors.SelectorKey) -> None:
    selector.unregister(key.fileobj)
    key.fileobj.close()  # type: ignore[union-attr]  # only sockets are here


def _close_all(selector: selectors.BaseSelector) -> None:
    for key in list(selector.get_map().values()):
        _let_go(selector, key)


def listening() -> tuple[Listener, ...]:
    """Every TCP listener of this machine (network namespace), from /proc/net/tcp and tcp6.

    Raises:
        TcpError: /proc cannot be read; then nothing is known.
    """
    return (*_read_listeners("tcp", 4), *_read_listeners("tcp6", 16))


def _read_listeners(table: str, width: int) -> list[Listener]:
    path = Path("/proc/net", table)
    try:
        with path.open("rb") as file:
            text = file.read(MAX_PROC_BYTES).decode("ascii")
    except FileNotFoundError:
        if table == "tcp6":
            return []  # a kernel without IPv6
        raise TcpError("cannot be read", where=str(path)) from None
    except OSError as error:
        raise TcpError(f"cannot be read: {error.strerror}", where=str(path)) from error
    found = []
    for line in text.splitlines()[1:]:
        fields = line.split()
        if fields[3] != _LISTENING:
            continue
        raw, port = fields[1].split(":")
        words = struct.unpack(f">{width // 4}I", bytes.fromhex(raw))
        address = ipaddress.ip_address(struct.pack(f"={width // 4}I", *words))
        found.append(Listener(str(address), int(port, 16), int(fields[7]), int(fields[9])))
    return found
