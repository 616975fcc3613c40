"""What an operator may set about the proof of the rules: `[guard.replay]`."""

from typing import Annotated

from msgspec import Meta, Struct

Share = Annotated[float, Meta(ge=0.5, le=1.0)]


class Replay(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the replayed attacks and harmless requests must come to.

    `least_blocked` is the share of the attacks that must be refused, `least_passed` that of the
    harmless requests that must pass.
    """

    least_blocked: Share = 0.99
    least_passed: Share = 1.0
