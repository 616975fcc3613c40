"""Liars about guessing passwords."""

from typing import Any

import msgspec

from liars.liar import Liar
from troth.catalogue import Settings


def _lockout(**changes: Any):
    def alter(settings: Settings) -> Settings:
        lockout = msgspec.structs.replace(settings.guard.lockout, **changes)
        guard = msgspec.structs.replace(settings.guard, lockout=lockout)
        return msgspec.structs.replace(settings, guard=guard)

    return alter


LIARS = (
    Liar(
        "ip-block-after-failures",
        "two hundred failures are few",
        settings=_lockout(failures=200, accounts=200),
    ),
    Liar(
        "brute-force-blocking",
        "anybody may guess from elsewhere",
        settings=_lockout(account_failures=100, same_password=200),
        only=("brute-force-blocking.guessing",),
    ),
)
