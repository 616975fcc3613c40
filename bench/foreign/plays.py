"""What every application is asked besides its own play."""

import json
import time

from ground import Ground, Tried


def forged_post_is_refused(place: Ground, tried: Tried, path: str) -> None:
    """A foreign page's POST is refused at the edge, and the same from our own page is not."""

    def status(origin: str, site: str) -> str:
        return place.curl(
            *("-o", "/dev/null", "-w", "%{http_code} %header{troth-refused}", "-X", "POST"),
            *("-H", f"Origin: {origin}", "-H", f"Sec-Fetch-Site: {site}", "-b", "canary=1"),
            f"{place.url}{path}",
        )

    refused, own = (
        status("https://stranger.example", "cross-site"),
        status(place.url, "same-origin"),
    )
    tried.check("a forged POST is refused", refused == "403 origin-check", refused)
    tried.check("the same from its own page reaches it", "origin-check" not in own, own)


def headers_are_there(place: Ground, tried: Tried, *paths: str) -> None:
    """The application's header set on pages, errors and assets, nothing that names software."""
    for path in paths:
        said = place.curl("-o", "/dev/null", "-D", "-", f"{place.url}{path}").lower()
        missing = [
            name
            for name in (
                "strict-transport-security: max-age=300",
                "x-content-type-options: nosniff",
                "x-frame-options: sameorigin",
                "referrer-policy:",
                "permissions-policy:",
            )
            if name not in said
        ]
        leaks = [name for name in ("\nserver:", "\nx-powered-by:") if name in said]
        tried.check(f"headers on {path}", not missing and not leaks, (missing, leaks))


def http_leads_to_https(place: Ground, tried: Tried, path: str = "/") -> None:
    """Plain HTTP redirects to the same path on TLS."""
    said = place.curl(
        *("-o", "/dev/null", "-w", "%{http_code} %{redirect_url}"),
        *("--resolve", f"{place.host}:{place.http_port}:127.0.0.1"),
        f"http://{place.host}:{place.http_port}{path}",
    )
    tried.check("plain HTTP leads to HTTPS", said == f"301 {place.url}{path}", said)


def reports_are_learnt(place: Ground, tried: Tried) -> None:
    """What the report-only policy would have stopped has arrived and is kept."""
    path = place.data / "spool" / "csp.json"
    end = time.monotonic() + 20
    while not path.exists() and time.monotonic() < end:
        time.sleep(0.2)
    seen = json.loads(path.read_text()) if path.exists() else []
    told = sorted({f"{one['directive']} {one['source']}" for one in seen})
    tried.check("policy reports arrive and are learnt", seen, told)
    if told:
        print(f"       learnt: {', '.join(told)}")
