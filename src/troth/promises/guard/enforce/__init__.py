"""What the guard enforces: one file a topic, and here in which order they are asked.

`compose` is all that doors and roles need: gates, asks and checks of one installation, for a
`Snapshot`. To add a topic, write `of(settings, ...)` beside the others and name it below.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from troth.engines.seclang import Program
from troth.engines.uploads import Scan
from troth.kernel.request import (
    GuardAsks,
    GuardCheck,
    GuardLooks,
    GuardOwn,
    Refusal,
    Request,
    ResponseCheck,
)
from troth.kernel.site import Site
from troth.promises.guard.enforce import (
    bans,
    cards,
    csrf,
    encodings,
    flows,
    kinds,
    limits,
    login,
    origin,
    waf,
    zones,
)
from troth.promises.guard.enforce.secrets import Secrets
from troth.promises.guard.enforce.uploads import Desk
from troth.promises.guard.enforce.uploads import of as uploads_of
from troth.promises.guard.settings import GuardSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Composition:
    """The area's part of a snapshot, each in order; fields as in `Snapshot`."""

    gates: tuple[GuardCheck, ...] = ()
    asks: tuple[GuardAsks, ...] = ()
    looks: tuple[GuardLooks, ...] = ()
    opened: Callable[[Request], Request | Refusal]
    checks: tuple[GuardCheck, ...] = ()
    answers: tuple[ResponseCheck, ...] = ()
    bodies: tuple[GuardCheck, ...] = ()
    uploads: Desk | None = None
    own: Mapping[str, GuardOwn] = field(default_factory=dict)


def compose(
    settings: GuardSettings,
    site: Site,
    secrets: Secrets | None = None,
    program: Program | None = None,
    scan: Scan | None = None,
) -> Composition:
    """Everything under these settings, for one installation; without a program no rules.

    Limits are asked first: a flood costs no more than a count. A login is asked last: one that
    something else refuses is no attempt.
    """
    own = secrets or Secrets()
    contents = (
        *cards.checks(settings.cards),
        *kinds.checks(settings.learn),
        *((waf.check(program, settings.rules),) if program else ()),
    )
    account = flows.accounts(settings.limits.account_header, settings.limits.account_cookie, own)
    asks, rates = limits.of(settings.limits, settings.bans.drills, own)
    return Composition(
        gates=(*zones.gates(settings.zones, site.prefix), *bans.gates()),
        asks=asks,
        looks=(
            *flows.looks(settings.flows, account, own, site.prefix),
            *login.looks(settings.login, settings.lockout, own),
        ),
        opened=encodings.opened(settings.rules),
        checks=(
            *rates,
            *origin.checks(settings, site),
            *csrf.checks(settings.csrf, site, own),
            *contents,
            *flows.checks(settings.flows, account, own, site.prefix),
            *login.checks(settings.login, settings.lockout, own),
        ),
        answers=(
            (waf.answer_check(program, settings.rules),)
            if program and waf.reads_answers(program)
            else ()
        ),
        bodies=contents,
        uploads=uploads_of(settings.uploads, settings.rules.body_bytes, scan),
        own=csrf.own(settings.csrf, own),
    )


def reads_bodies(settings: GuardSettings) -> bool:
    """Whether the edge hands bodies over."""
    return (
        settings.cards.refuse
        or settings.rules.mode != "off"
        or bool(settings.rules.routes)
        or settings.learn.watch
        or settings.learn.check != "off"
        or bool(settings.login or settings.csrf.paths)
    )


def awaits_answers(settings: GuardSettings) -> bool:
    """Whether the guard is to be told what the application answered."""
    return bool(settings.login or settings.flows)  # those of our own probes wait for answers
