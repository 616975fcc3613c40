"""What the grades are computed from: handshakes and certificates, and answers of every kind."""

from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlsplit

from troth.adapters.http import Response
from troth.adapters.vantage import Vantage, address_of
from troth.engines.sslyze.scan import Scanned, locate, scan
from troth.kernel.errors import Failure
from troth.kernel.model import Observation
from troth.promises.edge.probe.answers import STRANGER, looked, plain_troth
from troth.promises.edge.probe.attacks import attacked
from troth.promises.edge.probe.certificate import chain
from troth.promises.edge.probe.tls import offer, published
from troth.promises.edge.rules.observatory import HEADERS
from troth.promises.edge.rules.suites import BY_NAME
from troth.promises.edge.settings import EdgeSettings

HSTS = "strict-transport-security"
ORIGIN = f"https://{STRANGER}"
LANGUAGES = ("", "it/", "de/", "fr/")
MOST_REDIRECTS = 5
MOST_SCRIPTS = 100


def tls(vantage: Vantage, settings: EdgeSettings) -> Observation:
    """Offer, certificate and HSTS of every published host, by handshakes of our own."""
    hosts = [
        {**served(vantage, settings, name, url), "offer": offer(vantage, url)}
        for name, url in published(vantage)
    ]
    return _rated(vantage, hosts)


def tls_scanned(vantage: Vantage, settings: EdgeSettings) -> Observation:
    """The same by sslyze, with the attacks that were tried.

    Raises:
        ScanError: there is no sslyze here.
    """
    python = locate(settings.probe.sslyze)
    hosts = []
    for name, url in published(vantage):
        scanned = scan(python, *address_of(url))
        tried = attacked(vantage, name, url, scanned)["tried"]
        told = {**served(vantage, settings, name, url), "offer": _offer(scanned), "tried": tried}
        hosts.append(told)
    return _rated(vantage, hosts)


def served(vantage: Vantage, settings: EdgeSettings, name: str, url: str) -> dict[str, Any]:
    """Certificate and HSTS of one published host."""
    page = {"app": settings.probe.page, "troth": "/trust/"}.get(name, "/")
    try:
        hsts = list(vantage.fetch(url + page).all(HSTS))
    except Failure:  # a certificate that is not trusted, which the rating says by itself
        hsts = []
    return {"host": name, "certificate": chain(vantage, name, url), "hsts": hsts}


def _offer(scanned: Scanned) -> dict[str, Any]:
    """The scanner's findings in the shape of ours; suites that we have no name for are left out."""
    suites = {
        version: sorted(
            name.removeprefix("TLS_")
            for name in scanned.suites[version]
            if name.removeprefix("TLS_") in BY_NAME
        )
        for version in scanned.accepts
    }
    return {
        "suites": suites,
        "groups": [f"DH {scanned.dh_bits}"] if scanned.dh_bits else [],
        "renegotiates_securely": scanned.renegotiates_securely,
        "compresses": scanned.tried.get("CRIME", False),
    }


def _rated(vantage: Vantage, hosts: list[dict[str, Any]]) -> Observation:
    return Observation(
        facts={
            "hosts": hosts,
            "authority": "declared" if vantage.site.ca_file else "public",
            "looked_at": len(hosts),
        },
        public=frozenset({"looked_at", "authority"}),
    )


def headers(vantage: Vantage, settings: EdgeSettings) -> Observation:
    """Every kind of answer with all that the Observatory scores, and our pages in each language."""
    site = vantage.site
    seen = [
        (kind, _address(vantage, kind, settings), found)
        for kind, found in _kinds(vantage, settings)
    ]
    seen += [
        ("trust", site.trust + language, vantage.fetch(site.trust + language))
        for language in LANGUAGES[1:]
    ]
    around = {url: around_host(vantage, url) for url in (site.app, site.troth, site.status)}
    answers = [
        {
            **answered(kind, url, answer),
            **around["{0.scheme}://{0.netloc}".format(urlsplit(url))],
        }
        for kind, url, answer in seen
    ]
    return Observation(
        facts={"answers": answers, "looked_at": len(answers)}, public=frozenset({"looked_at"})
    )


def answered(kind: str, url: str, answer: Response) -> dict[str, Any]:
    """What the Observatory scores of one answer, but for what belongs to its whole host."""
    return {
        "kind": kind,
        "url": url,
        "status": answer.status,
        "headers": {name: _values(answer, name) for name in HEADERS},
        "is_verified": answer.certificate_der is not None,
        "scripts": _scripts(answer),
    }


def _kinds(vantage: Vantage, settings: EdgeSettings) -> list[tuple[str, Response]]:
    found = looked(vantage, settings)
    if settings.probe.broken:
        found.append(("broken", vantage.fetch(vantage.site.app + settings.probe.broken)))
    return found


def _address(vantage: Vantage, kind: str, settings: EdgeSettings) -> str:
    """The page that an answer of this kind was asked of; its host is what matters."""
    site = vantage.site
    if kind.startswith("trust"):
        return site.trust
    return f"{site.status}/" if kind == "status" else site.app + settings.probe.page


def around_host(vantage: Vantage, origin: str) -> dict[str, Any]:
    """What belongs to a host: where its plain HTTP leads, and what it allows a foreign origin."""
    site = vantage.site
    plain = {site.app: f"{site.http}/", site.troth: plain_troth(vantage)}.get(origin, "")
    try:
        asked = vantage.fetch(
            f"{origin}/",
            method="OPTIONS",
            headers=(("Origin", ORIGIN), ("Access-Control-Request-Method", "GET")),
            once=True,
        )
        allowed = (
            asked.all("access-control-allow-origin"),
            asked.all("access-control-allow-credentials"),
        )
    except (Failure, TimeoutError):
        if origin != site.status:
            raise
        allowed = ((), ())
    return {
        "origin": ORIGIN,
        "allow_origin": ", ".join(allowed[0]),
        "allow_credentials": ", ".join(allowed[1]),
        "redirects": _redirects(vantage, plain) if plain else [],
    }


def _redirects(vantage: Vantage, url: str) -> list[str]:
    """The addresses that this one leads to, itself first; the hop to HTTPS is not followed on."""
    hops = [url]
    while len(hops) <= MOST_REDIRECTS and hops[-1].startswith("http:"):
        location = vantage.fetch(hops[-1]).one("location")
        if not location or not location.startswith(("http:", "https:")):
            break
        hops.append(location)
    return hops


def _values(answer: Response, name: str) -> list[str]:
    """The values of a header; those of cookies are blanked."""
    if name != "set-cookie":
        return list(answer.all(name))
    return [_blank(value) for value in answer.all(name)]


def _blank(field: str) -> str:
    pair, semicolon, rest = field.partition(";")
    return f"{pair.partition('=')[0]}={semicolon}{rest}"


def _scripts(answer: Response) -> list[list[str]]:
    """`src` and `integrity` of the page's script elements."""
    if "html" not in (answer.one("content-type") or ""):
        return []
    finder = _ScriptFinder()
    finder.feed(answer.text)
    return finder.found[:MOST_SCRIPTS]


class _ScriptFinder(HTMLParser):
    """Gathers script elements."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[list[str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Called by the parser for each tag that opens."""
        if tag == "script":
            given = dict(attrs)
            self.found.append([given.get("src") or "", given.get("integrity") or ""])
