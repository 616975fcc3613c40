"""`@ipMatch`: addresses and networks, IPv4 and IPv6.

Unlike in ModSecurity v3, an IPv4 address within IPv6 (`::ffff:192.0.2.1`) is in its IPv4 networks,
too: a socket for both families shows visitors so.
"""

import ipaddress
from collections.abc import Iterable, Mapping

from troth.engines.seclang.model import Found, OperatorFunction

_MAX_TEXT = 45  # the longest address in text (RFC 4291, 2.2: an IPv4 within an IPv6)
_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def ip_match(argument: str, _data: Mapping[str, bytes]) -> OperatorFunction:
    """Addresses and networks, parted by commas; bits beyond a network's mask are ignored."""
    return _among(argument.split(","))


def ip_match_from_file(argument: str, data: Mapping[str, bytes]) -> OperatorFunction:
    """One or several a line, in the named files; what follows `#` is none.

    Raises:
        ValueError: a file is not among the data, or says what is no network.
    """
    written: list[str] = []
    for name in argument.split():
        content = data.get(name.rpartition("/")[2])
        if content is None:
            raise ValueError(f"no data file {name!r}")
        for line in content.decode("utf-8", "replace").splitlines():
            written.extend(line.partition("#")[0].replace(",", " ").split())
    return _among(written)


def _among(written: Iterable[str]) -> OperatorFunction:
    masks: dict[tuple[int, int], set[int]] = {}  # by version and mask: the networks' numbers
    for text in filter(None, (item.strip() for item in written)):
        try:
            network: _Network = ipaddress.ip_network(text, strict=False)
        except ValueError as error:
            raise ValueError(f"{text!r} is no address and no network") from error
        key = (network.version, int(network.netmask))
        masks.setdefault(key, set()).add(int(network.network_address))

    def holds(version: int, number: int) -> bool:
        return any(
            number & mask in networks
            for (family, mask), networks in masks.items()
            if family == version
        )

    def find(value: bytes) -> Found | None:
        if len(value) > _MAX_TEXT:
            return None
        try:
            address = ipaddress.ip_address(value.decode("ascii"))
        except ValueError:
            return None
        if holds(address.version, int(address)):
            return (value,)
        mapped = getattr(address, "ipv4_mapped", None)
        return (value,) if mapped and holds(4, int(mapped)) else None

    return find
