"""Telling the supervisor that a role is ready: the sd_notify protocol (sd_notify(3)).

systemd listens on the same kind of socket, so a role does not know who started it.
"""

import asyncio
import os
import socket
from collections.abc import Callable
from pathlib import Path

MAX_DATAGRAM = 4096


def ready(status: str = "") -> None:
    """Say READY=1 to $NOTIFY_SOCKET. Without one (started by hand) nothing happens."""
    tell(f"READY=1\nSTATUS={status}\n" if status else "READY=1\n")


def tell(message: str) -> None:
    """Send a notification; fails open, because a lost status must not stop a role."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as door:
        door.settimeout(1)
        try:
            door.sendto(message.encode()[:MAX_DATAGRAM], address)
        except OSError:
            return


class _Ear(asyncio.DatagramProtocol):
    def __init__(self, heard: Callable[[dict[str, str]], None]) -> None:
        self._heard = heard

    def datagram_received(self, data: bytes, _: object) -> None:
        lines = data[:MAX_DATAGRAM].decode("utf-8", "replace").splitlines()
        self._heard(dict(line.split("=", 1) for line in lines if "=" in line))


async def listen(path: Path, heard: Callable[[dict[str, str]], None]) -> asyncio.BaseTransport:
    """Listen on a datagram socket (mode 0666: a role may be another user's) for `tell`.

    Args:
        path: where the socket is made; a leftover of that name is removed.
        heard: called in the event loop with the KEY=VALUE pairs of each message.

    Returns:
        The transport; close it to stop.
    """
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: _Ear(heard), sock=_bound(path)
    )
    return transport


def _bound(path: Path) -> socket.socket:
    path.unlink(missing_ok=True)
    door = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    door.bind(str(path))
    path.chmod(0o666)
    door.setblocking(False)
    return door
