"""Judges of blocklists."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from troth.kernel.model import Judgement, Verdict
from troth.promises.guard.settings import GuardSettings
from troth.promises.judging import Unseen, judging, shaped

OK = 200


class Overlay(Struct, frozen=True):
    """What became of the client on the list, and of another."""

    before: int
    other: int
    refused_after_s: float | None
    served_after_s: float | None


class Shown(Struct, frozen=True):
    """One list in use; `age_s` is None for one that was never had."""

    name: str
    source: str
    count: int
    age_s: int | None


class Ages(Struct, frozen=True):
    """All lists in use."""

    lists: list[Shown]


@judging
def refused(facts: Mapping[str, Any], _settings: GuardSettings) -> Judgement:
    """An address on the list is refused, alone, and served when it is off again."""
    if not facts.get("has_overlay"):
        raise Unseen("no list of this installation's own that could be tried ([[guard.lists]])")
    seen = shaped(facts, Overlay)
    if seen.before != OK or seen.other != OK:
        raise Unseen("an address on no list was not served")
    if seen.refused_after_s is None:
        return Judgement(Verdict.FAIL, "an address on the list was served")
    if seen.served_after_s is None:
        return Judgement(Verdict.FAIL, "an address that is off the list again was refused")
    return Judgement(
        Verdict.PASS,
        f"an address was refused {seen.refused_after_s:.1f} s after it was put on the list, and"
        f" served {seen.served_after_s:.1f} s after it was taken off",
    )


@judging
def fresh(facts: Mapping[str, Any], settings: GuardSettings) -> Judgement:
    """Every list that is set is in use, and none is older than it may be."""
    if not settings.lists:
        raise Unseen("no list is set ([[guard.lists]])")
    if facts.get("lists") is None:
        raise Unseen("what the guard uses is seen on its machine only")
    seen = {each.name: each for each in shaped(facts, Ages).lists}
    if missing := [each.name for each in settings.lists if each.name not in seen]:
        raise Unseen(f"not in use yet: {', '.join(missing)}")
    for each in settings.lists:
        age = seen[each.name].age_s
        if age is None:
            return Judgement(Verdict.FAIL, f"{each.name} was never had")
        if age > each.max_age_s:
            return Judgement(Verdict.FAIL, f"{each.name} is {age // 3600} hours old")
    told = ", ".join(
        f"{each.name} from {each.source} ({each.count} networks, {(each.age_s or 0) // 60} min old)"
        for each in seen.values()
    )
    return Judgement(Verdict.PASS, told)
