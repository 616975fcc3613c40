"""Judge of tokens for important actions."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from troth.kernel.model import Judgement, Verdict
from troth.promises.guard.settings import GuardSettings
from troth.promises.judging import Unseen, judging, shaped

SLUG = "csrf-token"
SILENT = frozenset({429, 502, 503, 504})  # nobody's word about a token
CASES = frozenset({"missing", "declared", "forged", "another-session", "no-session", "expired"})


class Tried(Struct, frozen=True):
    """One post: who refused it (`mark`), and whether it `arrived` at the sink."""

    case: str
    status: int
    mark: str
    arrived: bool


class Facts(Struct, frozen=True):
    """Posts without a good token, and posts with one; the declared paths."""

    tried: list[Tried]
    good: list[Tried]
    paths: list[str]


@judging
def refused(facts: Mapping[str, Any], settings: GuardSettings) -> Judgement:
    """Only the post with a good token of the same browser passes."""
    if not settings.csrf.paths:
        raise Unseen("no important action is named ([guard.csrf] paths)")
    seen = shaped(facts, Facts)
    if any(one.status in SILENT for one in seen.tried):
        raise Unseen("not every post had a clear answer")
    passed = sorted({one.case for one in seen.tried if one.arrived or not one.mark})
    if passed:
        return Judgement(Verdict.FAIL, f"posts were let through: {', '.join(passed)}")
    if {one.mark for one in seen.tried} - {SLUG}:
        raise Unseen("something else refused a post before its token was looked at")
    if not seen.good or not all(one.arrived for one in seen.good):
        raise Unseen("the same post with a good token did not arrive")
    if {one.case for one in seen.tried} < CASES:
        raise Unseen("not every kind of post was tried")
    return Judgement(
        Verdict.PASS,
        f"{len(seen.tried)} posts without a good token were refused (none, altered, another"
        f" browser's, expired), on {len(seen.paths)} named paths too; with one they passed",
    )
