"""What every door does with one request: decide, count, tell, and say no with a page.

A door turns its wire into a `Request` and a `Ruling` into its wire, and nothing else, so every door
gives the same answer.

Fails closed: a check that breaks is a 503, and is told; where the snapshot says that this request
fails open, it passes, and that is told, too. Telling fails open: an event that finds no room is
counted as lost (`adapters.spool`), a request never waits for it.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, TypeVar

from troth.adapters.counters import CountersError, Memory
from troth.enforce import events, page
from troth.enforce.decide import (
    ALLOWED,
    Answer,
    Decision,
    Question,
    Tallies,
    decide_answer,
    decide_awaited,
    decide_upload,
    deciding,
    looking,
    told,
)
from troth.enforce.snapshot import Current, Told
from troth.enforce.wire import Reply
from troth.engines.uploads import Fault
from troth.kernel.request import (
    Ask,
    Awaited,
    Headers,
    Known,
    Refusal,
    Request,
    Response,
    Taken,
    Wanted,
)

GUARD = "guard"  # who refuses, when it is no promise but the machine
T = TypeVar("T")
R = TypeVar("R")
MAX_TOLD_S = 100  # a flood of refusals is counted in the log, not written; the spool has them


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """What is to be done with a request, or with the answer to it.

    Args:
        decision: what the checks said.
        refused: what the visitor gets instead; None lets it through.
        event: the id under which it was told; empty when it was not.
    """

    decision: Decision = ALLOWED
    refused: Reply | None = None
    event: str = ""


PASSED = Ruling()


# What a decision asks on its way, once at most; it is sent the answer, or why there is none.
Ruled = Generator[Question, Answer | Exception, Ruling]
Heard = Generator[Question, Answer | Exception, Headers]


def _nothing(*_: object) -> None:
    return


def _as_it_is(request: Request, _: datetime) -> Request:
    return request


def _same(found: Ruling) -> Ruling:
    return found


async def _found(ruling: "Ruling | asyncio.Future[Ruling]") -> Ruling:
    return await ruling if isinstance(ruling, asyncio.Future) else ruling


class Elsewhere(Protocol):
    """Counters and trails in another process; both ways raise when there is no answer."""

    def wait(self, question: Question) -> Taken:
        """The answer, while this thread waits."""

    def ask(self, question: Question) -> asyncio.Future[Taken]:
        """The answer, for the event loop that runs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What a keeper is given from outside; what is left out is not done.

    Args:
        now: the clock.
        new_id: a fresh event id, hex digits, at each call.
        told: where the log's events go: name and fields.
        take: the counters; takes from each, answers by key.
        elsewhere: how counters and trails are asked that are not at hand; instead of `take`.
        known: what a check may know at this moment (bans, lists, trails).
        settle: counts strikes and marks notes of a decision that is made.
        wrote: where the event of a decision goes; never blocks.
        kept: where a refused request goes, to be explained later; never blocks.
        recognised: the request as it is to be decided about, for one that our own vantage signed.
        passed: told of each request that is let through and of which no rule said anything.
        allowed_every: one in so many requests that pass without a word is an event; 0 for none.
    """

    now: Callable[[], datetime]
    new_id: Callable[[], str]
    told: Told
    take: Callable[[tuple[Ask, ...]], Tallies] = field(default_factory=lambda: Memory().take)
    elsewhere: Elsewhere | None = None
    known: Callable[[datetime], Known] = lambda now: Known(now=now)
    settle: Callable[[Decision, datetime], None] = _nothing
    wrote: Callable[[events.Event], None] = _nothing
    kept: Callable[[str, Request, Decision, datetime], None] = _nothing
    recognised: Callable[[Request, datetime], Request] = _as_it_is
    passed: Callable[[Request], None] = _nothing
    allowed_every: int = 0


class Keeper:
    """Rules on one request after another; never raises."""

    def __init__(self, current: Current, means: Means) -> None:
        self.current = current
        self.means = means
        self.counts: Counter[str] = Counter()
        self._second = 0
        self._told_in_second = 0
        self._passed = 0

    def recognised(self, request: Request) -> Request:
        """What is decided about, which a door asks before all else: `enforce.clients`."""
        return self.means.recognised(request, self.means.now())

    def judge(self, request: Request) -> Ruling:
        """The ruling, with counters at hand."""
        return self._driven(self.judging(request))

    async def judge_later(self, request: Request) -> Ruling:
        """The same, in an event loop that does not wait for counters elsewhere."""
        return await _found(self.later(self.judging(request), _same))

    def judging(self, request: Request) -> Ruled:
        """The same for a door whose counters are elsewhere: yields what it asks, once at most.

        The answer is sent, or the exception why there is none: then it refuses.
        """
        now = self.means.now()
        snapshot = self.current.snapshot
        try:
            steps = deciding(request, snapshot, self.means.known(now))
            try:
                answer = yield next(steps)
                if isinstance(answer, Exception):
                    raise answer
                steps.send(answer)
            except StopIteration as end:
                decision: Decision = end.value
            self.means.settle(decision, now)
        except Exception as error:  # noqa: BLE001 -- a machine's loop: a bug refuses, never passes
            return self._broken(request, error, now)
        return self._ruled(request, decision, now)

    def uploaded(self, request: Request, fault: Fault | None = None) -> Ruling:
        """The ruling on an upload that lies whole; its headers were let through before.

        `request` has what is read of its body; `fault` is what was found in it.
        """
        now = self.means.now()
        try:
            found = decide_upload(request, self.current.snapshot, self.means.known(now), fault)
            self.means.settle(found, now)
        except Exception as error:  # noqa: BLE001 -- as above: an upload nobody could look at
            return self._broken(request, error, now)
        if found is ALLOWED:
            return PASSED
        return self._ruled(request, found, now, is_more=True)

    def answered(self, request: Request, response: Response, decision: Decision) -> Ruling:
        """The ruling on the application's answer to a request that was let through."""
        return self._driven(self.answering(request, response, decision))

    async def answered_later(
        self, request: Request, response: Response, decision: Decision
    ) -> Ruling:
        """The same, in an event loop that does not wait for trails elsewhere."""
        return await _found(self.later(self.answering(request, response, decision), _same))

    def answering(self, request: Request, response: Response, decision: Decision) -> Ruled:
        """The same, as `judging`."""
        now = self.means.now()
        snapshot = self.current.snapshot
        if not snapshot.answers and not decision.awaits:
            return PASSED
        awaits = decision.awaits
        try:
            found = yield from _through(
                looking(
                    awaits,
                    response,
                    self.means.known(now),
                    lambda known: decide_answer(request, response, snapshot, known, awaits),
                )
            )
            self.means.settle(found, now)
        except Exception as error:  # noqa: BLE001 -- as above: an answer nobody could look at
            return self._broken(request, error, now)
        if found is ALLOWED:
            return PASSED
        return self._ruled(request, found, now, is_answer=True)

    def hearing(self, awaits: tuple[Awaited, ...], response: Response) -> Heard:
        """What the visitor gets with an answer that one was told of when the request was gone.

        Yields as `judging`. Fails open: the answer is on its way; what breaks here is told and
        counted.
        """
        now = self.means.now()
        try:
            found = yield from _through(
                looking(
                    awaits,
                    response,
                    self.means.known(now),
                    lambda known: decide_awaited(awaits, response, known),
                )
            )
            self.means.settle(found, now)
        except Exception as error:  # noqa: BLE001 -- a machine's loop: nobody could hear it
            self.counts["unheard"] += 1
            self._tell("guard.unheard", {"bug": repr(error)}, now)
            return ()
        self.counts.update(found.counted)
        return found.answer

    def refuse(self, status: int, code: str, request: Request) -> Ruling:
        """The machine's own no: what is no request (400), too large (413), too slow (408)."""
        now = self.means.now()
        self.counts[code] += 1
        refusal = Refusal(slug=GUARD, code=code, status=status)
        return self._refused(request, Decision(refusal=refusal), now, {})

    def _driven(self, steps: Generator[Question, Answer | Exception, T]) -> T:
        try:
            question = next(steps)
            while True:
                question = steps.send(self._taken(question))
        except StopIteration as end:
            found: T = end.value
            return found

    def later(
        self, steps: Generator[Question, Answer | Exception, T], said: Callable[[T], R]
    ) -> R | asyncio.Future[R]:
        """What is said of what steps find: at once where all is at hand, else its future."""
        if self.means.elsewhere is None:
            return said(self._driven(steps))
        try:
            question = next(steps)
        except StopIteration as end:
            return said(end.value)
        reply: asyncio.Future[R] = asyncio.get_running_loop().create_future()

        def told(done: asyncio.Future[Taken]) -> None:
            error = CountersError("closed") if done.cancelled() else done.exception()
            try:
                steps.send(error if isinstance(error, Exception) else done.result())
            except StopIteration as end:
                if not reply.done():
                    reply.set_result(said(end.value))

        self.means.elsewhere.ask(question).add_done_callback(told)
        return reply

    def _taken(self, question: Question) -> Answer | Exception:
        try:
            if self.means.elsewhere is not None:
                return self.means.elsewhere.wait(question)
            assert not isinstance(question, Wanted)  # noqa: S101 -- trails are at hand, too
            return self.means.take(question)
        except Exception as error:  # noqa: BLE001 -- counters that do not answer are a refusal
            return error

    def _broken(self, request: Request, error: Exception, now: datetime) -> Ruling:
        self.counts["failed"] += 1
        if self.current.snapshot.fails_open(request):
            self.counts["failed.open"] += 1
            self._tell("guard.passed-unchecked", {"bug": repr(error)}, now)
            return PASSED
        decision = Decision(refusal=Refusal(slug=GUARD, code="failed", status=503))
        return self._refused(request, decision, now, {"bug": repr(error)})

    def _ruled(
        self,
        request: Request,
        decision: Decision,
        now: datetime,
        *,
        is_answer: bool = False,
        is_more: bool = False,
    ) -> Ruling:
        """`is_more`: about a request that was counted before."""
        for code in decision.counted:
            self.counts[code] += 1
        if decision.refusal is not None:
            return self._refused(request, decision, now, {"answer": True} if is_answer else {})
        is_more = is_more or is_answer
        if not is_more:
            self.counts["allowed"] += 1
        if decision.hits:
            return Ruling(decision=decision, event=self._written(request, decision, now))
        if not is_more:
            self._learn(request)
        if self.means.allowed_every and not is_more:
            self._passed += 1
            if self._passed >= self.means.allowed_every:
                self._passed = 0
                return Ruling(decision=decision, event=self._written(request, decision, now))
        return PASSED if decision is ALLOWED else Ruling(decision=decision)

    def _learn(self, request: Request) -> None:
        """Fails open: what cannot be learnt from changes no decision."""
        try:
            self.means.passed(request)
        except Exception:  # noqa: BLE001 -- a machine's loop: the request was decided about
            self.counts["unlearnt"] += 1

    def _refused(
        self, request: Request, decision: Decision, now: datetime, more: dict[str, object]
    ) -> Ruling:
        refusal = decision.refusal
        assert refusal is not None  # noqa: S101 -- callers ask
        event = self._written(request, decision, now)
        self._tell("guard.refused", {"id": event, **told(request, refusal), **more}, now)
        if decision.hits:
            self.means.kept(event, request, decision, now)
        no = page.refusal(
            refusal.status,
            refusal.slug,
            event,
            request.headers,
            prefix=self.current.snapshot.prefix,
            is_answer="answer" in more,
        )
        headers: Headers = (*no.headers, *decision.answer, *refusal.headers)
        reply = Reply(status=no.status, headers=headers, body=no.body)
        return Ruling(decision=decision, refused=reply, event=event)

    def _written(self, request: Request, decision: Decision, now: datetime) -> str:
        event = self.means.new_id()
        self.means.wrote(events.Event(id=event, at=now, request=request, decision=decision))
        return event

    def _tell(self, name: str, fields: dict[str, object], now: datetime) -> None:
        second = int(now.timestamp())
        if second != self._second:
            if self._told_in_second > MAX_TOLD_S:
                self.means.told("guard.flood", {"untold": self._told_in_second - MAX_TOLD_S})
            self._second, self._told_in_second = second, 0
        self._told_in_second += 1
        if self._told_in_second <= MAX_TOLD_S:
            self.means.told(name, fields)


def _through(
    steps: Generator[Question, Answer, Decision],
) -> Generator[Question, Answer | Exception, Decision]:
    """The same steps, which break where no answer is sent."""
    try:
        question = next(steps)
        while True:
            answer = yield question
            if isinstance(answer, Exception):
                raise answer
            question = steps.send(answer)
    except StopIteration as end:
        decision: Decision = end.value
        return decision
