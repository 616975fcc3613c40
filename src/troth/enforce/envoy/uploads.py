"""Named upload routes: through the desk, which holds a body until it was looked at, and back in.

What the desk releases comes in again on a unix socket, where it is asked about no more: the way to
the application, its retries and what is done to its answers are the same as everybody's.
"""

from pathlib import Path

from troth.enforce.envoy import chain
from troth.enforce.envoy.clusters import DESK
from troth.engines.envoy.resources import Json, extension, http_filter, typed

# Scanning and an application that thinks about a large file take their time.
UNUSED_FOR = "300s"
WITHIN = "900s"
MAX_HEADERS_KB = 96  # what the edge took in, and what it and the guard wrote into it
MAX_HEADERS = 200
NOTHING_UPLOADED = "GET|HEAD|OPTIONS"


def through_desk(route: Json) -> Json:
    """The route of an upload: decided by its headers, held by the desk; what only reads is not."""
    is_upload = {
        "name": ":method",
        "string_match": {"safe_regex": {"regex": NOTHING_UPLOADED}},
        "invert_match": True,
    }
    way = dict(route["route"]) | {"cluster": DESK, "idle_timeout": UNUSED_FOR}
    way["retry_policy"] = dict(way["retry_policy"]) | {
        "per_try_idle_timeout": UNUSED_FOR,
        # Where the operator lets uploads go on without a desk, the retry goes on without it.
        "retry_priority": extension(
            "envoy.retry_priorities.previous_priorities",
            "extensions.retry.priority.previous_priorities.v3.PreviousPrioritiesConfig",
            update_frequency=1,
        ),
    }
    match = {**route["match"], "headers": [*route["match"].get("headers", ()), is_upload]}
    return chain.upload({**route, "match": match, "route": way})


def listener(place: Path, routes: Json) -> Json:
    """Where released uploads come in again: no filter but the router, nothing rewritten."""
    speaker = extension(
        "envoy.filters.network.http_connection_manager",
        "extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        stat_prefix="released",
        codec_type="HTTP1",
        route_config=routes,
        http_filters=[http_filter("router", "router.v3.Router", suppress_envoy_headers=True)],
        server_header_transformation="PASS_THROUGH",
        use_remote_address=False,
        skip_xff_append=True,
        generate_request_id=False,
        max_request_headers_kb=MAX_HEADERS_KB,
        request_timeout=WITHIN,
        stream_idle_timeout=UNUSED_FOR,
        common_http_protocol_options={"max_headers_count": MAX_HEADERS},
    )
    return typed(
        "config.listener.v3.Listener",
        name="released",
        address={"pipe": {"path": str(place), "mode": 0o660}},
        filter_chains=[{"name": "released", "filters": [speaker]}],
    )
