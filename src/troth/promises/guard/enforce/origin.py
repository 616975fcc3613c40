"""The guard's checks: pure, one opinion each. Where the request comes from; who it claims to be.

Origin check, in this order (Sources: Fetch Metadata, W3C; OWASP Cross-Site Request Forgery
Prevention Cheat Sheet; RFC 6455, 10.2):

1. Only what may change something is asked: unsafe methods, and WebSocket handshakes, which are a
   GET with cookies that no browser keeps within an origin.
2. A header that decides and is there twice is refused: two readers would read two things.
3. `Sec-Fetch-Site`, which no page can set: `same-origin` and `none` (typed by the visitor) pass;
   `same-site` and `cross-site` pass only from an origin that the operator named. It is not believed
   when `Origin` contradicts it: then something between has written one of them.
4. `Origin`: our own or a named one, byte for byte. `null` is nobody's: refused.
5. Neither, and no credential that a browser sends by itself: there is nothing to forge. Such a
   request (a script with a token, a webhook) passes and is counted. With a cookie: refused.

`Referer` is not asked, though OWASP allows it as a last resort. It could only turn a refusal into a
pass, for browsers so old that they send neither header on a POST, and it is weaker: any page can
leave it out, and privacy tools rewrite it. A client without pages that keeps cookies sends Origin.
"""

from dataclasses import dataclass
from urllib.parse import urlsplit

from troth.kernel.request import CLIENT, FINE, GuardCheck, Known, Opinion, Refusal, Request
from troth.kernel.site import Site
from troth.promises.guard.rules import AMBIENT_SCHEMES, SLUG, is_exempt, is_identity, is_safe
from troth.promises.guard.settings import GuardSettings

_EXEMPT = Opinion(counted="origin.exempt")
_NOTHING_TO_FORGE = Opinion(counted="origin.nothing-to-forge")
MAX_KEPT_NAMES, MAX_KEPT_NAME_BYTES = 2048, 64
_DEFAULT_PORT = {"https": b":443", "http": b":80"}


def _refused(code: str) -> Opinion:
    return Opinion(refusal=Refusal(slug=SLUG, code=code))


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What the origin check compares with.

    Args:
        scheme: of our own addresses, `https` but in tests.
        app: the application's host name, without port.
        troth: the host name of Troth itself, where neither `named` nor `exempt` counts.
        named: origins trusted like the application's own.
        exempt: path prefixes of the application that are not asked.
    """

    scheme: str
    app: bytes
    troth: bytes
    named: frozenset[bytes] = frozenset()
    exempt: tuple[bytes, ...] = ()

    def own(self, host: bytes) -> bytes | None:
        """The origin of a page that was loaded from the host this request is sent to.

        The port is the visitor's, so a load balancer in front may have another one than the edge.
        None for a host that is not ours: nothing is its own.
        """
        name, _, port = host.partition(b":")
        if name not in {self.app, self.troth} or not (port.isdigit() or name == host):
            return None
        return self.scheme.encode() + b"://" + host.removesuffix(_DEFAULT_PORT[self.scheme])


def checks(settings: GuardSettings, site: Site) -> tuple[GuardCheck, ...]:
    """The area's checks in order, for one installation."""
    app, troth = urlsplit(site.app), urlsplit(site.troth)
    policy = Policy(
        scheme=app.scheme,
        app=(app.hostname or "").encode(),
        troth=(troth.hostname or "").encode(),
        named=frozenset(origin.encode() for origin in settings.origin.origins),
        exempt=tuple(prefix.encode() for prefix in settings.origin.exempt),
    )
    trusted = frozenset({CLIENT, *(name.lower().encode() for name in settings.trusted_headers)})

    def origin(request: Request, _: Known) -> Opinion:
        return origin_opinion(request, policy)

    harmless = set[bytes]()  # names that came before: the same ones come again and again

    def identity(request: Request, _: Known) -> Opinion:
        strange = {name for name, _ in request.headers if name not in harmless}
        if not strange:
            return FINE
        opinion = identity_opinion(request, trusted)
        if len(harmless) < MAX_KEPT_NAMES:
            kept = strange.difference(opinion.remove)
            harmless.update(name for name in kept if len(name) <= MAX_KEPT_NAME_BYTES)
        return opinion

    return origin, identity


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sent:
    """What a request says of where it comes from."""

    request: Request
    site: bytes | None
    origin: bytes | None
    own: bytes | None
    named: frozenset[bytes]

    @property
    def has_credentials(self) -> bool:
        """Whether something that a browser sends by itself came along."""
        return bool(self.request.values(b"cookie")) or any(
            value.strip().partition(b" ")[0].lower() in AMBIENT_SCHEMES
            for value in self.request.values(b"authorization")
        )

    @property
    def has_fetch_metadata(self) -> bool:
        """Whether some header of that kind came along."""
        return any(name.startswith(b"sec-fetch-") for name, _ in self.request.headers)

    @property
    def is_from_own_or_named(self) -> bool:
        return self.origin is not None and (self.origin == self.own or self.origin in self.named)


def origin_opinion(request: Request, policy: Policy) -> Opinion:
    """Whether a request that may change something comes from our own pages. Fails closed."""
    is_handshake = request.method == b"GET" and _is_websocket(request)
    if is_safe(request.method) and not is_handshake:
        return FINE
    own = policy.own(request.host)
    is_app = own is not None and request.host.partition(b":")[0] == policy.app
    if is_app and is_exempt(request.path, policy.exempt):
        return _EXEMPT
    sites, origins = request.values(b"sec-fetch-site"), request.values(b"origin")
    if len(sites) > 1 or len(origins) > 1:
        return _refused("twice")
    sent = _Sent(
        request=request,
        site=sites[0] if sites else None,
        origin=origins[0] if origins else None,
        own=own,
        named=policy.named if is_app else frozenset(),
    )
    return _handshake(sent) if is_handshake else _change(sent)


def _is_websocket(request: Request) -> bool:
    return any(
        token.strip().lower() == b"websocket"
        for value in request.values(b"upgrade")
        for token in value.split(b",")
    )


def _handshake(sent: _Sent) -> Opinion:
    """A browser always sends Origin with a handshake (RFC 6455, 4.1), so Origin alone decides."""
    if sent.is_from_own_or_named:
        return FINE
    return _refused("websocket") if sent.has_credentials else _NOTHING_TO_FORGE


def _change(sent: _Sent) -> Opinion:
    if sent.site is not None:
        code = _fault_by_fetch_metadata(sent, sent.site)
    elif sent.origin is not None:
        foreign = "null-origin" if sent.origin == b"null" else "foreign-origin"
        code = "" if sent.is_from_own_or_named else foreign
    elif sent.has_fetch_metadata:
        code = "half-fetch-metadata"
    elif sent.has_credentials:
        code = "no-origin"
    else:
        return _NOTHING_TO_FORGE
    return _refused(code) if code else FINE


def _fault_by_fetch_metadata(sent: _Sent, site: bytes) -> str:
    """Why it is refused; empty when it is not."""
    match site:
        case _ if sent.own is None:
            return "unknown-host"
        case b"same-origin" if sent.origin in {None, sent.own, b"null"}:
            # A page with `Referrer-Policy: no-referrer` sends `null` to its own origin, too. So
            # does a sandboxed frame, but that is `cross-site`.
            return ""
        case b"none" if sent.origin in {None, sent.own}:
            return ""
        case b"same-site" | b"cross-site":
            return "" if sent.origin in sent.named else site.decode()
        case b"same-origin" | b"none":
            return "contradiction"
        case _:
            return "unknown-site"


def identity_opinion(request: Request, trusted: frozenset[bytes]) -> Opinion:
    """Identity headers that the visitor sent and nobody vouches for are taken away."""
    names = {name for name, _ in request.headers if is_identity(name) and name not in trusted}
    return Opinion(remove=tuple(sorted(names))) if names else FINE
