"""`[guard.bans]`, `[[guard.lists]]`, `[guard.zones]`: who is kept out, by address."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from troth.promises.guard.settings.limits import Method, Name, Network, Path

Source = Annotated[str, Meta(pattern=r"^(file:/[^\s]+|https?://[^\s]+)$", max_length=2048)]


class Bans(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[guard.bans]`: an address that attacks is kept out for a while, then let in again.

    Args:
        factor: each further ban in a row is so many times longer than the one before.
        longest_s: no ban that is not an operator's is longer.
        forget_s: so long after its end a ban is no longer "in a row".
        protected: networks that are never banned, whatever comes from them: a ban on a proxy in
            front of us is a ban on everybody. `[edge] trusted_proxies` are, too.
        drills: addresses of our own attacks. Not protected, so that bans are seen to work; they
            are loopback, so that none of them is a person.
        drill_s: the longest ban on one of those.
        edge: the edge refuses banned addresses by itself, too.
        nftables: the kernel drops their packets (needs `nft` and CAP_NET_ADMIN).
        connections: so many may one address (of IPv6 a /64) hold open at the edge at once, where
            `nftables` is set; 0 for any number. An office is one address.
    """

    factor: Annotated[int, Meta(ge=1, le=10)] = 4
    longest_s: Annotated[int, Meta(ge=1, le=31_536_000)] = 7 * 86_400
    forget_s: Annotated[int, Meta(ge=0, le=31_536_000)] = 86_400
    protected: tuple[Network, ...] = ("127.0.0.0/8", "::1/128")
    drills: tuple[Network, ...] = ("127.66.0.0/16",)
    drill_s: Annotated[int, Meta(ge=1, le=3600)] = 10
    edge: bool = True
    nftables: bool = False
    connections: Annotated[int, Meta(ge=0, le=65_535)] = 256


class Blocklist(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[[guard.lists]]`: addresses that others found to be bad.

    Args:
        name: as told and shown; no two alike.
        source: `file:/path`, or an address that is fetched.
        kind: `cidr` (an address or network a line, `#` and `;` begin remarks) or `crowdsec` (its
            decisions as JSON; those of type `ban` and scope `Ip` or `Range` count).
        key: what is sent as `X-Api-Key` (CrowdSec's bouncers have one): `env:NAME`, `file:/path`.
        ca_file: PEM of a private authority of that address.
        refresh_s: how often it is read again.
        max_age_s: older than that it is said to be stale. It is still used.
    """

    name: Name
    source: Source
    kind: Literal["cidr", "crowdsec"] = "cidr"
    key: Annotated[str, Meta(pattern=r"^((env|file):.+)?$")] = ""
    ca_file: str = ""
    refresh_s: Annotated[int, Meta(ge=1, le=604_800)] = 3600
    max_age_s: Annotated[int, Meta(ge=10, le=31_536_000)] = 2 * 86_400

    def __post_init__(self) -> None:
        if self.name == "allowed":
            raise ValueError("allowed: the name is taken by `troth allow`")


class Zone(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[[guard.zones.named]]`: networks under a name."""

    name: Name
    networks: Annotated[tuple[Network, ...], Meta(min_length=1, max_length=4096)]


class ZoneRule(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[[guard.zones.rules]]`: who may ask for a route.

    Args:
        path: and everything below it, however it is spelled.
        methods: empty for all.
        allow: only these zones; empty for everybody.
        deny: none of these, though they are in `allow`.
    """

    path: Path = "/"
    methods: tuple[Method, ...] = ()
    allow: tuple[Name, ...] = ()
    deny: tuple[Name, ...] = ()


class Zones(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[guard.zones]`: routes for some networks only. Every rule that fits must let pass."""

    named: Annotated[tuple[Zone, ...], Meta(max_length=256)] = ()
    rules: Annotated[tuple[ZoneRule, ...], Meta(max_length=256)] = ()

    def __post_init__(self) -> None:
        known = [zone.name for zone in self.named]
        if len(set(known)) != len(known):
            raise ValueError("two zones have the same name")
        for rule in self.rules:
            for name in (*rule.allow, *rule.deny):
                if name not in known:
                    raise ValueError(f"no zone is named {name}")
