"""Where requests go: the application, the guards, Troth's own roles."""

import ipaddress
from collections.abc import Sequence
from pathlib import Path

from troth.enforce.envoy import leaks, report
from troth.enforce.envoy.lua import script
from troth.enforce.envoy.merged import Merged
from troth.enforce.envoy.plan import Plan, Upstream
from troth.engines.envoy.resources import Json, address, extension, http_filter, pipe, typed

APP, GUARD, STATUS, CONSOLE = "app", "guard", "status", "console"
GUARD_HTTP = "guard-http"
DESK = "uploads"
CONNECT_WITHIN = "2s"
# Idle connections to an application are dropped before it drops them itself, or a request may
# meet a closing one: gunicorn closes after 2 s, Node.js after 5 s (their own documentation).
IDLE = "1.5s"
# Envoy as a client would offer TLS 1.2 only, and no P-384.
UPSTREAM_TLS = {
    "tls_minimum_protocol_version": "TLSv1_2",
    "tls_maximum_protocol_version": "TLSv1_3",
    "ecdh_curves": ["X25519MLKEM768", "X25519", "P-256", "P-384"],
}
_TCP_HEALTH: Json = {
    "timeout": "1s",
    "interval": "1s",
    "no_traffic_interval": "1s",
    "unhealthy_interval": "0.25s",
    "unhealthy_threshold": 2,
    "healthy_threshold": 1,
    "tcp_health_check": {},
}
PLENTY = 100_000  # Envoy's default of 1,024 would refuse before our own limits do


def clusters(plan: Plan, merged: Merged) -> tuple[Json, ...]:
    """All clusters of an edge."""
    asked = (
        (GUARD, plan.guards),
        (leaks.CLUSTER, plan.guard_leaks),
        (leaks.NEXT, plan.guard_leaks[::-1]),
    )
    guards = (_guard(name, paths, plan.active_guards) for name, paths in asked if paths)
    return (
        _application(plan, merged),
        *guards,
        *(_local(f"{report.CLUSTER}{at}", path) for at, path in enumerate(plan.guard_seen)),
        *((_guards_own(plan, plan.guard_http),) if plan.guard_http else ()),
        *_desk(plan),
        _local(STATUS, plan.status),
        _local(CONSOLE, plan.console),
    )


def _application(plan: Plan, merged: Merged) -> Json:
    upstream = plan.upstream
    options: Json = {
        "explicit_http_config": {"http_protocol_options": {}},
        "common_http_protocol_options": {"idle_timeout": IDLE},
    }
    # The scripts stand on the upstream's side: they see what the application sends, and nothing
    # that the edge or the guard answers. An answer meets the last of them first.
    scripts = [report.SCRIPT] if plan.guard_seen else []
    if lua := script(merged):
        scripts.append(lua)
    options |= _scripted(scripts)
    place = pipe(Path(upstream.socket)) if upstream.socket else _resolved(upstream)
    cluster = _cluster(APP, [place], options=options)
    if not upstream.socket and not _is_address(upstream.host):
        cluster |= {"type": "STRICT_DNS", "dns_lookup_family": "ALL"}
    if upstream.is_tls:
        cluster["transport_socket"] = extension(
            "envoy.transport_sockets.tls",
            "extensions.transport_sockets.tls.v3.UpstreamTlsContext",
            sni=upstream.host,
            common_tls_context={
                "tls_params": UPSTREAM_TLS,
                "validation_context": _trusted(upstream),
            },
        )
    return cluster


def _guards_own(plan: Plan, socket: Path) -> Json:
    """What the guard answers itself is told of like the application's: flows below the sink."""
    scripts = [report.SCRIPT] if plan.guard_seen else []
    options: Json = {"explicit_http_config": {"http_protocol_options": {}}} | _scripted(scripts)
    return _cluster(GUARD_HTTP, [pipe(socket)], options=options if scripts else None)


def _scripted(scripts: Sequence[str]) -> Json:
    """The options by which answers meet these scripts, the last first."""
    if not scripts:
        return {}
    filters = [
        http_filter("lua", "lua.v3.Lua", default_source_code={"inline_string": text})
        | {"name": f"troth.lua.{at}"}
        for at, text in enumerate(scripts)
    ]
    codec = http_filter("upstream_codec", "upstream_codec.v3.UpstreamCodec")
    return {"http_filters": [*filters, codec]}


def _trusted(upstream: Upstream) -> Json:
    """A certificate of a trusted authority for this very name."""
    return {
        "trusted_ca": {"filename": upstream.ca_file},
        "match_typed_subject_alt_names": [
            {"san_type": "DNS", "matcher": {"exact": upstream.host, "ignore_case": True}}
        ],
    }


def _guard(name: str, sockets: tuple[Path, ...], active: int) -> Json:
    """The first sockets decide; another is asked only while those before it do not answer.

    Panic routing is off: when none is healthy there is no guard, and the edge refuses.
    """
    cluster = _cluster(name, [])
    ranks = [sockets[:active], *([socket] for socket in sockets[active:])]
    cluster["load_assignment"]["endpoints"] = [
        {"priority": priority, "lb_endpoints": [_endpoint(pipe(socket)) for socket in rank]}
        for priority, rank in enumerate(ranks)
    ]
    cluster["common_lb_config"] = {"healthy_panic_threshold": {"value": 0}}
    cluster["health_checks"] = [_TCP_HEALTH]
    # A guard that hangs still accepts connections: one decision too late puts it aside for a
    # while, and the retry asks the other.
    cluster["outlier_detection"] = {
        "consecutive_5xx": 1,
        "enforcing_consecutive_5xx": 100,
        "interval": "1s",
        "base_ejection_time": "2s",
        "max_ejection_time": "10s",
        "max_ejection_percent": 100,
        "enforcing_success_rate": 0,
        # A connection that is accepted says nothing of decisions: it ends no ejection.
        "successful_active_health_check_uneject_host": False,
    }
    return cluster


def _desk(plan: Plan) -> tuple[Json, ...]:
    """The upload desk; by the operator's choice, uploads go on without it while it is gone."""
    if plan.desk is None or plan.released is None:
        return ()
    cluster = _cluster(DESK, [pipe(plan.desk)])
    if plan.is_desk_passable:
        ways = (plan.desk, plan.released)
        cluster["load_assignment"]["endpoints"] = [
            {"priority": rank, "lb_endpoints": [_endpoint(pipe(way))]}
            for rank, way in enumerate(ways)
        ]
        cluster["common_lb_config"] = {"healthy_panic_threshold": {"value": 0}}
        cluster["health_checks"] = [_TCP_HEALTH]
    return (cluster,)


def _local(name: str, socket: Path) -> Json:
    return _cluster(name, [pipe(socket)])


def _cluster(name: str, places: list[Json], options: Json | None = None) -> Json:
    limits = {"max_connections": PLENTY, "max_pending_requests": PLENTY, "max_requests": PLENTY}
    cluster = typed(
        "config.cluster.v3.Cluster",
        name=name,
        type="STATIC",
        connect_timeout=CONNECT_WITHIN,
        circuit_breakers={"thresholds": [{**limits, "max_retries": PLENTY}]},
        load_assignment={
            "cluster_name": name,
            "endpoints": [{"lb_endpoints": [_endpoint(place)]} for place in places],
        },
    )
    if options:
        message = "extensions.upstreams.http.v3.HttpProtocolOptions"
        protocol = {f"envoy.{message}": typed(message, **options)}
        cluster["typed_extension_protocol_options"] = protocol
    return cluster


def _endpoint(place: Json) -> Json:
    return {"endpoint": {"address": place}}


def _resolved(upstream: Upstream) -> Json:
    # *.localhost is this machine (RFC 6761, 6.3); Envoy's resolver does not know it.
    is_here = upstream.host == "localhost" or upstream.host.endswith(".localhost")
    return address("127.0.0.1" if is_here else upstream.host, upstream.port)


def _is_address(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
