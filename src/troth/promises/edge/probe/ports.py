"""The sweep of every port of the service's address, and what the machine's own books say."""

from collections.abc import Iterable
from urllib.parse import urlsplit

from troth.adapters import inventory, tcp
from troth.adapters.vantage import Vantage, address_of
from troth.kernel.model import Observation
from troth.promises.edge.settings import EdgeSettings

EVERY_PORT = range(1, 65_536)
RATE_PER_S = 4000
LOOPBACK_RATE_PER_S = 20_000  # the same machine: nobody's network is in between
_WITHIN_S = 1.0
# Source: RFC 9000, 14.1 (1,200 bytes at least), 17.2 (long header) and 6.3 (a version reserved to
# force negotiation): whoever speaks QUIC answers with a Version Negotiation packet, version 0.
_QUIC_HELLO = bytes((0xC0, 0x1A, 0x2A, 0x3A, 0x4A, 8)) + b"troth-up" + bytes((8,)) + b"troth-up"
_QUIC_BYTES = 1200


def sweep(vantage: Vantage, settings: EdgeSettings) -> Observation:
    """Every TCP port of each address, and QUIC on the public one; at a bounded rate.

    The control holds for each address: one on which the public port was not seen open counts as
    not swept.

    Raises:
        TcpError: an address cannot be looked at.
    """
    host, public = address_of(vantage.site.app)
    addresses = tcp.resolve(host)
    opens = [_open(address, vantage) for address in addresses]
    is_open = set[int]().union(*opens)
    status = urlsplit(vantage.site.status).port or 443
    declared = {public, settings.http_port, *settings.other_ports}
    if tcp.resolve(urlsplit(vantage.site.status).hostname or host)[0] in addresses:
        declared.add(status)
    books, listening = _books(vantage)
    answer = tcp.datagram(host, public, _QUIC_HELLO.ljust(_QUIC_BYTES, b"\0"))
    return Observation(
        facts={
            "swept": len(EVERY_PORT) if all(public in each for each in opens) else 0,
            "addresses": len(addresses),
            "is_shared": vantage.is_on_loopback,
            "declared": sorted(declared),
            "public": public,
            "open": [
                {"port": port, "owner": books.get(port, "unknown")} for port in sorted(is_open)
            ],
            "listening": sorted(listening),
            "quic": len(answer) > 0,
            "has_books": vantage.data is not None,
        },
        public=frozenset({"swept", "addresses", "declared", "public"}),
    )


def _open(address: str, vantage: Vantage) -> set[int]:
    """The open ports of one address.

    What seemed open is tried again: on loopback a connect may meet itself (a simultaneous open from
    the very port it tries; RFC 9293, 3.5), and a port that has closed since has no owner any more.
    """
    rate = LOOPBACK_RATE_PER_S if vantage.is_on_loopback else RATE_PER_S
    found: Iterable[int] = EVERY_PORT
    for _ in range(2):
        swept = tcp.sweep(address, found, rate_per_s=rate, timeout_s=_WITHIN_S)
        found = [port for port, reach in swept.items() if reach is tcp.Reach.OPEN]
    return set(found)


def _books(vantage: Vantage) -> tuple[dict[int, str], set[int]]:
    """Whose each listening port is, and the ports at which our own processes can be reached.

    Our own are the processes whose command line names the data directory, and their children. When
    it may be seen what each of them holds, a port that none of them holds is somebody else's; else
    it is nobody knows whose.
    """
    if vantage.data is None:
        return {}, set()
    ours = inventory.family(str(vantage.data))
    seen = inventory.books()
    others = "unknown" if ours & seen.closed else "foreign"
    owned: dict[int, str] = {}
    listening = set()
    for owner in seen.owners:
        if owner.pids & ours:
            owned[owner.port] = "ours"
            if vantage.is_on_loopback or not owner.is_loopback:
                listening.add(owner.port)
        else:
            owned.setdefault(owner.port, others)
    return owned, listening
