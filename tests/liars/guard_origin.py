"""Liars about requests that other sites forge."""

from dataclasses import replace

import msgspec

from liars.liar import Liar
from troth.catalogue import Settings
from troth.promises.guard.settings import OriginCheck


def _trusts_a_stranger(settings: Settings) -> Settings:
    origin = OriginCheck(origins=("https://stranger.example",))
    guard = msgspec.structs.replace(settings.guard, origin=origin)
    return msgspec.structs.replace(settings, guard=guard)


LIARS = (
    Liar("origin-check", "nobody is asked", plan=lambda plan: replace(plan, guards=())),
    Liar("origin-check", "a stranger is trusted", settings=_trusts_a_stranger),
)
