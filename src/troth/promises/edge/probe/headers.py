"""Looks at single header fields, on one answer of each kind."""

from troth.adapters.vantage import Vantage
from troth.kernel.model import Observation
from troth.promises.edge.probe.answers import looked, observed, plain
from troth.promises.edge.settings import EdgeSettings

HSTS = ("strict-transport-security",)
PROTECTIVE = (
    "x-content-type-options",
    "content-security-policy",
    "x-frame-options",
    "referrer-policy",
    "permissions-policy",
    "cross-origin-opener-policy",
    "cross-origin-resource-policy",
)
CSP = ("content-type", "content-security-policy", "content-security-policy-report-only")
XSS_FILTER = ("x-xss-protection", *CSP)
REFERRER = ("referrer-policy",)
TYPES = ("x-content-type-options", "content-type")
FRAMES = ("content-security-policy", "x-frame-options")


def hsts(vantage: Vantage, settings: EdgeSettings) -> Observation:
    """Strict-Transport-Security on one answer of each kind, and on what plain HTTP answers."""
    return observed(looked(vantage, settings), HSTS, plain(vantage))


def hsts_long_lifetime(vantage: Vantage, settings: EdgeSettings) -> Observation:
    """The same field, for how long it holds."""
    return observed(looked(vantage, settings), HSTS)


def security_headers(vantage: Vantage, settings: EdgeSettings) -> Observation:
    """Every protective header."""
    return observed(looked(vantage, settings), PROTECTIVE)


def browser_xss_filter(vantage: Vantage, settings: EdgeSettings) -> Observation:
    """X-XSS-Protection, and the policy that replaced it."""
    return observed(looked(vantage, settings), XSS_FILTER)


def referrer_policy(vantage: Vantage, settings: EdgeSettings) -> Observation:
    """Referrer-Policy."""
    return observed(looked(vantage, settings), REFERRER)


def nosniff(vantage: Vantage, settings: EdgeSettings) -> Observation:
    """X-Content-Type-Options and Content-Type."""
    return observed(looked(vantage, settings), TYPES)


def clickjacking(vantage: Vantage, settings: EdgeSettings) -> Observation:
    """frame-ancestors and X-Frame-Options."""
    return observed(looked(vantage, settings), FRAMES)


def csp(vantage: Vantage, settings: EdgeSettings) -> Observation:
    """Content-Security-Policy, enforced and on trial."""
    return observed(looked(vantage, settings), CSP)
