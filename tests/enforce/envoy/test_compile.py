"""The whole edge at once: pure, complete, and keeping nothing without fragments."""

import json
from dataclasses import replace

import pytest

from troth.adapters import http
from troth.enforce.envoy import compile_edge
from troth.engines.envoy import binary, push, resources


def test_the_same_gives_the_same(edge):
    first = compile_edge(edge.plan, edge.fragments)

    assert first == compile_edge(edge.plan, edge.fragments)
    assert first.version == compile_edge(edge.plan, edge.fragments).version
    assert first.version != compile_edge(edge.plan, ()).version


def test_a_host_without_a_certificate_is_refused(edge_plan):
    with pytest.raises(KeyError):
        compile_edge(replace(edge_plan, certificates={}), ())


def test_everything_at_once_validates(edge):
    plan = replace(
        edge.plan,
        is_http3=True,
        trusted_hops=2,
        is_behind_proxy_protocol=True,
        upload_paths=("/up/",),
        desk=edge.folder / "desk.sock",
        released=edge.folder / "back.sock",
        is_desk_passable=True,
        stream_paths=("/events",),
        fail_open_paths=("/open/",),
        guards=(edge.folder / "a.sock", edge.folder / "b.sock"),
        guard_http=edge.folder / "own.sock",
        addresses=("127.0.0.1", "::1"),
        challenges={"a": "b"},
    )
    start = resources.bootstrap(edge.folder, edge.folder / "none.sock", max_connections=1)

    push.validate(binary.locate(), start, compile_edge(plan, edge.fragments))


def test_without_fragments_nothing_is_kept(edge):
    """The compiler keeps no promise by accident: a liar would otherwise not be one."""
    with edge.altered(()):
        answer = edge.ask("/?header=X-Powered-By:x&header=Set-Cookie:a=b;Domain=localhost")
        refused = edge.ask(headers={"Host": "evil.example"})
        plain = http.fetch(f"http://{edge.plan.app_host}:{edge.plan.port}/")
        unredirected = http.fetch(edge.plain_url("/"))

    for each in (answer, refused):
        names = {name.lower() for name, _ in each.headers}
        assert names.isdisjoint(
            {
                *("strict-transport-security", "content-security-policy", "x-frame-options"),
                *("x-content-type-options", "referrer-policy", "permissions-policy"),
                "cross-origin-opener-policy",
            }
        )
    assert answer.one("x-powered-by") == "x"
    assert answer.one("set-cookie") == "a=b;Domain=localhost"
    assert plain.status == 200
    assert unredirected.status == 404


def test_the_resources_are_json(edge):
    made = compile_edge(edge.plan, edge.fragments)

    assert json.loads(json.dumps(made.listeners)) == list(made.listeners)
