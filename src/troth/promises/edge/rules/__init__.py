"""Pure arithmetic of the edge: what cannot apply, and what a header's value means.

One file a header: `hsts`, `csp`, `cookies`. They parse as a browser does and hold no opinion; the
judges have that. `words` fills the sentences.
"""

from collections.abc import Mapping

from troth.promises.edge.rules.grade import HSTS_LEAST_S
from troth.promises.edge.rules.hsts import YEAR_S, parse_hsts
from troth.promises.edge.rules.words import has_public_root, lifetime, words
from troth.promises.edge.settings import EdgeSettings

__all__ = ["YEAR_S", "not_applicable", "parse_hsts", "words"]


def not_applicable(settings: EdgeSettings) -> Mapping[str, str]:
    """Slugs that cannot apply under these settings, each with its reason."""
    because: dict[str, str] = {}
    if not has_public_root(settings.tls):
        because["certificate-transparency"] = (
            "the certificates come from an authority of our own, which no public log accepts"
        )
    hsts = settings.hsts
    if hsts.max_age_s < YEAR_S or not hsts.include_subdomains:
        reach = "with" if hsts.include_subdomains else "without"
        because["hsts-long-lifetime"] = (
            f"the instruction is being introduced in steps: {lifetime(hsts.max_age_s, 'en')} so "
            f"far, {reach} subdomains"
        )
    if hsts.max_age_s < HSTS_LEAST_S:
        because["tls-grade-a-plus"] = (
            "the HTTPS-only instruction is being introduced in steps; the guide asks for 180 days"
        )
    if settings.csp.mode != "enforced":
        because["headers-grade-a"] = (
            "the page policy is not enforced yet, and the rules count an enforced one only"
        )
    if settings.csp.mode == "off":
        because["csp"] = "no Content-Security-Policy has been turned on for this application yet"
    return because
