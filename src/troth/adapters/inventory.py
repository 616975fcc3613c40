"""Whose a listening port is: the books that the kernel keeps in /proc (proc(5)).

Fails closed: what cannot be read has no owner, and a caller must not take that for an answer.
"""

import ipaddress
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from troth.adapters import tcp

_PROC = Path("/proc")
_SOCKET = re.compile(r"socket:\[(\d+)\]")


@dataclass(frozen=True, slots=True)
class Owner:
    """A listening TCP port with the processes that hold it, as far as they may be seen."""

    port: int
    is_loopback: bool
    pids: frozenset[int]


@dataclass(frozen=True, slots=True)
class Books:
    """Who holds what; of the `closed` processes it may not be seen what they hold."""

    owners: tuple[Owner, ...]
    closed: frozenset[int]


def books() -> Books:
    """Every listening TCP port of this machine (network namespace).

    Raises:
        TcpError: /proc cannot be read; then nothing is known.
    """
    holders, closed = _holders()
    owners = tuple(
        Owner(
            each.port,
            ipaddress.ip_address(each.address).is_loopback,
            frozenset(holders.get(each.inode, ())),
        )
        for each in tcp.listening()
    )
    return Books(owners, closed)


def family(mark: str) -> frozenset[int]:
    """Processes whose command line holds `mark` (a data directory), and all their children."""
    parents: dict[int, int] = {}
    marked = set()
    for pid in _pids():
        try:
            command = (_PROC / str(pid) / "cmdline").read_bytes()
            stat = (_PROC / str(pid) / "stat").read_text("utf-8", "replace")
        except OSError:
            continue  # it has just ended
        parents[pid] = int(stat.rpartition(")")[2].split()[1])
        if mark.encode() in command:
            marked.add(pid)
    return frozenset(pid for pid in parents if _descends(pid, parents, marked))


def _descends(pid: int, parents: Mapping[int, int], marked: set[int]) -> bool:
    seen = set()
    while pid and pid not in seen:
        if pid in marked:
            return True
        seen.add(pid)
        pid = parents.get(pid, 0)
    return False


def _pids() -> Iterator[int]:
    try:
        names = [path.name for path in _PROC.iterdir()]
    except OSError as error:
        raise tcp.TcpError(f"cannot be read: {error.strerror}", where=str(_PROC)) from error
    yield from (int(name) for name in names if name.isdigit())


def _holders() -> tuple[dict[int, list[int]], frozenset[int]]:
    """Socket inodes with the processes that hold them, and processes that do not let us look."""
    found: dict[int, list[int]] = {}
    closed = set()
    for pid in _pids():
        try:
            entries = list(os.scandir(_PROC / str(pid) / "fd"))
        except PermissionError:
            closed.add(pid)
            continue
        except OSError:
            continue  # it has just ended
        for entry in entries:
            try:
                match = _SOCKET.fullmatch(str(Path(entry.path).readlink()))
            except OSError:
                continue
            if match:
                found.setdefault(int(match.group(1)), []).append(pid)
    return found, frozenset(closed)


def is_open_to_others(path: str) -> bool:
    """Whether any user of this machine may connect to a unix socket: by its mode and its folders'.

    Raises:
        OSError: it is not there, or may not be looked at.
    """
    place = Path(path)
    if not place.stat().st_mode & 0o002:  # connecting needs the right to write (unix(7))
        return False
    return all(folder.stat().st_mode & 0o001 for folder in place.resolve().parents)


def is_here(host: str) -> bool:
    """Whether a host name means this machine's loopback. Raises TcpError when nobody knows it."""
    return all(ipaddress.ip_address(each).is_loopback for each in tcp.resolve(host))
