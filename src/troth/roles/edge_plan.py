"""From troth.toml to what the edge is compiled from: pure, but for asking whether IPv6 is there."""

import ipaddress
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from troth.adapters import sockets, tcp
from troth.adapters.config import ConfigError
from troth.catalogue import Settings
from troth.enforce.envoy import Plan, Upstream
from troth.engines.certificates.pair import Pair, place
from troth.engines.envoy.resources import Certificate
from troth.kernel.fragment import Fragment
from troth.promises.edge import enforce as edge
from troth.promises.edge.settings import EdgeSettings
from troth.promises.guard.enforce import awaits_answers, reads_bodies
from troth.promises.guard.enforce import edge as guard
from troth.roles.guards import active, guards
from troth.roles.places import Places

DEFAULT_PORTS = {"http": 80, "https": 443}
REACHED_WITHIN_S = 2.0
BANS = "bans.json"
MOST_WORKERS = 2  # of ours; an operator may want more


def fragments(settings: Settings, places: Places | None = None) -> tuple[Fragment, ...]:
    """What the areas have the edge do; bans only where a data directory has a file of them."""
    return (
        *edge.fragments(settings.edge, prefix=settings.troth.prefix),
        *guard.fragments(settings.guard, str(places.edge / BANS) if places else ""),
    )


def plan(settings: Settings, places: Places, challenges: Mapping[str, str] | None = None) -> Plan:
    """What these settings ask of the edge.

    Args:
        settings: the whole of troth.toml.
        places: the data directory.
        challenges: ACME tokens that are being asked for just now, with their answers.
    """
    given = settings.edge
    _sees_visitors(settings)
    hosts = (settings.application.host, settings.troth.host)
    return Plan(
        app_host=settings.application.host,
        troth_host=settings.troth.host,
        certificates={
            host: Certificate(pair.chain, pair.key, places.edge / f"sds-{host}.json")
            for host, pair in pairs(given, places, hosts).items()
        },
        addresses=addresses(given.addresses),
        port=given.port,
        http_port=given.http_port,
        upstream=upstream(settings.application.upstream),
        guards=tuple(places.socket(name) for name in guards(settings)),
        active_guards=active(settings),
        guard_http=places.socket("guard-http"),
        guard_seen=_seen(settings, places),
        guard_leaks=_sockets(settings, places, "guard-leaks-")
        if settings.guard.rules.leak_paths
        else (),
        leak_paths=settings.guard.rules.leak_paths,
        answer_bytes=settings.guard.rules.answer_bytes,
        status=places.socket("status"),
        console=places.socket("console"),
        access_log=str(places.logs / "access.log"),
        prefix=settings.troth.prefix,
        is_http3=given.http3,
        trusted_hops=given.trusted_hops,
        trusted_proxies=_proxies(given),
        is_behind_proxy_protocol=given.proxy_protocol,
        max_body_bytes=given.max_body_bytes,
        upload_paths=given.upload_paths,
        max_upload_bytes=given.max_upload_bytes,
        desk=places.socket("uploads") if settings.guard.uploads.mode != "off" else None,
        released=places.socket("released"),
        is_desk_passable=settings.guard.uploads.when_gone == "pass",
        stream_paths=given.stream_paths,
        fail_open_paths=settings.guard.fail_open_paths,
        guard_timeout_ms=settings.guard.timeout_ms,
        inspected_bytes=settings.guard.rules.body_bytes,
        is_body_inspected=reads_bodies(settings.guard),
        challenges=dict(challenges or {}),
    )


def workers(settings: Settings, cores: int) -> int:
    """How many threads the edge works with.

    Where nothing is set they leave a core to each guard that decides: with more, edge and guard
    take each other's caches away, and each request costs more (docs/why/0050).
    """
    return settings.edge.workers or max(1, min(MOST_WORKERS, cores - active(settings)))


def _sees_visitors(settings: Settings) -> None:
    """The kernel sees who connects: behind a proxy that is the proxy. Raises ConfigError."""
    if settings.guard.bans.nftables and (
        settings.edge.trusted_hops or settings.edge.proxy_protocol
    ):
        raise ConfigError(
            "would drop what the proxy in front of us sends, not the visitor's",
            where="[guard.bans] nftables",
            mend="nftables = false: guard and edge refuse by the visitor's address",
        )


def _seen(settings: Settings, places: Places) -> tuple[Path, ...]:
    """Where guards are told of answers; nowhere when no setting asks for it."""
    if not awaits_answers(settings.guard):
        return ()
    return _sockets(settings, places, "guard-seen-")


def _sockets(settings: Settings, places: Places, kind: str) -> tuple[Path, ...]:
    """Further sockets of the guards, in their order."""
    return tuple(places.socket(name.replace("guard-", kind)) for name in guards(settings))


def pairs(given: EdgeSettings, places: Places, hosts: tuple[str, ...]) -> dict[str, Pair]:
    """Where each host's chain and key are: the operator's own files, or ours.

    Raises ConfigError for settings that name none.
    """
    if given.tls.authority == "acme" and given.tls.acme is None:
        mend = "add it with the authority's directory address"
        raise ConfigError("is missing", where="[edge.tls.acme]", mend=mend)
    if given.tls.authority == "files":
        if not given.tls.certificate or not given.tls.key.startswith("file:"):
            mend = 'say certificate = "/path/chain.pem" and key = "file:/path/key.pem"'
            raise ConfigError("names no certificate", where="[edge.tls]", mend=mend)
        own = Pair(Path(given.tls.certificate), Path(given.tls.key.removeprefix("file:")))
        return dict.fromkeys(hosts, own)
    return {host: place(places.tls, host) for host in hosts}


def tls_hosts(settings: Settings) -> tuple[str, ...]:
    """Every host that is served with a certificate from `tls/`; the status role serves its own."""
    return (settings.application.host, settings.troth.host, settings.status.host)


def _proxies(given: EdgeSettings) -> tuple[str, ...]:
    """The networks of the proxies in front of us.

    Raises ConfigError for none where anybody who connects could say who the visitor is.
    """
    try:
        networks = tuple(str(ipaddress.ip_network(each)) for each in given.trusted_proxies)
    except ValueError as error:
        raise ConfigError(str(error), where="[edge] trusted_proxies", mend="10.0.0.0/8") from error
    believes = given.trusted_hops or given.proxy_protocol
    is_open = any(not ipaddress.ip_address(each).is_loopback for each in given.addresses)
    if believes and is_open and not networks:
        raise ConfigError(
            "anybody could say who the visitor is",
            where="[edge] trusted_proxies",
            mend='name the proxies\' networks, or listen on addresses = ["127.0.0.1"] only',
        )
    return networks


def addresses(wanted: tuple[str, ...]) -> tuple[str, ...]:
    """The addresses that this machine can listen on: IPv6 is left out where there is none."""
    return tuple(each for each in wanted if ":" not in each or sockets.is_free("::1", 0)) or wanted


def reach(application: Upstream) -> None:
    """See whether somebody listens where the application should be.

    Raises:
        TcpError, SocketError: nobody does, with the mend. An edge starts all the same: the
            application may come later.
    """
    if application.socket:
        sockets.reach(Path(application.socket))
    else:
        tcp.connect(application.host, application.port, timeout_s=REACHED_WITHIN_S).close()


def upstream(written: str) -> Upstream:
    """Where the application is; `http://host:port`, `https://host` or `unix:/path`."""
    if written.startswith("unix:"):
        return Upstream(socket=written.removeprefix("unix:"))
    parts = urlsplit(written)
    return Upstream(
        host=(parts.hostname or "").strip("[]"),
        port=parts.port or DEFAULT_PORTS[parts.scheme],
        is_tls=parts.scheme == "https",
    )
