"""Failed logins of any application: seen in its answers, counted, and after a few refused.

An attempt is a request on a route that the operator named (`[[guard.login]]`). It is asked before
the application sees it, is open until the answer is known, and the answer says how it went.

Fails closed: an attempt that names two accounts, or whose body cannot be read, is refused, because
the application might read it otherwise. Fails open where a door tells of no answer (a guard that
was replaced meanwhile, a stream): then nothing is counted, and after half a minute nothing is open.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

from troth.kernel.request import (
    FINE,
    Awaited,
    GuardCheck,
    GuardLooks,
    Headers,
    Known,
    Opinion,
    Refusal,
    Request,
    Response,
)
from troth.kernel.trail import Look
from troth.promises.guard.enforce.secrets import Secrets
from troth.promises.guard.rules import fields, login, paths, presets, tokens
from troth.promises.guard.rules.addresses import client_key
from troth.promises.guard.rules.cookies import one
from troth.promises.guard.rules.login import BRUTE_FORCE, Attempt
from troth.promises.guard.settings.login import Lockout, LoginRoute

COOKIE = b"__Host-known"
PURPOSE = "known"
MAX_ACCOUNTS = 5  # that one device is known for
MAX_BODY_BYTES = 64 * 1024  # no login form is longer


@dataclass(frozen=True, slots=True)
class _Route:
    """One route, compiled."""

    method: bytes
    pattern: paths.Pattern
    shape: presets.Shape


@dataclass(frozen=True, slots=True, kw_only=True)
class _Policy:
    """What all routes share."""

    lockout: Lockout
    secrets: Secrets


@dataclass(frozen=True, slots=True)
class _Device:
    """What the visitor's cookie says: which device it is, and for which accounts it is known."""

    name: str = ""
    accounts: tuple[str, ...] = ()  # as its own key names them
    key: tokens.Key | None = None

    def is_for(self, account: str) -> bool:
        """Whether this account logged in on it before."""
        return (
            bool(account)
            and self.key is not None
            and tokens.tag(self.key, "account", account) in self.accounts
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Begun:
    """An attempt that was let through.

    Args:
        attempt: as it is counted.
        mine: the account as the newest key names it in cookies; empty where nobody can be known.
        device: which one it comes from.
        shape: of the route.
    """

    attempt: Attempt
    mine: str
    device: _Device
    shape: presets.Shape


def checks(
    routes: tuple[LoginRoute, ...], lockout: Lockout, secrets: Secrets
) -> tuple[GuardCheck, ...]:
    """The check for these routes; none where there are none. Raises ValueError for a bad path."""
    if not routes:
        return ()
    route_of = _routed(routes)
    policy = _Policy(lockout=lockout, secrets=secrets)

    def attempts(request: Request, known: Known) -> Opinion:
        route = route_of(request)
        return FINE if route is None else attempted(request, route, policy, known)

    return (attempts,)


def looks(
    routes: tuple[LoginRoute, ...], lockout: Lockout, secrets: Secrets
) -> tuple[GuardLooks, ...]:
    """Which trails that check will read, and what it will mark of an attempt that it lets pass."""
    if not routes:
        return ()
    route_of = _routed(routes)
    policy = _Policy(lockout=lockout, secrets=secrets)

    def look(request: Request, known: Known) -> Look | None:
        route = route_of(request)
        if route is None:
            return None
        names, words, code = _said(request, route.shape)
        if code:
            return None
        return login.looked(_attempt(request, names, words, policy, known.now)[0])

    return (look,)


def _routed(routes: tuple[LoginRoute, ...]) -> Callable[[Request], _Route | None]:
    compiled = tuple(
        _Route(route.method.encode(), paths.pattern(route.path), presets.shape(route))
        for route in routes
    )
    methods = frozenset(route.method for route in compiled)

    def route_of(request: Request) -> _Route | None:
        if request.method not in methods:
            return None
        path = paths.spelled(request.target)
        for route in compiled:
            if route.method == request.method and route.pattern.match(path) is not None:
                return route
        return None

    return route_of


def _attempt(
    request: Request,
    names: tuple[str, ...],
    words: tuple[str, ...],
    policy: _Policy,
    now: datetime,
) -> tuple[Attempt, _Device]:
    """Who tries, and the device that they say it comes from."""
    name = names[0] if names else ""
    device = _device(request, policy, now)
    attempt = Attempt(
        client=client_key(request.client),
        account=policy.secrets.account(name),
        secret=policy.secrets.password(words[0]) if words and name else "",
        device=device.name if device.is_for(name) else "",
    )
    return attempt, device


def attempted(request: Request, route: _Route, policy: _Policy, known: Known) -> Opinion:
    """Whether an attempt may be made now; then it is open until its answer is known."""
    names, words, code = _said(request, route.shape)
    if code:
        return Opinion(refusal=Refusal(slug=BRUTE_FORCE, code=code, status=400))
    attempt, device = _attempt(request, names, words, policy, known.now)
    ring = policy.secrets.ring
    mine = tokens.tag(ring.keys[0], "account", names[0]) if ring and any(names) else ""
    refusal = login.refusal(attempt, policy.lockout, known)
    if refusal is not None:
        return Opinion(refusal=refusal, counted=f"login.{refusal.code}")
    begun = _Begun(attempt=attempt, mine=mine, device=device, shape=route.shape)
    return Opinion(
        notes=login.opening(attempt, known),
        awaits=(
            Awaited(
                ask=partial(answered, begun, policy),
                reads_body=route.shape.reads_body,
                looks=partial(_answer_looked, begun, policy),
            ),
        ),
        # A body that a text is looked for in must come readable.
        remove=(b"accept-encoding",) if route.shape.reads_body else (),
    )


def _said(request: Request, shape: presets.Shape) -> tuple[tuple[str, ...], tuple[str, ...], str]:
    """The account's name (each only once) and the passwords that a request says, or why not."""
    body = request.body or b""
    if len(body) > MAX_BODY_BYTES:
        return (), (), "long"
    kinds = request.values(b"content-type")
    read = fields.read(kinds[0] if kinds else b"", body)
    query = fields.urlencoded(request.target.partition(b"?")[2])
    if not (read.is_whole and query.is_whole) or len(kinds) > 1:
        return (), (), "unreadable"
    pairs = (*read.pairs, *query.pairs)
    names = {login.named(value) for value in _values(pairs, shape.account)} - {""}
    if len(names) > 1:
        return (), (), "two-accounts"
    return tuple(names), _values(pairs, shape.password), ""


def _values(pairs: fields.Pairs, wanted: str) -> tuple[str, ...]:
    """The values under a field's name, as frameworks spell it: `user[email]` is `user.email`."""
    name = _dotted(wanted)
    return tuple(value for key, value in pairs if _dotted(key) == name)


def _dotted(name: str) -> str:
    return name.strip(" \t\r\n\0").lower().replace("[", ".").replace("]", "")


def answered(begun: _Begun, policy: _Policy, response: Response, known: Known) -> Opinion:
    """How an attempt went, by the application's answer."""
    attempt, shape = begun.attempt, begun.shape
    if presets.is_like_any(shape.failure, response):
        counted = login.failure(attempt, policy.lockout, known)
        return Opinion(counted="login.failed", notes=counted.notes, strikes=counted.strikes)
    if presets.is_like_any(shape.success, response):
        counted = login.success(attempt, policy.lockout, known)
        cookie = _cookie(begun, policy, known.now)
        return Opinion(counted="login.fine", notes=counted.notes, answer=cookie)
    return Opinion(counted="login.unclear", notes=login.closing(attempt, known))


def _answer_looked(begun: _Begun, policy: _Policy, response: Response, _: Known) -> Look:
    """What `answered` will read, and what it marks."""
    has_failed = presets.is_like_any(begun.shape.failure, response)
    return login.answer_looked(begun.attempt, policy.lockout, has_failed=has_failed)


def _device(request: Request, policy: _Policy, now: datetime) -> _Device:
    """The device that a cookie names; a stranger's where there is none, two, or one not of ours."""
    days = policy.lockout.known_device_days
    token = one(request, COOKIE).decode("latin-1")
    opened = tokens.opened(policy.secrets.ring, PURPOSE, token) if days else None
    if opened is None:
        return _Device()
    key, payload = opened
    version, _, rest = payload.partition(".")
    if version != "1":
        return _Device()
    name, issued, accounts = rest.split(".")
    made = datetime.fromtimestamp(int(issued, 16), UTC)
    if not made <= now < made + timedelta(days=days):
        return _Device()
    return _Device(name, tuple(accounts.split("-")), key)


def _cookie(begun: _Begun, policy: _Policy, now: datetime) -> Headers:
    """The cookie that makes this device known for this account, beside those before."""
    ring, days = policy.secrets.ring, policy.lockout.known_device_days
    mine, device = begun.mine, begun.device
    if not mine or not days:
        return ()
    key = ring.keys[0]
    # Names that another key gave are not translated: that account is a stranger's once, then known.
    others = [each for each in device.accounts if each != mine] if device.key == key else []
    accounts = "-".join([mine, *others][:MAX_ACCOUNTS])
    seconds = int(now.timestamp())
    own = device.name or tokens.tag(
        key, "device", f"{begun.attempt.client} {mine} {now.isoformat()}"
    )
    token = tokens.sealed(ring, PURPOSE, f"1.{own}.{seconds:x}.{accounts}")
    age = int(timedelta(days=days).total_seconds())
    value = f"{COOKIE.decode()}={token}; Path=/; Max-Age={age}; Secure; HttpOnly; SameSite=Lax"
    return ((b"set-cookie", value.encode()),)
