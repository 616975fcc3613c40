"""Liars about what addresses may do."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import msgspec

from liars.guard_waf import ROUTE, before_the_sink
from liars.liar import Liar
from troth.catalogue import Settings
from troth.enforce.envoy import chain
from troth.engines.envoy import push
from troth.engines.envoy.resources import Json, typed
from troth.kernel.site import Site
from troth.promises.guard.settings.addresses import Blocklist
from troth.promises.guard.settings.limits import Limit, Limits


def _limits(*rules: Limit):
    def alter(settings: Settings) -> Settings:
        guard = msgspec.structs.replace(settings.guard, limits=Limits(rules=rules))
        return msgspec.structs.replace(settings, guard=guard)

    return alter


def _lists(*lists: Blocklist):
    def alter(settings: Settings) -> Settings:
        guard = msgspec.structs.replace(settings.guard, lists=lists)
        return msgspec.structs.replace(settings, guard=guard)

    return alter


@contextmanager
def _aged(data: Path, _site: Site) -> Iterator[None]:
    """The file was not renewed for a year; the guard has seen that."""
    path, shown = data / "blocklist.txt", data / "spool" / "lists.json"
    was = path.stat()
    os.utime(path, (was.st_atime - 3e7, was.st_mtime - 3e7))
    old = msgspec.json.decode(shown.read_bytes())[0]["had"] if shown.exists() else None
    try:
        push.wait_until(
            lambda: shown.exists() and msgspec.json.decode(shown.read_bytes())[0]["had"] != old,
            timedelta(seconds=20),
            "the guard reads the list again",
        )
        yield
    finally:
        os.utime(path)


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
    Liar(
        "ip-blocklist", "nobody reads the list", settings=_lists(), only=("ip-blocklist.overlay",)
    ),
    Liar(
        "ip-blocklist",
        "reads a list of last year",
        beside=_aged,
        only=("ip-blocklist.age",),
    ),
    Liar("ip-filtering", "nobody asks on that route", resources=before_the_sink(_zone_unasked)),
)
