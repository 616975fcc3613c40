"""The MDN HTTP Observatory's score of one answer.

Source: MDN HTTP Observatory, algorithm version 4 (its published score table, 2026): ten tests, 100
points to begin with, bonuses only from 90 points without them. Where an answer carries several
policies the strictest one counts, which is never more than the browser's intersection of all.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from troth.promises.edge.rules.cookies import Cookie, parse_cookie
from troth.promises.edge.rules.csp import Policy, parse_csp
from troth.promises.edge.rules.hsts import parse_hsts

VERSION = "MDN HTTP Observatory v4"
BONUS_FROM = 90
A_FROM = 90
HEADERS = (
    "content-security-policy",
    "content-security-policy-report-only",
    "content-type",
    "cross-origin-resource-policy",
    "referrer-policy",
    "set-cookie",
    "strict-transport-security",
    "x-content-type-options",
    "x-frame-options",
)
_GRADES = (
    *((100, "A+"), (90, "A"), (85, "A-"), (80, "B+"), (70, "B"), (65, "B-"), (60, "C+")),
    *((50, "C"), (45, "C-"), (40, "D+"), (30, "D"), (25, "D-"), (0, "F")),
)
_HALF_A_YEAR_S = 15_552_000
_HTML = ("text/html", "application/xhtml+xml")
_BROAD = frozenset("ftp: http: https: * http://* http://*.* https://* https://*.*".split())
_UNSAFE = _BROAD | {"'unsafe-inline'", "data:"}
_NONCE_OR_HASH = ("'sha256-", "'sha384-", "'sha512-", "'nonce-")
_PRIVATE = "no-referrer same-origin strict-origin strict-origin-when-cross-origin".split()
_LEAKY = "origin origin-when-cross-origin unsafe-url no-referrer-when-downgrade".split()

Result = tuple[int, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What is scored.

    Args:
        url: of the answer.
        headers: every value of each of `HEADERS`; cookies with their values blanked.
        is_verified: whether the certificate was trusted.
        redirects: where the same address over plain HTTP leads, hop by hop and starting with
            itself; empty when there is no plain HTTP.
        allow_origin: Access-Control-Allow-Origin of a preflight from a foreign origin; or empty.
        allow_credentials: its Access-Control-Allow-Credentials.
        origin: the foreign origin that asked.
        scripts: `src` and `integrity` of each script element; both empty for an inline one.
    """

    url: str
    headers: Mapping[str, Sequence[str]]
    is_verified: bool
    redirects: tuple[str, ...]
    allow_origin: str
    allow_credentials: str
    origin: str
    scripts: tuple[tuple[str, str], ...]

    def first(self, name: str) -> str:
        """The first value of a header, trimmed and in lower case; empty when it is absent."""
        values = self.headers[name]
        return values[0].strip().lower() if values else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """The grade, the points (0 to 145), and each test's points with its finding."""

    grade: str
    score: int
    tests: Mapping[str, Result]


def score(page: Page) -> Score:
    """The Observatory's score of this answer."""
    tests = {name: test(page) for name, test in _TESTS.items()}
    points = [points for points, _ in tests.values()]
    plain = 100 + sum(min(0, each) for each in points)
    total = max(0, 100 + sum(points) if plain >= BONUS_FROM else plain)
    grade = next(grade for least, grade in _GRADES if total >= least)
    return Score(grade=grade, score=total, tests=tests)


def _csp(page: Page) -> Result:
    policies = parse_csp(page.headers["content-security-policy"])
    if not policies:
        trial = page.headers["content-security-policy-report-only"]
        return -25, "only on trial" if trial else "none"
    return max(map(_policy, policies))


def _policy(policy: Policy) -> Result:
    lower = {name: tuple(map(str.lower, sources)) for name, sources in policy.items()}
    scripts = _effective(lower, "script-src")
    styles = _effective(lower, "style-src")
    objects = _effective(lower, "object-src")
    others = [s for name, many in lower.items() if name not in _NOT_ACTIVE for s in many]
    passive = [s for name in ("img-src", "media-src") for s in _effective(lower, name, ())]
    insecure = ("http:", "ftp:")
    found = (
        ("'strict-dynamic'" in scripts and not _names_scripts(scripts), (-25, "invalid")),
        (bool(scripts & _UNSAFE or objects & _BROAD), (-20, "unsafe or broad sources")),
        (
            any(s.startswith(insecure) for s in (*others, *scripts)),
            (-20, "sources over plain HTTP"),
        ),
        ("'unsafe-eval'" in scripts | styles, (-10, "eval")),
        (any(s.startswith(insecure) for s in passive), (-10, "images over plain HTTP")),
        (bool(styles & _UNSAFE), (0, "unsafe or broad sources of styles")),
        (lower.get("default-src") == ("'none'",), (10, "nothing but what is named")),
    )
    return next((result for holds, result in found if holds), (5, "nothing unsafe"))


_NOT_ACTIVE = ("img-src", "media-src", "script-src")


def _names_scripts(sources: Iterable[str]) -> bool:
    return any(source.startswith(_NONCE_OR_HASH) for source in sources)


def _effective(policy: Policy, name: str, otherwise: tuple[str, ...] = ("*",)) -> frozenset[str]:
    """The sources of a directive or of default-src, without those that a nonce makes void."""
    found = frozenset(policy.get(name, policy.get("default-src", otherwise)))
    if _names_scripts(found):
        found -= {"'unsafe-inline'"}
        if name == "script-src" and "'strict-dynamic'" in found:
            found = frozenset(s for s in found if not s.startswith(tuple(_BROAD)) and s != "'self'")
    return found


def _cookies(page: Page) -> Result:
    parsed = [parse_cookie(value) for value in page.headers["set-cookie"]]
    cookies = [cookie for cookie in parsed if cookie is not None]
    if not cookies:
        return 0, "none"
    has_hsts = _hsts(page)[0] >= 0
    return min((_cookie(cookie, has_hsts=has_hsts) for cookie in cookies), key=lambda r: r[0])


def _cookie(cookie: Cookie, *, has_hsts: bool) -> Result:
    name = cookie.name.lower()
    is_session = "login" in name or "sess" in name
    is_secure = "secure" in cookie.attributes
    site = cookie.attributes.get("samesite")
    strange = site is not None and site.lower() not in {"lax", "strict", "none"}
    bare = site is not None and site.lower() == "none" and not is_secure
    found = (
        (is_session and not is_secure and not has_hsts, (-40, "a session without Secure")),
        (is_session and "httponly" not in cookie.attributes, (-30, "a session without HttpOnly")),
        (strange, (-20, "an invalid SameSite")),
        (bare, (-20, "SameSite=None without Secure")),
        ("csrf" in name and not site, (-20, "a token against forgery without SameSite")),
        (not is_secure and not has_hsts, (-20, "without Secure")),
        (not is_secure, (-10 if is_session else -5, "without Secure, but with HSTS")),
        (not site, (0, "without SameSite")),
    )
    return next((result for holds, result in found if holds), (5, "Secure and SameSite"))


def _cors(page: Page) -> Result:
    allowed = page.allow_origin.strip().lower()
    may_send = page.allow_credentials.strip().lower() == "true"
    if allowed and allowed == page.origin.lower() and may_send:
        return -50, "any origin, with credentials"
    return 0, "public" if allowed == "*" else "named origins" if allowed else "none"


def _redirection(page: Page) -> Result:
    if not page.redirects:
        return 0, "no plain HTTP"
    if not page.is_verified:
        return -20, "to a certificate that is not trusted"
    hops = [urlsplit(url) for url in page.redirects]
    if len(hops) == 1 or hops[-1].scheme != "https":
        return -20, "none to HTTPS"
    if hops[1].scheme != "https":
        return -10, "over another plain address"
    if hops[1].hostname != hops[0].hostname:
        return -5, "to another host"
    return 0, "to HTTPS on the same host"


def _referrer(page: Page) -> Result:
    values = page.headers["referrer-policy"]
    if not values:
        return 0, "none"
    tokens = [token.strip().lower() for value in values for token in value.split(",")]
    known = [token for token in tokens if token in _PRIVATE or token in _LEAKY]
    return (5, "private") if known and known[-1] in _PRIVATE else (-5, "leaky or invalid")


def _hsts(page: Page) -> Result:
    if not page.is_verified:
        return -20, "a certificate that is not trusted"
    values = page.headers["strict-transport-security"]
    parsed = parse_hsts(values[0]) if values else None
    if parsed is None:
        return -20, "none or invalid"
    return (0, "six months or more") if parsed[0] >= _HALF_A_YEAR_S else (-10, "under six months")


def _integrity(page: Page) -> Result:
    if page.first("content-type").split(";")[0] not in _HTML:
        return 0, "not a page"
    if not page.scripts:
        return 0, "no scripts"
    # The scorer compares registrable domains; we compare hosts, which is never more lenient.
    host = urlsplit(page.url).hostname
    foreign = []
    is_protected = False
    for src, integrity in page.scripts:
        parts = urlsplit(src)
        if src and not parts.netloc:
            is_protected = is_protected or bool(integrity)
        elif src.startswith("//") or (src and parts.hostname != host):
            foreign.append((parts.scheme == "https", bool(integrity)))
    if any(not is_https and not has for is_https, has in foreign):
        return -50, "foreign scripts over plain HTTP without integrity"
    if any(not is_https for is_https, _ in foreign):
        return -20, "foreign scripts over plain HTTP"
    if any(not has for _, has in foreign):
        return -5, "foreign scripts without integrity"
    return (5, "with integrity") if foreign or is_protected else (0, "own scripts only")


def _types(page: Page) -> Result:
    return (0, "nosniff") if page.first("x-content-type-options") == "nosniff" else (-5, "none")


def _frames(page: Page) -> Result:
    policies = parse_csp(page.headers["content-security-policy"])
    if any(policy.get("frame-ancestors") for policy in policies):
        return 5, "by frame-ancestors"
    options = page.first("x-frame-options")
    if options in {"deny", "sameorigin"} or options.startswith("allow-from"):
        return 0, "by X-Frame-Options"
    return -20, "none or invalid"


def _resources(page: Page) -> Result:
    value = page.first("cross-origin-resource-policy")
    if value in {"same-origin", "same-site"}:
        return 10, value
    return (0, value or "none") if value in {"", "cross-origin"} else (-5, "invalid")


_TESTS: Mapping[str, Callable[[Page], Result]] = {
    "csp": _csp,
    "cookies": _cookies,
    "cors": _cors,
    "redirect": _redirection,
    "referrer": _referrer,
    "hsts": _hsts,
    "sri": _integrity,
    "types": _types,
    "frames": _frames,
    "corp": _resources,
}
