"""When a flow is abused: counts, distinct values and sequences over trails. Pure.

Sources: OWASP Automated Threats to Web Applications (OAT-011 scraping, OAT-010 card cracking and
OAT-002 token cracking, OAT-021 denial of inventory); OWASP API6:2023; ASVS 5.0, 2.3.2 and 2.4.1.

A use whose answer is to be counted is open until the answer is known, and counts until then, so
that a hundred at once are a hundred. A trail holds 256 marks: `most` is 200 at most.
"""

import math
from dataclasses import dataclass
from datetime import timedelta

from troth.kernel.request import Ask, Known, Refusal, Strike
from troth.kernel.trail import BEGAN, NOTHING, Look, Mark, Note, Trail, members, within

SLUG = "business-logic-protection"
OPEN = timedelta(seconds=30)
BUSY = timedelta(seconds=1)
FEW = 10  # answers; of fewer no share is taken


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """The arithmetic of one `[[guard.flows]]`; the fields are those of the setting."""

    name: str
    kind: str
    most: int
    within: timedelta
    share: float = 0.0
    action: str = "throttle"
    ban: timedelta = timedelta(0)
    has_answers: bool = False


def trail(rule: Rule, who: str) -> str:
    """The key of somebody's trail; each rule is a kind of its own."""
    return f"flow-{rule.name}:{who}"


def _open(rule: Rule, who: str) -> str:
    return f"flowing-{rule.name}:{who}"


def wait(rule: Rule, who: str, member: str, known: Known) -> timedelta:
    """How long until one more use is fine; zero for now."""
    marks = within(known.trails.get(trail(rule, who), NOTHING), known.now, rule.within)
    if rule.kind == "sequence":
        return timedelta(0) if marks or _is_young(rule, known) else rule.within
    if rule.kind == "distinct":
        return _wait_for_another(rule, marks, member, known)
    counted = tuple(mark for mark in marks if mark.member != "")
    open_marks = within(known.trails.get(_open(rule, who), NOTHING), known.now, OPEN)
    if _is_over(rule, marks, counted):
        return _until(counted[-rule.most], rule, known)
    if rule.has_answers and len(open_marks) >= max(1, rule.most - len(counted)):
        return BUSY
    return timedelta(0)


def looked(rule: Rule, who: str, member: str) -> Look:
    """What `wait` reads, and what is marked of a use unless it is refused."""
    keys = (trail(rule, who), _open(rule, who))
    if rule.kind == "sequence":
        return Look(keys=(*keys, BEGAN))
    notes = opened(rule, who) if rule.has_answers else used(rule, who, member)
    return Look(keys=keys, notes=tuple(note for note in notes if not note.is_undone))


def _is_over(rule: Rule, marks: Trail, counted: tuple[Mark, ...]) -> bool:
    if len(counted) < rule.most:
        return False
    return not rule.share or (len(marks) >= FEW and len(counted) >= rule.share * len(marks))


def _wait_for_another(rule: Rule, marks: Trail, member: str, known: Known) -> timedelta:
    """A value that was seen before is no other one."""
    if len(members(marks)) < rule.most or member in members(marks):
        return timedelta(0)
    newest: dict[str, Mark] = {mark.member: mark for mark in marks}
    first = sorted(newest.values(), key=lambda mark: mark.at)[len(newest) - rule.most]
    return _until(first, rule, known)


def _until(mark: Mark, rule: Rule, known: Known) -> timedelta:
    """How long until a mark is out of the window: a moment at least."""
    return max(mark.at + rule.within - known.now, timedelta(microseconds=1))


def _is_young(rule: Rule, known: Known) -> bool:
    """Whether the step before may have been made before this memory began."""
    began = known.trails.get(BEGAN, NOTHING)
    return bool(began) and known.now < began[-1].at + rule.within


def refusal(rule: Rule, left: timedelta) -> Refusal:
    """The no: 429 with how long to wait, or 403."""
    if rule.kind == "sequence":
        return Refusal(slug=SLUG, code=rule.name, status=403)
    if rule.action == "throttle" or left == BUSY:
        seconds = str(max(1, math.ceil(left.total_seconds()))).encode()
        return Refusal(slug=SLUG, code=rule.name, status=429, headers=((b"retry-after", seconds),))
    return Refusal(slug=SLUG, code=rule.name, status=403)


def strikes(rule: Rule, client: str, left: timedelta) -> tuple[Strike, ...]:
    """A ban at once, where the rule asks for one (the counter costs more than it holds)."""
    if rule.action != "ban" or not client or left == BUSY:
        return ()
    ask = Ask(key=f"flow-ban:{rule.name}:{client}", limit=1, period=rule.ban, burst=1, cost=2)
    return (Strike(ask=ask, subject=client, cause=f"{SLUG}:{rule.name}", length=rule.ban),)


def used(rule: Rule, who: str, member: str) -> tuple[Note, ...]:
    """What a use leaves when the request itself counts; a distinct value moves to the end."""
    key = trail(rule, who)
    moved = (Note(key=key, member=member, is_undone=True),) if rule.kind == "distinct" else ()
    return (*moved, Note(key=key, member=member or "1", window=rule.within))


def opened(rule: Rule, who: str) -> tuple[Note, ...]:
    """What a use leaves until its answer is known."""
    return (Note(key=_open(rule, who), window=OPEN),)


def closed(rule: Rule, who: str, member: str, *, counts: bool) -> tuple[Note, ...]:
    """What its answer leaves. One that does not count is marked, too, where a share is asked."""
    notes = [Note(key=_open(rule, who), is_undone=True, at_most=1)]
    if counts:
        notes += used(rule, who, member)
    elif rule.share:
        notes.append(Note(key=trail(rule, who), window=rule.within))
    return tuple(notes)


def taken_away(rule: Rule, who: str) -> tuple[Note, ...]:
    """One less: what was begun came to its end."""
    return (Note(key=trail(rule, who), is_undone=True, at_most=1),)
