"""Who an address stands for when something is counted."""

import ipaddress
from functools import lru_cache

PREFIX_V6 = 64  # one customer has a whole /64 (RFC 6177), so one machine has 2**64 addresses

LOGIN = "login:"  # before a ban's subject: kept out of login routes alone


@lru_cache(maxsize=4096)
def client_key(address: str) -> str:
    """The key of a visitor: the IPv4 address, or the IPv6 /64; empty for what is no address."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return ""
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return str(ipaddress.IPv6Network((int(found) >> 64 << 64, PREFIX_V6)))
    return str(found)
