"""Ports of 127.0.0.1 for servers that come and go on one port."""

import socket
from contextlib import ExitStack

from troth.adapters import chance

# Below the range from which systems draw ports for clients (32768 to 60999 on Linux, RFC 6335 says
# from 49152): a port that is given back for a moment is not a stranger's the next.
FIRST, LAST = 15_000, 32_000


def free(count: int) -> list[int]:
    """So many that nobody listens on, by TCP or UDP."""
    found: list[int] = []
    with ExitStack() as stack:
        for port in chance.system().sample(range(FIRST, LAST), LAST - FIRST):
            if len(found) == count:
                break
            doors = [
                stack.enter_context(socket.socket(socket.AF_INET, kind))
                for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM)
            ]
            try:
                for door in doors:
                    door.bind(("127.0.0.1", port))
            except OSError:
                continue
            found.append(port)
    return found
