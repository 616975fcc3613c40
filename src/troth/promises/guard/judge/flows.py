"""Judge of abused flows."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from troth.kernel.model import Judgement, Verdict
from troth.promises.guard.rules.canary import ENUMERATION, HOARDING, SCRAPING
from troth.promises.guard.settings import GuardSettings
from troth.promises.judging import Unseen, judging, shaped

SLUG = "business-logic-protection"
SERVED = frozenset({200, 404})  # the sink's own answers
BUDGETS = {
    "scraping": SCRAPING.most,
    "enumeration": ENUMERATION.most,
    "skipping": 0,
    "hoarding": HOARDING.most,
}
Told = tuple[int, str]  # a status, and the promise that refused


class Abuse(Struct, frozen=True):
    """What became of each request of each abuse, in order, and of those of the visit."""

    scraping: list[Told]
    enumeration: list[Told]
    skipping: list[Told]
    hoarding: list[Told]
    visit: list[Told]


@judging
def stopped(facts: Mapping[str, Any], settings: GuardSettings) -> Judgement:
    """Each abuse is stopped within its budget, and the visit never."""
    if not settings.flows:
        raise Unseen("no flow is declared ([[guard.flows]])")
    if facts.get("is_elsewhere"):
        raise Unseen("without its key a vantage has no synthetic clients")
    seen = shaped({k: v for k, v in facts.items() if k not in {"is_elsewhere", "flows"}}, Abuse)
    told: dict[str, list[Told]] = {name: getattr(seen, name) for name in BUDGETS}
    every = [one for many in (*told.values(), seen.visit) for one in many]
    if not seen.visit or any(not mark and status not in SERVED for status, mark in every):
        raise Unseen("not every request had a clear answer")
    if any(mark not in {"", SLUG} for _, mark in every):
        raise Unseen("something else refused a request")
    loose = [name for name, budget in BUDGETS.items() if _is_loose(told[name], budget)]
    if loose:
        return Judgement(Verdict.FAIL, f"not stopped within the budget: {', '.join(loose)}")
    if any(mark for _, mark in seen.visit):
        return Judgement(Verdict.FAIL, "a visitor who abused nothing was stopped")
    short = [name for name, budget in BUDGETS.items() if _served(told[name]) < budget]
    if short:
        return Judgement(Verdict.FAIL, f"stopped before the budget was used: {', '.join(short)}")
    return Judgement(
        Verdict.PASS,
        f"scraping was stopped after {BUDGETS['scraping']} things, enumeration after"
        f" {BUDGETS['enumeration']} misses, hoarding after {BUDGETS['hoarding']}, a skipped step at"
        f" once; a visit of {len(seen.visit)} requests was not",
    )


def _served(told: list[Told]) -> int:
    return sum(not mark for _, mark in told)


def _is_loose(told: list[Told], budget: int) -> bool:
    """More was served than allowed, or nothing was refused at all."""
    return _served(told) > budget or len(told) == _served(told)
