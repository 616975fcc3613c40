"""Liars about attacks that show in a request."""

import copy
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import msgspec

from liars.liar import Liar
from troth.catalogue import Settings
from troth.enforce.envoy import chain, leaks
from troth.engines.envoy.resources import Json, Resources, typed

ROUTE = "/-/sink"
_UNCHECKED = {chain.CHECK: typed("config.route.v3.FilterConfig", disabled=True)}


def _rules(**changes: Any):
    def alter(settings: Settings) -> Settings:
        rules = msgspec.structs.replace(settings.guard.rules, **changes)
        guard = msgspec.structs.replace(settings.guard, rules=rules)
        return msgspec.structs.replace(settings, guard=guard)

    return alter


def tables(part: Any) -> Iterator[list[Json]]:
    """Every list of routes below this part of a configuration."""
    if isinstance(part, dict):
        for key, value in part.items():
            if key == "routes" and isinstance(value, list):
                yield value
            yield from tables(value)
    elif isinstance(part, list):
        for each in part:
            yield from tables(each)


def _unread(resources: Resources) -> Resources:
    """Answers of routes that opted in go out at once."""
    listeners = copy.deepcopy(resources.listeners)
    for routes in tables(list(listeners)):
        for route in routes:
            route.get("typed_per_filter_config", {}).pop(leaks.NAME, None)
    return replace(resources, listeners=listeners)


def before_the_sink(altered: Any):
    """Put a route before the sink's, made from it."""

    def insert(resources: Resources) -> Resources:
        listeners = copy.deepcopy(resources.listeners)
        for routes in tables(list(listeners)):
            for place, route in enumerate(routes):
                if route.get("match", {}).get("prefix") == ROUTE:
                    routes.insert(place, altered(copy.deepcopy(route)))
                    break
        return replace(resources, listeners=listeners)

    return insert


def _refused_and_sent_on(route: Json) -> Json:
    """What is known for an attack gets a refusal's mark, and arrives."""
    is_attack = {"name": "replay-tag", "string_match": {"contains": ".attack."}}
    mark = {
        "header": {"key": "troth-refused", "value": "waf-owasp-top10"},
        "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
    }
    return route | {
        "match": {"prefix": ROUTE, "headers": [is_attack]},
        "typed_per_filter_config": _UNCHECKED,
        "response_headers_to_add": [mark],
        "response_headers_to_remove": ["replay-tag"],
    }


LIARS = (
    Liar("waf-owasp-top10", "only watches", settings=_rules(mode="watch")),
    Liar("waf-owasp-top10", "no route is looked at", settings=_rules(mode="off")),
    Liar("waf-owasp-top10", "answers go out unread", resources=_unread),
    Liar(
        "malicious-traffic-upstream",
        "refuses and sends on",
        resources=before_the_sink(_refused_and_sent_on),
    ),
    Liar("auto-response", "attacks have no consequence", settings=_rules(ban_after=0)),
)
