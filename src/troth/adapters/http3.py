"""HTTP/3 as a client, for probes: one request after another on one connection.

The packets and frames are the `aioquic` library's (RFC 9000, RFC 9114); socket, clock and bounds
are ours. Fails closed: what is no whole answer raises.
"""

import contextlib
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

from aioquic.h3.connection import H3_ALPN, H3Connection
from aioquic.h3.events import DataReceived, H3Event, HeadersReceived
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.connection import QuicConnection
from aioquic.quic.events import ConnectionTerminated, HandshakeCompleted, QuicEvent, StreamReset

from troth.adapters import tcp
from troth.adapters.http2 import Answer, Pairs
from troth.kernel.errors import Failure

_DATAGRAM_BYTES = 65_536
_MAX_ANSWER_BYTES = 1024 * 1024


class Http3Error(Failure):
    """No whole answer over HTTP/3."""


class Session:
    """An open connection; made by `session`."""

    def __init__(
        self, door: socket.socket, quic: QuicConnection, authority: str, timeout_s: float
    ) -> None:
        self._door = door
        self._quic = quic
        self._authority = authority
        self._timeout_s = timeout_s
        self._http: H3Connection | None = None

    def open(self) -> None:
        """Shake hands. Raises Http3Error, TimeoutError."""
        self._quic.connect(self._door.getpeername(), now=time.monotonic())
        for event in self._heard(time.monotonic() + self._timeout_s):
            if isinstance(event, HandshakeCompleted):
                self._http = H3Connection(self._quic)
                return

    def ask(self, path: str, *, method: str = "GET", headers: Pairs = ()) -> Answer:
        """One request without a body, and its answer, whose body is dropped.

        Raises:
            Http3Error: the stream or the connection was ended. TimeoutError: too slow.
        """
        http = self._http
        assert http is not None  # noqa: S101 -- `session` opens it
        stream = self._quic.get_next_available_stream_id()
        own = (
            (":method", method),
            (":scheme", "https"),
            (":authority", self._authority),
            (":path", path),
        )
        http.send_headers(
            stream, [(name.encode(), value.encode()) for name, value in (*own, *headers)], True
        )
        answer: Answer | None = None
        received = 0
        for heard in self._heard(time.monotonic() + self._timeout_s):
            if isinstance(heard, StreamReset) and heard.stream_id == stream:
                raise Http3Error("the request was reset", where=self._authority)
            for event in http.handle_event(heard):
                if not _is_of(event, stream):
                    continue
                if isinstance(event, HeadersReceived) and answer is None:
                    answer = _answer(event)
                elif isinstance(event, DataReceived):
                    received += len(event.data)
                if received > _MAX_ANSWER_BYTES:
                    raise Http3Error("an answer that is too long", where=self._authority)
                if answer is not None and getattr(event, "stream_ended", False):
                    return answer
        raise Http3Error("the connection was closed", where=self._authority)

    def close(self) -> None:
        """Say that it is over; nobody waits for an answer."""
        self._quic.close()
        with contextlib.suppress(OSError):
            self._send()

    def _send(self) -> None:
        for data, _ in self._quic.datagrams_to_send(now=time.monotonic()):
            self._door.send(data)

    def _heard(self, deadline: float) -> Iterator[QuicEvent]:
        """What the other side says, until the deadline. Raises Http3Error, TimeoutError."""
        while True:
            while (event := self._quic.next_event()) is not None:
                if isinstance(event, ConnectionTerminated):
                    why = event.reason_phrase or f"error {event.error_code:#x}"
                    raise Http3Error(f"the connection was ended: {why}", where=self._authority)
                yield event
            try:
                self._send()
                self._receive(deadline)
            except TimeoutError:
                raise
            except OSError as error:  # nobody listens there: the kernel was told (ICMP)
                raise Http3Error(f"broken off: {error}", where=self._authority) from error

    def _receive(self, deadline: float) -> None:
        """Take in one datagram, or let the library's timer go off."""
        now = time.monotonic()
        if now >= deadline:
            raise TimeoutError(f"{self._authority}: no answer within {self._timeout_s:g} s")
        timer = self._quic.get_timer()
        until = deadline if timer is None else min(timer, deadline)
        self._door.settimeout(max(until - now, 0.001))
        try:
            data = self._door.recv(_DATAGRAM_BYTES)
        except TimeoutError:
            if timer is not None and time.monotonic() >= timer:
                self._quic.handle_timer(now=time.monotonic())
            return
        self._quic.receive_datagram(data, self._door.getpeername(), now=time.monotonic())


@contextmanager
def session(
    host: str,
    port: int,
    *,
    ca_file: str = "",
    authority: str,
    timeout_s: float = 5,
    source: str = "",
) -> Iterator[Session]:
    """An HTTP/3 connection, until the end of the `with`.

    Args:
        host: a name, in SNI, too; the first of its addresses is asked.
        port: UDP.
        ca_file: PEM of the authority its certificate is checked against; empty for the public ones.
        authority: of the requests.
        timeout_s: for the handshake, and for each answer.
        source: local address to come from; empty lets the system choose.

    Raises:
        Http3Error: nobody there, another protocol, a certificate that does not hold. TcpError: the
            name has no address. TimeoutError: silence.
    """
    configuration = QuicConfiguration(is_client=True, alpn_protocols=H3_ALPN, server_name=host)
    if ca_file:
        configuration.load_verify_locations(cafile=ca_file)
    address = tcp.resolve(host)[0]
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as door:
        try:
            if source:
                door.bind((source, 0))
            door.connect((address, port))
        except OSError as error:
            raise Http3Error(f"no way there: {error}", where=f"{host}:{port}") from error
        opened = Session(door, QuicConnection(configuration=configuration), authority, timeout_s)
        opened.open()
        try:
            yield opened
        finally:
            opened.close()


def _is_of(event: H3Event, stream: int) -> bool:
    return getattr(event, "stream_id", None) == stream


def _answer(event: HeadersReceived) -> Answer:
    fields = tuple(
        (name.decode("latin-1"), value.decode("latin-1")) for name, value in event.headers
    )
    return Answer(
        status=int(dict(fields)[":status"]),  # the library refuses an answer without
        headers=tuple(pair for pair in fields if not pair[0].startswith(":")),
    )
