"""A place that looks: what a probe is handed, and its only way to the running system.

One vantage serves one thread for one round. Identical plain GETs within a round are asked once
(`fetch`), failures included, so that forty looks cost a dozen requests; `fresh=True` asks again.
Each attack and drill is a synthetic client of its own, decided upon by the same code and limits as
everybody: on the site's own machine by an address 127.66.x.y that it comes from, elsewhere by the
header `Troth-Probe`, which the vantage signs (`kernel.probing`).
"""

import hashlib
import random
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from troth.adapters import browser, clock, devtools, http, tcp, tls
from troth.kernel.errors import Failure
from troth.kernel.evidence import Signer
from troth.kernel.probing import HEADER, Pass, synthetic_client
from troth.kernel.site import Site

TIMEOUT_S = 5.0
_MAX_REMEMBERED = 256

Seen = http.Response | Failure | TimeoutError


@dataclass(slots=True, kw_only=True)
class Vantage:
    """A place that looks at a site.

    Args:
        site: what is looked at.
        name: the vantage's own, as in evidence.
        now: when the round began.
        rng: dice for nonces and canaries.
        source: the address its requests come from; empty lets the system choose.
        signer: the vantage's key, by which its clients are named in a header.
        by_header: whether they are even where addresses would do.
        client: as whom it asks, by that header; empty for itself.
        data: the installation's data directory, where the vantage is on its machine; else None.
        browser_path: the operator's own browser; empty looks for one.
    """

    site: Site
    name: str
    now: datetime
    rng: random.Random
    source: str = ""
    signer: Signer | None = None
    by_header: bool = False
    client: str = ""
    data: Path | None = None
    browser_path: str = ""
    _seen: dict[tuple[object, ...], Seen] = field(default_factory=dict, repr=False)
    _contexts: dict[tuple[object, ...], ssl.SSLContext] = field(default_factory=dict, repr=False)
    _is_here: bool | None = field(default=None, repr=False)

    def as_client(self, name: str) -> "Vantage":
        """The same place as a client of its own that remembers nothing: for one attack or drill."""
        return self.as_address(synthetic_client(name))

    def as_address(self, address: str) -> "Vantage":
        """The same place as the client of that synthetic address, 127.66.x.y."""
        by_header = self.signer is not None and (self.by_header or not self.is_here)
        return Vantage(
            site=self.site,
            name=self.name,
            now=self.now,
            rng=self.rng,
            source=address if self.is_here and not by_header else self.source,
            signer=self.signer,
            by_header=self.by_header,
            client=address if by_header else "",
            data=self.data,
            browser_path=self.browser_path,
            _is_here=self._is_here,
        )

    @property
    def has_clients(self) -> bool:
        """Whether `as_client` gives a client of its own."""
        return self.signer is not None or self.is_here

    @property
    def address(self) -> str:
        """The address that the guard decides about, where this is a client of its own."""
        return self.client or self.source

    def introduction(self, url: str) -> http.Headers:
        """The header that says as whom the next request asks, good once; none for itself.

        For the application's host alone: nobody else is told.
        """
        if self.signer is None or not self.client or not url.startswith(f"{self.site.app}/"):
            return ()
        said = Pass(
            key=self.signer.keyid.partition(":")[2],
            at=int(clock.now().timestamp()),
            nonce=f"{self.rng.getrandbits(128):032x}",
            client=self.client,
        )
        signature = self.signer.sign(said.statement(urlsplit(url).netloc))
        return ((HEADER.decode(), said.written(signature)),)

    @property
    def is_on_loopback(self) -> bool:
        """Whether the site stands on this machine's loopback."""
        return tcp.is_loopback(urlsplit(self.site.app).hostname or "")

    @property
    def is_here(self) -> bool:
        """Whether the site stands on this machine, be it by a public address."""
        if self._is_here is None:
            host, port = address_of(self.site.app)
            self._is_here = self.is_on_loopback or tcp.is_here(host, port)
        return self._is_here

    def fetch(  # noqa: PLR0913 -- each is one part of the request
        self,
        url: str,
        *,
        method: str = "GET",
        headers: http.Headers = (),
        body: bytes = b"",
        fresh: bool = False,
        once: bool = False,
        timeout_s: float = TIMEOUT_S,
        limit_bytes: int = http.LIMIT_BYTES,
        target: str = "",
        connect_to: tuple[str, int] | None = None,
    ) -> http.Response:
        """Ask, as `http.fetch`; the same GET or HEAD without a body once a round unless `fresh`.

        `once` says that another method without a body may be remembered too.

        Raises:
            HttpError, TcpError, TlsError, TimeoutError: no whole answer.
        """
        key = (method, url, tuple(headers), target, connect_to, limit_bytes)
        may_remember = (once or method in {"GET", "HEAD"}) and not body and not fresh
        if may_remember and key in self._seen:
            known = self._seen[key]
            if isinstance(known, http.Response):
                return known
            raise known
        outcome: Seen
        try:
            outcome = http.fetch(
                url,
                method=method,
                headers=(*headers, *self.introduction(url)),
                body=body,
                timeout_s=timeout_s,
                limit_bytes=limit_bytes,
                source=self._source_for(url),
                context=self.context(alpn=("http/1.1",)) if url.startswith("https:") else None,
                target=target,
                connect_to=connect_to,
            )
        except (Failure, TimeoutError) as error:
            outcome = error
        if may_remember and len(self._seen) < _MAX_REMEMBERED:
            self._seen[key] = outcome
        if isinstance(outcome, http.Response):
            return outcome
        raise outcome

    def context(
        self,
        *,
        verify: bool = True,
        minimum: tls.Version = tls.Version.TLS1_2,
        maximum: tls.Version = tls.Version.TLS1_3,
        ciphers: str = tls.EVERYTHING,
        alpn: tuple[str, ...] = (),
        group: str = "",
    ) -> ssl.SSLContext:
        """What this vantage offers and trusts (`tls.client_context`); made once a round."""
        key = (verify, minimum, maximum, ciphers, alpn, group)
        if key not in self._contexts:
            self._contexts[key] = tls.client_context(
                ca_file=self.site.ca_file,
                verify=verify,
                minimum=minimum,
                maximum=maximum,
                ciphers=ciphers,
                alpn=alpn,
                group=group,
            )
        return self._contexts[key]

    def handshake(
        self, url: str, *, context: ssl.SSLContext | None = None, server_name: str = ""
    ) -> tls.Handshake:
        """Shake hands with the host of `url` and hang up (`tls.handshake`)."""
        host, port = address_of(url)
        return tls.handshake(
            host,
            port,
            context=context or self.context(),
            server_name=server_name,
            timeout_s=TIMEOUT_S,
            source=self._source_for(url),
        )

    def group(self, url: str) -> str:
        """The key exchange group that the host of `url` and a modern client agree to."""
        host, port = address_of(url)
        return tls.group(host, port, timeout_s=TIMEOUT_S, source=self._source_for(url))

    def chain(self, url: str) -> tuple[bytes, ...]:
        """Every certificate that the host of `url` sends, its own first, unverified (DER)."""
        host, port = address_of(url)
        return tls.chain(host, port, timeout_s=TIMEOUT_S, source=self._source_for(url))

    def transcript(self, url: str, *, context: ssl.SSLContext) -> bytes:
        """What the host of `url` sends during a handshake, byte for byte (`tls.transcript`)."""
        host, port = address_of(url)
        return tls.transcript(
            host, port, context=context, timeout_s=TIMEOUT_S, source=self._source_for(url)
        )

    def exchange(
        self,
        url: str,
        payload: bytes,
        *,
        limit_bytes: int = tcp.CHUNK_BYTES,
        timeout_s: float = TIMEOUT_S,
        context: ssl.SSLContext | None = None,
        is_enough: Callable[[bytes], bool] = lambda _: False,
    ) -> bytes:
        """Raw bytes to the host of `url` and what comes back: inside TLS for `https`.

        For bytes on the bare connection of an https host, write `tcp://host:port`.
        """
        host, port = address_of(url)
        if url.startswith("https:"):
            return tls.exchange(
                host,
                port,
                payload,
                context=context or self.context(),
                timeout_s=timeout_s,
                limit_bytes=limit_bytes,
                source=self._source_for(url),
                is_enough=is_enough,
            )
        return tcp.exchange(
            host,
            port,
            payload,
            timeout_s=timeout_s,
            limit_bytes=limit_bytes,
            source=self._source_for(url),
            is_enough=is_enough,
        )

    @property
    def certificate_sha256(self) -> str:
        """SHA-256 hex of the certificate that the application's host serves; zeros when unseen."""
        try:
            der = self.fetch(f"{self.site.app}/").certificate_der
        except (Failure, TimeoutError):
            der = None
        return hashlib.sha256(der).hexdigest() if der else "0" * 64

    def dump_dom(self, url: str, *, timeout_s: float = 30, language: str = "en") -> str:
        """The document as a real browser shows it (`browser.dump_dom`), trusting the site's CA.

        Raises:
            BrowserMissing: there is no browser. BrowserError: it failed.
        """
        pins = [browser.pin_of_pem(self.site.ca_file)] if self.site.ca_file else []
        return browser.dump_dom(
            url,
            browser=browser.find(self.browser_path),
            pins=pins,
            timeout_s=timeout_s,
            language=language,
        )

    @contextmanager
    def browsing(self, setting: str = "") -> Iterator[devtools.Tab]:
        """A real browser that can be asked and told (`devtools.browsing`), trusting the site's CA.

        Raises:
            BrowserMissing: there is no browser. BrowserError: it failed.
        """
        pins = [browser.pin_of_pem(self.site.ca_file)] if self.site.ca_file else []
        with devtools.browsing(browser.find(setting or self.browser_path), pins=pins) as tab:
            yield tab

    def _source_for(self, url: str) -> str:
        """Ours, unless it is a loopback address and the host is elsewhere."""
        if not self.source.startswith("127."):
            return self.source
        host, _ = address_of(url)
        is_ours = host == address_of(self.site.app)[0] and self.is_here
        return self.source if is_ours or tcp.resolve(host)[0].startswith("127.") else ""


def address_of(url: str) -> tuple[str, int]:
    """Host and port of an `http`, `https` or `tcp://host:port` address. ValueError if none."""
    parts = urlsplit(url)
    port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    if not parts.hostname or port is None:
        raise ValueError(url)
    return parts.hostname, port
