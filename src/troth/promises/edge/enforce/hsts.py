"""Strict-Transport-Security (RFC 6797), on every answer over TLS."""

from troth.kernel.fragment import Fragment, Header
from troth.promises.edge.rules import YEAR_S
from troth.promises.edge.settings import Hsts

NAME = "strict-transport-security"


def fragments(settings: Hsts) -> tuple[Fragment, ...]:
    """`hsts` for any lifetime, and `hsts-long-lifetime` where a year or more is set."""
    short = min(settings.max_age_s, YEAR_S - 1)
    found = [_fragment("hsts", Header(NAME, f"max-age={short}", only_tls=True))]
    if settings.max_age_s >= YEAR_S or settings.include_subdomains:
        value = f"max-age={settings.max_age_s}"
        value += "; includeSubDomains" if settings.include_subdomains else ""
        value += "; preload" if settings.preload else ""
        long = Header(NAME, value, only_tls=True, amends=True)
        found.append(_fragment("hsts-long-lifetime", long))
    return tuple(found)


def _fragment(promise: str, header: Header) -> Fragment:
    return Fragment(promise=promise, own=(header,), application=(header,))
