"""`troth rules explain`: a request that was refused, asked again of the rules that hold now."""

import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from troth.adapters import spool
from troth.catalogue import Settings
from troth.enforce import requests
from troth.enforce.events import place_is_secret
from troth.enforce.requests import Kept
from troth.kernel.errors import Failure
from troth.kernel.redact import shown
from troth.kernel.request import GuardCheck, Hit, Known, Refusal
from troth.promises.guard.enforce import kinds, waf
from troth.roles import rules_load
from troth.roles.places import Places
from troth.roles.recorder import REQUESTS

_ID = re.compile(r"[0-9a-f]{8,32}")


class ExplainError(Failure):
    """An event that cannot be explained."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One rule that matched: its id, where it is written, what it says, the place and the value.

    The value is decoded as the rule saw it, clipped to 256 bytes, and `***` where it is a secret.
    `score` is None for what was stored: scores are not.
    """

    rule: str
    where: str
    message: str
    place: str
    value: str
    score: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """A request with what was said of it then and what is said of it now.

    Args:
        kept: as it was stored.
        then: what matched when it was refused.
        now: what matches now.
        refusal: what would become of it now; None: it would pass.
    """

    kept: Kept
    then: tuple[Reason, ...]
    now: tuple[Reason, ...]
    refusal: Refusal | None

    def as_json(self) -> dict[str, Any]:
        """As `--json` prints it."""
        request = self.kept.request
        return {
            "event": self.kept.id,
            "at": self.kept.at.isoformat(),
            "promise": self.kept.slug,
            "code": self.kept.code,
            "method": request.method.decode("latin-1"),
            "target": shown(request.target, clip=1024),
            "client": request.client,
            "whole": self.kept.is_whole,
            "then": [asdict(reason) for reason in self.then],
            "now": [asdict(reason) for reason in self.now],
            "refused_now": self.refusal is not None,
            "of_answer": of_answer(self.kept),
        }


def find(places: Places, event: str) -> Kept:
    """The stored request of an event. Raises ExplainError when there is none."""
    if not _ID.fullmatch(event):
        raise ExplainError("is no event id", where=event, mend="it stands on the refusal's page")
    wanted = f'"id":"{event}"'.encode()
    for path in reversed(spool.segments(places.spool / REQUESTS)):
        for line, _ in spool.lines(path):
            if wanted in line[:64]:
                try:
                    return requests.read(line)
                except ValueError as error:
                    raise ExplainError(str(error), where=str(path)) from error
    raise ExplainError(
        "is not among the stored requests",
        where=event,
        mend="only refusals by rules are stored, of many alike a sample, for a few days; "
        "see: troth events",
    )


def explain(settings: Settings, places: Places, event: str) -> Explained:
    """Ask the rules again. Raises Failure when there is nothing to ask, or no rules."""
    kept = find(places, event)
    program = rules_load.program_of(settings.guard.rules)
    if program is None:
        raise ExplainError("no rules are in force", where="[guard.rules] mode")
    hits: tuple[Hit, ...] = ()
    refusal: Refusal | None = None
    for check in (*kinds.checks(settings.guard.learn), waf.check(program, settings.guard.rules)):
        if refusal is None and not of_answer(kept):
            hits, refusal = asked(check, kept)
    wheres = {str(rule.id): rule.links[0].where for rule in program.ruleset.rules}
    then = tuple(
        Reason(
            rule=said["rule"],
            where=wheres.get(said["rule"], ""),
            message=said["message"],
            place=said["place"],
            value=shown(said["value"].encode("latin-1")),
            score=None,
        )
        for said in kept.rules
    )
    now = tuple(_reason(hit, wheres.get(hit.rule, "")) for hit in hits)
    return Explained(kept=kept, then=then, now=now, refusal=refusal)


def of_answer(kept: Kept) -> bool:
    """Whether it was the application's answer that was refused; that is not stored."""
    return bool(kept.rules) and all(
        str(said["place"]).startswith("RESPONSE_") for said in kept.rules
    )


def asked(check: GuardCheck, kept: Kept) -> tuple[tuple[Hit, ...], Refusal | None]:
    """What a check says of a stored request."""
    opinion = check(kept.request, Known(now=kept.at))
    return opinion.hits, opinion.refusal


def _reason(hit: Hit, where: str) -> Reason:
    value = "***" if place_is_secret(hit.place) else shown(hit.value)
    return Reason(
        rule=hit.rule, where=where, message=hit.message, place=hit.place, value=value,
        score=hit.score,
    )  # fmt: skip


def lines(explained: Explained) -> Iterator[str]:
    """What `troth rules explain` prints."""
    kept = explained.kept
    yield (
        f"{kept.at:%Y-%m-%d %H:%M:%S} UTC  {kept.request.client or '-'}  "
        f"{shown(kept.request.method)} {shown(kept.request.target, clip=300)}"
    )
    yield f"refused for {kept.slug} ({kept.code}, {kept.status})"
    yield from (line for reason in explained.then for line in _lines(reason))
    if of_answer(kept):
        yield "it was the application's answer, which is not stored: mend what it says there, or,"
        yield f"if that is meant to be seen: troth rules exclude {kept.id}"
        return
    if explained.refusal is None:
        yield "the rules that hold now let it pass"
    elif _marks(explained.now) == _marks(explained.then):
        yield "the rules that hold now refuse it for the same"
    else:
        yield f"the rules that hold now refuse it ({explained.refusal.code}) for:"
        yield from (line for reason in explained.now for line in _lines(reason))
    if not kept.is_whole:
        yield "secrets were taken out when it was stored, so now is not quite then"
    if explained.refusal is not None and explained.refusal.code == kinds.CODE:
        yield "the kind of a parameter stands in [[guard.learn.parameters]]"
    elif explained.refusal is not None:
        yield f"if this is a person's ordinary request: troth rules exclude {kept.id}"


def _marks(reasons: tuple[Reason, ...]) -> set[tuple[str, str]]:
    return {(reason.rule, reason.place) for reason in reasons}


def _lines(reason: Reason) -> Iterator[str]:
    where = f"  [{reason.where}]" if reason.where else ""
    yield f"  rule {reason.rule}: {reason.message}{where}"
    yield f"    {reason.place} = {reason.value}"
