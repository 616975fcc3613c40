"""Liars that a real browser catches: looks see them too, but it is the drill that must."""

from liars.liar import Liar, altered, without
from troth.kernel.fragment import Header

LEAKY = (Header("referrer-policy", "unsafe-url"),)
INLINE = "default-src 'self'; script-src 'self' 'unsafe-inline'; report-uri /-/csp"

LIARS = (
    Liar("csp", "in no browser", fragments=without("csp"), only=("csp.browser",), is_slow=True),
    Liar(
        "csp",
        "unsafe-inline",
        fragments=altered("csp", application=(Header("content-security-policy", INLINE),)),
        only=("csp.browser",),
        is_slow=True,
    ),
    Liar(
        "content-type-nosniff",
        "in no browser",
        fragments=without("content-type-nosniff"),
        only=("content-type-nosniff.browser",),
        is_slow=True,
    ),
    Liar(
        "clickjacking",
        "in no browser",
        fragments=without("clickjacking"),
        only=("clickjacking.browser",),
        is_slow=True,
    ),
    Liar(
        "referrer-policy",
        "tells a browser to tell all",
        fragments=altered("referrer-policy", own=LEAKY, application=LEAKY),
        only=("referrer-policy.browser",),
        is_slow=True,
    ),
    Liar(
        "cookie-httponly-secure",
        "in no browser",
        fragments=without("cookie-httponly-secure"),
        only=("cookie-httponly-secure.browser",),
        is_slow=True,
    ),
)
