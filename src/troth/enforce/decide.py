"""One request, one snapshot, one moment: one decision. Pure, so that every door gives the same.

Fails closed: an exception here is a bug, and the door that called turns it into a 503.

A decision needs counters, which may be in another process. So it is a generator that yields what
it asks for, once at most, and is sent the tallies: `decide` drives it with counters at hand, and a
door whose counters are elsewhere drives `deciding` itself, with one round trip. Where trails are
elsewhere, too (`trail.ELSEWHERE`), what is asked is `Wanted` whenever a check will read one, and
`Taken` is sent.
"""

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, replace

from troth.enforce.snapshot import Snapshot
from troth.engines.uploads import Fault
from troth.kernel.request import (
    FINE,
    Ask,
    Awaited,
    GuardCheck,
    Headers,
    Hit,
    Known,
    Opinion,
    Refusal,
    Request,
    Response,
    Strike,
    Taken,
    Tally,
    Wanted,
)
from troth.kernel.trail import ELSEWHERE, Look, Note, left

MAX_TOLD_BYTES = 256

Tallies = Mapping[str, Tally]
Question = tuple[Ask, ...] | Wanted
Answer = Tallies | Taken


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What is to be done with a request.

    Args:
        refusal: None lets it through.
        add: headers for the application; each replaces what the visitor sent under that name.
        remove: headers that the application must not see.
        answer: headers for the visitor, whether refused or not.
        counted: codes of what is counted, one for each check that had something to count.
        hits: rules that matched, whether it was refused for them or only watched.
        strikes: what the door counts after it has answered.
        notes: what the door marks on trails, at once.
        awaits: asked with the application's answer, by a door that is told of it.
    """

    refusal: Refusal | None = None
    add: Headers = ()
    remove: tuple[bytes, ...] = ()
    answer: Headers = ()
    counted: tuple[str, ...] = ()
    hits: tuple[Hit, ...] = ()
    strikes: tuple[Strike, ...] = ()
    notes: tuple[Note, ...] = ()
    awaits: tuple[Awaited, ...] = ()


ALLOWED = Decision()


def decide(
    request: Request,
    snapshot: Snapshot,
    known: Known,
    take: Callable[[tuple[Ask, ...]], Tallies],
) -> Decision:
    """The decision, with counters at hand: `take` takes from each and answers by key."""
    steps = deciding(request, snapshot, known)
    try:
        asks = next(steps)
        assert not isinstance(asks, Wanted)  # noqa: S101 -- trails are at hand, too
        steps.send(take(asks))
    except StopIteration as end:
        decision: Decision = end.value
        return decision
    raise AssertionError("a decision asks once")


def deciding(
    request: Request, snapshot: Snapshot, known: Known
) -> Generator[Question, Answer, Decision]:
    """Ask the gates (they need no counter), then the counters, then the checks.

    The first refusal is the answer. Whom a gate refuses uses up nobody's counter.
    """
    if known.trails is ELSEWHERE and snapshot.looks:
        return (yield from _deciding_elsewhere(request, snapshot, known))
    found = _Found()
    if not found.has_refusal(request, known, snapshot.gates):
        asks = _asks(request, snapshot, known)
        if asks:
            known = _with(known, (yield asks))
        opened = snapshot.opened(request)
        if isinstance(opened, Refusal):
            return Decision(refusal=opened, counted=(opened.slug,))
        found.has_refusal(opened, known, snapshot.checks)
    return found.decision()


def _deciding_elsewhere(
    request: Request, snapshot: Snapshot, known: Known
) -> Generator[Question, Answer, Decision]:
    """The same where trails are shared: a request is opened before anything is asked.

    Fails closed: a check that reads a trail which nobody looked at breaks.
    """
    found = _Found()
    if found.has_refusal(request, known, snapshot.gates):
        return found.decision()
    asks = _asks(request, snapshot, known)
    opened = snapshot.opened(request)
    looks: tuple[Look, ...] = ()
    if not isinstance(opened, Refusal):
        looks = tuple(one for look in snapshot.looks if (one := look(opened, known)) is not None)
    if asks or looks:
        known = _with(known, (yield Wanted(asks, looks) if looks else asks))
    if isinstance(opened, Refusal):
        return Decision(refusal=opened, counted=(opened.slug,))
    found.has_refusal(opened, known, snapshot.checks)
    return _settled(found.decision(), looks)


def _asks(request: Request, snapshot: Snapshot, known: Known) -> tuple[Ask, ...]:
    if len(snapshot.asks) == 1:
        return snapshot.asks[0](request, known)
    return tuple(ask for asked in snapshot.asks for ask in asked(request, known))


def _with(known: Known, answer: Answer) -> Known:
    if isinstance(answer, Taken):
        return replace(known, tallies=answer.tallies, trails=answer.trails)
    return Known(
        now=known.now,
        bans=known.bans,
        lists=known.lists,
        tallies=answer,
        remembered=known.remembered,
        trails=known.trails,
    )


def _settled(decision: Decision, looks: tuple[Look, ...]) -> Decision:
    """The decision with what is left to mark, of what was marked while looking."""
    made = tuple(note for look in looks for note in look.notes)
    return replace(decision, notes=left(made, decision.notes)) if made else decision


def decide_upload(
    request: Request, snapshot: Snapshot, known: Known, fault: Fault | None
) -> Decision:
    """What is to be done with an upload whose headers were let through, now that it lies whole.

    `request` has what is read of its body; `fault` is what else was found.
    """
    found = _Found()
    looks = snapshot.uploads
    is_ended = fault and looks and found.is_ended_by(looks.opinion(fault))
    if not is_ended and request.body:
        found.has_refusal(request, known, snapshot.bodies)
    return found.decision()


def decide_answer(
    request: Request,
    response: Response,
    snapshot: Snapshot,
    known: Known,
    awaits: tuple[Awaited, ...] = (),
) -> Decision:
    """What is to be done with the application's answer; a refusal is sent in its place.

    `awaits` are those of the decision about the request; they count whatever becomes of the answer.
    """
    found = _Found()
    for check in snapshot.answers:
        if found.is_ended_by(check(request, response, known)):
            break
    decision = found.decision()
    if not awaits:
        return decision
    more = decide_awaited(awaits, response, known)
    return replace(
        decision,
        answer=(*decision.answer, *more.answer),
        counted=(*decision.counted, *more.counted),
        strikes=(*decision.strikes, *more.strikes),
        notes=(*decision.notes, *more.notes),
    )


def decide_awaited(awaits: tuple[Awaited, ...], response: Response, known: Known) -> Decision:
    """What single checks waited for, by a door that has nothing left of the request."""
    found = _Found()
    for awaited in awaits:
        found.is_ended_by(awaited.ask(response, known))
    return found.decision()


def looking(
    awaits: tuple[Awaited, ...],
    response: Response,
    known: Known,
    decided: Callable[[Known], Decision],
) -> Generator[Question, Answer, Decision]:
    """Decide about an answer, after looking at the trails that are read for it, once at most.

    Args:
        awaits: of the decision about the request.
        response: the answer.
        known: as of now.
        decided: the decision, by what is then known.
    """
    looks: tuple[Look, ...] = ()
    if known.trails is ELSEWHERE:
        asked = (each.looks(response, known) for each in awaits if each.looks is not None)
        looks = tuple(look for look in asked if look.keys or look.notes)
    if looks:
        known = _with(known, (yield Wanted((), looks)))
    return _settled(decided(known), looks)


class _Found:
    """What the checks said so far."""

    __slots__ = ("opinions",)

    def __init__(self) -> None:
        self.opinions: list[Opinion] = []

    def has_refusal(self, request: Request, known: Known, checks: tuple[GuardCheck, ...]) -> bool:
        for check in checks:
            opinion = check(request, known)
            if opinion is not FINE and self.is_ended_by(opinion):
                return True
        return False

    def is_ended_by(self, opinion: Opinion) -> bool:
        """Note what a check said; whether it refused."""
        if opinion is FINE:
            return False
        self.opinions.append(opinion)
        return opinion.refusal is not None

    def decision(self) -> Decision:
        opinions = self.opinions
        if not opinions:
            return ALLOWED
        refusal = opinions[-1].refusal
        is_let = refusal is None
        if is_let and len(opinions) == 1:  # the usual one: what the limits have to say
            return _of_one(opinions[0])
        add = tuple(header for said in opinions for header in said.add) if is_let else ()
        ours = {name for name, _ in add}  # set, so what the visitor sent under it is gone
        return Decision(
            refusal=refusal,
            add=add,
            remove=tuple(name for said in opinions for name in said.remove if name not in ours)
            if is_let
            else (),
            answer=tuple(header for said in opinions for header in said.answer),
            counted=tuple(
                said.counted or said.refusal.slug if said.refusal else said.counted
                for said in opinions
                if said.counted or said.refusal
            ),
            hits=tuple(hit for said in opinions for hit in said.hits),
            strikes=tuple(strike for said in opinions for strike in said.strikes),
            notes=tuple(
                note for said in (opinions if is_let else opinions[-1:]) for note in said.notes
            ),
            awaits=tuple(each for said in opinions for each in said.awaits) if is_let else (),
        )


def _of_one(said: Opinion) -> Decision:
    """What is done where one check alone had something to say, and let it pass."""
    ours = {name for name, _ in said.add}
    return Decision(
        add=said.add,
        remove=tuple([name for name in said.remove if name not in ours]) if ours else said.remove,
        answer=said.answer,
        counted=(said.counted,) if said.counted else (),
        hits=said.hits,
        strikes=said.strikes,
        notes=said.notes,
        awaits=said.awaits,
    )


def told(request: Request, refusal: Refusal) -> dict[str, object]:
    """The fields of a refusal's event. No query, cookie or body: they hold secrets."""
    return {
        "promise": refusal.slug,
        "code": refusal.code,
        "status": refusal.status,
        "method": request.method[:MAX_TOLD_BYTES],
        "host": request.host[:MAX_TOLD_BYTES],
        "path": request.path[:MAX_TOLD_BYTES],
        "client": request.client,
    }
