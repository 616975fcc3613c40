"""Which request reaches whom, and what passes through: HTTP/2, WebSocket, events, HTTP/3."""

import asyncio
import json
import socket
import ssl
import time
from dataclasses import replace
from pathlib import Path

import h2.config
import h2.connection
import h2.events
import pytest
from aioquic.asyncio.client import connect
from aioquic.asyncio.protocol import QuicConnectionProtocol
from aioquic.h3.connection import H3_ALPN, H3Connection
from aioquic.h3.events import DataReceived, HeadersReceived
from aioquic.quic.configuration import QuicConfiguration
from websockets.sync.client import connect as connect_websocket

from troth.adapters import http, tls
from troth.enforce.envoy import chain, compile_edge, leaks, routes
from troth.enforce.envoy.merged import merge
from troth.kernel.fragment import Fragment


@pytest.fixture
def roles(edge, stand, sock):
    """Stand-ins for Troth's roles; each answers with its name."""
    names = ("guard-http", "status", "console")
    stands = {name: stand(name) for name in names}
    with (
        stands["guard-http"] as own,
        stands["status"] as status,
        stands["console"] as console,
        edge.altered(guard_http=sock("guard-http"), status=sock("status"), console=sock("console")),
    ):
        for name, one in zip(names, (own, status, console), strict=True):
            one.answer = lambda *_, name=name: (200, {"Content-Type": "text/plain"}, name.encode())
        yield edge


@pytest.mark.parametrize(
    ("path", "role"),
    [
        ("/-/csp", "guard-http"),
        ("/-/healthz", "guard-http"),
        ("/-/session", "console"),
        ("/-/csrf", "guard-http"),
        ("/-/csrf.js", "guard-http"),
        ("/-/notice.js", "status"),
        ("/.well-known/security.txt", "status"),
        ("/.well-known/troth/jwks.json", "status"),
    ],
)
def test_troths_few_addresses_on_the_applications_host(roles, path, role):
    answer = roles.ask(path)

    assert answer.text == role
    assert answer.one("content-security-policy").startswith("default-src 'none'; style-src")


@pytest.mark.parametrize("path", ["/", "/account/", "/trust/", "/.well-known/other", "/-"])
def test_all_else_there_is_the_applications(roles, path):
    assert json.loads(roles.ask(path).text)["path"] == path


@pytest.mark.parametrize(
    ("path", "role"),
    [
        *((path, "console") for path in ("/account/", "/console/x", "/disclose/")),
        *((path, "status") for path in ("/", "/trust/", "/api/v1/looks", "/log/checkpoint")),
        *((path, "status") for path in ("/verify.py", "/.well-known/security.txt", "/accounts")),
    ],
)
def test_troths_own_host(roles, path, role):
    answer = roles.ask(path, host=roles.plan.troth_host)

    assert answer.text == role
    assert answer.one("cross-origin-opener-policy") == "same-origin"


def test_a_page_of_ours_may_say_how_long_it_keeps(roles, stand, sock):
    with stand("keeps") as one, roles.altered(status=sock("keeps")):
        one.answer = lambda *_: (200, {"Cache-Control": "max-age=5"}, b"")
        answer = roles.ask("/trust/", host=roles.plan.troth_host)

    assert answer.all("cache-control") == ("max-age=5",)


def test_challenges_over_plain_http_only(edge):
    path = "/.well-known/acme-challenge/abc"
    with edge.altered(challenges={"abc": "abc.def"}):
        for host in (*edge.plan.hosts, "status.demo.localhost"):
            answer = http.fetch(edge.plain_url(path, host), connect_to=("127.0.0.1", port(edge)))
            assert (answer.status, answer.text) == (200, "abc.def"), host
        assert edge.ask(path).status == 404
    assert http.fetch(edge.plain_url(path)).status == 301


def test_a_fragment_may_answer_over_plain_http_itself(edge):
    route = {"match": {"path": "/plain"}, "direct_response": {"status": 410}}
    with edge.altered([Fragment(promise="x", plain_routes=(route,)), *edge.fragments]):
        assert http.fetch(edge.plain_url("/plain")).status == 410
        assert http.fetch(edge.plain_url("/other")).status == 301


def port(edge) -> int:
    return edge.plan.http_port


def test_http2(edge):
    context = tls.client_context(ca_file=edge.ca_file, alpn=("h2",))
    with (
        socket.create_connection(("127.0.0.1", edge.plan.port), timeout=20) as door,
        context.wrap_socket(door, server_hostname=edge.plan.app_host) as secured,
    ):
        assert secured.selected_alpn_protocol() == "h2"
        connection = h2.connection.H2Connection(h2.config.H2Configuration())
        connection.initiate_connection()
        authority = f"{edge.plan.app_host}:{edge.plan.port}"
        pseudo = [(":method", "GET"), (":scheme", "https"), (":path", "/two")]
        connection.send_headers(1, [*pseudo, (":authority", authority)], end_stream=True)
        secured.sendall(connection.data_to_send())
        headers, body, is_over = {}, b"", False
        while not is_over:
            for event in connection.receive_data(secured.recv(65536)):
                if isinstance(event, h2.events.ResponseReceived):
                    headers = {name.decode(): value.decode() for name, value in event.headers}
                if isinstance(event, h2.events.DataReceived):
                    body += event.data
                is_over = is_over or isinstance(event, h2.events.StreamEnded)

    assert headers[":status"] == "200"
    assert headers["strict-transport-security"]
    assert json.loads(body)["path"] == "/two"


def test_nothing_is_echoed(edge):
    for host in edge.plan.hosts:
        assert edge.ask(host=host, method="TRACE").status == 405


def test_websocket(edge):
    context = ssl.create_default_context(cafile=edge.ca_file)
    url = f"wss://{edge.plan.app_host}:{edge.plan.port}/ws"
    door = socket.create_connection(("127.0.0.1", edge.plan.port), timeout=20)
    with connect_websocket(url, sock=door, ssl=context, proxy=None) as client:
        client.send("hello")
        assert client.recv(timeout=20) == "hello"
        client.send(b"\x00\xff")
        assert client.recv(timeout=20) == b"\x00\xff"
        assert client.response.headers["strict-transport-security"]


def test_events_arrive_one_by_one(edge):
    context = tls.client_context(ca_file=edge.ca_file, alpn=("http/1.1",))
    with (
        socket.create_connection(("127.0.0.1", edge.plan.port), timeout=20) as door,
        context.wrap_socket(door, server_hostname=edge.plan.app_host) as secured,
    ):
        secured.sendall(
            b"GET /sse?events=3&pause=0.3 HTTP/1.1\r\nHost: demo.localhost\r\n"
            b"Connection: close\r\n\r\n"
        )
        came, data = [], b""
        while piece := secured.recv(65536):
            data += piece
            came += [time.monotonic()] * (data.count(b"data: event") - len(came))

    assert len(came) == 3
    assert came[2] - came[0] > 0.4


class Http3(QuicConnectionProtocol):
    """One request over QUIC."""

    def __init__(self, *arguments, **more):
        super().__init__(*arguments, **more)
        self.http = H3Connection(self._quic)
        self.done = asyncio.get_running_loop().create_future()
        self.headers, self.body = {}, b""

    def quic_event_received(self, event):
        for got in self.http.handle_event(event):
            if isinstance(got, HeadersReceived):
                self.headers = {name.decode(): value.decode() for name, value in got.headers}
            if isinstance(got, DataReceived):
                self.body += got.data
            if got.stream_ended and not self.done.done():
                self.done.set_result(None)

    async def ask(self, authority, path):
        stream = self._quic.get_next_available_stream_id()
        pseudo = {":method": "GET", ":scheme": "https", ":authority": authority, ":path": path}
        fields = [(name.encode(), value.encode()) for name, value in pseudo.items()]
        self.http.send_headers(stream, fields, end_stream=True)
        self.transmit()
        await asyncio.wait_for(self.done, 20)
        return self.headers, self.body


def over_quic(edge, path, host=None):
    host = host or edge.plan.app_host
    configuration = QuicConfiguration(is_client=True, alpn_protocols=H3_ALPN, server_name=host)
    configuration.load_verify_locations(edge.ca_file)

    async def ask():
        where = ("127.0.0.1", edge.plan.port)
        async with connect(*where, configuration=configuration, create_protocol=Http3) as client:
            return await client.ask(f"{host}:{edge.plan.port}", path)

    return asyncio.run(ask())


def test_http3_by_setting(edge):
    assert edge.ask().one("alt-svc") is None
    with edge.altered(is_http3=True):
        assert edge.ask().one("alt-svc") == f'h3=":{edge.plan.port}"; ma=86400'
        headers, body = over_quic(edge, "/three")
        refused, _ = over_quic(edge, "/-/page.css", edge.plan.troth_host)

    assert headers[":status"] == "200"
    assert headers["strict-transport-security"]
    assert json.loads(body)["path"] == "/three"
    assert refused["content-type"] == "text/css; charset=utf-8"


def test_answers_are_held_where_any_part_of_a_route_says_so(edge_plan):
    plan = replace(
        edge_plan,
        guards=(Path("/g"),),
        guard_leaks=(Path("/l"),),
        leak_paths=("/admin", "/up/load/deep", "/open"),
        stream_paths=("/admin/live",),
        upload_paths=("/up",),
        fail_open_paths=("/open/more",),
    )
    made = routes.application(plan, merge(()))["virtual_hosts"][0]["routes"]
    of_application = [
        (
            route["match"]["prefix"],
            leaks.NAME in route.get("typed_per_filter_config", {}),
            chain.CHECK_OR_PASS in route.get("typed_per_filter_config", {}),
        )
        for route in made
        if route.get("route", {}).get("cluster") == "app"
    ]

    assert of_application == [
        ("/admin/live", False, False),
        ("/up/load/deep", True, False),
        ("/up", False, False),
        ("/open/more", True, True),
        ("/up/load/deep", True, False),
        ("/admin", True, False),
        ("/open", True, False),
        ("/", False, False),
    ]
    opens = next(each for each in made if each["match"].get("prefix") == "/open/more")
    assert opens["typed_per_filter_config"][leaks.NAME]["filter_context"] == {"opens": True}


def test_without_a_guard_nobody_looks_at_answers(edge_plan):
    plan = replace(edge_plan, leak_paths=("/",))

    assert "troth.leaks" not in json.dumps(compile_edge(plan, ()).listeners)
