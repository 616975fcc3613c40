"""Judges of card numbers: what was let in, and what was kept."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from troth.kernel.model import Judgement, Verdict
from troth.promises.judging import Broken, Unseen, judging, shaped
from troth.promises.payments.settings import PaymentsSettings

PLACES = frozenset({"query", "form", "json", "multipart", "header", "cookie", "path"})


class Posted(Struct, frozen=True):
    """How many cards were sent and refused, in which places one arrived; and their twins."""

    cards: int
    refused: int
    arrived_in: list[str]
    harmless: int
    passed: int
    stopped_in: list[str]
    places: list[str]


class Swept(Struct, frozen=True):
    """What was searched, whether the controls were found, and which files hold a card."""

    files: int
    bytes: int
    is_whole: bool
    has_planted: bool
    has_trace: bool
    kept_in: list[str]


@judging
def refused(facts: Mapping[str, Any], _settings: PaymentsSettings) -> Judgement:
    """Every card is refused in every place, and no number that only looks like one."""
    return Judgement(Verdict.PASS, _refused(shaped(facts, Posted)))


@judging
def clean(facts: Mapping[str, Any], _settings: PaymentsSettings) -> Judgement:
    """Nothing that was sent is kept: the search finds what was planted, and no card."""
    if facts.get("is_elsewhere"):
        raise Unseen("what is kept is seen on its machine only")
    told, seen = shaped(facts, Posted), shaped(facts, Swept)
    if seen.kept_in:
        raise Broken(f"card numbers are kept in {len(seen.kept_in)} files")
    if told.arrived_in:
        raise Broken(f"card numbers were let in: {', '.join(told.arrived_in)}")
    if not seen.has_planted:
        raise Unseen("the search did not find the number that was planted")
    if not seen.has_trace:
        raise Unseen("the requests left no trace in what was searched")
    if not seen.is_whole:
        raise Unseen("there is more to search than [payments] sweep_bytes, or it cannot be read")
    return Judgement(
        Verdict.PASS,
        f"{_refused(told)}; none of them was found in {seen.files} files"
        f" ({seen.bytes // 1024} KiB) of what is kept",
    )


def _refused(seen: Posted) -> str:
    """What a pass says. Raises Unseen and Broken."""
    if seen.arrived_in:
        raise Broken(f"card numbers were let in: {', '.join(seen.arrived_in)}")
    if not seen.passed:
        raise Unseen("no harmless number arrived: a refusal says nothing")
    if seen.stopped_in:
        raise Broken(f"numbers that are no cards were refused: {', '.join(seen.stopped_in)}")
    if seen.refused < seen.cards or seen.passed < seen.harmless or set(seen.places) < PLACES:
        raise Unseen("not every number had a clear answer")
    return (
        f"{seen.refused} card numbers were refused in {len(seen.places)} places of a request, and"
        f" {seen.passed} numbers that only look alike passed"
    )
