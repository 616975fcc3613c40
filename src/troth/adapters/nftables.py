"""The kernel's packet filter, by `nft`: one table of ours, with one set of addresses a family.

Elements have a time-out of their own, so that a ban ends though nobody is left to end it. Fails
open: a filter that cannot be set changes nothing, and the caller is told why; the guard decides on.
"""

from collections.abc import Iterable
from datetime import timedelta

from troth.adapters import process
from troth.kernel.errors import Failure

TABLE = "troth"
WITHIN = timedelta(seconds=10)
MOST = 20_000
_RULES = """\
table inet {table} {{
  set banned4 {{ type ipv4_addr; flags interval,timeout; }}
  set banned6 {{ type ipv6_addr; flags interval,timeout; }}
  chain input {{
    type filter hook input priority -10; policy accept;
    ip saddr @banned4 counter drop
    ip6 saddr @banned6 counter drop
  }}
}}
"""


class NftError(Failure):
    """A packet filter that could not be set."""


def set_banned(bans: Iterable[tuple[str, timedelta]], program: str = "nft") -> None:
    """Drop what these send, for so long; whoever was dropped before and is not named is not.

    Args:
        bans: IPv4 addresses and IPv6 networks, each with what is left of its time.
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
    lines = [f"table inet {TABLE}", f"delete table inet {TABLE}", _RULES.format(table=TABLE)]
    for name, each in elements.items():
        if each:
            lines.append(f"add element inet {TABLE} {name} {{ {', '.join(each)} }}")
    _run(program, "\n".join(lines))


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
