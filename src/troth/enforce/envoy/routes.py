"""Which request goes where: the application's host, Troth's own, and plain HTTP."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from troth.enforce.envoy import chain, uploads
from troth.enforce.envoy.clusters import APP, CONSOLE, GUARD_HTTP, STATUS
from troth.enforce.envoy.merged import Merged
from troth.enforce.envoy.plan import Plan
from troth.enforce.envoy.replies import style_route
from troth.engines.envoy.resources import Json, direct, header_options
from troth.kernel.fragment import Header

ACME_PREFIX = "/.well-known/acme-challenge/"  # Source: RFC 8555, 8.3
MISDIRECTED = 421  # Source: RFC 9110, 15.5.20
NOT_FOUND = 404
NOT_ALLOWED = 405
HTTPS_PORT = 443
UNUSED_FOR = "60s"  # nginx's proxy_read_timeout, which applications are used to
STREAM_UNUSED_FOR = "3600s"
CONSOLE_PATHS = ("/account/", "/console/", "/disclose/")
PROBE_HEADER = "troth-probe"  # a vantage's signature is the guard's business
# What only the guard may say of itself (enforce.page); never the application.
OURS = ("troth-refused", "troth-event")
SCRIPTS = ("notice.js",)  # what an application's pages may load
UPLOAD = "upload"  # below the sink
SINK = "sink"  # asked about like the application's own, and inert
LEAK = "sink/leak"
WELL_KNOWN = ("/.well-known/troth/", "/.well-known/security.txt")


def application(plan: Plan, merged: Merged) -> Json:
    """Routes of the application's host: Troth's few, then those of fragments, then all others."""
    routes = [
        _echoes_nothing(),
        # A refusal's page looks like one though its address, which is the style's referrer, is bad.
        chain.unchecked(style_route(plan.prefix)),
        *(chain.unchecked(_own(GUARD_HTTP, path, merged)) for path in _guards_own(plan)),
        *_sunk_uploads(plan, merged),
        *(_sinks(plan, merged) if _guards_own(plan) else ()),
        _own(CONSOLE, f"{plan.prefix}session", merged),
        *(_own(STATUS, f"{plan.prefix}{name}", merged) for name in SCRIPTS),
        _nothing_more(plan) if plan.guard_http else _own(STATUS, plan.prefix, merged),
        *(chain.unchecked(_own(STATUS, path, merged)) for path in WELL_KNOWN),
        {"match": {"prefix": ACME_PREFIX}, **direct(NOT_FOUND)},
        *(dict(route) for route in merged.routes),
        *_application_paths(plan, merged),
    ]
    return _configuration("app", [_host(plan.app_host, routes)])


def troth(plan: Plan, merged: Merged) -> Json:
    """Routes of Troth's own host. Pages that anybody may read do not wait for a guard."""
    routes = [
        _echoes_nothing(),
        style_route(plan.prefix),
        *(_own(CONSOLE, path, merged) for path in CONSOLE_PATHS),
        chain.unchecked(_own(STATUS, "/", merged)),
    ]
    return _configuration("troth", [_host(plan.troth_host, routes)])


def released(plan: Plan, merged: Merged) -> Json:
    """Where uploads go that the desk lets on: the application, and the sink. Nobody else's say."""
    sink = (
        (_to(GUARD_HTTP, f"{plan.prefix}{SINK}/", uploads.UNUSED_FOR),) if plan.guard_http else ()
    )
    way = _to(APP, "/", uploads.UNUSED_FOR) | {
        "response_headers_to_remove": [*OURS, *merged.removed],
        "request_headers_to_remove": [PROBE_HEADER],
    }
    everybody = {"name": "released", "domains": ["*"], "routes": [*sink, way]}
    return {"name": "released", "virtual_hosts": [everybody]}


def plain(plan: Plan, merged: Merged) -> Json:
    """Routes of the plain-HTTP listener: ACME's challenges (of any host), then fragments'."""
    challenges = [
        {
            "match": {"path": f"{ACME_PREFIX}{token}"},
            **direct(200, answer, (("content-type", "application/octet-stream"),)),
        }
        for token, answer in sorted(plan.challenges.items())
    ]
    hosts = []
    for name in plan.hosts:
        fragments = [_placed(route, name, plan.port) for route in merged.plain_routes]
        hosts.append(_host(name, [*challenges, *fragments, _everywhere(NOT_FOUND)]))
    return _configuration("plain", hosts, challenges)


def _guards_own(plan: Plan) -> tuple[str, ...]:
    names = ("csp", "healthz", "csrf") if plan.guard_http else ()  # and `csrf.js`
    return tuple(plan.prefix + name for name in names)


def _sinks(plan: Plan, merged: Merged) -> Iterator[Json]:
    """Where attacks are replayed; a part of it answers with a leak, where leaks are withheld."""
    if plan.guard_leaks and plan.leak_paths:
        yield chain.looked_at(_own(GUARD_HTTP, f"{plan.prefix}{LEAK}", merged))
    yield _own(GUARD_HTTP, f"{plan.prefix}{SINK}", merged)


def _nothing_more(plan: Plan) -> Json:
    """The rest of Troth's prefix, by the edge's own page: pages of others look for their style."""
    return {"match": {"prefix": plan.prefix}, **direct(NOT_FOUND)}


def alternative(plan: Plan) -> tuple[Header, ...]:
    """Says that the same is to be had over HTTP/3 (RFC 7838), where it is."""
    if not plan.is_http3:
        return ()
    return (Header("alt-svc", f'h3=":{plan.port}"; ma=86400', only_tls=True),)


def _application_paths(plan: Plan, merged: Merged) -> Iterator[Json]:
    """On paths of streams and uploads the guard sees headers only."""
    headers = (*merged.application, *alternative(plan))

    def route(path: str, unused_for: str = UNUSED_FOR) -> Json:
        return _to(APP, path, unused_for) | {
            "response_headers_to_add": header_options(headers),
            "response_headers_to_remove": [*OURS, *merged.removed],
            "request_headers_to_remove": [PROBE_HEADER],
        }

    def upload(path: str) -> Json:
        if plan.desk is None:
            return chain.upload(route(path))
        # The application's word about us goes in `released`: here the desk's own refusals pass.
        way = route(path) | {"response_headers_to_remove": list(merged.removed)}
        return uploads.through_desk(way)

    for path in plan.stream_paths:
        yield chain.stream(route(path, STREAM_UNUSED_FOR))
    for path in plan.upload_paths:
        yield from _with_leaks(plan, path, upload)
    for path in plan.fail_open_paths:
        yield from _with_leaks(plan, path, lambda path: chain.fails_open(route(path)))
    yield from _with_leaks(plan, "/", route)


def _with_leaks(plan: Plan, path: str, made: Callable[[str], Json]) -> Iterator[Json]:
    """A route, and before it those parts of it whose answers are held, the longest first."""
    paths = plan.leak_paths if plan.guard_leaks else ()
    below = [each for each in paths if each.startswith(path) and each != path]
    for each in sorted(below, key=len, reverse=True):
        yield chain.looked_at(made(each))
    is_whole = path.startswith(tuple(paths))
    yield chain.looked_at(made(path)) if is_whole else made(path)


def _sunk_uploads(plan: Plan, merged: Merged) -> Iterator[Json]:
    """An upload route of our own, where proofs are made: it ends at the sink."""
    if plan.desk is not None and plan.guard_http and plan.upload_paths:
        yield uploads.through_desk(_own(GUARD_HTTP, f"{plan.prefix}{SINK}/{UPLOAD}", merged))


def _own(cluster: str, path: str, merged: Merged) -> Json:
    return _to(cluster, path, UNUSED_FOR) | {"response_headers_to_add": header_options(merged.own)}


def _to(cluster: str, path: str, unused_for: str) -> Json:
    return {
        "match": {"prefix": path},
        "route": {
            "cluster": cluster,
            "timeout": "0s",  # an answer may take long as long as something comes
            "idle_timeout": STREAM_UNUSED_FOR if unused_for == STREAM_UNUSED_FOR else "300s",
            "retry_policy": {
                # Only what certainly did not reach the other side is sent again.
                "retry_on": "connect-failure,refused-stream,reset-before-request",
                "num_retries": 2,
                "per_try_idle_timeout": unused_for,
            },
        },
    }


def _placed(route: Mapping[str, Any], host: str, port: int) -> Json:
    """A redirect leads to this very host, whatever the request said."""
    if "redirect" not in route:
        return dict(route)
    place: Json = {"host_redirect": host}
    if port != HTTPS_PORT:
        place["port_redirect"] = port
    return {**route, "redirect": {**place, **route["redirect"]}}


def _echoes_nothing() -> Json:
    """TRACE repeats what was sent, cookies included (RFC 9110, 9.3.8): nobody may."""
    is_trace = {"name": ":method", "string_match": {"exact": "TRACE"}}
    return {"match": {"prefix": "/", "headers": [is_trace]}, **direct(NOT_ALLOWED)}


def _everywhere(status: int) -> Json:
    return {"match": {"prefix": "/"}, **direct(status)}


def _host(name: str, routes: list[Json]) -> Json:
    return {"name": name, "domains": [name, f"{name}:*"], "routes": routes}


def _configuration(name: str, hosts: list[Json], anywhere: Sequence[Json] = ()) -> Json:
    """A host that is not ours gets a refusal that repeats nothing of it."""
    routes = [*anywhere, _everywhere(MISDIRECTED)]
    unknown = {"name": "unknown", "domains": ["*"], "routes": routes}
    return {"name": name, "virtual_hosts": [*hosts, unknown]}
