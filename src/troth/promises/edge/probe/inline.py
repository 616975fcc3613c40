"""Whether everything passes the guard: a marked request in each protocol, and the way around it."""

from typing import Any
from urllib.parse import urlsplit

from troth.adapters import http2, http3, inventory
from troth.adapters.vantage import Vantage, address_of
from troth.kernel.errors import Failure
from troth.kernel.model import Observation
from troth.kernel.request import MARKER
from troth.promises.edge.probe.answers import STRANGER
from troth.promises.edge.settings import EdgeSettings

NOWHERE = "/no-such-page-91ab"
# What a page of a stranger would send: the guard refuses it whatever else is set.
FORGED = (
    ("Origin", f"https://{STRANGER}"),
    ("Sec-Fetch-Site", "cross-site"),
    ("Cookie", "canary=1"),
)
_HANDSHAKE = (
    ("Connection", "Upgrade"),
    ("Upgrade", "websocket"),
    ("Sec-WebSocket-Version", "13"),
    ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),  # Source: RFC 6455, 1.3: the example
)


def protocols(vantage: Vantage, settings: EdgeSettings) -> Observation:
    """A forged request by each protocol and as a WebSocket handshake, each with its twin.

    By HTTP/3 where it is offered (`[edge] http3`): an attack is one by QUIC, too.
    """
    url = vantage.site.app + NOWHERE
    own = (("Origin", vantage.site.app), *FORGED[2:])
    tried = [
        {"protocol": "h1", **_by_h1(vantage, url, "POST", FORGED, own)},
        {"protocol": "h2", **_by_h2(vantage, own)},
        {
            "protocol": "ws",
            **_by_h1(vantage, url, "GET", (*FORGED, *_HANDSHAKE), (*own, *_HANDSHAKE)),
        },
    ]
    if settings.http3:
        tried.append({"protocol": "h3", **_by_h3(vantage, own)})
    return Observation(
        facts={
            "tried": tried,
            "origin": _origin(vantage.site.origin) if vantage.data is not None else None,
        },
        public=frozenset({"tried"}),
    )


def _by_h1(
    vantage: Vantage,
    url: str,
    method: str,
    forged: tuple[tuple[str, str], ...],
    own: tuple[tuple[str, str], ...],
) -> dict[str, Any]:
    bad = vantage.fetch(url, method=method, headers=forged, fresh=True)
    good = vantage.fetch(url, method=method, headers=own, fresh=True)
    mark = MARKER.decode()
    return {"refused": bool(bad.all(mark)), "passed": not good.all(mark), "status": good.status}


def _by_h2(vantage: Vantage, own: tuple[tuple[str, str], ...]) -> dict[str, Any]:
    host, port = address_of(vantage.site.app)
    mark = MARKER.decode()
    with http2.session(
        host, port, context=vantage.context(alpn=("h2",)), authority=f"{host}:{port}",
        source=vantage.source,
    ) as session:  # fmt: skip
        bad = session.ask(NOWHERE, method="POST", headers=_lower(FORGED))
        good = session.ask(NOWHERE, method="POST", headers=_lower(own))
    return {"refused": bool(bad.all(mark)), "passed": not good.all(mark), "status": good.status}


def _by_h3(vantage: Vantage, own: tuple[tuple[str, str], ...]) -> dict[str, Any]:
    host, port = address_of(vantage.site.app)
    mark = MARKER.decode()
    with http3.session(
        host, port, ca_file=vantage.site.ca_file, authority=f"{host}:{port}", source=vantage.source
    ) as session:
        bad = session.ask(NOWHERE, method="POST", headers=_lower(FORGED))
        good = session.ask(NOWHERE, method="POST", headers=_lower(own))
    return {"refused": bool(bad.all(mark)), "passed": not good.all(mark), "status": good.status}


def _lower(pairs: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    return tuple((name.lower(), value) for name, value in pairs)  # RFC 9113, 8.2.1


def _origin(written: str) -> dict[str, Any] | None:
    """Who else could reach the application; None when that cannot be seen from here."""
    try:
        if written.startswith("unix:"):
            is_open = inventory.is_open_to_others(written.removeprefix("unix:"))
            return {"kind": "socket", "is_open": is_open}
        parts = urlsplit(written)
        port = parts.port or {"http": 80, "https": 443}[parts.scheme]
        if not inventory.is_here(parts.hostname or ""):
            return None
        owners = [owner for owner in inventory.books().owners if owner.port == port]
    except (Failure, OSError):
        return None
    if not owners:
        return None
    return {"kind": "port", "is_open": not all(owner.is_loopback for owner in owners)}
