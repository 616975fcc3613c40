"""Liars about single header fields."""

from liars.liar import Fragments, Liar, altered, instead, without
from liars.upstream import Manners
from troth.kernel.fragment import Fragment, Header

_INLINE = Header("content-security-policy", "default-src 'self' 'unsafe-inline'")


def _says(promise: str, name: str, value: str) -> Fragment:
    """A fragment that writes this instead, on every answer."""
    header = Header(name, value)
    return Fragment(promise=promise, own=(header,), application=(header,))


def _takes_back(fragments: Fragments) -> Fragments:
    zero = _says("hsts", "strict-transport-security", "max-age=0")
    return instead("hsts", zero)(without("hsts-long-lifetime")(fragments))


def _plain_too(fragments: Fragments) -> Fragments:
    year = _says("hsts", "strict-transport-security", "max-age=31536000; includeSubDomains")
    return instead("hsts", year)(fragments)


def _for_pages_only(promise: str) -> Liar:
    """The application's answers are right; what the edge answers by itself is forgotten."""
    return Liar(promise, "own answers are forgotten", fragments=altered(promise, own=()))


LIARS = (
    Liar("hsts", "says nothing of it", fragments=without("hsts")),
    Liar("hsts", "takes it back", fragments=_takes_back),
    Liar("hsts", "over plain HTTP too", fragments=_plain_too),
    Liar("hsts", "own answers are forgotten", fragments=altered("hsts", own=())),
    Liar("hsts-long-lifetime", "a year less a second", fragments=without("hsts-long-lifetime")),
    Liar("security-headers", "browser features stay on", fragments=without("security-headers")),
    _for_pages_only("security-headers"),
    Liar("csp", "no policy", fragments=without("csp")),
    Liar(
        "csp",
        "inline script may run",
        fragments=instead("csp", Fragment(promise="csp", own=(_INLINE,), application=(_INLINE,))),
    ),
    Liar("content-type-nosniff", "types are guessed", fragments=without("content-type-nosniff")),
    Liar(
        "content-type-nosniff",
        "a file without a type",
        fragments=altered("content-type-nosniff", response_lua=""),
        only=("content-type-nosniff.crawl",),
    ),
    Liar("clickjacking", "anybody may frame", fragments=without("clickjacking")),
    _for_pages_only("clickjacking"),
    Liar(
        "browser-xss-filter-header",
        "the application turns it on",
        fragments=without("browser-xss-filter-header"),
    ),
    Liar("referrer-policy", "no policy", fragments=without("referrer-policy")),
    Liar(
        "referrer-policy",
        "full addresses to everybody",
        fragments=instead(
            "referrer-policy", _says("referrer-policy", "referrer-policy", "unsafe-url")
        ),
    ),
    Liar(
        "referrer-policy",
        "two policies",
        fragments=altered(
            "referrer-policy",
            application=(Header("referrer-policy", "same-origin", action="append"),),
        ),
        upstream=Manners(headers=(("Referrer-Policy", "unsafe-url"),)),
    ),
)
