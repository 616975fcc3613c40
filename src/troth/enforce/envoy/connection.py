"""Envoy's HTTP connection manager: codecs, limits, whose word counts, what is logged."""

from troth.enforce.envoy.plan import Plan
from troth.enforce.envoy.replies import local_replies
from troth.engines.envoy.resources import Json, extension
from troth.kernel.fragment import Header

HEADERS_WITHIN = "15s"
REQUEST_WITHIN = "600s"  # 100 MB at 1.4 Mbit/s
UNUSED_FOR = "75s"  # nginx's keepalive_timeout
STREAM_UNUSED_FOR = "300s"
MAX_HEADERS_KB = 60
MAX_HEADERS = 100
STREAMS = 100  # Source: RFC 9113, 6.5.2: no smaller than 100
STREAM_WINDOW_BYTES = 256 * 1024
CONNECTION_WINDOW_BYTES = 1024**2

# What a visitor may not say of itself: addresses, names and routes that proxies vouch for.
SPOOFABLE_PREFIXES = ("x-troth-", "x-envoy-", "x-authenticated-", "x-ssl-", "x-client-cert")
SPOOFABLE = (
    "forwarded",
    "x-forwarded",
    "x-real-ip",
    "x-client-ip",
    "true-client-ip",
    "x-cluster-client-ip",
    "cf-connecting-ip",
    "fastly-client-ip",
    "x-original-url",
    "x-original-uri",
    "x-original-host",
    "x-rewrite-url",
    "x-request-id",
    "remote-user",
    "x-remote-user",
    "proxy",  # httpoxy, CVE-2016-5385
)
# 12 digits or more in groups, as `kernel.cards` finds them by their check digit, which no regular
# expression can; short enough for Envoy, which takes no program of more than 100 steps here.
_SIGN = "([^0-9A-Za-z](20)?)?"
LIKE_A_CARD = f"[2-689][0-9]{{3}}{_SIGN}[0-9]{{4,6}}{_SIGN}[0-9]{{4}}"
# RE2 has no look-ahead: every x-forwarded-... but x-forwarded-for.
FORWARDED_BUT_FOR = r"x-forwarded-([^f].*|f|f[^o].*|fo|fo[^r].*|for.+)"


def connection(  # noqa: PLR0913 -- each is one part of the filter
    plan: Plan,
    name: str,
    *,
    routes: Json,
    headers: tuple[Header, ...],
    codec: str,
    filters: list[Json],
    denials: tuple[tuple[str, str], ...] = (),
) -> Json:
    """The network filter that speaks HTTP.

    Args:
        plan: limits, proxies before us, the access log.
        name: for the statistics.
        routes: the route configuration.
        headers: of what the edge answers by itself.
        codec: AUTO, HTTP1 or HTTP3.
        filters: ending with the router.
        denials: as in `Merged`.
    """
    options = {
        "stat_prefix": name,
        "codec_type": codec,
        "route_config": routes,
        "http_filters": filters,
        "local_reply_config": local_replies(headers, prefix=plan.prefix, denials=denials),
        "server_header_transformation": "PASS_THROUGH",  # a server that is not named
        "use_remote_address": True,
        "xff_num_trusted_hops": plan.trusted_hops,
        "early_header_mutation_extensions": [_forget(plan.trusted_hops)],
        "normalize_path": True,
        "merge_slashes": True,
        "path_with_escaped_slashes_action": "UNESCAPE_AND_REDIRECT",
        "max_request_headers_kb": MAX_HEADERS_KB,
        "request_headers_timeout": HEADERS_WITHIN,
        "request_timeout": REQUEST_WITHIN,
        "stream_idle_timeout": STREAM_UNUSED_FOR,
        "delayed_close_timeout": "1s",
        "common_http_protocol_options": {
            "idle_timeout": UNUSED_FOR,
            "max_headers_count": MAX_HEADERS,
            # WSGI and CGI read X_Troth_User as X-Troth-User.
            "headers_with_underscores_action": "DROP_HEADER",
        },
        "http2_protocol_options": {
            "max_concurrent_streams": STREAMS,
            "initial_stream_window_size": STREAM_WINDOW_BYTES,
            "initial_connection_window_size": CONNECTION_WINDOW_BYTES,
        },
        "upgrade_configs": [{"upgrade_type": "websocket"}],
    }
    if plan.access_log:
        options["access_log"] = _access_logs(plan.access_log)
    return extension(
        "envoy.filters.network.http_connection_manager",
        "extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        **options,
    )


def _forget(trusted_hops: int) -> Json:
    """Drop what the visitor says of itself, but for X-Forwarded-For where proxies are trusted."""
    forwarded: Json = {"prefix": "x-forwarded-"}
    if trusted_hops:
        forwarded = {"safe_regex": {"regex": FORWARDED_BUT_FOR}}
    # Each of these reads every header; a name that is known whole is looked up.
    matchers = [forwarded, *({"prefix": each} for each in SPOOFABLE_PREFIXES)]
    return extension(
        "envoy.http.early_header_mutation.header_mutation",
        "extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation",
        mutations=[
            *({"remove_on_match": {"key_matcher": matcher}} for matcher in matchers),
            *({"remove": each} for each in SPOOFABLE),
        ],
    )


def _access_logs(path: str) -> list[Json]:
    """No query, referrer or cookie: they carry tokens. The only personal datum is the address.

    Where what a visitor chooses looks like a card's number, it is left out, with all around it.
    That is worked out by expressions, which are 4 % of what an edge executes; so they are
    asked only where somewhere in these headers there is such a number at all, and other requests
    are told of by a log that copies. Each request meets exactly one of the two.
    """
    anywhere = [_looks_like_a_card(name) for name in (":authority", ":path", "user-agent")]
    copied = {
        "host": "%REQ(:AUTHORITY)%",
        "path": "%PATH(NQ:PATH)%",
        "agent": "%REQ(USER-AGENT)%",
    }
    cut = {
        "host": _without_cards("request.host"),
        "path": _without_cards("request.url_path"),
        "agent": _without_cards("request.headers['user-agent']"),
    }
    is_suspect: Json = {"or_filter": {"filters": anywhere}}
    is_fine: Json = {"and_filter": {"filters": [_not(each) for each in anywhere]}}
    return [_access_log(path, copied, is_fine), _access_log(path, cut, is_suspect)]


def _access_log(path: str, chosen: Json, asked: Json) -> Json:
    """A log of the requests that the filter `asked` takes; `chosen` is what a visitor chooses."""
    fields = {
        "at": "%START_TIME(%Y-%m-%dT%H:%M:%S.%3fZ)%",
        "id": "%REQ(X-REQUEST-ID)%",
        "client": "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%",
        "method": "%REQ(:METHOD)%",
        "protocol": "%PROTOCOL%",
        "tls": "%DOWNSTREAM_TLS_VERSION%",
        "status": "%RESPONSE_CODE%",
        "why": "%RESPONSE_CODE_DETAILS%",
        "flags": "%RESPONSE_FLAGS%",
        "received_bytes": "%BYTES_RECEIVED%",
        "sent_bytes": "%BYTES_SENT%",
        "duration_ms": "%DURATION%",
        "upstream": "%UPSTREAM_CLUSTER%",
        **chosen,
    }
    return extension(
        "envoy.access_loggers.file",
        "extensions.access_loggers.file.v3.FileAccessLog",
        path=path,
        log_format={"json_format": fields},
    ) | {"filter": asked}


def _looks_like_a_card(name: str) -> Json:
    r"""Whether there is such a number anywhere in a header. \C is a byte, of whatever text."""
    anywhere = {"safe_regex": {"regex": rf"\C*{LIKE_A_CARD}\C*"}}
    return {
        "header_filter": {
            "header": {
                "name": name,
                "string_match": anywhere,
                "treat_missing_header_as_empty": True,
            }
        }
    }


def _not(filter_: Json) -> Json:
    matcher = filter_["header_filter"]["header"]
    return {"header_filter": {"header": {**matcher, "invert_match": True}}}


def _without_cards(attribute: str) -> str:
    """A field of the log: an attribute of the request, or `***`."""
    return f"%CEL({attribute}.matches('{LIKE_A_CARD}') ? '***' : {attribute})%"
