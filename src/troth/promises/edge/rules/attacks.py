"""Named attacks on TLS that follow from what a server accepts (Source: RFC 7457, RFC 9325)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from troth.promises.edge.rules.hello import NAMES, SSL2, SSL3, TLS1
from troth.promises.edge.rules.suites import Suite

WEAK_DH_BITS = 1024  # Source: weakdh.org, 2015: what a state can break
# Tried by harmless handshakes, each by this name in the facts.
TRIED = ("Heartbleed", "CCS injection", "ROBOT", "CRIME", "renegotiation", "Ticketbleed")
# Known, and neither tried nor judged here: the page says so.
NOT_TRIED = ("Raccoon", "ALPACA", "Zombie POODLE", "Winshock", "CVE-2016-2107")

Name = Literal["BEAST", "POODLE", "FREAK", "Logjam", "DROWN", "Sweet32", "Lucky 13", "RC4 biases"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What a server accepts.

    Args:
        suites: for each version by name (`hello.NAMES`), the cipher suites it accepts there; a
            version that it refuses has no key.
        dh_bits: the smallest Diffie-Hellman prime it uses; 0 when it uses none.
    """

    suites: Mapping[str, tuple[Suite, ...]]
    dh_bits: int = 0

    @property
    def versions(self) -> frozenset[str]:
        """The versions it accepts, by name."""
        return frozenset(self.suites)

    @property
    def every_suite(self) -> tuple[Suite, ...]:
        """Its suites of all versions together."""
        return tuple({s.number: s for several in self.suites.values() for s in several}.values())


def _any(holds: Callable[[Suite], bool]) -> Callable[[Offer], bool]:
    return lambda offer: any(map(holds, offer.every_suite))


def _beast(offer: Offer) -> bool:
    old = (NAMES[SSL3], NAMES[TLS1])
    return any(suite.is_cbc for version in old for suite in offer.suites.get(version, ()))


def _logjam(offer: Offer) -> bool:
    is_export = any(s.is_export and s.name.startswith(("DHE", "DH_")) for s in offer.every_suite)
    return is_export or 0 < offer.dh_bits <= WEAK_DH_BITS


_OPEN_TO: Mapping[Name, Callable[[Offer], bool]] = {
    "BEAST": _beast,
    "POODLE": lambda offer: NAMES[SSL3] in offer.versions,
    "FREAK": _any(lambda suite: suite.is_export and suite.name.startswith("RSA")),
    "Logjam": _logjam,
    "DROWN": lambda offer: NAMES[SSL2] in offer.versions,
    "Sweet32": _any(lambda suite: suite.has_short_blocks),
    "Lucky 13": _any(lambda suite: suite.is_cbc),
    "RC4 biases": _any(lambda suite: "RC4" in suite.name),
}
JUDGED: tuple[str, ...] = tuple(_OPEN_TO)


def open_to(offer: Offer) -> tuple[str, ...]:
    """The attacks of `JUDGED` that this server is open to, in that order."""
    return tuple(name for name, is_open in _OPEN_TO.items() if is_open(offer))
