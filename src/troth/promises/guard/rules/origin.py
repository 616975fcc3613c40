"""Pure arithmetic of the guard: which methods change state, which paths are exempt, who is who."""

import re
from collections.abc import Sequence
from urllib.parse import unquote_to_bytes

SLUG = "origin-check"

# Source: RFC 9110, 9.2.1, but for TRACE: no browser sends it, and it shows what proxies added.
SAFE_METHODS = frozenset({b"GET", b"HEAD", b"OPTIONS"})

# Credentials that a browser sends by itself, to whoever it is made to ask (RFC 9110, 11; RFC 4559).
AMBIENT_SCHEMES = frozenset({b"basic", b"digest", b"negotiate", b"ntlm"})

_PLAIN = re.compile(rb"/(?:[A-Za-z0-9._~!$&'()*+,=:@/-]|%[0-9A-Fa-f]{2})*")
# Decoded bytes that some server reads as another: separators, a percent sign that was encoded once
# more, control characters, and what is no ASCII (overlong and full-width spellings of the same).
_DOUBTFUL = re.compile(rb"[^\x20-\x7e]|[/\\%;]")

# Names by which proxies tell an application who the visitor is, or which path was meant. Nobody in
# front of Troth has said so (unless the operator names them), so a visitor who sends one lies.
# Source: the documentation of each product in the comment.
IDENTITY_HEADERS = frozenset(
    {
        b"remote-user",  # CGI's REMOTE_USER as a header: Authelia, Django RemoteUserMiddleware
        b"remote-groups",
        b"remote-name",
        b"remote-email",
        b"x-remote-user",
        b"x-remote-group",  # Kubernetes, authenticating proxy
        b"x-forwarded-user",  # oauth2-proxy, OpenShift
        b"x-forwarded-groups",
        b"x-forwarded-email",
        b"x-forwarded-preferred-username",
        b"x-forwarded-access-token",
        b"x-webauth-user",  # Grafana auth proxy
        b"x-webauth-email",
        b"x-webauth-name",
        b"x-authenticated-user",
        b"x-authenticated-groups",
        b"x-authenticated-userid",  # Kong
        b"x-authenticated-scope",
        b"x-consumer-id",  # Kong
        b"x-consumer-username",
        b"x-consumer-custom-id",
        b"x-credential-identifier",
        b"x-vouch-user",
        b"x-pomerium-jwt-assertion",
        b"x-pomerium-claim-email",
        b"x-goog-iap-jwt-assertion",
        b"iv-user",  # IBM WebSEAL
        b"iv-groups",
        b"sm-user",  # SiteMinder
        b"sm-serversessionid",
        b"x-user",
        b"x-user-id",
        b"x-username",
        b"x-client-cert",
        b"x-client-verify",
        b"x-client-dn",
        b"ssl-client-cert",
        b"ssl-client-verify",
        b"x-original-url",  # Symfony, IIS: another path than the one that was decided about
        b"x-rewrite-url",
        b"true-client-ip",  # addresses: X-Forwarded-For is the one that the edge writes
        b"cf-connecting-ip",
        b"fastly-client-ip",
        b"x-client-ip",
        b"x-cluster-client-ip",
        b"x-real-ip",
        b"forwarded",
    }
)
IDENTITY_PREFIXES = (
    b"x-troth-",
    b"troth-",
    b"x-auth-request-",  # oauth2-proxy behind nginx
    b"x-authentik-",
    b"x-amzn-oidc-",  # AWS load balancers
    b"x-ms-client-principal",  # Azure App Service
    b"x-ms-token-",
    b"x-goog-authenticated-user-",
    b"cf-access-",  # Cloudflare Access
    b"x-ssl-client-",
    b"ssl-client-s-",
)


def is_safe(method: bytes) -> bool:
    """Whether a method asks for nothing to change; an unknown one may change anything."""
    return method in SAFE_METHODS


def is_exempt(path: bytes, prefixes: Sequence[bytes]) -> bool:
    """Whether a path lies below an exempt prefix, beyond doubt.

    A prefix ends at a slash or at the path's end: `/api` covers `/api` and `/api/x`, not `/apis`.
    A path that some server might read as another one (dot segments, encoded slashes, a doubled
    encoding, `//`, `;`) is never exempt: fails closed.
    """
    return any(_is_below(path, prefix) for prefix in prefixes) and is_plain(path)


def _is_below(path: bytes, prefix: bytes) -> bool:
    stem = prefix.rstrip(b"/")
    return path.startswith(stem + b"/") or (path == stem and not prefix.endswith(b"/"))


def is_plain(path: bytes) -> bool:
    """Whether every server reads a path in the same way."""
    if not _PLAIN.fullmatch(path) or b"//" in path:
        return False
    decoded = [unquote_to_bytes(segment) for segment in path.split(b"/")]
    return not any(part in {b".", b".."} or _DOUBTFUL.search(part) for part in decoded)


def is_identity(name: bytes) -> bool:
    """Whether a request header (lower case) claims an identity that only a proxy could vouch for.

    CGI and WSGI make one variable of `-` and `_`, so `x_remote_user` counts too.
    """
    dashed = name.replace(b"_", b"-")
    return dashed in IDENTITY_HEADERS or dashed.startswith(IDENTITY_PREFIXES)
