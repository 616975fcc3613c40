"""HTTP/2 as a client, decent and not."""

import h2.config
import h2.connection
import h2.events
import pytest

from troth.adapters import http2, tls
from troth.adapters.http2 import Http2Error


def speaking(status: bytes = b"204", *, patience: int = 10_000, is_mute: bool = False):  # noqa: C901
    """A server that gives every request the status, and ends after `patience` resets."""

    def handle(connection):
        state = h2.connection.H2Connection(
            h2.config.H2Configuration(client_side=False, header_encoding=None)
        )
        state.initiate_connection()
        resets = 0
        while True:
            if out := state.data_to_send():
                connection.sendall(out)
            data = connection.recv(65536)
            if not data:
                return
            for event in state.receive_data(data):
                if isinstance(event, h2.events.StreamReset):
                    resets += 1
                elif isinstance(event, h2.events.RequestReceived) and not is_mute:
                    path = dict(event.headers)[b":path"]
                    if path == b"/reset":
                        state.reset_stream(event.stream_id)
                    elif path != b"/no-such-page":
                        fields = [(b":status", status), (b"x-path", path)]
                        state.send_headers(event.stream_id, fields, end_stream=True)
            if resets >= patience:
                state.close_connection()
                connection.sendall(state.data_to_send())
                return

    return handle


@pytest.fixture
def session(serve, authority):
    def opened(handler, *, alpn=("h2",), timeout_s=10.0):
        context = authority.context()
        context.set_alpn_protocols(list(alpn))
        server = serve(handler, context)
        return http2.session(
            "demo.localhost",
            server.port,
            context=tls.client_context(ca_file=authority.ca, alpn=("h2",)),
            authority="localhost",
            timeout_s=timeout_s,
        )

    return opened


def test_a_request_and_its_answer(session):
    with session(speaking()) as one:
        answer = one.ask("/a?b", headers=(("x", "1"),))
        again = one.ask("/c", method="POST")

    assert (answer.status, answer.all("x-path"), answer.all("y")) == (204, ("/a?b",), ())
    assert again.all("x-path") == ("/c",)


def test_a_stream_that_is_reset(session):
    with session(speaking()) as one, pytest.raises(Http2Error, match="reset"):
        one.ask("/reset")


def test_no_answer(session):
    with session(speaking(is_mute=True), timeout_s=0.3) as one, pytest.raises(TimeoutError):
        one.ask("/")


def test_a_server_without_it(session):
    with (
        pytest.raises(Http2Error, match="not agreed"),
        session(lambda door: door.recv(1), alpn=("http/1.1",)),
    ):
        pass


def test_a_flood_that_is_ended(session):
    with session(speaking(patience=100)) as one:
        flooded = one.reset_flood("/no-such-page", 2_000)

    assert flooded.is_ended
    assert 100 <= flooded.sent <= 2_000


def test_a_flood_that_is_endured(session):
    with session(speaking(), timeout_s=0.5) as one:
        assert one.reset_flood("/no-such-page", 200) == http2.Flooded(sent=200, is_ended=False)
