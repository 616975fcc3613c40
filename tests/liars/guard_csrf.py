"""Liars about tokens for important actions."""

import msgspec

from liars.guard_waf import ROUTE, before_the_sink
from liars.liar import Liar
from troth.catalogue import Settings
from troth.enforce.envoy import chain
from troth.engines.envoy.resources import Json, typed


def _wants_none(settings: Settings) -> Settings:
    csrf = msgspec.structs.replace(settings.guard.csrf, paths=())
    guard = msgspec.structs.replace(settings.guard, csrf=csrf)
    return msgspec.structs.replace(settings, guard=guard)


def _unasked(route: Json) -> Json:
    off = {chain.CHECK: typed("config.route.v3.FilterConfig", disabled=True)}
    return route | {"match": {"prefix": f"{ROUTE}/token"}, "typed_per_filter_config": off}


LIARS = (
    Liar("csrf-token", "wants no token", settings=_wants_none),
    Liar("csrf-token", "nobody looks at the token", resources=before_the_sink(_unasked)),
)
