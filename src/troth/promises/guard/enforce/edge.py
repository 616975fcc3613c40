"""What the edge does of the guard's work by itself: a bound for each address, and bans.

Both fail open to the guard, which decides alike: an edge that has no list of bans yet, or more
addresses than it counts at once, asks the guard about them.
"""

import ipaddress
from collections.abc import Container, Iterable, Mapping
from typing import Any

from troth.kernel.fragment import Fragment
from troth.promises.guard.rules import limits
from troth.promises.guard.settings import GuardSettings

TYPES = "type.googleapis.com/"
BANS = "troth.bans"  # the filter's name, by which its configuration is found
MAX_ADDRESSES = 10_000  # counted at once, the longest unused goes first; about 10 MB
_RBAC = f"{TYPES}envoy.extensions.filters.http.rbac.v3.RBAC"
_BY_ADDRESS: dict[str, Any] = {
    "name": "address",
    "typed_config": {
        "@type": f"{TYPES}envoy.extensions.matching.common_inputs.network.v3.SourceIPInput"
    },
}


def fragments(settings: GuardSettings, bans: str = "") -> tuple[Fragment, ...]:
    """All fragments of the area.

    Args:
        settings: `[guard]`.
        bans: path of the file of bans (`banned`), which must exist; empty for none.
    """
    found: list[Fragment] = []
    if settings.limits.edge_rate:
        found.append(_limit(settings))
    if bans and settings.bans.edge:
        found.append(_bans(bans))
    return tuple(found)


def banned(subjects: Iterable[str], version: str) -> dict[str, Any]:
    """The content of the file of bans: renamed into place, the edge takes it up by itself."""
    resource = {
        "@type": f"{TYPES}envoy.config.core.v3.TypedExtensionConfig",
        "name": BANS,
        "typed_config": _rbac(subjects),
    }
    return {"version_info": version, "resources": [resource]}


def _bans(path: str) -> Fragment:
    source = {"path_config_source": {"path": path}, "resource_api_version": "V3"}
    return Fragment(
        promise="auto-response",
        filters=(
            {
                "name": BANS,
                "config_discovery": {
                    "config_source": source,
                    "default_config": _rbac(()),
                    "apply_default_config_without_warming": True,
                    "type_urls": [_RBAC],
                },
            },
        ),
        denials=("rbac_access_denied",),
    )


def _rbac(subjects: Iterable[str]) -> dict[str, Any]:
    """Addresses in a tree: what it costs to ask grows with its depth, not with their number."""
    ranges = [_range(subject) for subject in subjects]
    passes = {"on_no_match": _action("passes", "ALLOW")}
    tree = {"matcher_tree": _tree(ranges, _action("banned", "DENY"))} if ranges else {}
    return {"@type": _RBAC, "matcher": {**tree, **passes}}


def _action(name: str, action: str) -> dict[str, Any]:
    typed = {"@type": f"{TYPES}envoy.config.rbac.v3.Action", "name": name, "action": action}
    return {"action": {"name": name, "typed_config": typed}}


def _tree(ranges: list[dict[str, Any]], then: Mapping[str, Any]) -> dict[str, Any]:
    matcher = {
        "@type": f"{TYPES}xds.type.matcher.v3.IPMatcher",
        "range_matchers": [{"ranges": ranges, "on_match": then}],
    }
    return {"input": _BY_ADDRESS, "custom_match": {"name": "ip", "typed_config": matcher}}


def _range(network: str) -> dict[str, Any]:
    found = ipaddress.ip_network(network, strict=False)
    return {"address_prefix": str(found.network_address), "prefix_len": found.prefixlen}


def _limit(settings: GuardSettings) -> Fragment:
    limit, period = limits.rate(settings.limits.edge_rate)
    seconds = int(period.total_seconds())
    bucket = {
        "max_tokens": max(settings.limits.edge_burst, limit),
        "tokens_per_fill": limit,
        "fill_interval": f"{seconds}s",
    }
    # Envoy fills whole intervals: the smaller they are, the smoother.
    if seconds == 1 and limit % 10 == 0:
        bucket |= {"tokens_per_fill": limit // 10, "fill_interval": "0.1s"}
        bucket["max_tokens"] = settings.limits.edge_burst
    everybody = {"max_tokens": 4_000_000_000, "tokens_per_fill": 4_000_000_000}
    always = {"default_value": {"numerator": 100, "denominator": "HUNDRED"}}
    each = {"v4_prefix_mask_len": 32, "v6_prefix_mask_len": 64}
    config = {
        "@type": f"{TYPES}envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit",
        "stat_prefix": "address",
        "token_bucket": {**everybody, "fill_interval": "1s"},
        "filter_enabled": always,
        "filter_enforced": always,
        "max_dynamic_descriptors": MAX_ADDRESSES,
        "rate_limits": [{"actions": [{"masked_remote_address": each}]}],
        "descriptors": [{"entries": [{"key": "masked_remote_address"}], "token_bucket": bucket}],
        "response_headers_to_add": [
            {"header": {"key": "retry-after", "value": "1"}, "append_action": "ADD_IF_ABSENT"}
        ],
    }
    return Fragment(
        promise="rate-limit-ip",
        filters=(_but_for(_exempt(settings), config),),
        denials=("local_rate_limited",),
    )


def _but_for(exempt: list[dict[str, Any]], config: dict[str, Any]) -> dict[str, Any]:
    """The filter, skipped for some addresses."""
    name = "troth.address-rate"
    if not exempt:
        return {"name": name, "typed_config": config}
    action = f"{TYPES}envoy.extensions.filters.common.matcher.action.v3.SkipFilter"
    skip = {"action": {"name": "skip", "typed_config": {"@type": action}}}
    return {
        "name": name,
        "typed_config": {
            "@type": f"{TYPES}envoy.extensions.common.matching.v3.ExtensionWithMatcher",
            "extension_config": {"name": name, "typed_config": config},
            "xds_matcher": {"matcher_tree": _tree(exempt, skip)},
        },
    }


def _exempt(settings: GuardSettings) -> list[dict[str, Any]]:
    """The exempt networks without our own attackers' addresses."""
    drills = [ipaddress.ip_network(each, strict=False) for each in settings.bans.drills]
    left = [ipaddress.ip_network(each, strict=False) for each in settings.limits.exempt]
    for drill in drills:
        kept = []
        for network in left:
            if network.version != drill.version or not network.overlaps(drill):
                kept.append(network)
            elif drill.prefixlen > network.prefixlen:
                kept += list(network.address_exclude(drill))  # type: ignore[arg-type]
        left = kept
    return [_range(str(each)) for each in left]


def shown(subjects: Iterable[str], allowed: Container[str], most: int) -> list[str]:
    """Which bans the edge is told: addresses only, none that the operator allowed, so many."""
    found: list[str] = []
    for subject in subjects:
        if len(found) == most:
            break
        address = subject.partition("/")[0]
        try:
            ipaddress.ip_address(address)
        except ValueError:
            continue
        if address not in allowed:
            found.append(subject)
    return found
