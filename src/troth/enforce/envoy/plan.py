"""What the compiler is given besides fragments: names, ports, sockets, limits."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from troth.engines.envoy.resources import Certificate

MEBIBYTE = 1024**2


@dataclass(frozen=True, slots=True, kw_only=True)
class Upstream:
    """Where the application listens: a host and port, or a unix socket.

    Args:
        host: name or address; empty with a socket.
        port: with a host.
        socket: path of a unix socket; empty with a host.
        is_tls: speak TLS to it and verify its certificate against `ca_file`.
        ca_file: PEM file of the authorities that are trusted for that.
    """

    host: str = ""
    port: int = 0
    socket: str = ""
    is_tls: bool = False
    ca_file: str = "/etc/ssl/certs/ca-certificates.crt"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One edge.

    Args:
        app_host: the application's host.
        troth_host: Troth's own.
        certificates: for each of both hosts.
        addresses: IP addresses to listen on; the same for both ports.
        port: HTTPS; also UDP with `is_http3`.
        http_port: plain HTTP, which only redirects.
        upstream: the application.
        guards: sockets of the guards; the first decides, the others stand by. Without any nothing
            is checked, which is for tests of the edge alone.
        guard_http: socket where the guard answers addresses of its own (`csp`, `healthz`); the
            status role answers them where there is none.
        active_guards: how many of them decide, from the first; more than one share counters.
        guard_seen: sockets where the guards, in the same order, are told what the application
            answered; nothing is told where there are none.
        guard_leaks: sockets where they are asked about answers; none are where there are none.
        leak_paths: path prefixes whose answers are held until the guard has read them.
        answer_bytes: of an answer that is held.
        status: socket of the role that serves pages, API and log.
        console: socket of the role that serves accounts and the desk.
        access_log: file that gets one JSON object for each request; empty for none.
        prefix: path below which Troth answers on the application's host, `/-/`.
        is_http3: listen on UDP as well and say so.
        trusted_hops: proxies in front of us that append to X-Forwarded-For.
        trusted_proxies: networks (`10.0.0.0/8`) from which connections are taken; empty for all.
            What hops or a PROXY header say of the visitor is then theirs alone to say.
        is_behind_proxy_protocol: every connection begins with a PROXY header.
        max_body_bytes: of a request.
        upload_paths: path prefixes where a body may have `max_upload_bytes`; it is not inspected.
        max_upload_bytes: see there.
        desk: socket of the upload desk, which holds bodies on those paths until they were looked
            at; None lets them stream past, judged by their headers.
        released: socket where the edge listens for what the desk lets on; with `desk`.
        is_desk_passable: while no desk answers, uploads go on unlooked at.
        stream_paths: path prefixes of long-lived streams: no time limit, bodies are not inspected.
        fail_open_paths: path prefixes that are served unchecked while no guard answers.
        guard_timeout_ms: for one decision.
        inspected_bytes: of a body that is handed to the guard; a longer one is refused (413).
        is_body_inspected: bodies are handed to the guard, whole; without it they stream past while
            the guard decides on the header.
        max_connections: open at once, of all clients together.
        challenges: ACME HTTP-01 tokens with their key authorisations, served over plain HTTP.
    """

    app_host: str
    troth_host: str
    certificates: Mapping[str, Certificate]
    addresses: tuple[str, ...]
    port: int
    http_port: int
    upstream: Upstream
    guards: tuple[Path, ...]
    status: Path
    console: Path
    guard_http: Path | None = None
    guard_seen: tuple[Path, ...] = ()
    guard_leaks: tuple[Path, ...] = ()
    leak_paths: tuple[str, ...] = ()
    answer_bytes: int = 128 * 1024
    active_guards: int = 1
    access_log: str = ""
    prefix: str = "/-/"
    is_http3: bool = False
    trusted_hops: int = 0
    trusted_proxies: tuple[str, ...] = ()
    is_behind_proxy_protocol: bool = False
    max_body_bytes: int = 10 * MEBIBYTE
    upload_paths: tuple[str, ...] = ()
    max_upload_bytes: int = 100 * MEBIBYTE
    desk: Path | None = None
    released: Path | None = None
    is_desk_passable: bool = False
    stream_paths: tuple[str, ...] = ()
    fail_open_paths: tuple[str, ...] = ()
    guard_timeout_ms: int = 500
    inspected_bytes: int = MEBIBYTE
    is_body_inspected: bool = True
    max_connections: int = 10_000
    challenges: Mapping[str, str] = field(default_factory=dict)

    @property
    def hosts(self) -> tuple[str, str]:
        """Both hosts, the application's first."""
        return self.app_host, self.troth_host
