"""Judge of how pages show what they were told."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from troth.kernel.model import Judgement, Verdict
from troth.promises.guard.settings import GuardSettings
from troth.promises.judging import Unseen, judging, shaped


class Facts(Struct, frozen=True):
    """How often the planted value was `shown`, and in which kinds of places it was markup (`raw`).

    `refused`: answers of the guard instead of the application's; `missed`: forms that were not
    found on their page.
    """

    forms: int
    pages: int
    shown: int
    raw: list[str]
    refused: int
    missed: int
    undone: bool


@judging
def escaped(facts: Mapping[str, Any], settings: GuardSettings) -> Judgement:
    """What was planted comes back, and never as markup."""
    if not (settings.escaping.plant or settings.escaping.reflected):
        raise Unseen("no form or page to plant a value in is named ([guard.escaping])")
    seen = shaped(facts, Facts)
    if seen.raw:
        return Judgement(
            Verdict.FAIL, f"what was planted came back as markup: {', '.join(seen.raw)}"
        )
    if seen.refused:
        raise Unseen("the guard refused a request before the application saw it")
    if seen.missed:
        raise Unseen("a form was not found on the page that is named for it")
    if not seen.shown:
        raise Unseen("what was planted is shown nowhere")
    if not seen.undone:
        raise Unseen("what was planted could not be taken back")
    return Judgement(
        Verdict.PASS,
        f"a value with markup in it, planted in {seen.forms} forms and shown on {seen.pages} pages,"
        f" came back {seen.shown} times, each time as text",
    )
