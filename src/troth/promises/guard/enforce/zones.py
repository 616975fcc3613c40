"""Routes that only some networks may ask for.

Fails closed: an address that no door vouches for is in no zone, so a route that is for some zones
is not for it; and a path is read in every spelling that an application might understand.
"""

from dataclasses import dataclass

from troth.kernel.request import FINE, GuardCheck, Known, Opinion, Refusal, Request
from troth.promises.guard.rules import paths
from troth.promises.guard.rules.canary import CANARY, CANARY_ADDRESS, CANARY_ROUTE
from troth.promises.guard.rules.limits import is_below
from troth.promises.guard.rules.ranges import Ranges
from troth.promises.guard.settings.addresses import ZoneRule, Zones

SLUG = "ip-filtering"
_NOT_ALLOWED = Opinion(refusal=Refusal(slug=SLUG, code="not-allowed"))
_DENIED = Opinion(refusal=Refusal(slug=SLUG, code="denied"))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rule:
    path: str
    methods: frozenset[bytes]
    allow: Ranges | None
    deny: Ranges | None


def gates(settings: Zones, prefix: str) -> tuple[GuardCheck, ...]:
    """The gate for these rules, and for the route below our prefix that proves that it is shut."""
    if not settings.rules:
        return (_canary(prefix),)
    networks = {zone.name: zone.networks for zone in settings.named}
    rules = tuple(_compiled(rule, networks) for rule in settings.rules)
    everywhere = all(rule.path == "/" for rule in rules)

    def zone(request: Request, _: Known) -> Opinion:
        path = "/" if everywhere else paths.spelled(request.target)
        for rule in rules:
            if not is_below(path, rule.path):
                continue
            if rule.methods and request.method not in rule.methods:
                continue
            if rule.deny is not None and request.client in rule.deny:
                return _DENIED
            if rule.allow is not None and request.client not in rule.allow:
                return _NOT_ALLOWED
        return FINE

    return _canary(prefix), zone


def _canary(prefix: str) -> GuardCheck:
    """The sink's own route, for one address: compared as sent, since nothing harmful is there."""
    allowed = _compiled(ZoneRule(allow=(CANARY,)), {CANARY: (CANARY_ADDRESS,)}).allow
    route = f"{prefix}{CANARY_ROUTE}".encode()

    def canary(request: Request, _: Known) -> Opinion:
        if not request.target.startswith(route) or allowed is None or request.client in allowed:
            return FINE
        return _NOT_ALLOWED

    return canary


def _compiled(rule: ZoneRule, networks: dict[str, tuple[str, ...]]) -> _Rule:
    def joined(names: tuple[str, ...]) -> Ranges | None:
        return Ranges(each for name in names for each in networks[name]) if names else None

    return _Rule(
        path=paths.spelled(rule.path.encode()),
        methods=frozenset(method.encode() for method in rule.methods),
        allow=joined(rule.allow),
        deny=joined(rule.deny),
    )
