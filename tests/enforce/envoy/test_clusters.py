"""Where requests go, as Envoy is told."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from troth.enforce.envoy import Upstream, compile_edge
from troth.enforce.envoy.clusters import clusters
from troth.enforce.envoy.merged import merge
from troth.engines.envoy import binary, push, resources


def named(plan):
    return {each["name"]: each for each in clusters(plan, merge(()))}


def place(cluster):
    (locality,) = cluster["load_assignment"]["endpoints"]
    return locality["lb_endpoints"][0]["endpoint"]["address"]


def test_guards_stand_in_order_and_none_means_none(edge_plan):
    plan = replace(edge_plan, guards=(Path("/a"), Path("/b")))

    places = named(plan)["guard"]["load_assignment"]["endpoints"]
    paths = [
        (each["priority"], each["lb_endpoints"][0]["endpoint"]["address"]["pipe"]["path"])
        for each in places
    ]
    assert paths == [(0, "/a"), (1, "/b")]
    assert named(plan)["guard"]["common_lb_config"]["healthy_panic_threshold"] == {"value": 0}
    assert "guard" not in named(edge_plan)


@pytest.mark.parametrize(
    ("upstream", "kind", "address"),
    [
        (Upstream(host="127.0.0.1", port=1), "STATIC", "127.0.0.1"),
        (Upstream(host="::1", port=1), "STATIC", "::1"),
        (Upstream(host="localhost", port=1), "STATIC", "127.0.0.1"),
        (Upstream(host="app.localhost", port=1), "STATIC", "127.0.0.1"),
        (Upstream(host="app.example", port=1), "STRICT_DNS", "app.example"),
    ],
)
def test_upstreams_by_host(edge_plan, upstream, kind, address):
    app = named(replace(edge_plan, upstream=upstream))["app"]

    assert app["type"] == kind
    assert place(app)["socket_address"] == {"address": address, "port_value": 1}
    assert "transport_socket" not in app


def test_an_upstream_over_tls_is_verified(edge_plan, edge):
    upstream = Upstream(host="app.example", port=443, is_tls=True, ca_file=edge.ca_file)
    plan = replace(edge_plan, upstream=upstream)
    app = named(plan)["app"]

    options = app["transport_socket"]["typed_config"]
    assert options["sni"] == "app.example"
    assert "trusted_ca" in json.dumps(options)
    start = resources.bootstrap(edge.folder, edge.folder / "none.sock", max_connections=1)
    push.validate(binary.locate(), start, compile_edge(plan, edge.fragments))


def test_an_upstream_with_another_certificate_is_refused(edge):
    # The edge's own TLS port stands in for an application with a name that it should not have.
    port = edge.plan.port
    for name, status in (("other.localhost", 503), (edge.plan.troth_host, 421)):
        upstream = Upstream(host=name, port=port, is_tls=True, ca_file=edge.ca_file)
        with edge.altered(upstream=upstream):
            assert edge.ask("/").status == status


def test_no_script_no_filter(edge_plan):
    assert "typed_extension_protocol_options" in named(edge_plan)["app"]
    assert "lua" not in json.dumps(named(edge_plan)["app"])


def test_guards_that_decide_share_the_first_rank(edge_plan):
    sockets = tuple(Path(f"/g{n}") for n in range(3))

    def ranks(active):
        plan = replace(edge_plan, guards=sockets, active_guards=active)
        guard = next(each for each in clusters(plan, merge(())) if each["name"] == "guard")
        return [len(each["lb_endpoints"]) for each in guard["load_assignment"]["endpoints"]]

    assert (ranks(1), ranks(2), ranks(3)) == ([1, 1, 1], [2, 1], [3])
