"""Liars about the abuse of flows."""

import msgspec

from liars.guard_waf import ROUTE, before_the_sink
from liars.liar import Liar
from troth.catalogue import Settings
from troth.enforce.envoy import chain
from troth.engines.envoy.resources import Json, typed


def _has_none(settings: Settings) -> Settings:
    guard = msgspec.structs.replace(settings.guard, flows=())
    return msgspec.structs.replace(settings, guard=guard)


def _unasked(route: Json) -> Json:
    """One of the abuses is not asked about."""
    off = {chain.CHECK: typed("config.route.v3.FilterConfig", disabled=True)}
    return route | {"match": {"prefix": f"{ROUTE}/flow/gone"}, "typed_per_filter_config": off}


LIARS = (
    Liar(
        "business-logic-protection",
        "counts nothing",
        settings=_has_none,
        only=("business-logic-protection.abuse",),
    ),
    Liar(
        "business-logic-protection",
        "lets addresses be guessed",
        resources=before_the_sink(_unasked),
        only=("business-logic-protection.abuse",),
    ),
)
