"""Scans of the same header fields on every page that links lead to, assets and errors included."""

from collections import deque
from urllib.parse import urlsplit

from troth.adapters.vantage import Vantage
from troth.kernel.errors import Failure
from troth.kernel.model import Observation
from troth.promises.edge.probe import headers
from troth.promises.edge.probe.answers import Kind, looked, observed, plain
from troth.promises.edge.probe.links import links
from troth.promises.edge.settings import EdgeSettings

MOST_PAGES = 40


def crawled(vantage: Vantage, settings: EdgeSettings) -> list[Kind]:
    """Every kind of `looked`, what the application's links lead to, and its own error page.

    Nobody logs in; each path is asked once whatever its query; streams are left alone. A page
    that does not answer is left out: whether it answers is not asked here.

    Raises:
        Failure, TimeoutError: as `looked`.
    """
    site, page = vantage.site, settings.probe.page
    found = looked(vantage, settings)
    start = site.app + page
    waiting, asked = deque([start]), {urlsplit(start).path}
    while waiting:
        url = waiting.popleft()
        try:
            answer = vantage.fetch(url)
        except (Failure, TimeoutError):
            continue
        if url != start:
            found.append(("crawled", answer))
        if not (answer.one("content-type") or "").startswith("text/html"):
            continue
        for link in links(answer.text, url):
            path = urlsplit(link).path
            if path in asked or path.startswith(settings.stream_paths or ("\0",)):
                continue
            if len(asked) < MOST_PAGES:
                asked.add(path)
                waiting.append(link)
    if settings.probe.broken:
        found.append(("broken", vantage.fetch(site.app + settings.probe.broken)))
    return found


def hsts(vantage: Vantage, settings: EdgeSettings) -> Observation:
    """Strict-Transport-Security on every answer, and on what plain HTTP answers."""
    return observed(crawled(vantage, settings), headers.HSTS, plain(vantage))


def hsts_long_lifetime(vantage: Vantage, settings: EdgeSettings) -> Observation:
    """The same field, for how long it holds."""
    return observed(crawled(vantage, settings), headers.HSTS)


def security_headers(vantage: Vantage, settings: EdgeSettings) -> Observation:
    """Every protective header."""
    return observed(crawled(vantage, settings), headers.PROTECTIVE)


def browser_xss_filter(vantage: Vantage, settings: EdgeSettings) -> Observation:
    """X-XSS-Protection, and the policy that replaced it."""
    return observed(crawled(vantage, settings), headers.XSS_FILTER)


def referrer_policy(vantage: Vantage, settings: EdgeSettings) -> Observation:
    """Referrer-Policy."""
    return observed(crawled(vantage, settings), headers.REFERRER)


def nosniff(vantage: Vantage, settings: EdgeSettings) -> Observation:
    """X-Content-Type-Options and Content-Type."""
    return observed(crawled(vantage, settings), headers.TYPES)


def clickjacking(vantage: Vantage, settings: EdgeSettings) -> Observation:
    """frame-ancestors and X-Frame-Options."""
    return observed(crawled(vantage, settings), headers.FRAMES)


def csp(vantage: Vantage, settings: EdgeSettings) -> Observation:
    """Content-Security-Policy, enforced and on trial."""
    return observed(crawled(vantage, settings), headers.CSP)
