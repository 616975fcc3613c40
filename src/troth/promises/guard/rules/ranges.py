"""Sets of addresses that are asked in a microsecond: sorted intervals of numbers."""

import ipaddress
from bisect import bisect_right
from collections.abc import Iterable
from functools import lru_cache

V4, V6 = 0, 1
MEMO = 8192  # visitors ask many times


@lru_cache(MEMO)
def number(address: str) -> tuple[int, int] | None:
    """Which family and which number an address is; None for what is none.

    An IPv4 address that is written as IPv6 (`::ffff:192.0.2.1`) is the IPv4 address.
    """
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return None
    if isinstance(found, ipaddress.IPv4Address):
        return V4, int(found)
    if found.ipv4_mapped is not None:
        return V4, int(found.ipv4_mapped)
    return V6, int(found)


def interval(network: str) -> tuple[int, int, int]:
    """Family, first and last number of an address or a network; bits below the mask are dropped.

    Raises ValueError for what is neither.
    """
    found = ipaddress.ip_network(network, strict=False)
    first, last = int(found.network_address), int(found.broadcast_address)
    if isinstance(found, ipaddress.IPv4Network):
        return V4, first, last
    mapped = found.network_address.ipv4_mapped
    if mapped is not None and found.prefixlen >= 96:  # noqa: PLR2004 -- RFC 4291, 2.5.5.2
        return V4, int(mapped), int(mapped) + (last - first)
    return V6, first, last


class Ranges:
    """A set of addresses; `address in ranges`. What is no address is in none.

    Args:
        networks: in CIDR, or single addresses; in any order, they may overlap.

    Raises:
        ValueError: for one that is neither.
    """

    __slots__ = ("_firsts", "_lasts", "count")

    def __init__(self, networks: Iterable[str] = ()) -> None:
        spans: tuple[list[tuple[int, int]], list[tuple[int, int]]] = ([], [])
        for network in networks:
            family, first, last = interval(network)
            spans[family].append((first, last))
        self._firsts: tuple[list[int], list[int]] = ([], [])
        self._lasts: tuple[list[int], list[int]] = ([], [])
        for family in (V4, V6):
            firsts, lasts = self._firsts[family], self._lasts[family]
            for first, last in sorted(spans[family]):
                if lasts and first <= lasts[-1] + 1:
                    lasts[-1] = max(lasts[-1], last)
                else:
                    firsts.append(first)
                    lasts.append(last)
        self.count = len(spans[V4]) + len(spans[V6])

    def __contains__(self, address: object) -> bool:
        found = number(address) if isinstance(address, str) else None
        if found is None:
            return False
        family, value = found
        at = bisect_right(self._firsts[family], value) - 1
        return at >= 0 and value <= self._lasts[family][at]

    def meets(self, network: str) -> bool:
        """Whether an address or network has an address in common with these.

        Raises ValueError for what is neither.
        """
        family, first, last = interval(network)
        at = bisect_right(self._firsts[family], last) - 1
        return at >= 0 and self._lasts[family][at] >= first

    def __bool__(self) -> bool:
        return self.count > 0
