"""Limits by address, account, route and token: who asks too often is told when to come back.

Fails closed: without an answer of the counters nothing passes (503), but on paths that the operator
chose to leave open (`[guard] fail_open_paths`, by the door).
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from troth.kernel.request import (
    FINE,
    Ask,
    GuardAsks,
    GuardCheck,
    Headers,
    Known,
    Opinion,
    Refusal,
    Request,
    Strike,
    Tally,
)
from troth.promises.guard.enforce.secrets import Secrets
from troth.promises.guard.rules import limits, paths, tokens
from troth.promises.guard.rules.addresses import client_key
from troth.promises.guard.rules.ranges import Ranges
from troth.promises.guard.settings.limits import Limit, Limits

SLUG = "rate-limit-ip"
ALLOWED = "allowed"  # the list of `troth allow`
UNKNOWN = "?"  # whom no door vouches for: they share one counter
STATIC_METHODS = frozenset({b"GET", b"HEAD"})
STRIKES = timedelta(minutes=10)  # in which `ban_after` refusals are counted
FIRST_BAN = timedelta(minutes=10)
MAX_TOKEN_BYTES = 8192

_NO_COUNTERS = Opinion(refusal=Refusal(slug=SLUG, code="no-counters", status=503))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rule:
    """A rule, compiled; `who` is empty for somebody whom the rule is not about."""

    name: str
    prefix: str
    path: str
    methods: frozenset[bytes]
    statics: bool
    limit: int
    period: timedelta
    burst: int
    who: Callable[[Request, Known], str]

    def is_about(self, request: Request, path: str, *, is_static: bool) -> bool:
        return (
            (self.statics or not is_static)
            and (not self.methods or request.method in self.methods)
            and limits.is_below(path, self.path)
        )


def of(
    settings: Limits, drills: tuple[str, ...], secrets: Secrets
) -> tuple[tuple[GuardAsks, ...], tuple[GuardCheck, ...]]:
    """The counters that a request concerns, and the check of what they say.

    Args:
        settings: `[guard.limits]`.
        drills: addresses of our own attackers; no exemption holds for them.
        secrets: under which tokens and accounts are named.
    """
    asked = _Asked(settings, drills, secrets)
    rules = tuple(_compiled(rule, asked) for rule in settings.rules)
    if not rules:
        return (), ()
    by_prefix = {rule.prefix: rule for rule in rules}
    everywhere = all(rule.path == "/" for rule in rules)
    policies = {
        rule.prefix: limits.policy(rule.name, rule.limit, rule.period).encode() for rule in rules
    }
    endings = tuple(ending.encode() for ending in settings.statics)

    def asks(request: Request, known: Known) -> tuple[Ask, ...]:
        is_static = request.method in STATIC_METHODS and request.path.lower().endswith(endings)
        path = "/" if everywhere else paths.spelled(request.target)
        return tuple(
            [
                Ask(key=rule.prefix + who, limit=rule.limit, period=rule.period, burst=rule.burst)
                for rule in rules
                if rule.is_about(request, path, is_static=is_static)
                and (who := rule.who(request, known))
            ]
        )

    def check(request: Request, known: Known) -> Opinion:
        mine = [
            (rule, tally)
            for key, tally in known.tallies.items()
            if (rule := by_prefix.get(key[: key.find(":") + 1])) is not None
        ]
        if not mine:
            return _NO_COUNTERS if not known.tallies and asks(request, known) else FINE
        said: Headers = ()
        if settings.headers:
            said = (
                (b"ratelimit-policy", b", ".join(policies[rule.prefix] for rule, _ in mine)),
                (b"ratelimit", limits.state((rule.name, tally) for rule, tally in mine)),
            )
        over = [(rule, tally) for rule, tally in mine if tally.is_over]
        if over:
            return _refused(over, said, request, settings.ban_after)
        return Opinion(answer=said) if said else FINE

    return (asks,), (check,)


def _refused(
    over: list[tuple[_Rule, Tally]], said: Headers, request: Request, ban_after: int
) -> Opinion:
    """The longest wait of all that are over."""
    rule, tally = max(over, key=lambda one: one[1].retry_after)
    wait = b"%d" % max(limits.seconds(tally.retry_after), 1)
    strikes: tuple[Strike, ...] = ()
    client = client_key(request.client)
    if ban_after and client:
        ask = Ask(key=f"over:{client}", limit=ban_after, period=STRIKES, burst=ban_after)
        strikes = (Strike(ask=ask, subject=client, cause=f"{SLUG}:{rule.name}", length=FIRST_BAN),)
    return Opinion(
        refusal=Refusal(slug=SLUG, code=rule.name, status=429, headers=((b"retry-after", wait),)),
        answer=said,
        strikes=strikes,
    )


def _compiled(rule: Limit, asked: "_Asked") -> _Rule:
    limit, period = limits.rate(rule.rate)
    return _Rule(
        name=rule.name,
        prefix=f"limit-{rule.name}:",
        path=paths.spelled(rule.path.encode()),
        methods=frozenset(method.encode() for method in rule.methods),
        statics=rule.statics,
        limit=limit,
        period=period,
        burst=min(rule.burst or limit, limit),
        who=asked.who(rule),
    )


class _Asked:
    """Who is counted, by what a rule says."""

    def __init__(self, settings: Limits, drills: tuple[str, ...], secrets: Secrets) -> None:
        self._secrets = secrets
        self._exempt, self._drills = Ranges(settings.exempt), Ranges(drills)
        self._header = settings.account_header.lower().encode()
        self._cookie = settings.account_cookie.encode()
        self._tokens = frozenset(name.lower().encode() for name in settings.token_headers)

    def who(self, rule: Limit) -> Callable[[Request, Known], str]:
        """The function that names somebody; empty for whom the rule is not about."""
        match rule.by:
            case "address":
                return self._by_address
            case "account":
                return self._by_account
            case "token":
                return self._by_token
            case "route":
                return lambda _request, _known: "all"

    def _by_address(self, request: Request, known: Known) -> str:
        client = request.client
        if client not in self._drills and (
            client in self._exempt or client in known.lists.get(ALLOWED, ())
        ):
            return ""
        return client_key(client) or UNKNOWN

    def _by_account(self, request: Request, _known: Known) -> str:
        if self._header:
            for value in request.values(self._header):
                return named(self._secrets, "account", value)
        if self._cookie:
            for value in request.values(b"cookie"):
                for pair in value.split(b";"):
                    name, _, content = pair.strip().partition(b"=")
                    if name == self._cookie and content:
                        return named(self._secrets, "account", content)
        return ""

    def _by_token(self, request: Request, _known: Known) -> str:
        for name, value in request.headers:
            if name in self._tokens and value.strip():
                return named(self._secrets, "token", value)
        return ""


def named(secrets: Secrets, purpose: str, value: bytes) -> str:
    """What is counted instead of a secret: the same in all guards that share the ring."""
    key = secrets.ring.keys[0] if secrets.ring else secrets.passing
    return tokens.tag(key, purpose, value[:MAX_TOKEN_BYTES].decode("latin-1"))
