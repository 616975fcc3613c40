"""The header sets: the *own* one is whole, the *application* one is what no application breaks by.

Observatory and CSP-evaluator rules stand behind the own set (MDN HTTP Observatory v4).
"""

from collections.abc import Collection

from troth.kernel.fragment import Fragment, Header
from troth.promises.edge.settings import FEATURES, Csp, Headers

NO_POLICY_FILES = Header("x-permitted-cross-domain-policies", "none")
OPENER = Header("cross-origin-opener-policy", "same-origin")
RESOURCE = Header("cross-origin-resource-policy", "same-origin")
EMBEDDER = Header("cross-origin-embedder-policy", "require-corp")

OWN_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; font-src 'self'; "
    "form-action 'self'; base-uri 'none'"
)
# Where an operator has given none yet: what a report-only policy can learn the most from.
FIRST_POLICY = "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'"

# Names a server's make and version, or how long it worked.
LEAKY = (
    "server",
    "via",
    "x-powered-by",
    "x-powered-cms",
    "x-generator",
    "x-runtime",
    "x-version",
    "x-aspnet-version",
    "x-aspnetmvc-version",
    "x-drupal-cache",
    "x-debug-token",
    "x-debug-token-link",
    "x-served-by",
    "x-backend-server",
    "x-php-version",
)


def permissions(used: Collection[str] = ()) -> Header:
    """Browser features off for everybody, but for those that the application's own pages use."""
    words = (f"{name}={'(self)' if name in used else '()'}" for name in FEATURES)
    return Header("permissions-policy", ", ".join(words))


def security_headers(settings: Headers) -> Fragment:
    """Browser features off, other origins kept out, no leaks; the breaking ones only as set."""
    application = [permissions(settings.features), NO_POLICY_FILES]
    if settings.cross_origin_opener_policy:
        application.append(OPENER)
    if settings.cross_origin_resource_policy:
        application.append(RESOURCE)
    if settings.cross_origin_embedder_policy:
        application.append(EMBEDDER)
    if settings.no_store:
        application.append(Header("cache-control", "no-store"))
    own = (
        permissions(),
        NO_POLICY_FILES,
        OPENER,
        RESOURCE,
        EMBEDDER,
        Header("origin-agent-cluster", "?1"),
        Header("cache-control", "no-store", action="if-absent"),
    )
    return Fragment(
        promise="security-headers", own=own, application=tuple(application), removed=LEAKY
    )


def csp(settings: Csp, prefix: str) -> Fragment:
    """The page policy. The application's own policy stays beside one that only reports."""
    own = (Header("content-security-policy", OWN_POLICY),)
    if settings.mode == "off":
        return Fragment(promise="csp", own=own)
    report = f"report-uri {prefix}csp; report-to csp"
    value = f"{settings.policy.strip().rstrip(';') or FIRST_POLICY}; {report}"
    name = "content-security-policy"
    if settings.mode == "report-only":
        header = Header(f"{name}-report-only", value, action="append")
    else:
        header = Header(name, value)
    endpoint = Header("reporting-endpoints", f'csp="{prefix}csp"')
    return Fragment(promise="csp", own=own, application=(header, endpoint))


def nosniff() -> Fragment:
    """`nosniff`, and a type for what the application sent without one (RFC 9110, 8.3)."""
    both = (Header("x-content-type-options", "nosniff"),)
    return Fragment(
        promise="content-type-nosniff",
        own=both,
        application=both,
        response_lua="""\
if headers:get("content-type") then return end
local is_empty = headers:get("content-length") == "0"
is_empty = is_empty or ("101 204 304"):find(headers:get(":status"))
if not is_empty then headers:add("content-type", "application/octet-stream") end
""",
    )


def clickjacking(settings: Headers) -> Fragment:
    """Framing by nobody, or by the same origin; X-Frame-Options for what is older than CSP 2."""
    word, old = {"none": ("'none'", "DENY"), "self": ("'self'", "SAMEORIGIN")}[
        settings.frame_ancestors
    ]
    return Fragment(
        promise="clickjacking",
        own=(
            Header("content-security-policy", "frame-ancestors 'none'"),
            Header("x-frame-options", "DENY"),
        ),
        application=(
            Header("content-security-policy", f"frame-ancestors {word}", action="append"),
            Header("x-frame-options", old),
        ),
    )


def xss_filter() -> Fragment:
    """The retired filter stays off: its header is taken away."""
    return Fragment(promise="browser-xss-filter-header", removed=("x-xss-protection",))


def referrer_policy(settings: Headers) -> Fragment:
    """On own pages the origin only; never `no-referrer`, which makes a form's Origin `null`."""
    name = "referrer-policy"
    return Fragment(
        promise="referrer-policy",
        own=(Header(name, "strict-origin-when-cross-origin"),),
        application=(Header(name, settings.referrer_policy),),
    )
