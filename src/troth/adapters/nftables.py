"""The kernel's packet filter, by `nft`: one table of ours that drops who is banned, and counts.

Elements have a time-out of their own, so that a ban ends though nobody is left to end it. What one
address may hold open at once is counted by the kernel's own connection tracking, an IPv6 address by
its /64: a new connection beyond that is reset before anybody accepts it, whoever sends, loopback
included. (Envoy has no count by address: its limits of connections are for all clients together,
or rates.)

Everything is said as a whole each time, and what is counted is kept. Fails open: a filter that
cannot be set changes nothing, and the caller is told why; the guard decides on.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from troth.adapters import process
from troth.kernel.errors import Failure

TABLE = "troth"
WITHIN = timedelta(seconds=10)
MOST = 20_000
MOST_COUNTED = 65_535  # addresses of a family with connections; of further ones none is counted
_RULES = f"""\
add table inet {TABLE}
add set inet {TABLE} banned4 {{ type ipv4_addr; flags interval,timeout; }}
add set inet {TABLE} banned6 {{ type ipv6_addr; flags interval,timeout; }}
add set inet {TABLE} held4 {{ type ipv4_addr; size {MOST_COUNTED}; flags dynamic; }}
add set inet {TABLE} held6 {{ type ipv6_addr; size {MOST_COUNTED}; flags dynamic; }}
add chain inet {TABLE} input {{ type filter hook input priority -10; policy accept; }}
flush chain inet {TABLE} input
flush set inet {TABLE} banned4
flush set inet {TABLE} banned6
add rule inet {TABLE} input ip saddr @banned4 counter drop
add rule inet {TABLE} input ip6 saddr @banned6 counter drop
"""
_SUBNET = "ip6 saddr and ffff:ffff:ffff:ffff::"  # RFC 4291, 2.5.1: an interface has a /64


class NftError(Failure):
    """A packet filter that could not be set."""


@dataclass(frozen=True, slots=True)
class Held:
    """What one address may hold open at once.

    Args:
        most: connections, 1 or more.
        ports: where they lead, TCP and UDP.
    """

    most: int
    ports: tuple[int, ...]


def set_banned(
    bans: Iterable[tuple[str, timedelta]], held: Held | None = None, program: str = "nft"
) -> None:
    """Drop what these send, for so long; whoever was dropped before and is not named is not.

    Args:
        bans: IPv4 addresses and IPv6 networks, each with what is left of its time.
        held: how many connections an address may hold; None counts none.
        program: `nft`, or the operator's own.

    Raises:
        NftError: not there, not allowed (CAP_NET_ADMIN), or not understood; nothing changed, for
            `nft` applies a file as a whole.
    """
    elements: dict[str, list[str]] = {"banned4": [], "banned6": []}
    for count, (subject, left) in enumerate(bans):
        if count == MOST:
            break
        seconds = max(int(left.total_seconds()), 1)
        name = "banned6" if ":" in subject else "banned4"
        elements[name].append(f"{subject} timeout {seconds}s")
    lines = [_RULES, *(_counting(held) if held is not None else ())]
    for name, each in elements.items():
        if each:
            lines.append(f"add element inet {TABLE} {name} {{ {', '.join(each)} }}")
    _run(program, "\n".join(lines))


def _counting(held: Held) -> Iterable[str]:
    """A connection counts until the kernel forgets it: when it is closed, or UDP fell silent."""
    ports = ", ".join(map(str, held.ports))
    for name, source in (("held4", "ip saddr"), ("held6", _SUBNET)):
        for kind, answer in (("tcp", "reject with tcp reset"), ("udp", "drop")):
            yield (
                f"add rule inet {TABLE} input {kind} dport {{ {ports} }} ct state new "
                f"add @{name} {{ {source} ct count over {held.most} }} counter {answer}"
            )


def clear(program: str = "nft") -> None:
    """Take the table away; fine when there is none. Raises NftError."""
    _run(program, f"table inet {TABLE}\ndelete table inet {TABLE}\n")


def _run(program: str, text: str) -> None:
    try:
        process.run([program, "-f", "-"], stdin=text.encode(), timeout=WITHIN)
    except process.ProcessError as error:
        raise NftError(
            error.what,
            where=program,
            mend="install nftables and give the edge CAP_NET_ADMIN, or [guard.bans] nftables = "
            "false",
        ) from error
