"""What an operator may set about the guard: `[guard]` in troth.toml."""

from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from troth.promises.guard.settings.addresses import Bans, Blocklist, Zones
from troth.promises.guard.settings.canary import Canary
from troth.promises.guard.settings.cards import Cards
from troth.promises.guard.settings.csrf import Csrf
from troth.promises.guard.settings.escaping import Escaping
from troth.promises.guard.settings.flows import Flow
from troth.promises.guard.settings.learn import Learn
from troth.promises.guard.settings.limits import Limits
from troth.promises.guard.settings.login import Lockout, LoginRoute
from troth.promises.guard.settings.replay import Replay
from troth.promises.guard.settings.uploads import Uploads
from troth.promises.guard.settings.waf import Rules

Path = Annotated[str, Meta(pattern=r"^/")]
# Never `/` alone: that would exempt everything. No dots or encodings: `rules.is_exempt` has none.
Prefix = Annotated[str, Meta(pattern=r"^(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+/?$", max_length=256)]
HeaderName = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]+$", max_length=64)]
HttpsOrigin = Annotated[str, Meta(pattern=r"^https?://[a-z0-9.-]+(:\d{1,5})?$")]


class OriginCheck(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which state-changing requests may come from elsewhere.

    `origins` are trusted like our own (a sister site); `exempt` are path prefixes of APIs that
    foreign pages may call and that authenticate by something no browser sends by itself.
    """

    origins: tuple[HttpsOrigin, ...] = ()
    exempt: tuple[Prefix, ...] = ()


class Events(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[guard.events]`: what is kept of decisions, in the spool; the oldest makes room.

    Every refusal and every rule that matched is an event; of what passes without a word, one in
    `allowed_every` (0: none). Refused requests are kept for `explain_days` with their secrets taken
    out, so that `troth rules explain` can replay them (0: not at all).
    """

    allowed_every: Annotated[int, Meta(ge=0, le=1_000_000)] = 1000
    max_bytes: Annotated[int, Meta(ge=1_048_576, le=10_737_418_240)] = 67_108_864
    explain_days: Annotated[int, Meta(ge=0, le=30)] = 7
    explain_bytes: Annotated[int, Meta(ge=1_048_576, le=1_073_741_824)] = 33_554_432


class GuardSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[guard]`: what is refused before the application sees it."""

    # For one decision; half of it for one attempt. A body of a mebibyte takes a slow machine a
    # good part of a second, and a guard that is too late once is put aside for a while.
    timeout_ms: Annotated[int, Meta(ge=50, le=10_000)] = 2000
    active: Annotated[int, Meta(ge=1, le=16)] = 1  # guards that decide; several need [counters]
    fail_open_paths: tuple[Path, ...] = ()  # closed everywhere else
    # Identity headers that something in front of Troth sets and cleans; all others are removed.
    trusted_headers: tuple[HeaderName, ...] = ()
    origin: OriginCheck = msgspec.field(default_factory=OriginCheck)
    login: tuple[LoginRoute, ...] = ()
    lockout: Lockout = msgspec.field(default_factory=Lockout)
    cards: Cards = msgspec.field(default_factory=Cards)
    csrf: Csrf = msgspec.field(default_factory=Csrf)
    flows: Annotated[tuple[Flow, ...], Meta(max_length=128)] = ()
    limits: Limits = msgspec.field(default_factory=Limits)
    canary: Canary = msgspec.field(default_factory=Canary)
    escaping: Escaping = msgspec.field(default_factory=Escaping)
    replay: Replay = msgspec.field(default_factory=Replay)
    bans: Bans = msgspec.field(default_factory=Bans)
    lists: Annotated[tuple[Blocklist, ...], Meta(max_length=32)] = ()
    zones: Zones = msgspec.field(default_factory=Zones)
    rules: Rules = msgspec.field(default_factory=Rules)
    uploads: Uploads = msgspec.field(default_factory=Uploads)
    learn: Learn = msgspec.field(default_factory=Learn)
    events: Events = msgspec.field(default_factory=Events)
