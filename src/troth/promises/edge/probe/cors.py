"""The cross-origin attack: calls as a browser makes them for a page of another site."""

from typing import Any
from urllib.parse import urlsplit

from troth.adapters.vantage import Vantage
from troth.kernel.model import Observation
from troth.promises.edge.probe.answers import STRANGER
from troth.promises.edge.settings import EdgeSettings


def origins(vantage: Vantage, settings: EdgeSettings) -> Observation:
    """Preflight and simple calls from strangers, look-alikes and every listed origin."""
    site = vantage.site
    paths = dict.fromkeys((settings.probe.page, *settings.cors.paths))
    targets = [site.app + path for path in paths]
    tried = [(who, origin) for name in _named(site.app, settings) for who, origin in name]
    calls = [
        _call(vantage, url, who, origin, is_preflight=is_preflight)
        for url in (*targets, f"{site.troth}/api/v1/promises.json")
        for who, origin in tried
        for is_preflight in (True, False)
        if who != "listed" or url in targets
    ]
    return Observation(
        facts={
            "calls": calls,
            "page_status": vantage.fetch(site.app + settings.probe.page).status,
            "looked_at": len(calls),
        },
        public=frozenset({"looked_at"}),
    )


def _named(app: str, settings: EdgeSettings) -> tuple[list[tuple[str, str]], ...]:
    """Origins with who they are: strangers, and what only looks like us or like a listed one."""
    strangers = [("evil", f"https://{STRANGER}"), ("null", "null")]
    lookalikes = []
    for origin in (app, *settings.cors.origins):
        parts = urlsplit(origin)
        port = f":{parts.port}" if parts.port else ""
        lookalikes += [
            ("subdomain", f"https://sub.{parts.netloc}"),
            ("prefix", f"https://{parts.hostname}.{STRANGER}{port}"),
            ("suffix", f"https://stranger{parts.netloc}"),
            ("plain", f"http://{parts.netloc}"),
        ]
    listed = set(settings.cors.origins)
    return (
        strangers,
        [(who, origin) for who, origin in lookalikes if origin not in listed],
        [("listed", origin) for origin in settings.cors.origins],
    )


def _call(
    vantage: Vantage, url: str, who: str, origin: str, *, is_preflight: bool
) -> dict[str, Any]:
    headers = [("Origin", origin)]
    if is_preflight:
        headers += [("Access-Control-Request-Method", "POST")]
        headers += [("Access-Control-Request-Headers", "content-type")]
    answer = vantage.fetch(url, method="OPTIONS" if is_preflight else "GET", headers=headers)
    return {
        "who": who,
        "origin": origin,
        "preflight": is_preflight,
        "status": answer.status,
        "allow_origin": list(answer.all("access-control-allow-origin")),
        "allow_credentials": list(answer.all("access-control-allow-credentials")),
    }
