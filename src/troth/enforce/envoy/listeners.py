"""Where the edge listens: TLS for both hosts, QUIC by setting, plain HTTP for redirects."""

import ipaddress
from collections.abc import Sequence

from troth.enforce.envoy import chain, routes, uploads
from troth.enforce.envoy.connection import connection
from troth.enforce.envoy.merged import Merged, on_plain_http
from troth.enforce.envoy.plan import Plan
from troth.engines.envoy.resources import (
    Json,
    address,
    extension,
    http_filter,
    sds_reference,
    typed,
)

HANDSHAKE_WITHIN = "10s"
BUFFER_BYTES = 1024**2

# Everything Envoy can still do; fragments narrow it. 3DES, RC4, SSL are not even compiled in.
ALL_CIPHERS = (
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-CHACHA20-POLY1305",
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-RSA-AES128-GCM-SHA256",
    "ECDHE-RSA-CHACHA20-POLY1305",
    "ECDHE-RSA-AES256-GCM-SHA384",
    "ECDHE-ECDSA-AES128-SHA",
    "ECDHE-ECDSA-AES256-SHA",
    "ECDHE-RSA-AES128-SHA",
    "ECDHE-RSA-AES256-SHA",
    "AES128-GCM-SHA256",
    "AES256-GCM-SHA384",
    "AES128-SHA",
    "AES256-SHA",
)
WIDEST_TLS = {
    "tls_minimum_protocol_version": "TLSv1_0",
    "tls_maximum_protocol_version": "TLSv1_3",
    "cipher_suites": list(ALL_CIPHERS),
}


def listeners(plan: Plan, merged: Merged) -> tuple[Json, ...]:
    """All listeners of an edge."""
    quic = (_quic(plan, merged),) if plan.is_http3 else ()
    released: tuple[Json, ...] = ()
    if plan.desk is not None and plan.released is not None:
        released = (uploads.listener(plan.released, routes.released(plan, merged)),)
    return (_tls(plan, merged), *quic, _plain(plan, merged), *released)


def _tls(plan: Plan, merged: Merged) -> Json:
    """One chain a host, chosen by SNI; a name that is not ours gets no handshake."""
    chains = [_chain(plan, merged, host) for host in plan.hosts]
    if not merged.is_tls_only:
        chains.append(
            {
                "name": "not-tls",
                "filter_chain_match": {"transport_protocol": "raw_buffer"},
                "filters": [_connection(plan, merged, plan.app_host)],
            }
        )
    listener = _listener("tls", plan, plan.port, chains)
    listener["listener_filters"].append(
        extension(
            "envoy.filters.listener.tls_inspector",
            "extensions.filters.listener.tls_inspector.v3.TlsInspector",
        )
    )
    return listener


def _quic(plan: Plan, merged: Merged) -> Json:
    chains = [_chain(plan, merged, host, is_quic=True) for host in plan.hosts]
    listener = _listener("quic", plan, plan.port, chains, is_udp=True)
    listener["udp_listener_config"] = {"quic_options": {}}
    return listener


def _plain(plan: Plan, merged: Merged) -> Json:
    headers = on_plain_http(merged.own)
    speaker = connection(
        plan,
        "plain",
        routes=routes.plain(plan, merged),
        headers=headers,
        codec="HTTP1",
        filters=[http_filter("router", "router.v3.Router", suppress_envoy_headers=True)],
    )
    return _listener("plain", plan, plan.http_port, [{"name": "plain", "filters": [speaker]}])


def _listener(
    name: str, plan: Plan, port: int, chains: Sequence[Json], *, is_udp: bool = False
) -> Json:
    first, *others = (address(ip, port, is_udp=is_udp) for ip in plan.addresses)
    proxied = plan.is_behind_proxy_protocol and not is_udp
    filters = [
        extension(
            "envoy.filters.listener.proxy_protocol",
            "extensions.filters.listener.proxy_protocol.v3.ProxyProtocol",
        )
    ]
    return typed(
        "config.listener.v3.Listener",
        name=name,
        address=first,
        additional_addresses=[{"address": other} for other in others],
        per_connection_buffer_limit_bytes=BUFFER_BYTES,
        listener_filters=filters if proxied else [],
        listener_filters_timeout=HANDSHAKE_WITHIN,
        filter_chains=[_from_trusted(each, plan.trusted_proxies) for each in chains],
    )


def _from_trusted(chain: Json, networks: tuple[str, ...]) -> Json:
    """For connections of these networks only, by the address that really connected."""
    if not networks:
        return chain
    ranges = [
        {"address_prefix": str(each.network_address), "prefix_len": each.prefixlen}
        for each in map(ipaddress.ip_network, networks)
    ]
    match = {**chain.get("filter_chain_match", {}), "direct_source_prefix_ranges": ranges}
    return {**chain, "filter_chain_match": match}


def _chain(plan: Plan, merged: Merged, host: str, *, is_quic: bool = False) -> Json:
    certificate = plan.certificates[host]
    context = {
        "common_tls_context": {
            "tls_params": {**WIDEST_TLS, **merged.tls},
            "alpn_protocols": ["h3"] if is_quic else ["h2", "http/1.1"],
            "tls_certificate_sds_secret_configs": [sds_reference(host, certificate.sds)],
        }
    }
    if is_quic:
        context["common_tls_context"].pop("tls_params")  # QUIC is TLS 1.3 (RFC 9001), always
        socket = extension(
            "envoy.transport_sockets.quic",
            "extensions.transport_sockets.quic.v3.QuicDownstreamTransport",
            downstream_tls_context=context,
        )
        match: Json = {"server_names": [host]}
    else:
        socket = extension(
            "envoy.transport_sockets.tls",
            "extensions.transport_sockets.tls.v3.DownstreamTlsContext",
            **context,
        )
        match = {"server_names": [host], "transport_protocol": "tls"}
    return {
        "name": host,
        "filter_chain_match": match,
        "filters": [_connection(plan, merged, host, is_quic=is_quic)],
        "transport_socket": socket,
        "transport_socket_connect_timeout": HANDSHAKE_WITHIN,
    }


def _connection(plan: Plan, merged: Merged, host: str, *, is_quic: bool = False) -> Json:
    is_app = host == plan.app_host
    return connection(
        plan,
        "app" if is_app else "troth",
        routes=(routes.application if is_app else routes.troth)(plan, merged),
        headers=(*merged.own, *routes.alternative(plan)),
        codec="HTTP3" if is_quic else "AUTO",
        filters=chain.filters(plan, merged),
        denials=merged.denials,
    )
