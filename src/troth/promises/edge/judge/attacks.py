"""Judges of named attacks: what follows from the offer, and what was tried."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from troth.kernel.model import Judgement, Verdict
from troth.promises.edge.judge.grade import Offered, offer_of
from troth.promises.edge.judge.tls import demand_app
from troth.promises.edge.rules.attacks import JUDGED, NOT_TRIED, TRIED, open_to
from troth.promises.edge.settings import EdgeSettings
from troth.promises.judging import Unseen, judging, shaped

# What the probe's own server is open to.
CONTROLS = frozenset({"Heartbleed", "CCS injection"})


class Host(Struct, frozen=True):
    """One host: what it accepts."""

    host: str
    offer: Offered


class Offers(Struct, frozen=True):
    """What the scan brings."""

    hosts: list[Host]


class Tried(Struct, frozen=True):
    """One host.

    Args:
        tried: for each attack of `rules.attacks.TRIED`, whether it succeeded.
        accepts: the versions that the scanner got a handshake in: the control.
    """

    host: str
    tried: dict[str, bool]
    accepts: list[str]


class Attacked(Struct, frozen=True):
    """What the attacks bring; `control`: the attacks that succeeded on a server open to them."""

    hosts: list[Tried]
    control: list[str]


@judging
def offered(facts: Mapping[str, Any], _settings: EdgeSettings) -> Judgement:
    """No version and no cipher that a named attack needs."""
    seen = shaped(facts, Offers).hosts
    demand_app([host.host for host in seen])
    found = [open_to(offer_of(host.offer)) for host in seen]
    compress = any(host.offer.compresses for host in seen)
    names = sorted({name for names in found for name in names} | ({"CRIME"} if compress else set()))
    bad = sum(bool(names) for names in found)
    if names:
        return Judgement(Verdict.FAIL, f"{max(bad, 1)} of {len(found)} hosts: {', '.join(names)}")
    return Judgement(
        Verdict.PASS, f"{len(found)} hosts accept nothing that these need: {', '.join(JUDGED)}"
    )


@judging
def tried(facts: Mapping[str, Any], _settings: EdgeSettings) -> Judgement:
    """Each attack was tried on each host and none succeeded; the same run did see one succeed."""
    seen = shaped(facts, Attacked)
    demand_app([host.host for host in seen.hosts])
    if not set(seen.control) >= CONTROLS:
        raise Unseen("the scanner found nothing on a server made to be open to an attack")
    for host in seen.hosts:
        if missing := set(TRIED) - set(host.tried):
            raise Unseen(f"not tried: {', '.join(sorted(missing))}")
        if not host.accepts:
            raise Unseen("the scanner got no handshake at all")
    names = sorted({n for host in seen.hosts for n, is_open in host.tried.items() if is_open})
    if names:
        bad = sum(any(host.tried.values()) for host in seen.hosts)
        return Judgement(Verdict.FAIL, f"{bad} of {len(seen.hosts)} hosts: {', '.join(names)}")
    return Judgement(
        Verdict.PASS,
        f"{len(seen.hosts)} hosts withstood {', '.join(TRIED)}; not tried: {', '.join(NOT_TRIED)}",
    )
