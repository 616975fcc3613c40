"""What the ports take and refuse: TLS by name, plain bytes, spoofed headers, proxies before us."""

import json
import socket
import ssl
import time

import pytest

from troth.adapters import http, tls
from troth.adapters.tls import TlsError
from troth.enforce.envoy.connection import SPOOFABLE, SPOOFABLE_PREFIXES


def seen(answer) -> dict[str, list[str]]:
    """The headers that the application received."""
    found: dict[str, list[str]] = {}
    for name, value in json.loads(answer.text)["headers"]:
        found.setdefault(name.lower(), []).append(value)
    return found


def on_port(edge, data: bytes, port: int | None = None) -> bytes:
    """What plain bytes to a port get."""
    with socket.create_connection(("127.0.0.1", port or edge.plan.port), timeout=20) as door:
        door.sendall(data)
        answer = b""
        try:
            while piece := door.recv(65536):
                answer += piece
        except ConnectionResetError:
            pass
    return answer


def test_a_name_that_is_not_ours_gets_no_handshake(edge):
    with pytest.raises(TlsError):
        http.fetch(edge.url(), ca_file=edge.ca_file, server_name="evil.example")


def test_a_client_without_a_name_gets_no_handshake(edge):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with (
        socket.create_connection(("127.0.0.1", edge.plan.port), timeout=20) as door,
        pytest.raises((ssl.SSLError, ConnectionError)),
    ):
        context.wrap_socket(door)


def test_each_host_has_a_certificate_of_its_own(edge):
    answers = [edge.ask("/-/page.css", host=host) for host in edge.plan.hosts]

    assert answers[0].certificate_der != answers[1].certificate_der


def test_a_connection_to_one_host_does_not_serve_the_other(edge):
    answer = edge.ask("/trust/", headers={"Host": edge.plan.troth_host})

    assert answer.status == 421


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\nHost: demo.localhost\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00",
    ],
)
def test_plain_bytes_to_the_tls_port_get_no_byte(edge, data):
    assert on_port(edge, data) == b""


def test_h2c_on_the_plain_port_is_refused(edge):
    preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00"

    answer = on_port(edge, preface, edge.plan.http_port)

    assert not answer.startswith(b"\x00")
    assert b" 200 " not in answer


def test_identity_is_what_the_edge_says(edge):
    spoofed = {
        "X-Troth-User": "admin",
        "X_Troth_User": "admin",
        "X-Forwarded-For": "6.6.6.6",
        "X-Forwarded-User": "admin",
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Proto": "http",
        "Forwarded": "for=6.6.6.6",
        "X-Real-IP": "6.6.6.6",
        "X-Envoy-Original-Path": "/admin",
        "X-Envoy-Upstream-Rq-Timeout-Ms": "1",
        "X-Request-Id": "mine",
        "Proxy": "http://evil.example",
        "Remote-User": "admin",
        "Troth-Probe": "signed",
    }

    got = seen(edge.ask(headers=spoofed))

    assert got["x-forwarded-for"] == ["127.0.0.1"]
    assert got["x-forwarded-proto"] == ["https"]
    assert got["x-forwarded-host"] == [f"demo.localhost:{edge.plan.port}"]
    assert got["x-troth-client"] == ["127.0.0.1"]
    assert got["x-request-id"] != ["mine"]
    gone = {name.lower() for name in spoofed} - set(got)
    assert gone == {
        *("x-troth-user", "x_troth_user", "x-forwarded-user", "forwarded", "x-real-ip"),
        *("x-envoy-original-path", "x-envoy-upstream-rq-timeout-ms", "proxy", "remote-user"),
        "troth-probe",
    }


def test_nothing_that_proxies_vouch_for_comes_from_a_visitor(edge):
    prefixed = {f"{prefix}of-mine" for prefix in SPOOFABLE_PREFIXES}
    given = dict.fromkeys({*SPOOFABLE, *prefixed}, "6.6.6.6")

    got = seen(edge.ask(headers=given | {"x-mine": "6.6.6.6"}))

    assert {name for name, values in got.items() if "6.6.6.6" in values} == {"x-mine"}


def test_a_trusted_hop_names_the_visitor(edge):
    with edge.altered(trusted_hops=1):
        got = seen(edge.ask(headers={"X-Forwarded-For": "6.6.6.6, 203.0.113.7", "X-Real-IP": "x"}))

    assert got["x-forwarded-for"] == ["203.0.113.7"]
    assert got["x-troth-client"] == ["203.0.113.7"]
    assert "x-real-ip" not in got


def test_the_proxy_protocol_names_the_visitor_and_is_required(edge):
    with edge.altered(is_behind_proxy_protocol=True):
        assert on_port(edge, b"GET / HTTP/1.1\r\n\r\n", edge.plan.http_port) == b""
        with socket.create_connection(("127.0.0.1", edge.plan.port), timeout=20) as door:
            door.sendall(b"PROXY TCP4 203.0.113.9 127.0.0.1 4711 443\r\n")
            context = tls.client_context(ca_file=edge.ca_file, alpn=("http/1.1",))
            with context.wrap_socket(door, server_hostname="demo.localhost") as secured:
                secured.sendall(
                    b"GET / HTTP/1.1\r\nHost: demo.localhost\r\nConnection: close\r\n\r\n"
                )
                answer = b""
                while piece := secured.recv(65536):
                    answer += piece

    assert b'["x-troth-client", "203.0.113.9"]' in answer


def test_the_access_log_tells_no_query_and_no_cookie(edge):
    edge.ask("/logged?token=geheim", headers={"Cookie": "sid=geheim", "Authorization": "geheim"})
    log, lines, deadline = edge.folder / "access.log", [], time.monotonic() + 20
    while not lines:
        assert time.monotonic() < deadline
        edge.server.admin.reopen_logs()
        lines = [line for line in log.read_text().splitlines() if "/logged" in line]

    line = json.loads(lines[0])

    assert line["path"] == "/logged"
    assert line["status"] == 200
    assert line["client"] == "127.0.0.1"
    assert line["tls"] == "TLSv1.3"
    assert "geheim" not in str(line)


def test_paths_are_normalised_before_anybody_sees_them(edge):
    answer = edge.ask(target="/a/../b//c/%7e")

    assert json.loads(answer.text)["path"] == "/b/c/~"
