"""HTTP/3 as a client, against a server on loopback: whole answers, and what is none."""

import asyncio
import socket
import threading
from contextlib import contextmanager

import pytest
from aioquic.asyncio import QuicConnectionProtocol, serve
from aioquic.h3.connection import H3_ALPN, H3Connection
from aioquic.h3.events import HeadersReceived
from aioquic.quic.configuration import QuicConfiguration

from troth.adapters import http3
from troth.adapters.http3 import Http3Error

WITHIN_S = 20


class Speaker(QuicConnectionProtocol):
    """Answers by path: with what was asked, in pieces, never, or not as one should."""

    http = None

    def quic_event_received(self, event):
        if self.http is None:
            self.http = H3Connection(self._quic)
        for heard in self.http.handle_event(event):
            if isinstance(heard, HeadersReceived):
                self.answer(heard.stream_id, dict(heard.headers))
                self.transmit()

    def answer(self, stream, asked):
        path = asked[b":path"]
        if path == b"/never":
            return
        if path == b"/reset":
            self._quic.reset_stream(stream, 0x10C)
            return
        if path == b"/end":
            self._quic.close(error_code=0x100, reason_phrase="enough")
            return
        status = b"nonsense" if path == b"/nonsense" else b"403"
        said = [(b":status", status), (b"seen", asked[b":method"] + b" " + path), (b"a", b"1"),
                (b"a", b"2"), (b"host", asked[b":authority"])]  # fmt: skip
        self.http.send_headers(stream, said, end_stream=path == b"/empty")
        if path == b"/long":
            self.http.send_data(stream, bytes(2 * 1024 * 1024), end_stream=True)
        elif path != b"/empty":
            self.http.send_data(stream, b"some ", end_stream=False)
            self.http.send_data(stream, b"body", end_stream=True)


@contextmanager
def serving(authority, alpn=H3_ALPN):
    """A server in a thread; its port."""
    configuration = QuicConfiguration(is_client=False, alpn_protocols=list(alpn))
    configuration.load_cert_chain(authority.certificate, authority.key)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    ready, loop = threading.Event(), asyncio.new_event_loop()
    stop = asyncio.Event()

    async def run():
        server = await serve("127.0.0.1", port, configuration=configuration,
                             create_protocol=Speaker)  # fmt: skip
        ready.set()
        await stop.wait()
        server.close()

    thread = threading.Thread(target=loop.run_until_complete, args=(run(),))
    thread.start()
    assert ready.wait(WITHIN_S)
    try:
        yield port
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(WITHIN_S)
        loop.close()


def asking(authority, port, timeout_s=WITHIN_S, **more):
    return http3.session(
        "demo.localhost", port, ca_file=authority.ca, authority=f"demo.localhost:{port}",
        timeout_s=timeout_s, **more,
    )  # fmt: skip


def test_one_request_after_another(authority):
    with serving(authority) as port, asking(authority, port, source="127.0.0.7") as session:
        first = session.ask("/a?b", method="POST", headers=(("x", "y"),))
        second = session.ask("/empty")

    assert (first.status, first.all("seen"), first.all("a")) == (403, ("POST /a?b",), ("1", "2"))
    assert first.all("host") == (f"demo.localhost:{port}",)
    assert first.all(":status") == ()
    assert second.all("seen") == ("GET /empty",)


@pytest.mark.parametrize(
    ("path", "why"), [("/reset", "reset"), ("/end", "enough"), ("/nonsense", "status")]
)
def test_what_is_ended_is_no_answer(authority, path, why):
    with (
        serving(authority) as port,
        asking(authority, port) as session,
        pytest.raises(Http3Error, match=why),
    ):
        session.ask(path)


def test_too_long_and_too_slow(authority):
    with serving(authority) as port:
        with asking(authority, port) as session, pytest.raises(Http3Error, match="too long"):
            session.ask("/long")
        with asking(authority, port, timeout_s=1) as session, pytest.raises(TimeoutError):
            session.ask("/never")


def test_a_certificate_of_a_stranger_is_not_believed(authority):
    public = http3.session  # no authority of ours: those of the public roots
    with (
        serving(authority) as port,
        pytest.raises(Http3Error),
        public("demo.localhost", port, authority="demo.localhost", timeout_s=WITHIN_S),
    ):
        pass


def test_nobody_there(authority):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as door:
        door.bind(("127.0.0.1", 0))
        silent = door.getsockname()[1]
        with pytest.raises((TimeoutError, Http3Error)), asking(authority, silent, timeout_s=0.5):
            pass
    with pytest.raises((TimeoutError, Http3Error)), asking(authority, silent, timeout_s=2):
        pass


def test_another_protocol_is_not_agreed_to(authority):
    with (
        serving(authority, alpn=("hq-interop",)) as port,
        pytest.raises(Http3Error),
        asking(authority, port),
    ):
        pass
