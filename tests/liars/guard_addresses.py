"""Liars about what addresses may do."""

import msgspec

from liars.guard_waf import ROUTE, before_the_sink
from liars.liar import Liar
from troth.catalogue import Settings
from troth.enforce.envoy import chain
from troth.engines.envoy.resources import Json, typed
from troth.promises.guard.settings.limits import Limit, Limits


def _limits(*rules: Limit):
    def alter(settings: Settings) -> Settings:
        guard = msgspec.structs.replace(settings.guard, limits=Limits(rules=rules))
        return msgspec.structs.replace(settings, guard=guard)

    return alter


def _zone_unasked(route: Json) -> Json:
    off = {chain.CHECK: typed("config.route.v3.FilterConfig", disabled=True)}
    return route | {"match": {"prefix": f"{ROUTE}/zone"}, "typed_per_filter_config": off}


LIARS = (
    Liar("rate-limit-ip", "nobody counts", settings=_limits()),
    Liar(
        "rate-limit-ip",
        "counts to ten thousand",
        settings=_limits(Limit(name="app", rate="10000/s", burst=10_000)),
    ),
    Liar("ip-filtering", "nobody asks on that route", resources=before_the_sink(_zone_unasked)),
)
