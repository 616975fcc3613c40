"""Promises kept by single header fields."""

from troth.kernel.model import Check, Kind, Method, Promise, Severity
from troth.promises.declaring import supports
from troth.promises.edge.promise.declare import AREA, check, everywhere, on_page, once


def _both(slug: str, judge: str, test: str) -> tuple[Check, ...]:
    """A look at one answer of each kind, and a scan of every page that can be reached."""
    name = judge.partition(":")[2]
    return (
        check(f"{slug}.answers", Method.LOOK, f"headers:{name}", judge, on_page(test)),
        check(f"{slug}.crawl", Method.SCAN, f"crawl:{name}", judge, everywhere(test)),
    )


def _and_browser(slug: str, judge: str, test: str, drill: str) -> tuple[Check, ...]:
    """As `_both`, and a daily drill in a real browser; a stranger sees what it is told to obey."""
    both = _both(slug, judge, test)
    name = f"browser:{drill}"
    return (*both, check(f"{slug}.browser", Method.DRILL, name, name, both[0].command))


HSTS = Promise(
    slug="hsts",
    area=AREA,
    kind=Kind.ENFORCED,
    severity=Severity.HIGH,
    controls=supports(
        soc2="CC6.7",
        iso27001="A.8.24 A.8.26",
        gdpr="32(1)(a)",
        other=("ASVS-5.0 V3.4.1", "RFC 6797"),
    ),
    checks=_both("hsts", "headers:hsts", once('strict-transport-security: *max-age="?[1-9]')),
)

HSTS_LONG_LIFETIME = Promise(
    slug="hsts-long-lifetime",
    area=AREA,
    kind=Kind.ENFORCED,
    severity=Severity.MEDIUM,
    rests_on=("hsts",),
    controls=supports(
        soc2="CC6.7",
        iso27001="A.8.24",
        gdpr="32(1)(a)",
        other=("ASVS-5.0 V3.4.1", "ASVS-5.0 V3.7.4", "RFC 6797"),
    ),
    checks=_both(
        "hsts-long-lifetime",
        "headers:hsts_long_lifetime",
        "grep -Ei '^strict-transport-security:.*includesubdomains' | grep -Eo '[0-9]{8,10}' "
        "| awk '$1 < 31536000 {bad = 1} END {exit bad || NR != 1}'",
    ),
)

SECURITY_HEADERS = Promise(
    slug="security-headers",
    area=AREA,
    kind=Kind.ENFORCED,
    severity=Severity.MEDIUM,
    rests_on=("content-type-nosniff", "clickjacking", "referrer-policy"),
    controls=supports(
        soc2="CC6.1 CC6.6",
        iso27001="A.8.26 A.8.9",
        gdpr="25 32(1)(b)",
        other=(
            "ASVS-5.0 V3.4.3",
            "ASVS-5.0 V3.4.4",
            "ASVS-5.0 V3.4.6",
            "ASVS-5.0 V3.4.8",
            "OWASP Secure Headers Project",
        ),
    ),
    checks=_both(
        "security-headers",
        "headers:security_headers",
        "grep -Eic '^(x-content-type-options: *nosniff|referrer-policy:|permissions-policy:"
        "|content-security-policy:.*frame-ancestors)' | grep -qx 4",
    ),
)

BROWSER_XSS_FILTER_HEADER = Promise(
    slug="browser-xss-filter-header",
    area=AREA,
    kind=Kind.ENFORCED,
    severity=Severity.LOW,
    rests_on=("csp",),
    controls=supports(
        soc2="CC6.6",
        iso27001="A.8.26",
        gdpr="32(1)(b)",
        other=("OWASP HTTP Headers cheat sheet",),
    ),
    checks=_both(
        "browser-xss-filter-header",
        "headers:browser_xss_filter",
        'awk \'tolower($1) == "x-xss-protection:" && $2 + 0 {bad = 1} '
        'tolower($1) == "content-security-policy:" {csp = 1} END {exit bad || !csp}\'',
    ),
)

REFERRER_POLICY = Promise(
    slug="referrer-policy",
    area=AREA,
    kind=Kind.ENFORCED,
    severity=Severity.MEDIUM,
    controls=supports(
        soc2="CC6.7",
        iso27001="A.8.12 A.8.26",
        gdpr="25 32(1)(b)",
        other=("ASVS-5.0 V3.4.5", "W3C Referrer Policy"),
    ),
    checks=_and_browser(
        "referrer-policy",
        "headers:referrer_policy",
        once("referrer-policy: *(no-referrer|same-origin|strict-origin(-when-cross-origin)?).?$"),
        "referrer",
    ),
)

CONTENT_TYPE_NOSNIFF = Promise(
    slug="content-type-nosniff",
    area=AREA,
    kind=Kind.ENFORCED,
    severity=Severity.MEDIUM,
    controls=supports(
        soc2="CC6.1 CC6.8",
        iso27001="A.8.26 A.8.7",
        gdpr="32(1)(b)",
        other=("ASVS-5.0 V3.4.4", "ASVS-5.0 V3.2.1", "ASVS-5.0 V5.3.1", "WHATWG Fetch"),
    ),
    checks=_and_browser(
        "content-type-nosniff",
        "content:nosniff",
        "grep -Eic '^(x-content-type-options: *nosniff|content-type: *[a-z]+/)' | grep -qx 2",
        "nosniff",
    ),
)

CLICKJACKING = Promise(
    slug="clickjacking",
    area=AREA,
    kind=Kind.ENFORCED,
    severity=Severity.MEDIUM,
    controls=supports(
        soc2="CC6.6",
        iso27001="A.8.26",
        gdpr="32(1)(b)",
        other=("ASVS-5.0 V3.4.6", "W3C CSP3 frame-ancestors"),
    ),
    checks=_and_browser(
        "clickjacking",
        "content:clickjacking",
        "grep -Eic \"^(content-security-policy:.*frame-ancestors '(none|self)'"
        '|x-frame-options: *(deny|sameorigin))" | grep -qx 2',
        "clickjacking",
    ),
)

CSP = Promise(
    slug="csp",
    area=AREA,
    kind=Kind.ENFORCED,
    severity=Severity.HIGH,
    controls=supports(
        soc2="CC6.1 CC6.6",
        iso27001="A.8.26 A.8.28",
        gdpr="25 32(1)(b)",
        other=("ASVS-5.0 V3.4.3", "ASVS-5.0 V3.4.7", "PCI-4.0.1 6.4.3", "W3C CSP3"),
    ),
    checks=_and_browser(
        "csp",
        "content:csp",
        "grep -Ei '^content-security-policy:' "
        "| grep -E \"(script|default)-src ('none'|.*'(nonce|sha[0-9]+)-)\" "
        '| grep -Fv "\'unsafe-" | grep -Fq "base-uri \'none\'"',
        "csp",
    ),
)
