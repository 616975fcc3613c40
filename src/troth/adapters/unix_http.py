"""HTTP/1.1 over a unix socket, for the admin doors of our own processes.

Fails closed: no answer in time, too long an answer or no HTTP at all raises `UnixHttpError`.
"""

import http.client
import socket
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from troth.kernel.errors import Failure

CAP_BYTES = 16 * 1024 * 1024


class UnixHttpError(Failure):
    """A local process that does not answer."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Status and body."""

    status: int
    body: bytes

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode("utf-8", "replace")


class _Connection(http.client.HTTPConnection):
    def __init__(self, path: Path, timeout_s: float) -> None:
        super().__init__("localhost", timeout=timeout_s)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


def request(
    path: Path, target: str, *, method: str = "GET", timeout: timedelta = timedelta(seconds=5)
) -> Answer:
    """One request without a body.

    Args:
        path: the socket.
        target: the path and query that are asked for.
        method: GET or POST.
        timeout: for each wait on the socket.

    Raises:
        UnixHttpError: nobody answers, or not in a way that can be used.
    """
    connection = _Connection(path, timeout.total_seconds())
    try:
        connection.request(method, target)
        response = connection.getresponse()
        body = response.read(CAP_BYTES + 1)
        is_cut = bool(response.length) and len(body) <= CAP_BYTES
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise UnixHttpError(f"does not answer {target}: {reason}", where=str(path)) from error
    finally:
        connection.close()
    if is_cut:
        raise UnixHttpError(f"does not answer {target}: cut off", where=str(path))
    if len(body) > CAP_BYTES:
        raise UnixHttpError(f"{target} is longer than {CAP_BYTES} bytes", where=str(path))
    return Answer(response.status, body)
