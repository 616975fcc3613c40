"""From troth.toml to a plan: what is written is what is compiled."""

import socket
from pathlib import Path

import msgspec
import pytest

from troth.adapters.config import ConfigError
from troth.catalogue import Settings
from troth.enforce.envoy import Upstream
from troth.kernel.errors import Failure
from troth.roles import edge_plan
from troth.roles.places import Places

PLACES = Places(Path("/data"))
LEAST = {
    "troth": {"name": "Shop", "host": "troth.shop.example"},
    "application": {"host": "shop.example", "upstream": "http://127.0.0.1:3000"},
    "status": {"host": "status.shop.example"},
}


def settings(**more):
    return msgspec.convert({**LEAST, **more}, Settings)


def test_the_least():
    plan = edge_plan.plan(settings(), PLACES)

    assert plan.hosts == ("shop.example", "troth.shop.example")
    assert (plan.port, plan.http_port) == (443, 80)
    assert [str(each) for each in plan.guards] == [
        "/data/run/guard-0.sock",
        "/data/run/guard-1.sock",
    ]
    assert str(plan.guard_http) == "/data/run/guard-http.sock"
    assert str(plan.certificates["shop.example"].key) == "/data/tls/shop.example.key"
    assert plan.access_log == "/data/logs/access.log"
    assert plan.challenges == {}


def test_what_is_set_arrives():
    edge = {
        "port": 8443,
        "http_port": 8080,
        "http3": True,
        "trusted_hops": 2,
        "trusted_proxies": ["10.0.0.0/8"],
        "proxy_protocol": True,
        "max_body_bytes": 5000,
        "upload_paths": ["/up"],
        "max_upload_bytes": 6000,
        "stream_paths": ["/events"],
    }
    guard = {"timeout_ms": 700, "fail_open_paths": ["/open"]}

    plan = edge_plan.plan(settings(edge=edge, guard=guard), PLACES, {"token": "answer"})

    assert (plan.port, plan.http_port, plan.is_http3) == (8443, 8080, True)
    assert (plan.trusted_hops, plan.is_behind_proxy_protocol) == (2, True)
    assert plan.trusted_proxies == ("10.0.0.0/8",)
    assert (plan.max_body_bytes, plan.max_upload_bytes) == (5000, 6000)
    assert (plan.upload_paths, plan.stream_paths) == (("/up",), ("/events",))
    assert (plan.guard_timeout_ms, plan.fail_open_paths) == (700, ("/open",))
    assert plan.challenges == {"token": "answer"}


@pytest.mark.parametrize(
    ("written", "host", "port", "socket", "is_tls"),
    [
        ("http://127.0.0.1:3000", "127.0.0.1", 3000, "", False),
        ("http://app", "app", 80, "", False),
        ("https://app", "app", 443, "", True),
        ("http://[::1]:3000", "::1", 3000, "", False),
        ("unix:/run/app.sock", "", 0, "/run/app.sock", False),
    ],
)
def test_upstreams(written, host, port, socket, is_tls):
    found = edge_plan.upstream(written)

    assert (found.host, found.port, found.socket, found.is_tls) == (host, port, socket, is_tls)


def test_the_operators_own_certificate_serves_both_hosts():
    tls = {"authority": "files", "certificate": "/c.pem", "key": "file:/c.key"}

    plan = edge_plan.plan(settings(edge={"tls": tls}), PLACES)

    assert {str(each.chain) for each in plan.certificates.values()} == {"/c.pem"}
    assert {str(each.key) for each in plan.certificates.values()} == {"/c.key"}
    assert len({each.sds for each in plan.certificates.values()}) == 2


@pytest.mark.parametrize(
    ("tls", "where"),
    [
        ({"authority": "files"}, "[edge.tls]"),
        ({"authority": "files", "certificate": "/c", "key": "secret"}, "[edge.tls]"),
        ({"authority": "acme"}, "[edge.tls.acme]"),
    ],
)
def test_certificates_that_are_not_said(tls, where):
    with pytest.raises(ConfigError) as caught:
        edge_plan.plan(settings(edge={"tls": tls}), PLACES)

    assert caught.value.where == where
    assert caught.value.mend


def test_every_area_is_asked_for_fragments():
    slugs = {each.promise for each in edge_plan.fragments(settings())}

    assert {"hsts", "https-redirect", "tls-everywhere", "cookie-scope"} <= slugs


def test_addresses_without_ipv6(monkeypatch):
    assert edge_plan.addresses(("0.0.0.0",)) == ("0.0.0.0",)
    monkeypatch.setattr(edge_plan.sockets, "is_free", lambda *_: False)
    assert edge_plan.addresses(("0.0.0.0", "::")) == ("0.0.0.0",)
    assert edge_plan.addresses(("::",)) == ("::",)


def test_an_application_that_answers_is_reached(echo):
    edge_plan.reach(Upstream(socket=str(echo)))
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        port = door.getsockname()[1]
        with pytest.raises(Failure, match="refused"):
            edge_plan.reach(Upstream(host="127.0.0.1", port=port))
        door.listen()
        edge_plan.reach(Upstream(host="127.0.0.1", port=port))


def test_a_socket_where_nobody_listens_is_named(tmp_path):
    with pytest.raises(Failure) as caught:
        edge_plan.reach(Upstream(socket=str(tmp_path / "nobody.sock")))

    assert caught.value.where == str(tmp_path / "nobody.sock")


def test_several_guards_decide_only_with_counters_that_they_share():
    shared = {"url": "file:/run/counters", "key": "file:/run/key"}
    several = edge_plan.plan(settings(guard={"active": 3}, counters=shared), PLACES)

    assert [path.name for path in several.guards] == [
        "guard-0.sock",
        "guard-1.sock",
        "guard-2.sock",
    ]
    assert several.active_guards == 3
    with pytest.raises(ConfigError) as caught:
        edge_plan.plan(settings(guard={"active": 2}), PLACES)
    assert caught.value.where == "[guard] active"
    assert "[counters] url" in caught.value.mend
    with pytest.raises(ConfigError) as caught:
        edge_plan.plan(settings(counters={"url": "file:/run/counters"}), PLACES)
    assert caught.value.where == "[counters] key"


def test_the_kernel_drops_nobody_behind_a_proxy():
    edge = {"trusted_hops": 1, "trusted_proxies": ["10.0.0.0/8"]}

    with pytest.raises(ConfigError) as caught:
        edge_plan.plan(settings(guard={"bans": {"nftables": True}}, edge=edge), PLACES)
    assert caught.value.where == "[guard.bans] nftables"


@pytest.mark.parametrize(
    ("cores", "guards", "expected"), [(1, 1, 1), (2, 1, 1), (3, 1, 2), (64, 1, 2), (4, 3, 1)]
)
def test_the_edge_leaves_a_core_to_each_guard_that_decides(cores, guards, expected):
    shared = {"url": "file:/run/counters", "key": "file:/run/key"}
    given = settings(guard={"active": guards}, **({"counters": shared} if guards > 1 else {}))

    assert edge_plan.workers(given, cores) == expected


def test_as_many_workers_as_are_set():
    assert edge_plan.workers(settings(edge={"workers": 7}), 1) == 7


def test_bans_are_the_edges_where_it_has_a_file_of_them():
    with_file = {each.promise for each in edge_plan.fragments(settings(), PLACES)}

    assert {"auto-response", "rate-limit-ip"} <= with_file
    assert "auto-response" not in {each.promise for each in edge_plan.fragments(settings())}
