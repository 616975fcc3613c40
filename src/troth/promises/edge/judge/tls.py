"""Judges of the protocol versions that hosts refuse and accept."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from troth.kernel.model import Judgement
from troth.promises.edge.judge.facts import count, rate
from troth.promises.edge.settings import EdgeSettings
from troth.promises.judging import Unseen, judging, shaped

APP = "app"
OLD = frozenset({"TLSv1.0", "TLSv1.1"})
MODERN = frozenset({"TLSv1.2", "TLSv1.3"})
BEST = "TLSv1.3"
ANCIENT = frozenset({"SSLv2", "SSLv3"})


class Reply(Struct, frozen=True):
    """What a server answered to a hello: `hello`, `alert`, `closed` or `other`."""

    kind: str
    version: str = ""
    alert: str = ""


class Versions(Struct, frozen=True):
    """One host.

    Args:
        old: the answer to a hello of each version of `OLD`.
        agreed: the version that a whole handshake in each of `MODERN` ended with; or empty.
        preferred: the one that a client of both was given.
    """

    host: str
    old: dict[str, Reply]
    agreed: dict[str, str]
    preferred: str


class VersionsSeen(Struct, frozen=True):
    """What the version probes bring."""

    hosts: list[Versions]


class Said(Struct, frozen=True):
    """One ancient hello and its answer."""

    said: str
    reply: Reply


class Ancient(Struct, frozen=True):
    """One host; `control` is its answer to a modern hello of the same run."""

    host: str
    tried: list[Said]
    control: Reply


class AncientSeen(Struct, frozen=True):
    """What the probes of SSL bring."""

    hosts: list[Ancient]


def demand_app(names: list[str]) -> None:
    """Raise Unseen unless the application's host is among those that were looked at."""
    if APP not in names:
        raise Unseen("the application's host was not looked at")


@judging
def versions(facts: Mapping[str, Any], _settings: EdgeSettings) -> Judgement:
    """TLS 1.0 and 1.1 refused, 1.2 and 1.3 accepted, 1.3 chosen where both are offered.

    The controls are the whole handshakes: a host that accepts nothing refuses nothing.
    """
    seen = shaped(facts, VersionsSeen).hosts
    demand_app([host.host for host in seen])
    for host in seen:
        if set(host.old) != OLD or set(host.agreed) != MODERN:
            raise Unseen("not every version was tried")
        if not host.preferred and not any(host.agreed.values()):
            raise Unseen("a host agreed to no handshake at all")
        if any(reply.kind not in {"hello", "alert", "closed"} for reply in host.old.values()):
            raise Unseen("a host answered with something that is not TLS")
    return rate(
        count(not _is_modern(host) for host in seen),
        len(seen),
        "hosts negotiate something else than TLS 1.2 and 1.3, 1.3 first",
        "hosts negotiate TLS 1.2 and 1.3 only, 1.3 first",
    )


def _is_modern(host: Versions) -> bool:
    refuses = all(reply.kind != "hello" for reply in host.old.values())
    accepts = all(agreed == version for version, agreed in host.agreed.items())
    return refuses and accepts and host.preferred == BEST


@judging
def ancient(facts: Mapping[str, Any], _settings: EdgeSettings) -> Judgement:
    """SSL 2 and SSL 3 answered by an alert or a close, with a modern hello answered by a hello."""
    seen = shaped(facts, AncientSeen).hosts
    demand_app([host.host for host in seen])
    for host in seen:
        if host.control.kind != "hello":
            raise Unseen("a host did not answer a modern hello")
        if {item.said for item in host.tried} != ANCIENT:
            raise Unseen("not every version was tried")
        if any(item.reply.kind not in {"hello", "alert", "closed"} for item in host.tried):
            raise Unseen("a host answered with something that is not TLS")
    hellos = [item.reply.kind == "hello" for host in seen for item in host.tried]
    return rate(
        count(hellos),
        len(hellos),
        "hellos of SSL 2 and SSL 3 were answered by a ServerHello",
        "hellos of SSL 2 and SSL 3 were refused",
    )
