"""Looks at and attacks the guard from outside, as a foreign page in a visitor's browser would.

Each attempt is followed by what must pass: a refusal says something only where the same request
from our own pages is let through. Nothing is written anywhere: the page asked for does not exist.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from troth.adapters.vantage import Vantage
from troth.kernel.model import Observation
from troth.kernel.request import MARKER
from troth.promises.guard.rules import SLUG
from troth.promises.guard.settings import GuardSettings

STRANGER = "stranger.example"  # Source: RFC 2606: nobody's
NOWHERE = "/no-such-page-7b2e"
FORBIDDEN = 403
CHANGING = ("POST", "PUT", "PATCH", "DELETE")
PUBLIC = frozenset({"asked", "refused", "controls", "exempt"})
_COOKIE = ("Cookie", "canary=1")
_HANDSHAKE = (
    ("Connection", "Upgrade"),
    ("Upgrade", "websocket"),
    ("Sec-WebSocket-Version", "13"),
    ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),  # Source: RFC 6455, 1.3: the example
)

Fields = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One request.

    Args:
        name: of the case, for the facts.
        url: where it goes.
        method: how.
        headers: besides the usual ones.
        kind: the method, or `websocket`.
        host: `app` or `troth`.
    """

    name: str
    url: str
    method: str
    headers: Fields
    kind: str
    host: str


def origin_look(vantage: Vantage, settings: GuardSettings) -> Observation:
    """One forged POST, and the same from our own page."""
    own = vantage.site.app
    url = own + NOWHERE
    forged = _case("foreign", url, "POST", _from(f"https://{STRANGER}", "cross-site"))
    control = _case("own", url, "POST", _from(own, "same-origin"))
    return _observed(vantage, settings, [forged], [control])


def origin_attack(vantage: Vantage, settings: GuardSettings) -> Observation:
    """Every method with every forged origin, handshakes, both hosts; and what must pass."""
    site, named = vantage.site, settings.origin.origins
    attempts = [*_on_app(site.app, named), *_on_troth(site.troth, site.app)]
    return _observed(vantage, settings, attempts, list(_controls(site.app, site.troth)))


def _on_app(own: str, named: Iterable[str]) -> Iterator[Case]:
    url, foreign = own + NOWHERE, f"https://{STRANGER}"
    for method in CHANGING:
        yield _case("foreign, cross-site", url, method, _from(foreign, "cross-site"))
        yield _case("foreign", url, method, _from(foreign))
        yield _case("null, cross-site", url, method, _from("null", "cross-site"))
        yield _case("null", url, method, _from("null"))
        yield _case("missing, cross-site", url, method, _from("", "cross-site"))
        yield _case("missing", url, method, _from(""))
    for name, origin in lookalikes(own):
        if origin not in named:
            yield _case(name, url, "POST", _from(origin))
            yield _case(f"{name}, same-site", url, "POST", _from(origin, "same-site"))
    yield _case("foreign, same-origin", url, "POST", _from(foreign, "same-origin"))
    yield _case("twice", url, "POST", (("Origin", own), *_from(foreign)))
    yield _handshake("foreign", url, _from(foreign))
    yield _handshake("null", url, _from("null"))


def _on_troth(own: str, app: str) -> Iterator[Case]:
    """The application's own pages are strangers to Troth's host."""
    url = f"{own}/account/"
    for name, origin in (
        ("foreign", f"https://{STRANGER}"),
        ("application", app),
        ("null", "null"),
    ):
        yield _case(name, url, "POST", _from(origin), host="troth")
    yield _case("missing", url, "POST", _from(""), host="troth")


def _controls(app: str, troth: str) -> Iterator[Case]:
    url = app + NOWHERE
    for method in CHANGING:
        yield _case("own, same-origin", url, method, _from(app, "same-origin"))
    yield _case("own", url, "POST", _from(app))
    yield _case("nothing to forge", url, "POST", ())
    yield _case("link from elsewhere", url, "GET", (("Sec-Fetch-Site", "cross-site"), _COOKIE))
    yield _handshake("own", url, _from(app))
    yield _case("own", f"{troth}/account/", "POST", _from(troth, "same-origin"), host="troth")


def lookalikes(own: str) -> tuple[tuple[str, str], ...]:
    """Origins that a careless comparison takes for `own`."""
    parts = urlsplit(own)
    host = parts.hostname or ""
    port = f":{parts.port}" if parts.port else ""
    return (
        ("longer", f"{own}.{STRANGER}"),
        ("prefixed", f"https://x{host}{port}"),
        ("sister", f"https://sister.{host}{port}"),
        ("other scheme", f"{'https' if parts.scheme == 'http' else 'http'}://{host}{port}"),
        ("other port", f"https://{host}:{(parts.port or 443) + 1}"),
        ("user", f"{own}@{STRANGER}"),
        ("path", f"https://{STRANGER}/{own}"),
        ("list", f"https://{STRANGER} {own}"),
    )


def _from(origin: str, site: str = "") -> Fields:
    """What a browser with a cookie sends when a page of that origin asks."""
    origins = (("Origin", origin),) if origin else ()
    sites = (("Sec-Fetch-Site", site),) if site else ()
    return (*origins, *sites, _COOKIE)


def _case(name: str, url: str, method: str, headers: Fields, *, host: str = "app") -> Case:
    return Case(name=name, url=url, method=method, headers=headers, kind=method, host=host)


def _handshake(name: str, url: str, headers: Fields) -> Case:
    return Case(
        name=name,
        url=url,
        method="GET",
        headers=(*headers, *_HANDSHAKE),
        kind="websocket",
        host="app",
    )


def _observed(
    vantage: Vantage, settings: GuardSettings, attempts: list[Case], controls: list[Case]
) -> Observation:
    tried = [_asked(vantage, case) for case in attempts]
    passed = [_asked(vantage, case) for case in controls]
    return Observation(
        facts={
            "asked": len(tried),
            "refused": sum(one["by_guard"] for one in tried),
            "controls": len(passed),
            "exempt": list(settings.origin.exempt),
            "tried": tried,
            "passed": passed,
        },
        public=PUBLIC,
    )


def _asked(vantage: Vantage, case: Case) -> dict[str, Any]:
    answer = vantage.fetch(case.url, method=case.method, headers=case.headers, fresh=True)
    marks = [value for name, value in answer.headers if name.lower() == MARKER.decode()]
    return {
        "case": case.name,
        "kind": case.kind,
        "host": case.host,
        "status": answer.status,
        "by_guard": bool(marks),
        "by_us": answer.status == FORBIDDEN and marks == [SLUG],
    }
