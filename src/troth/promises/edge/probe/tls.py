"""Handshakes of every age with every published host: what it refuses and what it accepts.

Old versions are spoken in raw bytes (`rules/hello.py`): a refusal is then the server's.
"""

from collections.abc import Iterable
from typing import Any

from troth.adapters.tcp import TcpError
from troth.adapters.tls import TlsError, Version
from troth.adapters.vantage import Vantage, address_of
from troth.kernel.model import Observation
from troth.promises.edge.rules.hello import (
    ENOUGH_BYTES,
    NAMES,
    RANDOM_BYTES,
    RENEGOTIATION_INFO,
    SSL3,
    TLS1,
    TLS1_1,
    TLS1_2,
    TLS1_3,
    Reply,
    client_hello,
    is_whole,
    read_reply,
    ssl2_hello,
)
from troth.promises.edge.rules.suites import SUITES
from troth.promises.edge.settings import EdgeSettings

ANSWER_S = 3.0
APP = "app"
# A server takes one suite of those offered, so finding all takes one hello more than it has.
MOST_HELLOS = 150
DEFLATE_THEN_NONE = b"\x01\x00"

Host = tuple[str, str]


def published(vantage: Vantage) -> list[Host]:
    """Every published host as a name and an address; the status host only where it answers."""
    site = vantage.site
    found = [(APP, site.app), ("troth", site.troth)]
    try:  # it is up or down for reasons of its own: another promise's affair
        is_up = _modern(vantage, site.status).kind == "hello"
    except TimeoutError:
        is_up = False
    return [*found, ("status", site.status)] if is_up else found


def versions(vantage: Vantage, _settings: EdgeSettings) -> Observation:
    """TLS 1.0 and 1.1 said to the application's host; 1.2, 1.3 and the choice between agreed."""
    return _observed([_versions(vantage, APP, vantage.site.app)])


def versions_everywhere(vantage: Vantage, _settings: EdgeSettings) -> Observation:
    """The same on every published host."""
    return _observed([_versions(vantage, *host) for host in published(vantage)])


def _versions(vantage: Vantage, name: str, url: str) -> dict[str, Any]:
    server = address_of(url)[0]
    old = {}
    for version in (TLS1, TLS1_1):
        hello = client_hello(version=version, random=_random(vantage), server_name=server)
        old[NAMES[version]] = told(say(vantage, url, hello))
    return {
        "host": name,
        "old": old,
        "agreed": {
            "TLSv1.2": _agreed(vantage, url, Version.TLS1_2, Version.TLS1_2),
            "TLSv1.3": _agreed(vantage, url, Version.TLS1_3, Version.TLS1_3),
        },
        "preferred": _agreed(vantage, url, Version.TLS1_2, Version.TLS1_3),
    }


def _agreed(vantage: Vantage, url: str, minimum: Version, maximum: Version) -> str:
    """The version that a whole handshake ends with; empty when the server refuses it.

    Whether the certificate is trusted is not asked here.
    """
    context = vantage.context(verify=False, minimum=minimum, maximum=maximum)
    try:
        return vantage.handshake(url, context=context).version
    except TlsError:
        return ""


def ancient(vantage: Vantage, _settings: EdgeSettings) -> Observation:
    """SSL 2 and SSL 3 said to the application's host, and a modern hello beside them."""
    return _observed([_ancient(vantage, APP, vantage.site.app)])


def ancient_everywhere(vantage: Vantage, _settings: EdgeSettings) -> Observation:
    """The same on every published host."""
    return _observed([_ancient(vantage, *host) for host in published(vantage)])


def _ancient(vantage: Vantage, name: str, url: str) -> dict[str, Any]:
    server, random = address_of(url)[0], _random(vantage)
    hellos = (
        ("SSLv2", ssl2_hello(random)),
        ("SSLv3", client_hello(version=SSL3, random=random)),
        ("SSLv3", client_hello(version=SSL3, random=random, server_name=server)),
    )
    tried = [{"said": said, "reply": told(say(vantage, url, hello))} for said, hello in hellos]
    return {"host": name, "tried": tried, "control": told(_modern(vantage, url))}


def offer(vantage: Vantage, url: str) -> dict[str, Any]:
    """What the host accepts: versions, suites, key exchange; in the shape of `judge/tls.py`."""
    suites: dict[str, list[str]] = {}
    groups: set[str] = set()
    is_secure, deflates = True, False
    for version in (SSL3, TLS1, TLS1_1, TLS1_2, TLS1_3):
        replies = list(_accepted(vantage, url, version))
        if not replies:
            continue
        suites[NAMES[version]] = sorted(SUITES[reply.suite].name for reply in replies)
        groups |= {reply.group for reply in replies if reply.group}
        if version < TLS1_3:
            is_secure = is_secure and RENEGOTIATION_INFO in replies[0].extensions
            deflates = deflates or any(reply.compression for reply in replies)
    if not say(vantage, url, ssl2_hello(_random(vantage))).is_refusal:
        suites["SSLv2"] = []
    return {
        "suites": suites,
        "groups": sorted(groups),
        "renegotiates_securely": is_secure,
        "compresses": deflates,
    }


def _accepted(vantage: Vantage, url: str, version: int) -> Iterable[Reply]:
    """One ServerHello for each suite that the host takes in this version."""
    left = [n for n, suite in SUITES.items() if suite.is_tls13 == (version == TLS1_3)]
    while left:
        hello = client_hello(
            version=version,
            random=_random(vantage),
            server_name=address_of(url)[0],
            suites=left,
            compressions=b"\0" if version == TLS1_3 else DEFLATE_THEN_NONE,
        )
        reply = say(vantage, url, hello)
        if reply.kind != "hello" or reply.version != version or reply.suite not in left:
            return
        left.remove(reply.suite)
        yield reply


def say(vantage: Vantage, url: str, hello: bytes) -> Reply:
    """Send a hello; what the first bytes of the answer mean. A broken connection is `closed`.

    Raises:
        TimeoutError: neither an answer nor a close in time.
    """
    host, port = address_of(url)
    try:
        answer = vantage.exchange(
            f"tcp://{host}:{port}",
            hello,
            limit_bytes=ENOUGH_BYTES,
            timeout_s=ANSWER_S,
            is_enough=is_whole,
        )
    except TcpError:
        return Reply(kind="closed")
    return read_reply(answer)


def told(reply: Reply) -> dict[str, Any]:
    """A reply as facts."""
    version = NAMES.get(reply.version, "")
    return {"kind": reply.kind, "version": version, "alert": reply.alert}


def _modern(vantage: Vantage, url: str) -> Reply:
    """The answer to a hello of TLS 1.2 or, where that is refused, of TLS 1.3."""
    reply = Reply(kind="closed")
    for version in (TLS1_2, TLS1_3):
        server = address_of(url)[0]
        hello = client_hello(version=version, random=_random(vantage), server_name=server)
        reply = say(vantage, url, hello)
        if reply.kind == "hello":
            break
    return reply


def _random(vantage: Vantage) -> bytes:
    return vantage.rng.randbytes(RANDOM_BYTES)


def _observed(hosts: list[dict[str, Any]]) -> Observation:
    return Observation(
        facts={"hosts": hosts, "looked_at": len(hosts)}, public=frozenset({"looked_at"})
    )
