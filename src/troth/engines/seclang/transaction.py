"""A message on its way through the phases.

1 request headers, 2 request body, 3 response headers, 4 response body, 5 logging. In each phase
the rules run in the order they were written; where a scanner has said which heads match at all,
the others are not even asked. A rule that denies ends the message's way; phase 5 runs always.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from operator import itemgetter

from troth.engines.seclang import macros
from troth.engines.seclang.dynamic import number
from troth.engines.seclang.finding import Finders, Space, find, find_parts, find_seen, finder_of
from troth.engines.seclang.model import Limits, Message, Ruleset, Scan, Verdict
from troth.engines.seclang.names import CHANGING
from troth.engines.seclang.recall import (
    BY_HEADERS,
    MAX_WORK,
    Recall,
    is_small,
    left_by,
    resume,
    route_of,
    with_limits,
)
from troth.engines.seclang.selection import excludes
from troth.engines.seclang.state import Item, State
from troth.engines.seclang.steps import Step
from troth.engines.seclang.variables import FILLERS, View

_REQUEST, _BODY, _RESPONSE, _RESPONSE_BODY, _LOGGING = 1, 2, 3, 4, 5
_INBOUND = (b"blocking_inbound_anomaly_score", b"anomaly_score", b"inbound_anomaly_score")
_OUTBOUND = (b"blocking_outbound_anomaly_score", b"outbound_anomaly_score")
_LEVELS = range(1, 5)
_COOKIES = frozenset({"REQUEST_COOKIES", "REQUEST_COOKIES_NAMES"})  # read in phase 2: a limit then
# Read before the body, and no other after it.
_OF_HEAD = ("REQUEST_HEADERS", "REQUEST_COOKIES", "REQUEST_LINE", "REQUEST_URI", "REQUEST_METHOD")
# Nothing of these where a body has no more than arguments (`View.has_only_arguments`).
_OF_PARTS = ("MULTIPART_", "FILES", "XML", "REQBODY_ERROR", "REQBODY_PROCESSOR_")
Due = tuple[int, list[Item] | None]
_index = itemgetter(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """The steps of one phase.

    Args:
        begin: the index of its first step.
        ends: by marker, the index of the first step after it.
        always: indexes of steps that no scanner answers for.
        spaces: to be scanned as this phase begins; those of earlier phases are remembered.
        finders: the same by source, once there is a scanner.
        by_headers, by_parts, others: those that depend on headers, method and client; on what a
            body holds besides arguments; and all others.
        unasked: `always`, as what is due.
    """

    number: int
    begin: int
    steps: tuple[Step, ...]
    ends: Mapping[str, int]
    always: tuple[int, ...]
    spaces: tuple[Space, ...]
    is_scanned: bool = False
    finders: Finders = ()
    by_headers: Finders = ()
    by_parts: Finders = ()
    others: Finders = ()
    unasked: "list[Due]" = field(default_factory=list)

    def scanned(self, scan: Scan) -> "Phase":
        """The same phase, asking a scanner."""
        spaces = tuple(
            replace(space, find=scan.space(space.name), sift=scan.sift(space.name))
            for space in self.spaces
        )
        sources = dict.fromkeys(space.source for space in spaces)
        finders = tuple(
            (
                source,
                None if source in CHANGING else FILLERS[source],
                *finder_of([space for space in spaces if space.source == source]),
            )
            for source in sources
        )
        unasked: list[Due] = [(index, None) for index in self.always]
        early = BY_HEADERS if self.number == _REQUEST else BY_HEADERS - _COOKIES
        by_headers = tuple(each for each in finders if each[0] in early)
        is_body = self.number == _BODY
        by_parts = tuple(each for each in finders if is_body and each[0].startswith(_OF_PARTS))
        known = {each[0] for each in (*by_headers, *by_parts)}
        return replace(
            self,
            spaces=spaces,
            is_scanned=True,
            finders=finders,
            by_headers=by_headers,
            by_parts=by_parts,
            others=tuple(each for each in finders if each[0] not in known),
            unasked=unasked,
        )


def run(
    phases: Mapping[int, Phase],
    ruleset: Ruleset,
    tx: Mapping[bytes, bytes],
    limits: Limits,
    message: Message,
    recall: Recall | None = None,
) -> Verdict:
    """Take a message through its phases; 3 and 4 only when it carries a response."""
    t = State(
        message=message,
        view=View(message, limits),
        tx=dict(tx),
        work=limits.work,
        engine=ruleset.engine,
    )
    if ruleset.engine == "Off":
        return Verdict()
    _exclude(t, phases, message)
    if recall is not None and message.status is None:
        return _recalled(t, phases, ruleset, tx, recall)
    _enter(t, phases[_REQUEST])
    if _or(t.view.is_body_read, ruleset.is_body_read) and not t.is_ended:
        _read_body(t)
    _enter(t, phases[_BODY])
    if message.status is not None:
        _enter(t, phases[_RESPONSE])
        is_read = _or(t.view.is_response_read, ruleset.is_response_read)
        t.view.is_response_shown = is_read and _is_text(t, ruleset)
        t.items.pop("RESPONSE_BODY", None)
        _enter(t, phases[_RESPONSE_BODY])
    return _logged(t, phases)


def _logged(t: State, phases: Mapping[int, Phase]) -> Verdict:
    t.is_ended = False
    _enter(t, phases[_LOGGING])
    return _verdict(t)


def _recalled(
    t: State,
    phases: Mapping[int, Phase],
    ruleset: Ruleset,
    tx: Mapping[bytes, bytes],
    recall: Recall,
) -> Verdict:
    """A request without its response: what happened before is not done again."""
    first, second = phases[_REQUEST], phases[_BODY]
    seen = find_seen(t, first.by_headers + second.by_headers, recall)
    due = _due(t, first, first.others)
    hits = [(index, items) for index, items in due if items is not None]
    key = recall.key(0, t, (route_of(t.message), t.view.processor), hits, seen)
    left = recall.left.get(key)
    if left is None:
        is_usual = _is_usual(t, lambda: _start(t, first, due)) and is_small(key)
        if t.is_ended or t.engine == "Off":
            return _logged(t, phases)
        left = left_by(t, tx)
        if is_usual:
            recall.left.put(key, left)
    else:
        resume(t, left)
    if _or(t.view.is_body_read, ruleset.is_body_read):
        _read_body(t)
    if t.is_ended:
        return _logged(t, phases)
    find_parts(t, second.by_parts, recall)
    due = _due(t, second, second.others)
    hits = sorted([(i, items) for i, items in t.hits.items() if i >= second.begin], key=_index)
    key = recall.key(1, t, left, hits)
    verdict = recall.ends.get(key)
    if verdict is not None:
        return with_limits(verdict, t.view.passed)
    is_usual = _is_usual(t, lambda: _start(t, second, due))
    verdict = _logged(t, phases)
    if is_usual and not verdict.limits and is_small(key):
        recall.ends.put(key, verdict)
    return verdict


def _is_usual(t: State, walk: Callable[[], None]) -> bool:
    """Walk, and say whether no limit was passed on the way and little was looked at."""
    work, passed = t.work, len(t.view.passed)
    walk()
    return len(t.view.passed) == passed and work - t.work <= MAX_WORK


def _start(t: State, phase: Phase, due: list[Due]) -> None:
    t.skip_to, t.is_phase_ended = -1, False
    _walk(t, phase, due)


def _exclude(t: State, phases: Mapping[int, Phase], message: Message) -> None:
    if not message.removed and not message.excluded:
        return
    steps = [step for phase in phases.values() for step in phase.steps]
    t.removed.update(step.index for step in steps if step.rule.id in message.removed)
    for wanted, selector in message.excluded:
        indexes = frozenset(s.index for s in steps if wanted in {0, s.rule.id})
        t.exclusions.append((indexes, excludes([selector])))


def _read_body(t: State) -> None:
    t.view.read_body()
    t.is_ended = t.is_ended or "decode" in t.view.passed
    t.items = {name: items for name, items in t.items.items() if name.startswith(_OF_HEAD)}


def _or(said: bool | None, usual: bool) -> bool:  # noqa: FBT001 -- two of a kind
    return usual if said is None else said


def _is_text(t: State, ruleset: Ruleset) -> bool:
    kind = t.first("RESPONSE_CONTENT_TYPE", b"").decode("latin-1").lower()
    return kind in ruleset.response_types


def _enter(t: State, phase: Phase) -> None:
    """Run a phase's steps in order, unless the message's way has ended."""
    if t.is_ended or t.engine == "Off":
        return
    t.skip_to, t.is_phase_ended = -1, False
    if phase.is_scanned:
        _walk(t, phase, _due(t, phase))
    else:
        _walk(t, phase, [(step.index, None) for step in phase.steps])


def _due(t: State, phase: Phase, finders: Finders | None = None) -> list[Due]:
    """The steps that must be asked, in order, with the items that a scan has found for them."""
    hits = t.hits
    find(t, phase.finders if finders is None else finders)
    begin, end = phase.begin, phase.begin + len(phase.steps)
    due = [(index, given) for index, given in hits.items() if begin <= index < end]
    return sorted(due + phase.unasked, key=_index) if due else phase.unasked


def _walk(t: State, phase: Phase, due: list[Due]) -> None:
    steps, begin = phase.steps, phase.begin
    for index, items in due:
        if index < t.skip_to or index in t.removed:
            continue
        if t.engine == "Off" or t.is_ended or t.is_phase_ended:
            return
        step = steps[index - begin]
        t.rule = step.rule
        t.message_text = t.data_text = b""
        if step.run(t, items):
            _matched(t, phase, step)
        if t.work < 0:
            t.view.passed.append("work")
            t.is_ended = True


def _matched(t: State, phase: Phase, step: Step) -> None:
    rule = step.rule
    if rule.is_logged:
        t.message_text = macros.filled(step.message, t)
        t.data_text = macros.filled(step.data, t)
        t.record(rule, t.message_text, t.data_text)
        if rule.severity is not None:
            t.highest = min(t.highest, rule.severity)
    if rule.skip_after:
        t.skip_to = phase.ends.get(rule.skip_after, phase.begin + len(phase.steps))
    elif rule.skip:
        t.skip_to = step.index + rule.skip + 1
    if rule.disruption != "pass":
        _disrupt(t, step)


def _disrupt(t: State, step: Step) -> None:
    rule = step.rule
    if rule.disruption == "allow":
        t.is_phase_ended = rule.disruption_argument == "phase"
        t.is_ended = not t.is_phase_ended
        return
    if t.engine != "On" or rule.phase == _LOGGING:
        return
    t.is_ended, t.disrupted_by = True, rule
    if rule.disruption == "redirect":
        t.redirect = macros.filled(macros.text_of(rule.disruption_argument, {}), t)


def _verdict(t: State) -> Verdict:
    rule = t.disrupted_by
    status = None
    if rule is not None:
        is_redirect = rule.disruption == "redirect" and rule.status == 403  # noqa: PLR2004
        status = 302 if is_redirect else rule.status
    return Verdict(
        status=status,
        is_disrupted=rule is not None,
        by=None if rule is None else rule.id,
        redirect=t.redirect,
        matches=tuple(t.matches),
        inbound=_score(t, _INBOUND, b"inbound"),
        outbound=_score(t, _OUTBOUND, b"outbound"),
        limits=tuple(dict.fromkeys(t.view.passed)),
    )


def _score(t: State, keys: tuple[bytes, ...], side: bytes) -> int:
    """The highest of the names under which CRS 3 and CRS 4 keep the score."""
    found = [number(t.tx_text(key)) for key in keys if key in t.tx]
    levels = [b"%b_anomaly_score_pl%d" % (side, level) for level in _LEVELS]
    return max([*found, sum(number(t.tx_text(key)) for key in levels)], default=0)
