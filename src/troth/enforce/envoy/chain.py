"""The HTTP filters, in order: whose request it is, how large it may be, what the guard says."""

from troth.enforce.envoy import leaks
from troth.enforce.envoy.clusters import GUARD
from troth.enforce.envoy.merged import Merged
from troth.enforce.envoy.plan import Plan
from troth.engines.envoy.resources import Json, extension, header, http_filter, typed

BODY_LIMIT, UPLOAD_LIMIT = "troth.body", "troth.upload"
CHECK, CHECK_OR_PASS = "troth.guard", "troth.guard.fails-open"
CLIENT_HEADER = "x-troth-client"


def filters(plan: Plan, merged: Merged) -> list[Json]:
    """What every request on TLS goes through, ending with the router."""
    return [
        _identity(),
        *(dict(each) for each in merged.filters),
        _limit(BODY_LIMIT, plan.max_body_bytes),
        _limit(UPLOAD_LIMIT, plan.max_upload_bytes) | {"disabled": True},
        *_checks(plan),
        *_leaks(plan, merged),
        http_filter("router", "router.v3.Router", suppress_envoy_headers=True),
    ]


def unchecked(route: Json) -> Json:
    """This route does not wait for a guard."""
    return _with(route, {CHECK: _off()})


def upload(route: Json) -> Json:
    """Larger bodies, which the guard does not see."""
    limits = {BODY_LIMIT: _off(), UPLOAD_LIMIT: _on()}
    return _with(route, {**limits, CHECK: _headers_only()})


def stream(route: Json) -> Json:
    """Bodies without an end, which the guard does not see."""
    return _with(route, {BODY_LIMIT: _off(), CHECK: _headers_only()})


def fails_open(route: Json) -> Json:
    """Served unchecked while no guard answers."""
    return _with(route, {CHECK: _off(), CHECK_OR_PASS: _on()})


def looked_at(route: Json) -> Json:
    """Its answers are held until the guard has read them; they go out where requests do, too."""
    given = route.get("typed_per_filter_config", {})
    return _with(route, {**given, **leaks.on(opens=CHECK_OR_PASS in given)})


def _leaks(plan: Plan, merged: Merged) -> list[Json]:
    """The next before the router: an answer meets it first."""
    if not plan.guard_leaks or not plan.leak_paths:
        return []
    source = leaks.script(
        kept=(each.name for each in (*merged.own, *merged.application)),
        most_bytes=plan.answer_bytes,
        wait_ms=plan.guard_timeout_ms // 2,
        prefix=plan.prefix,
    )
    return [leaks.filter_of(source)]


def _identity() -> Json:
    """Where the request comes from, in our words: what the visitor said of it went before."""
    client = "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%"
    said = (
        (CLIENT_HEADER, client),
        ("x-forwarded-for", client),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "%REQ(:AUTHORITY)%"),
    )
    mutations = [{"append": header(name, value)} for name, value in said]
    return http_filter(
        "header_mutation",
        "header_mutation.v3.HeaderMutation",
        mutations={"request_mutations": mutations},
    )


def _limit(name: str, size: int) -> Json:
    limit = http_filter(
        "body_size_limit", "body_size_limit.v3.BodySizeLimit", max_request_bytes=size
    )
    return limit | {"name": name}


def _checks(plan: Plan) -> list[Json]:
    if not plan.guards:
        return []
    closed = _check(plan, fails_open=False) | {"name": CHECK}
    if not plan.fail_open_paths:
        return [closed]
    return [closed, _check(plan, fails_open=True) | {"name": CHECK_OR_PASS, "disabled": True}]


def _check(plan: Plan, *, fails_open: bool) -> Json:
    """Ask the guard. A body that does not fit is refused (413): a part would hide the rest."""
    anything = {"patterns": [{"safe_regex": {"regex": ".*"}}]}
    timeout = f"{plan.guard_timeout_ms / 1000:.3f}s"
    # Envoy 1.40 takes the longest pause for the time limit of one attempt as well: half of the
    # whole, so that a guard that hangs leaves time for the other.
    attempt = f"{plan.guard_timeout_ms / 2000:.4f}s"
    body = {
        "max_request_bytes": min(plan.inspected_bytes, plan.max_body_bytes),
        "allow_partial_message": False,
        "pack_as_bytes": True,
    }
    return http_filter(
        "ext_authz",
        "ext_authz.v3.ExtAuthz",
        failure_mode_allow=fails_open,
        status_on_error={"code": "ServiceUnavailable"},
        allowed_headers=anything,
        **({"with_request_body": body} if plan.is_body_inspected else {}),
        http_service={
            "server_uri": {"uri": "http://guard", "cluster": GUARD, "timeout": timeout},
            "authorization_response": {
                "allowed_upstream_headers": {"patterns": [{"prefix": "x-troth-"}]},
                # What the guard says to the visitor of a request that passes.
                "allowed_client_headers_on_success": {"patterns": [{"prefix": "ratelimit"}]},
            },
            "retry_policy": {
                "retry_on": "connect-failure,reset,refused-stream",
                "num_retries": 3,
                "retry_back_off": {"base_interval": "0.005s", "max_interval": attempt},
                # Being put aside is told to other threads a moment too late for the retry.
                "retry_priority": extension(
                    "envoy.retry_priorities.previous_priorities",
                    "extensions.retry.priority.previous_priorities.v3.PreviousPrioritiesConfig",
                    update_frequency=1,
                ),
            },
        },
    )


def _with(route: Json, configuration: Json) -> Json:
    return {**route, "typed_per_filter_config": configuration}


def _off() -> Json:
    return typed("config.route.v3.FilterConfig", disabled=True)


def _on() -> Json:
    return typed("config.route.v3.FilterConfig", config={})


def _headers_only() -> Json:
    return typed(
        "extensions.filters.http.ext_authz.v3.ExtAuthzPerRoute",
        check_settings={"disable_request_body_buffering": True},
    )
