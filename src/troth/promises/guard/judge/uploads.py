"""The judge of uploads: harmless ones arrive, bad ones do not."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from troth.kernel.model import Judgement, Verdict
from troth.promises.guard.settings import GuardSettings
from troth.promises.judging import Unseen, judging, shaped


class Sent(Struct, frozen=True):
    """What the probe brings.

    Of bad uploads `told` arrived by the sink's own answer, `noted` by its record (None: it cannot
    be seen from there). On named routes `passed` were answered without a refusal.
    """

    harmless: int
    arrived: int
    bad: int
    refused: int
    told: int
    noted: int | None
    unclear: int
    routes: int
    passed: int
    silent: int


@judging
def kept_away(facts: Mapping[str, Any], _settings: GuardSettings) -> Judgement:
    """Every bad upload is refused and arrives nowhere, every harmless one arrives."""
    seen = shaped(facts, Sent)
    if came := max(seen.told, seen.noted or 0):
        return Judgement(Verdict.FAIL, f"{came} of {seen.bad} bad uploads reached the other side")
    if seen.passed:
        return Judgement(
            Verdict.FAIL, f"{seen.passed} of {seen.routes} named routes took the EICAR test file"
        )
    if not seen.harmless or seen.arrived < seen.harmless:
        raise Unseen("a harmless upload did not arrive: a refusal says nothing")
    if seen.unclear or seen.silent or seen.refused < seen.bad:
        raise Unseen("an upload had no clear answer")
    if not seen.routes:
        raise Unseen("no named route was tried")
    return Judgement(
        Verdict.PASS,
        f"{seen.bad} bad uploads were refused, {seen.harmless} harmless ones arrived, and"
        f" {seen.routes} named routes refused the EICAR test file",
    )
