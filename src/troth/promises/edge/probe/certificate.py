"""Certificates as they are served, and a renewal under traffic."""

import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from troth.adapters import clock, tcp
from troth.adapters.http import Response, fetch
from troth.adapters.tls import TlsError, client_context, wrap
from troth.adapters.vantage import Vantage, address_of
from troth.engines.certificates import authority, pair
from troth.engines.envoy import binary, push, resources, server
from troth.kernel.errors import Failure
from troth.kernel.evidence import stamp
from troth.kernel.model import Observation
from troth.promises.edge.probe.tls import ANSWER_S, APP, published
from troth.promises.edge.settings import EdgeSettings

MISMATCH = "hostname mismatch"  # Source: OpenSSL, X509_V_ERR_HOSTNAME_MISMATCH
DRILL_HOST = "renewal.localhost"
ASKERS = 2
TAKEN_UP_WITHIN = timedelta(seconds=5)
BODY = "renewal\n"
_LEAST_EACH, _MOST_REQUESTS = 20, 2000
_A_MOMENT_S = 0.02


def served(vantage: Vantage, _settings: EdgeSettings) -> Observation:
    """The chain of the application's host."""
    return _observed(vantage, [(APP, vantage.site.app)])


def served_everywhere(vantage: Vantage, _settings: EdgeSettings) -> Observation:
    """The chains of every published host."""
    return _observed(vantage, published(vantage))


def _observed(vantage: Vantage, hosts: list[tuple[str, str]]) -> Observation:
    return Observation(
        facts={
            "hosts": [chain(vantage, name, url) for name, url in hosts],
            "at": stamp(vantage.now),
            "authority": "declared" if vantage.site.ca_file else "public",
            "looked_at": len(hosts),
        },
        public=frozenset({"looked_at", "authority"}),
    )


def chain(vantage: Vantage, name: str, url: str) -> dict[str, Any]:
    """What a host serves, in the shape of `judge/certificate.py:Served`.

    Raises:
        Failure, TimeoutError: the host agrees to no handshake at all.
    """
    why_not = ""
    try:
        vantage.handshake(url)
    except TlsError as error:
        why_not = error.what
    sent = [_told(der) for der in vantage.chain(url)]
    is_mismatch = MISMATCH in why_not.lower()
    return {
        "host": name,
        "chain": sent,
        "is_trusted": not why_not or is_mismatch,
        "covers_name": not is_mismatch,
        "why_not": why_not,
    }


def _told(der: bytes) -> dict[str, Any]:
    certificate = x509.load_der_x509_certificate(der)
    key = certificate.public_key()
    name, bits = type(key).__name__, 0
    if isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
        name, bits = "RSA" if isinstance(key, rsa.RSAPublicKey) else "EC", key.key_size
    elif isinstance(key, ed25519.Ed25519PublicKey):
        name, bits = "Ed25519", 256
    signed = certificate.signature_hash_algorithm
    return {
        "key": name,
        "key_bits": bits,
        "signature_hash": signed.name if signed else "",
        "not_before": stamp(certificate.not_valid_before_utc),
        "not_after": stamp(certificate.not_valid_after_utc),
        "is_root": certificate.issuer == certificate.subject,
    }


def renewal(vantage: Vantage, settings: EdgeSettings) -> Observation:
    """Exchange the certificate of a listener of our own under traffic, as the edge's is exchanged.

    The listener is the edge's own program on a free port of this machine, apart from the edge: a
    drill may not touch what visitors use.

    Raises:
        EnvoyError: there is no Envoy here.
    """
    found = binary.locate(settings.binary)
    with tempfile.TemporaryDirectory(prefix="troth-renewal-") as name:
        folder = Path(name)
        drill = _Drill(vantage, folder)
        drill.issue()
        bootstrap = resources.bootstrap(folder, folder / "admin.sock", max_connections=100)
        running = server.start(found, folder, bootstrap, drill.resources(), workers=1)
        try:
            port = running.admin.listeners()[0].rpartition(":")[2]
            return drill.run(f"https://{DRILL_HOST}:{port}/")
        finally:
            running.stop(timedelta(seconds=1))


@dataclass(slots=True)
class _Drill:
    """One renewal: an authority of its own, a leaf, and another leaf in its place."""

    vantage: Vantage
    folder: Path
    _authority: authority.Authority | None = None

    def issue(self) -> None:
        """A leaf in the files that the listener reads; the second one is the renewal."""
        now, rng = self.vantage.now, self.vantage.rng
        if self._authority is None:
            self._authority = authority.create(name="Renewal drill", now=now, rng=rng)
            (self.folder / "ca.pem").write_bytes(self._authority.pem)
        chain_pem, key = authority.issue(self._authority, (DRILL_HOST,), now=now, rng=rng)
        place = pair.place(self.folder, DRILL_HOST)
        pair.write(place, chain_pem, key)
        files = resources.Certificate(place.chain, place.key, self.folder / "sds.json")
        push.write_certificate(DRILL_HOST, files)

    def resources(self) -> resources.Resources:
        """A listener that answers everything with 200."""
        secret = resources.sds_reference(DRILL_HOST, self.folder / "sds.json")
        socket = resources.extension(
            "envoy.transport_sockets.tls",
            "extensions.transport_sockets.tls.v3.DownstreamTlsContext",
            common_tls_context={"tls_certificate_sds_secret_configs": [secret]},
        )
        routes = [{"match": {"prefix": "/"}, **resources.direct(200, BODY)}]
        manager = resources.extension(
            "envoy.filters.network.http_connection_manager",
            "extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
            stat_prefix="renewal",
            route_config={"virtual_hosts": [{"name": "a", "domains": ["*"], "routes": routes}]},
            http_filters=[resources.http_filter("router", "router.v3.Router")],
        )
        listener = resources.typed(
            "config.listener.v3.Listener",
            name="renewal",
            address=resources.address("127.0.0.1", 0),
            filter_chains=[{"filters": [manager], "transport_socket": socket}],
        )
        return resources.Resources(listeners=(listener,), clusters=())

    def run(self, url: str) -> Observation:
        """Ask all the while, exchange the certificate, and go on until the new one is seen."""
        ca_file = str(self.folder / "ca.pem")
        first = fetch(url, ca_file=ca_file).certificate_der
        is_over = threading.Event()
        seen: set[bytes | None] = set()

        def ask() -> tuple[int, int]:
            asked = dropped = 0
            while asked < (_LEAST_EACH if is_over.is_set() else _MOST_REQUESTS):
                asked += 1
                try:
                    answer: Response = fetch(url, ca_file=ca_file, timeout_s=ANSWER_S)
                except (Failure, TimeoutError):
                    dropped += 1
                    continue
                seen.add(answer.certificate_der)
            return asked, dropped

        deadline = clock.monotonic_s() + TAKEN_UP_WITHIN.total_seconds()
        with ThreadPoolExecutor(ASKERS) as pool, _held(self.vantage, url, ca_file) as is_held:
            askers = [pool.submit(ask) for _ in range(ASKERS)]
            try:
                held = is_held()
                self.issue()
                while seen <= {first} and clock.monotonic_s() < deadline:
                    is_over.wait(_A_MOMENT_S)
                held = is_held() and held
            finally:
                is_over.set()
            counted = [asker.result() for asker in askers]
        facts = {
            "asked": sum(asked for asked, _ in counted),
            "dropped": sum(dropped for _, dropped in counted),
            "before": first is not None,
            "after": not seen <= {first},
            "held": held,
        }
        return Observation(facts=facts, public=frozenset({"asked"}))


@contextmanager
def _held(vantage: Vantage, url: str, ca_file: str) -> Iterator[Callable[[], bool]]:
    """One connection that stays open; the function asks on it and tells whether it answered."""
    host, port = address_of(url)
    context = client_context(ca_file=ca_file, alpn=("http/1.1",))
    request = f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()
    door = tcp.connect(host, port, timeout_s=ANSWER_S, source=vantage.source)
    with wrap(door, context, server_name=host, where=url) as secured:

        def is_answered() -> bool:
            deadline = clock.monotonic_s() + ANSWER_S
            try:
                secured.sendall(request)
                answer = tcp.drain(
                    secured,
                    deadline=deadline,
                    limit_bytes=tcp.CHUNK_BYTES,
                    is_enough=lambda got: got.endswith(BODY.encode()),
                )
            except OSError:
                return False
            return answer.startswith(b"HTTP/1.1 200 ")

        yield is_answered
