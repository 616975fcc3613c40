"""Liars about requests that other sites forge."""

import msgspec

from liars.liar import Liar
from troth.catalogue import Settings
from troth.promises.guard.settings import OriginCheck


def _trusts_a_stranger(settings: Settings) -> Settings:
    origin = OriginCheck(origins=("https://stranger.example",))
    guard = msgspec.structs.replace(settings.guard, origin=origin)
    return msgspec.structs.replace(settings, guard=guard)


# An edge that asks nobody breaks all that the guard keeps: `edge_inline` has liars of that kind.
LIARS = (Liar("origin-check", "a stranger is trusted", settings=_trusts_a_stranger),)
