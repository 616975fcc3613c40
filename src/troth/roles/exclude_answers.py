"""`troth rules exclude` of an answer that was withheld: what one rule may say on one route.

The answer itself is not stored, so that it passes cannot be shown. What is proven, before anything
is written: every leak of `rules.probes` that was withheld before is withheld still, on other
routes, and on this one where another rule sees it.
"""

from collections.abc import Iterator
from datetime import UTC, datetime

from troth.enforce.requests import Kept
from troth.engines.seclang import Program
from troth.kernel.request import Known, Request, Response
from troth.promises.guard.enforce import waf
from troth.promises.guard.rules.paths import pattern, spelled
from troth.promises.guard.rules.probes import LEAKS, OTHER_PATHS
from troth.promises.guard.settings.waf import Exclusion, Rules
from troth.roles.explain import ExplainError

_NOW = datetime(2026, 1, 1, tzinfo=UTC)  # the probes' own; no rule of theirs asks for the time


def exclusions(kept: Kept, route: str, rule: int | None) -> tuple[Exclusion, ...]:
    """What would have to be left alone. Raises ExplainError when it is nothing."""
    found = {
        (int(said["rule"]), str(said["place"]))
        for said in kept.rules
        if rule is None or rule == int(said["rule"])
    }
    if not found:
        raise ExplainError(f"was not withheld for rule {rule}", where=kept.id)
    return tuple(
        Exclusion(path=route, parameter=place, rule=number) for number, place in sorted(found)
    )


def proven(program: Program, before: Rules, after: Rules, request: Request) -> int:
    """How many leaks are withheld as before. Raises ExplainError for the first that goes out."""
    added = after.exclusions[len(before.exclusions) :]
    excluded, route = {str(each.rule) for each in added}, pattern(added[0].path)
    was, would = (waf.answer_check(program, rules) for rules in (before, after))
    probes, known = 0, Known(now=_NOW)
    for path, family, leak in _leaks(request):
        asked = Request(method=b"GET", target=path, host=request.host, headers=())
        said = was(asked, leak, known)
        meant = excluded if route.match(spelled(path)) is not None else set()
        others = [hit for hit in said.hits if hit.rule not in meant]
        if said.refusal is None or not others:
            continue  # went out before, or is what the exclusion is about
        probes += 1
        if would(asked, leak, known).refusal is None:
            raise ExplainError(
                f"it would let out more than the answer: a leak of the kind {family}",
                where=path.decode("latin-1"),
                mend="mend what the application says there",
            )
    if not probes:
        raise ExplainError(
            "the rules withhold none of the leaks that would prove it", where="[guard.rules]"
        )
    return probes


def _leaks(request: Request) -> Iterator[tuple[bytes, str, Response]]:
    here = request.path
    below = here.rstrip(b"/") + b"/troth-elsewhere"
    for path in (here, below, *(each for each in OTHER_PATHS if each != here)):
        for family, status, kind, body in LEAKS:
            leak = Response(status=status, headers=((b"content-type", kind),), body=body)
            yield path, family, leak
