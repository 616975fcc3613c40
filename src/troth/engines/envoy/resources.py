"""Envoy's configuration as plain data: small builders, and what a whole edge consists of.

JSON only: Envoy reads YAML 1.1, where a bare `n` is a boolean.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from troth.kernel.fragment import Action, Header

Json = dict[str, Any]

TYPES = "type.googleapis.com/envoy."
ACTIONS: Mapping[Action, str] = {
    "replace": "OVERWRITE_IF_EXISTS_OR_ADD",
    "append": "APPEND_IF_EXISTS_OR_ADD",
    "if-absent": "ADD_IF_ABSENT",
}


@dataclass(frozen=True, slots=True)
class Resources:
    """What Envoy is given: listeners (LDS) and clusters (CDS). Certificates come by files (SDS)."""

    listeners: tuple[Json, ...]
    clusters: tuple[Json, ...]

    @property
    def version(self) -> str:
        """16 hex digits that change with the content."""
        whole = json.dumps([self.listeners, self.clusters], sort_keys=True)
        return hashlib.sha256(whole.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Certificate:
    """Where a host's chain and key lie (PEM), and the SDS file that points there."""

    chain: Path
    key: Path
    sds: Path


def typed(name: str, /, **fields: Any) -> Json:
    """A message of Envoy's API: `typed("config.cluster.v3.Cluster", name=...)`."""
    return {"@type": TYPES + name, **fields}


def extension(name: str, message: str, /, **fields: Any) -> Json:
    """A named extension with its typed configuration."""
    return {"name": name, "typed_config": typed(message, **fields)}


def http_filter(name: str, message: str, /, **fields: Any) -> Json:
    """An HTTP filter; `message` as in `ext_authz.v3.ExtAuthz`."""
    return extension(f"envoy.filters.http.{name}", f"extensions.filters.http.{message}", **fields)


def literal(text: str) -> str:
    """Text in which Envoy must not look for command operators."""
    return text.replace("%", "%%")


def header(name: str, value: str, action: Action = "replace") -> Json:
    """A `HeaderValueOption` whose value is a formatter."""
    return {"header": {"key": name, "value": value}, "append_action": ACTIONS[action]}


def header_options(headers: tuple[Header, ...]) -> list[Json]:
    """The headers as Envoy writes them; `%` stands for itself."""
    return [header(each.name, literal(each.value), each.action) for each in headers]


def direct(status: int, body: str = "", headers: tuple[tuple[str, str], ...] = ()) -> Json:
    """The part of a route that answers by itself."""
    answer: Json = {"direct_response": {"status": status}}
    if body:
        answer["direct_response"]["body"] = {"inline_string": body}
    if headers:
        answer["response_headers_to_add"] = [header(name, literal(v)) for name, v in headers]
    return answer


def address(ip: str, port: int, *, is_udp: bool = False) -> Json:
    """A socket address. An IPv6 wildcard does not take IPv4 with it."""
    protocol = {"protocol": "UDP"} if is_udp else {}
    return {"socket_address": {"address": ip, "port_value": port, **protocol}}


def pipe(path: Path) -> Json:
    """A unix socket's address."""
    return {"pipe": {"path": str(path)}}


def sds_reference(name: str, path: Path) -> Json:
    """A secret that Envoy reads, and reads again when it is renamed into place, from a file."""
    source = {"path_config_source": {"path": str(path)}, "resource_api_version": "V3"}
    return {"name": name, "sds_config": source}


def sds_secret(name: str, certificate: Certificate) -> Json:
    """The content of a certificate's SDS file."""
    return typed(
        "extensions.transport_sockets.tls.v3.Secret",
        name=name,
        tls_certificate={
            "certificate_chain": {"filename": str(certificate.chain)},
            "private_key": {"filename": str(certificate.key)},
        },
    )


def bootstrap(folder: Path, admin: Path, *, max_connections: int) -> Json:
    """What Envoy starts with: files to watch in `folder`, the admin socket, a connection limit."""

    def watched(name: str) -> Json:
        return {
            "path_config_source": {"path": str(folder / name)},
            "resource_api_version": "V3",
        }

    return {
        "node": {"id": "troth", "cluster": "edge"},
        "admin": {"address": {"pipe": {"path": str(admin), "mode": 0o660}}},
        "dynamic_resources": {"lds_config": watched("lds.json"), "cds_config": watched("cds.json")},
        "overload_manager": {
            "resource_monitors": [
                extension(
                    "envoy.resource_monitors.global_downstream_max_connections",
                    "extensions.resource_monitors.downstream_connections.v3."
                    "DownstreamConnectionsConfig",
                    max_active_downstream_connections=max_connections,
                )
            ]
        },
    }
