"""`troth rules exclude`: one rule, one place, one route; proven to open nothing else, then written.

The proof, before anything is written: the refused request passes with the exclusions; every attack
of `rules.probes` that was refused before, sent under other names, to other paths, and under the
same name on the same path where another rule sees it, is refused still.
"""

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote_from_bytes

import msgspec

from troth.catalogue import Settings
from troth.enforce.requests import Kept
from troth.engines.seclang import Program
from troth.kernel.request import GuardCheck, Hit, Known, Request
from troth.promises.guard.enforce import kinds, waf
from troth.promises.guard.enforce.exclusions import own_page, twins
from troth.promises.guard.rules.origin import is_plain
from troth.promises.guard.rules.paths import Pattern, pattern, spelled
from troth.promises.guard.rules.probes import ATTACKS, OTHER_NAMES, OTHER_PATHS
from troth.promises.guard.settings.waf import Exclusion, Rules, RulesRoute
from troth.roles import exclude_answers, explain, rules_load
from troth.roles.change import add
from troth.roles.explain import ExplainError
from troth.roles.places import Places

MAX_EXCLUSIONS = 10  # of one request: who needs more should look at the set
_EXCLUDABLE = re.compile(r"(ARGS|REQUEST_|FILES|MULTIPART_|XML|QUERY_STRING)[A-Z_]*(:.+)?")
REFERRER = "request_headers:referer"
_SETTING = "guard.rules.exclusions"
_NOW = datetime(2026, 1, 1, tzinfo=UTC)  # the probes' own; no rule of theirs asks for the time


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """Exclusions that were proven.

    Args:
        event: whose request passes with them.
        exclusions: to be added to `[guard.rules]`.
        probes: how many attacks were sent to see that they are still refused.
        is_of_answer: it was an answer, and the attacks are leaks.
    """

    event: str
    exclusions: tuple[Exclusion, ...]
    probes: int
    is_of_answer: bool = False

    def as_json(self) -> dict[str, Any]:
        """As `--json` prints it."""
        return {
            "event": self.event,
            "exclusions": [msgspec.structs.asdict(each) for each in self.exclusions],
            "probes": self.probes,
        }


def propose(
    settings: Settings, places: Places, event: str, *, rule: int | None = None, path: str = ""
) -> Proposal:
    """The exclusions with which an event's request passes, proven.

    Args:
        settings: in force.
        places: the data directory.
        event: its id.
        rule: the only rule that may be excluded; None: whatever refuses the request.
        path: a route's pattern that covers the request; its very path unless given.

    Raises:
        Failure: there is no such event, it cannot pass by exclusions, or they would open more.
    """
    asked = explain.find(places, event)
    rules = settings.guard.rules
    program = rules_load.program_of(rules)
    if program is None:
        raise ExplainError("no rules are in force", where="[guard.rules] mode")
    if asked.code == kinds.CODE:
        raise ExplainError(
            "was refused for a parameter's kind, which no exclusion changes",
            where=event,
            mend="[[guard.learn.parameters]]",
        )
    if explain.of_answer(asked):
        return _of_answer(program, rules, asked, _route(asked.request, path), rule)
    kept = _page_of(program, rules, asked)
    route = _route(kept.request, path)
    added: list[Exclusion] = []
    while True:
        hits, refusal = explain.asked(waf.check(program, _with(rules, added)), kept)
        if refusal is None:
            break
        more = list(_exclusions(hits, route, rule, added))
        if not more or len(added) + len(more) > MAX_EXCLUSIONS:
            raise ExplainError(_why(hits, rule), where=event, mend="troth rules explain " + event)
        added += more
    if not added:
        raise ExplainError("passes already: nothing is to be excluded", where=event)
    hits, refusal = explain.asked(waf.check(program, _with(rules, added)), asked)
    if refusal is not None:
        raise ExplainError(_why(hits, rule), where=event, mend="troth rules explain " + event)
    return Proposal(
        event=event, exclusions=tuple(added), probes=_proven(program, rules, added, kept.request)
    )


def _of_answer(
    program: Program, rules: Rules, kept: Kept, route: str, rule: int | None
) -> Proposal:
    added = exclude_answers.exclusions(kept, route, rule)
    probes = exclude_answers.proven(
        program, _with(rules, []), _with(rules, list(added)), kept.request
    )
    return Proposal(event=kept.id, exclusions=added, probes=probes, is_of_answer=True)


def _page_of(program: Program, rules: Rules, kept: Kept) -> Kept:
    """The request, or the page it comes from, where it is refused for that page's address alone."""
    hits, _ = explain.asked(waf.check(program, _with(rules, [])), kept)
    own = own_page(kept.request)
    if own is None or any(hit.place.lower() != REFERRER for hit in hits):
        return kept
    _, page, query = own
    bare = tuple(pair for pair in kept.request.headers if pair[0] != b"referer")
    return replace(
        kept,
        request=replace(
            kept.request, method=b"GET", target=page + b"?" + query, headers=bare, body=None
        ),
    )


def write(config: Path, places: Places, proposal: Proposal) -> None:
    """Add them to troth.toml. Raises Failure when it cannot be served; then it is as it was."""
    tables = [
        {"path": each.path, "parameter": each.parameter, "rule": each.rule}
        for each in proposal.exclusions
    ]
    add(config, places.data, _SETTING, tables)


def lines(proposal: Proposal) -> Iterator[str]:
    """What a person reads before it is written."""
    for each in proposal.exclusions:
        yield f"rule {each.rule} no longer looks at {each.parameter} on {each.path}"
    if proposal.is_of_answer:
        yield f"proven: {proposal.probes} leaks of other kinds and paths are withheld as before"
        return
    yield (
        f"proven: the request passes; {proposal.probes} attacks under other names, on other paths, "
        "from other pages and of other kinds are refused as before"
    )


def _route(request: Request, path: str) -> str:
    own = spelled(request.target)
    if not is_plain(request.path):
        raise ExplainError("a doubtful path has no exclusions", where=own)
    if not path:
        try:
            return msgspec.convert({"path": own, "mode": "block"}, type=RulesRoute).path
        except msgspec.ValidationError as error:
            mend = "--path '/a/{id}'"
            raise ExplainError("cannot be written as a route", where=own, mend=mend) from error
    try:
        covers = pattern(path).match(own) is not None
    except ValueError as error:
        raise ExplainError(str(error), where="--path") from error
    if not covers:
        raise ExplainError(f"does not cover {own}", where=f"--path {path}")
    return path


def _exclusions(
    hits: tuple[Hit, ...], route: str, rule: int | None, before: list[Exclusion]
) -> Iterator[Exclusion]:
    """What would have to be left alone for what matched, each once."""
    seen = {(each.rule, each.parameter) for each in before}
    # The address of the page before is let pass with that page's parameter, where it can be.
    own = [hit for hit in hits if hit.place.lower() != REFERRER] or hits
    for hit in own:
        key = (int(hit.rule), hit.place)
        wanted = rule is None or rule == int(hit.rule)
        if wanted and key not in seen and _EXCLUDABLE.fullmatch(hit.place):
            seen.add(key)
            yield Exclusion(path=route, parameter=hit.place, rule=key[0])


def _why(hits: tuple[Hit, ...], rule: int | None) -> str:
    names = ", ".join(sorted({f"{hit.rule} at {hit.place}" for hit in hits})) or "a limit"
    if rule is not None:
        return f"is refused without rule {rule} as well, for {names}"
    return f"cannot pass by exclusions: refused for {names}"


def _with(rules: Rules, added: list[Exclusion]) -> Rules:
    """The rules with them, in the mode in which they refuse."""
    return msgspec.structs.replace(
        rules, mode="block", routes=(), exclusions=(*rules.exclusions, *added)
    )


def _proven(program: Program, rules: Rules, added: list[Exclusion], request: Request) -> int:
    """How many probes there were. Raises ExplainError for the first that is let in."""
    before = waf.check(program, _with(rules, []))
    after = waf.check(program, _with(rules, added))
    excluded = {(str(each.rule), each.parameter.lower()) for each in added}
    same = twins(program.ruleset, {each.rule for each in added}).values()
    carried = {(str(rule), REFERRER) for rules_ in same for rule in rules_}
    route, probes = pattern(added[0].path), 0
    for probe, family, is_own in _probes(request, added):
        hits, is_refused = _said(before, probe)
        meant = excluded if route.match(spelled(probe.target)) is not None else set()
        meant = meant | carried if is_own and _comes_from(route, probe) else meant
        score = sum(hit.score for hit in hits if (hit.rule, hit.place.lower()) not in meant)
        if not is_refused or score < rules.threshold:
            continue  # was let in before, or is what the exclusion is about
        probes += 1
        if not _said(after, probe)[1]:
            raise ExplainError(
                f"it would let in more than the request: an attack of the kind {family}",
                where=f"{probe.path.decode('latin-1')}",
                mend="exclude another rule, or mend what the application is sent",
            )
    if not probes:
        raise ExplainError(
            "the rules refuse none of the attacks that would prove it", where="[guard.rules]"
        )
    return probes


def _said(check: GuardCheck, request: Request) -> tuple[tuple[Hit, ...], bool]:
    opinion = check(request, Known(now=_NOW))
    return opinion.hits, opinion.refusal is not None


def _comes_from(route: Pattern, probe: Request) -> bool:
    own = own_page(probe)
    return own is not None and route.match(spelled(own[1])) is not None


def _probes(request: Request, added: list[Exclusion]) -> Iterator[tuple[Request, str, bool]]:
    """Attacks: the same names elsewhere, other names here, and the same names here.

    Each also as the address of a page before, of ours and of others. With each: its family, and
    whether its name is one that is excluded.
    """
    names = sorted({each.parameter.partition(":")[2].encode() for each in added} - {b""})
    here, elsewhere = request.path, [path for path in OTHER_PATHS if path != request.path]
    below = here.rstrip(b"/") + b"/troth-elsewhere"
    for (family, attack), path in itertools.product(ATTACKS, (here, *elsewhere, below)):
        for name in (*names, *(other for other in OTHER_NAMES if other not in names)):
            is_own, pair = name in names, name + b"=" + quote_from_bytes(attack, safe="").encode()
            yield _asking(request, b"GET", path + b"?" + pair, None), family, is_own
            yield _asking(request, b"POST", path, pair), family, is_own
            for host in (request.host, b"elsewhere.example"):
                page = b"https://" + host + path + b"?" + pair
                yield _asking(request, b"GET", b"/troth.css", None, page), family, is_own


def _asking(
    request: Request, method: bytes, target: bytes, body: bytes | None, referer: bytes = b""
) -> Request:
    form = b"application/x-www-form-urlencoded"
    length = b"%d" % len(body or b"")
    kind = ((b"content-type", form), (b"content-length", length)) if body else ()
    agent = request.values(b"user-agent")[:1] or [b"Mozilla/5.0"]
    return Request(
        method=method,
        target=target,
        host=request.host,
        headers=(
            (b"host", request.host),
            (b"user-agent", agent[0]),
            (b"accept", b"*/*"),
            *kind,
            *(((b"referer", referer),) if referer else ()),
        ),
        client=request.client,
        body=body,
    )
