"""`troth hsts raise`: 300 s, a day, a year; never shorter, never while something is amiss."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from troth.catalogue import Settings
from troth.kernel.errors import Failure
from troth.kernel.model import Verdict
from troth.promises.edge.rules.hsts import YEAR_S
from troth.roles import prove, up
from troth.roles.change import change
from troth.roles.install import what_hsts_binds
from troth.roles.places import Places

STEPS_S = (300, 86_400, YEAR_S)
# What must be seen to hold now: the header itself, the redirect, TLS everywhere, the certificate.
RESTS_ON = ("tls-everywhere", "https-redirect", "hsts", "tls-strong-certificate")


class HstsError(Failure):
    """It may not be raised now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Raised:
    """From how many seconds to how many, and what that binds."""

    before_s: int
    after_s: int
    binds: str


def raise_(config: Path, settings: Settings, places: Places, now: datetime) -> Raised:
    """One step up, in troth.toml; the running edge takes it up by itself.

    Raises:
        HstsError: it stands at the top, or what it rests on was not seen to hold just now.
    """
    before = settings.edge.hsts.max_age_s
    after = next((step for step in STEPS_S if step > before), None)
    if after is None:
        raise HstsError(f"stands at {before} s already", where=str(config))
    proofs = prove.prove(
        settings, places, prove.chosen(settings, RESTS_ON, ""), lambda _promise, _seen: None
    )
    for proof in proofs:
        for seen in proof.seen:
            if seen.verdict is not Verdict.PASS:
                raise HstsError(
                    f"{seen.check.id}: {seen.reason}",
                    where=str(config),
                    mend=f"mend that first: troth prove {proof.promise.slug}",
                )
    if not any(proof.seen for proof in proofs):
        raise HstsError("nothing could be looked at", where=str(config))
    change(config, places.data, {"edge.hsts.max_age_s": after})
    return Raised(before_s=before, after_s=after, binds=what_hsts_binds(up.read(config), now))
