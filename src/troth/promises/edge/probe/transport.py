"""Looks and attacks on the way to the first encrypted byte."""

import contextlib
import hashlib
from typing import Any
from urllib.parse import urlsplit

from troth.adapters.http import Response
from troth.adapters.tcp import TcpError
from troth.adapters.tls import TlsError
from troth.adapters.vantage import Vantage, address_of
from troth.kernel.errors import Failure
from troth.kernel.model import Observation
from troth.promises.edge.probe.answers import STRANGER, plain_troth
from troth.promises.edge.settings import EdgeSettings

ANY = "/any?x=1"
METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS")
# Source: RFC 9113, 3.4: the client's preface, then an empty SETTINGS frame (4.1).
_H2_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes((0, 0, 0, 4, 0, 0, 0, 0, 0))
_QUIET_S = 2.0
_ENOUGH_BYTES = 16


def redirect(vantage: Vantage, settings: EdgeSettings) -> Observation:
    """GET over plain HTTP, on each host of ours and on one that is not."""
    return _redirects(vantage, settings, ("GET",))


def redirect_matrix(vantage: Vantage, settings: EdgeSettings) -> Observation:
    """Every method over plain HTTP, on each host of ours and on one that is not."""
    return _redirects(vantage, settings, METHODS)


def _redirects(vantage: Vantage, settings: EdgeSettings, methods: tuple[str, ...]) -> Observation:
    site = vantage.site
    pairs = [(site.http, site.app), (plain_troth(vantage).rstrip("/"), site.troth)]
    paths = (ANY, settings.probe.page)
    own = [
        _told(method, vantage.fetch(old + path, method=method), new + path)
        for old, new in pairs
        for path in paths
        for method in methods
    ]
    foreign = [
        _told(method, vantage.fetch(site.http + ANY, method=method, headers=(("Host", host),)), "")
        for host in (STRANGER, f"{urlsplit(site.app).hostname}.{STRANGER}")
        for method in methods
    ]
    application = [_digest(vantage.fetch(site.app + path)) for path in paths]
    return Observation(
        facts={
            "own": own,
            "foreign": foreign,
            "foreign_host": STRANGER,
            "application": application,
            "looked_at": len(own) + len(foreign),
        },
        public=frozenset({"looked_at"}),
    )


def _told(method: str, answer: Response, wanted: str) -> dict[str, Any]:
    return {
        "method": method,
        "wanted": wanted,
        "status": answer.status,
        "location": answer.one("location"),
        "has_cookie": bool(answer.all("set-cookie")),
        "body": _digest(answer),
        "body_bytes": len(answer.body),
    }


def _digest(answer: Response) -> str:
    """What tells one body from another; empty for no body."""
    return hashlib.sha256(answer.body).hexdigest()[:16] if answer.body else ""


def hosts(vantage: Vantage, settings: EdgeSettings) -> Observation:
    """Every published host over https, verified; and what it answers over plain HTTP.

    Raises:
        Failure, TimeoutError: a host of the edge could not be reached at all.
    """
    site = vantage.site
    plain = {site.app: f"{site.http}/", site.troth: plain_troth(vantage)}
    pages = (site.app + settings.probe.page, site.trust, f"{site.status}/")
    seen = []
    for page in pages:
        origin = "{0.scheme}://{0.netloc}".format(urlsplit(page))
        verified, status = True, 0
        try:
            status = vantage.fetch(page).status
        except TlsError:
            verified = False
        except (TcpError, TimeoutError):
            if origin != site.status:  # it is up or down for reasons of its own
                raise
            continue
        answer = vantage.fetch(plain[origin]).status if origin in plain else 0
        seen.append({"verified": verified, "status": status, "plain_status": answer})
    return Observation(
        facts={"hosts": seen, "looked_at": len(seen)}, public=frozenset({"looked_at"})
    )


def plaintext(vantage: Vantage, _settings: EdgeSettings) -> Observation:
    """HTTP/1.1 and HTTP/2 without TLS, sent to the TLS port of every published host."""
    site = vantage.site
    attempts = []
    for origin in (site.app, site.troth, site.status):
        try:
            control = vantage.handshake(origin).is_verified
        except (Failure, TimeoutError):
            if origin == site.status:
                continue
            control = False
        host, port = address_of(origin)
        request = f"GET / HTTP/1.1\r\nHost: {urlsplit(origin).netloc}\r\n\r\n".encode()
        for protocol, payload in (("http/1.1", request), ("h2c", _H2_PREFACE)):
            attempts.append(
                {
                    "protocol": protocol,
                    "first": _first(vantage, f"tcp://{host}:{port}", payload).hex(),
                    "control": control,
                }
            )
    return Observation(
        facts={"attempts": attempts, "looked_at": len(attempts)}, public=frozenset({"looked_at"})
    )


def _first(vantage: Vantage, address: str, payload: bytes) -> bytes:
    """The first bytes that come back; empty for a close, a reset or silence."""
    with contextlib.suppress(TcpError, TimeoutError):
        return vantage.exchange(
            address, payload, timeout_s=_QUIET_S, is_enough=lambda got: len(got) >= _ENOUGH_BYTES
        )[:_ENOUGH_BYTES]
    return b""
