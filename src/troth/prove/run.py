"""Runs checks: probe -> observation -> judge -> verdict, each within its deadline.

Every check runs in a thread of its own. A thread costs microseconds where a process costs a third
of a second of importing, and all doors to the outside have deadlines, so a thread that is given up
ends by itself soon; what it brings later is not listened to. `MAX_GIVEN_UP` such threads at once
are borne; beyond that nothing is started.

Fails closed: whatever goes wrong (an exception, a deadline, facts that are no facts, a judge that
gives no judgement, personal data) is the verdict `error` with a bounded reason, never `pass`.
"""

import importlib
import queue
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from troth.adapters.vantage import Vantage
from troth.kernel.errors import Failure
from troth.kernel.evidence import EvidenceError, canonical, refuse_personal
from troth.kernel.model import Check, Judgement, Method, Observation, Promise, Verdict

DEADLINES = {
    Method.LOOK: timedelta(seconds=8),
    Method.SCAN: timedelta(seconds=60),
    Method.ATTACK: timedelta(seconds=60),
    Method.DRILL: timedelta(minutes=10),
}
# For a whole batch of one method: looks leave room before their next tick, which is 20 s away.
BATCH = {
    Method.LOOK: timedelta(seconds=14),
    Method.SCAN: timedelta(minutes=4),
    Method.ATTACK: timedelta(minutes=4),
    Method.DRILL: timedelta(minutes=30),
}
MAX_REASON = 200
MAX_PUBLIC_BYTES = 2048
MAX_FACTS_BYTES = 64 * 1024
MAX_GIVEN_UP = 8

Clock = Callable[[], datetime]
SettingsOf = Callable[[str], Any]


class RunError(Failure):
    """A check that cannot be run as declared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What came of one check.

    Args:
        check: as declared.
        verdict: as judged; `error` for every mishap.
        reason: bounded, without personal data.
        collected: when its batch began (memoised answers are as old as that), or it, if alone.
        public: facts that may be published at once, floats as text.
        hidden: the other facts, which are only committed to.
    """

    check: Check
    verdict: Verdict
    reason: str
    collected: datetime
    public: Mapping[str, Any] = field(default_factory=dict)
    hidden: Mapping[str, Any] = field(default_factory=dict)


class Runner:
    """Runs batches of checks. One thread calls it; several runners may run side by side."""

    def __init__(
        self, *, settings_of: SettingsOf, now: Clock, canaries: tuple[str, ...] = ()
    ) -> None:
        """Get to know the installation.

        Args:
            settings_of: area -> settings of its probes and judges.
            now: the clock.
            canaries: mail addresses that are ours and may stand in evidence.
        """
        self._settings_of = settings_of
        self._now = now
        self._canaries = canaries
        self._given_up: list[threading.Thread] = []

    def run(self, work: Iterable[tuple[str, Check]], vantage: Vantage) -> tuple[Seen, ...]:
        """Run checks one after the other.

        Looks and scans share the vantage and what it remembers; each attack and drill is a client
        of its own. When the batch's time is used up, the rest could not be looked at.

        Args:
            work: area and check.
            vantage: fresh, for this batch alone.
        """
        began = self._now()
        seen = []
        for area, check in work:
            left = began + BATCH[check.method] - self._now()
            shares = check.method in (Method.LOOK, Method.SCAN)
            collected = began if shares else self._now()
            place = vantage if shares else vantage.as_client(check.id)
            timeout = min(left, DEADLINES[check.method])
            seen.append(self._one(area, check, place, collected, timeout))
        return tuple(seen)

    def _one(
        self, area: str, check: Check, vantage: Vantage, collected: datetime, timeout: timedelta
    ) -> Seen:
        try:
            observation, judgement = self._within(
                timeout, lambda: look(check, vantage, self._settings_of(area))
            )
            public, hidden = divide(observation)
            refuse_personal([public, judgement.reason], check.id, self._canaries)
        except Exception as error:  # noqa: BLE001 -- the machine's loop: everything becomes `error`
            return Seen(
                check=check, verdict=Verdict.ERROR, reason=reason_of(error), collected=collected
            )
        return Seen(
            check=check,
            verdict=judgement.verdict,
            reason=judgement.reason[:MAX_REASON],
            collected=collected,
            public=public,
            hidden=hidden,
        )

    def _within(
        self, timeout: timedelta, work: Callable[[], tuple[Observation, Judgement]]
    ) -> tuple[Observation, Judgement]:
        if timeout <= timedelta(0):
            raise RunError("the batch's time was used up")
        self._given_up = [thread for thread in self._given_up if thread.is_alive()]
        if len(self._given_up) >= MAX_GIVEN_UP:
            raise RunError(f"{MAX_GIVEN_UP} earlier probes still hang")
        answers: queue.SimpleQueue[tuple[Observation, Judgement] | BaseException] = (
            queue.SimpleQueue()
        )

        def tell() -> None:
            try:
                answers.put(work())
            except BaseException as error:  # noqa: BLE001 -- handed over, not lost in a thread
                answers.put(error)

        thread = threading.Thread(target=tell, name="probe", daemon=True)
        thread.start()
        try:
            answer = answers.get(timeout=timeout.total_seconds())
        except queue.Empty:
            self._given_up.append(thread)
            seconds = timeout.total_seconds()
            raise RunError(f"not finished within {seconds:.0f} s") from None
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, BaseException):
            raise RunError(f"the probe tried to end the process: {type(answer).__name__}")
        return answer


def look(check: Check, vantage: Vantage, settings: Any) -> tuple[Observation, Judgement]:
    """Probe, then judge; whatever either raises is raised.

    Raises:
        RunError: the check names no such function, or one that does not do what a probe or judge
            does.
    """
    probe, judge = function(check.probe), function(check.judge)
    observation = probe(vantage, settings)
    if not isinstance(observation, Observation):
        raise RunError("the probe gave no observation")
    judgement = judge(observation.facts, settings)
    if not isinstance(judgement, Judgement) or not isinstance(judgement.verdict, Verdict):
        raise RunError("the judge gave no judgement")
    return observation, judgement


def function(path: str) -> Callable[..., Any]:
    """What a dotted path `package.module:function` names, imported now. Raises RunError."""
    module, _, name = path.partition(":")
    try:
        found = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise RunError("no such probe or judge", where=path) from error
    if not callable(found):
        raise RunError("not a function", where=path)
    return found  # type: ignore[no-any-return]  # callable, as was just seen


def divide(observation: Observation) -> tuple[dict[str, Any], dict[str, Any]]:
    """Facts that may be published at once, and the rest; floats as text in both.

    Raises:
        RunError: more than may be kept. EvidenceError: no JSON.
    """
    facts = {name: _spelled(value) for name, value in observation.facts.items()}
    public = {name: value for name, value in facts.items() if name in observation.public}
    hidden = {name: value for name, value in facts.items() if name not in observation.public}
    try:
        if len(canonical(public)) > MAX_PUBLIC_BYTES:
            raise RunError(f"more than {MAX_PUBLIC_BYTES} bytes of public facts")
        if len(canonical(hidden)) > MAX_FACTS_BYTES:
            raise RunError(f"more than {MAX_FACTS_BYTES} bytes of facts")
    except (TypeError, ValueError) as error:
        raise EvidenceError("facts that are no JSON") from error
    return public, hidden


def _spelled(value: Any) -> Any:
    """Canonical JSON has no floats: six significant digits as text."""
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, Mapping):
        return {key: _spelled(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_spelled(item) for item in value]
    return value


def reason_of(error: Exception) -> str:
    """Why nothing could be seen, fit for publishing: no paths, no addresses, bounded."""
    match error:
        case Failure():
            said = error.what
        case TimeoutError():
            said = "no answer in time"
        case OSError():
            said = error.strerror or type(error).__name__
        case _:
            said = type(error).__name__
    reason = f"could not look: {said}"[:MAX_REASON]
    try:
        refuse_personal(reason, "")
    except EvidenceError:
        return f"could not look: {type(error).__name__}"
    return reason


def look_now(
    promises: Iterable[Promise],
    vantage: Vantage,
    settings_of: SettingsOf,
    *,
    now: Clock,
    told: Callable[[Promise, Seen], None] = lambda _promise, _seen: None,
) -> dict[str, tuple[Seen, ...]]:
    """Run every check of the promises now and record nothing: what `troth prove` shows.

    Looks share what the vantage remembers; a promise that is not applicable is passed over.

    Args:
        promises: as declared.
        vantage: fresh, for this call alone.
        settings_of: area -> settings.
        now: the clock.
        told: called after each check.

    Returns:
        What was seen, by slug.
    """
    runner = Runner(settings_of=settings_of, now=now)
    seen: dict[str, tuple[Seen, ...]] = {}
    for promise in promises:
        if promise.not_applicable_because:
            continue
        found: list[Seen] = []
        for check in promise.checks:
            found += runner.run([(promise.area, check)], vantage)
            told(promise, found[-1])
        seen[promise.slug] = tuple(found)
    return seen
