"""`troth prove`: look at the running system now and say what is true; nothing is recorded."""

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from troth.adapters import chance, clock
from troth.adapters import config as configuration
from troth.adapters.vantage import Vantage
from troth.catalogue import Settings, declared, site
from troth.kernel.errors import Failure
from troth.kernel.evidence import stamp
from troth.kernel.model import Evidence, Promise, Verdict
from troth.kernel.state import state
from troth.prove.run import Seen, look_now
from troth.roles import vantage_keys
from troth.roles.places import Places

NOTHING_FAILS, SOMETHING_FAILS, NOT_LOOKED = 0, 1, 2
VANTAGE = "cli"


class ProveError(Failure):
    """What was asked for cannot be proven."""


@dataclass(frozen=True, slots=True)
class Proof:
    """One promise with what was seen of it now."""

    promise: Promise
    seen: tuple[Seen, ...]
    state: str
    reason: str

    def as_json(self) -> dict[str, Any]:
        """As `--json` prints it."""
        return {
            "slug": self.promise.slug,
            "area": self.promise.area,
            "state": self.state,
            "reason": self.reason,
            "checks": [
                {
                    "id": one.check.id,
                    "method": one.check.method.value,
                    "verdict": one.verdict.value,
                    "reason": one.reason,
                    "collected": stamp(one.collected),
                    "command": one.check.command,
                }
                for one in self.seen
            ],
        }


def chosen(settings: Settings, slugs: Sequence[str], area: str) -> tuple[Promise, ...]:
    """The promises asked for, in the catalogue's order. Raises ProveError for an unknown one."""
    catalogue = declared(settings)
    known = {promise.slug for promise in catalogue}
    for slug in slugs:
        if slug not in known:
            raise ProveError("no such promise", where=slug, mend="troth show lists them")
    areas = sorted({promise.area for promise in catalogue})
    if area and area not in areas:
        raise ProveError("no such area", where=area, mend=f"one of: {', '.join(areas)}")
    return tuple(
        promise
        for promise in catalogue
        if (not slugs or promise.slug in slugs) and (not area or promise.area == area)
    )


def vantage(settings: Settings, places: Places) -> Vantage:
    """This machine as a place to look from."""
    ca = places.tls / "ca.pem"
    return Vantage(
        site=site(settings, str(ca) if settings.edge.tls.authority == "local" else ""),
        name=VANTAGE,
        now=clock.now(),
        rng=chance.system(),
        signer=vantage_keys.signer(places),
        data=places.data,
    )


def prove(
    settings: Settings,
    places: Places,
    promises: Sequence[Promise],
    told: Callable[[Promise, Seen], None],
) -> list[Proof]:
    """Run every check of the promises now; the state is what these looks alone would give."""
    seen = look_now(promises, vantage(settings, places), settings.of, now=clock.now, told=told)
    now = clock.now()
    return [_proof(promise, seen.get(promise.slug, ()), now) for promise in promises]


def _proof(promise: Promise, seen: tuple[Seen, ...], now: datetime) -> Proof:
    evidence = [
        Evidence(
            check=one.check.id,
            verdict=one.verdict,
            collected=min(one.collected, now),
            expires=one.collected + one.check.ttl,
            vantage=VANTAGE,
        )
        for one in seen
    ]
    standing = state(promise, evidence, (), now)
    reason = promise.not_applicable_because or standing.reason
    return Proof(promise, seen, standing.state.value, reason)


def exit_code(proofs: Sequence[Proof]) -> int:
    """0 nothing fails, 1 something fails, 2 something could not be looked at."""
    verdicts = Counter(one.verdict for proof in proofs for one in proof.seen)
    if verdicts[Verdict.FAIL]:
        return SOMETHING_FAILS
    return NOT_LOOKED if verdicts[Verdict.ERROR] else NOTHING_FAILS


def published(places: Places) -> Mapping[str, Any]:
    """What the running installation publishes now. Raises ProveError when there is nothing."""
    path = places.public / "api" / "v1" / "promises.json"
    try:
        return {promise["slug"]: promise for promise in json.loads(path.read_bytes())["promises"]}
    except (OSError, ValueError, KeyError) as error:
        raise ProveError(
            "nothing is published", where=str(path), mend="start it: troth up"
        ) from error


def data_of(settings: Settings, data: Path | None) -> Places:
    """The data directory that the command line or the settings name."""
    return Places((data or Path(settings.troth.data)).absolute())


def trust_of(target: str, config: Path, data: Path | None) -> dict[str, str]:
    """What a verifier of `target` should trust: our own authority for our own hosts, else nothing.

    It comes before an SSL_CERT_FILE of the environment, which cannot know that authority. A
    troth.toml that cannot be read changes nothing.
    """
    if not config.exists():
        return {}
    try:
        settings = configuration.load(config, Settings)
    except configuration.ConfigError:
        return {}
    ca = data_of(settings, data).tls / "ca.pem"
    where = site(settings)
    is_ours = target.rstrip("/") in {where.app, where.troth, where.status}
    is_local = settings.edge.tls.authority == "local" and ca.exists()
    return {"SSL_CERT_FILE": str(ca)} if is_ours and is_local else {}
