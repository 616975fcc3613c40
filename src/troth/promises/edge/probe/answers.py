"""One answer of each kind, shared by all looks of a round (`vantage.fetch` remembers)."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

from troth.adapters.http import Response
from troth.adapters.vantage import Vantage
from troth.kernel.errors import Failure
from troth.kernel.model import Observation
from troth.promises.edge.probe.links import links
from troth.promises.edge.settings import EdgeSettings

# Reserved names (RFC 2606): a host and a page that nobody has.
STRANGER = "stranger.example"
NOWHERE = "/no-such-page-4f1c"
# What a browser sends when a foreign page posts here: the guard must refuse it.
_FORGED = (
    ("Origin", f"https://{STRANGER}"),
    ("Sec-Fetch-Site", "cross-site"),
    ("Sec-Fetch-Mode", "no-cors"),
    ("Sec-Fetch-Dest", "empty"),
)

Kind = tuple[str, Response]


def looked(vantage: Vantage, settings: EdgeSettings) -> list[Kind]:
    """One HTTPS answer of each kind (`judge/facts.py:KINDS`), and some that not every site has.

    Raises:
        Failure, TimeoutError: an answer that every site has did not come.
    """
    site, page = vantage.site, settings.probe.page
    home = vantage.fetch(site.app + page)
    found = [
        ("page", home),
        ("missing", vantage.fetch(site.app + NOWHERE)),
        ("refused", vantage.fetch(site.app + page, method="POST", headers=_FORGED, once=True)),
        ("edge", vantage.fetch(f"{site.app}/", headers=(("Host", STRANGER),))),
        ("trust", vantage.fetch(site.trust)),
        ("trust-missing", vantage.fetch(site.troth + NOWHERE)),
    ]
    assets = [url for url in links(home.text, site.app + page) if _is_asset(url)]
    found += [("asset", vantage.fetch(url)) for url in assets[:1]]
    return [*found, *_if_up(vantage, "status", f"{site.status}/")]


def plain(vantage: Vantage) -> list[Kind]:
    """What both hosts answer over plain HTTP."""
    return [
        ("plain", vantage.fetch(url)) for url in (f"{vantage.site.http}/", plain_troth(vantage))
    ]


def plain_troth(vantage: Vantage) -> str:
    """Troth's own host over plain HTTP: on the port that the application has there."""
    port = urlsplit(vantage.site.http).port
    host = urlsplit(vantage.site.troth).hostname
    return f"http://{host}:{port}/" if port else f"http://{host}/"


def _is_asset(url: str) -> bool:
    return urlsplit(url).path.endswith((".css", ".js", ".svg", ".png", ".ico", ".woff2"))


def _if_up(vantage: Vantage, kind: str, url: str) -> Iterator[Kind]:
    """The status host has a life of its own: whether it is up is another promise's affair."""
    try:
        yield kind, vantage.fetch(url)
    except (Failure, TimeoutError):
        return


def told(seen: Iterable[Kind], names: Sequence[str]) -> list[dict[str, Any]]:
    """The answers as facts: kind, status and the values of the headers asked for."""
    return [
        {
            "kind": kind,
            "status": answer.status,
            "has_body": bool(answer.body),
            "headers": {name: list(answer.all(name)) for name in names},
        }
        for kind, answer in seen
    ]


def observed(seen: Sequence[Kind], names: Sequence[str], plain: Sequence[Kind] = ()) -> Observation:
    """The observation of a header probe. Public: how many were seen, what the page serves."""
    served = {name: list(answer.all(name)) for _, answer in seen[:1] for name in names}
    return Observation(
        facts={
            "answers": told(seen, names),
            "plain": told(plain, names),
            "looked_at": len(seen) + len(plain),
            "served": served,
        },
        public=frozenset({"looked_at", "served"}),
    )
