"""A `Ruleset` becomes a `Program`: folded, resolved to closures, ready to inspect messages."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from troth.engines.seclang.finding import Space
from troth.engines.seclang.fold import PHASES, fold
from troth.engines.seclang.macros import is_macro, text_of
from troth.engines.seclang.model import (
    Limits,
    Marker,
    Message,
    Rule,
    Ruleset,
    Scan,
    Selector,
    Verdict,
)
from troth.engines.seclang.names import CHANGING, UNREACHABLE
from troth.engines.seclang.operators import OPERATORS
from troth.engines.seclang.operators.grammar import FLOODS, SIGN_OF
from troth.engines.seclang.recall import Recall
from troth.engines.seclang.scan.test import Test
from troth.engines.seclang.selection import excluded_of, source_of, space_of, unless, wanted_of
from troth.engines.seclang.steps import Step, Workshop, step_of
from troth.engines.seclang.transaction import Phase, run

# CRS 3 calls it paranoia_level and executing_paranoia_level, CRS 4 blocking_ and detection_.
_PARANOIA = (
    "paranoia_level",
    "executing_paranoia_level",
    "blocking_paranoia_level",
    "detection_paranoia_level",
)
_LEVELS = range(1, 5)
_WORK_TO_RECALL = 64 << 20  # bytes: below it a limit on work may well be met, and must be exact
_PATTERNS = frozenset({"rx", "pm", "pmf", "pmfromfile"})
_RESPONSE = "RESPONSE_BODY"
_BY_BODY = frozenset(
    "ARGS ARGS_POST ARGS_NAMES ARGS_POST_NAMES ARGS_COMBINED_SIZE FILES FILES_NAMES FILES_SIZES"
    " FILES_TMP_CONTENT FILES_COMBINED_SIZE XML XML://@* XML://text() REQUEST_BODY"
    " REQUEST_BODY_LENGTH FULL_REQUEST FULL_REQUEST_LENGTH REQBODY_ERROR REQBODY_ERROR_MSG"
    " REQBODY_PROCESSOR_ERROR REQBODY_PROCESSOR_ERROR_MSG INBOUND_DATA_ERROR"
    " URLENCODED_ERROR".split()
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """Compiled rules. Immutable; one serves all requests.

    Args:
        ruleset: what it was made from.
        limits: what one message may cost.
        phases: by number, 1 to 5.
        steps: by index; phases follow each other.
        tests: what a `scan.Scanner` can answer for; `Test.number` is a step's index.
        tx: what TX holds at first.
        scan: the scanner in use; None: every rule runs by itself.
        recall: what phases did, remembered; None: each message goes all the way.
    """

    ruleset: Ruleset
    limits: Limits
    phases: Mapping[int, Phase]
    steps: tuple[Step, ...]
    tests: tuple[Test, ...]
    tx: Mapping[bytes, bytes]
    scan: Scan | None = None
    recall: Recall | None = None

    def inspect(self, message: Message) -> Verdict:
        """Run the rules over a message; never raises on any bytes."""
        return run(self.phases, self.ruleset, self.tx, self.limits, message, self.recall)

    def with_scan(self, scan: Scan, *, is_recalling: bool = True) -> "Program":
        """The same program, asking a scanner which heads may match.

        Args:
            scan: asked for each value.
            is_recalling: what rules did for the same readings is remembered (`recall`).
        """
        phases = {number: phase.scanned(scan) for number, phase in self.phases.items()}
        recall = None
        if is_recalling and not phases[5].finders and self.limits.work >= _WORK_TO_RECALL:
            later = (*phases[2].always, *phases[5].always)
            recall = Recall([step.rule for step in self.steps], (phases[1].always, later))
        return replace(self, phases=MappingProxyType(phases), scan=scan, recall=recall)


def compile(  # noqa: A001 -- the engine's word, as `re.compile`
    ruleset: Ruleset,
    *,
    paranoia: int | None = None,
    settings: Mapping[str, str] = MappingProxyType({}),
    limits: Limits | None = None,
) -> Program:
    """Compile a rule set.

    Args:
        ruleset: from `parse`.
        paranoia: the paranoia level, 1 to 4, whatever the rules say; None leaves it to them.
        settings: TX values that stand whatever the rules write, names in lower case.
        limits: what one message may cost; None: the usual ones.

    Raises:
        ValueError: a paranoia level that does not exist.
    """
    if paranoia is not None and paranoia not in _LEVELS:
        raise ValueError(f"paranoia levels are 1 to 4, not {paranoia}")
    levels = {} if paranoia is None else dict.fromkeys(_PARANOIA, str(paranoia))
    pinned = {**levels, **settings}
    folded = fold(ruleset, pinned)
    rules = [i for phase in PHASES for i in folded.phases[phase] if isinstance(i, Rule)]
    shop = Workshop(
        constants=folded.constants, rules=rules, data=ruleset.data, pinned=frozenset(pinned)
    )
    steps = tuple(step_of(index, rule, shop) for index, rule in enumerate(rules))
    tests = tuple(t for index, rule in enumerate(rules) if (t := test_of(index, rule, shop)))
    phases = _phases(folded.phases, steps, tests)
    return Program(
        ruleset=ruleset,
        limits=limits or Limits(),
        phases=MappingProxyType(phases),
        steps=steps,
        tests=tests,
        tx=folded.tx,
    )


def test_of(index: int, rule: Rule, shop: Workshop) -> Test | None:
    """What a scanner could answer for a rule's head; None when the head depends on more."""
    head = rule.links[0]
    operator = head.operator
    if operator is None or operator.name in UNREACHABLE:
        return None
    is_pattern = operator.name in _PATTERNS
    text = text_of(operator.argument, shop.constants)
    if not isinstance(text, bytes) or (is_pattern and is_macro(operator.argument)):
        return None
    chosen = [selector for selector in head.selectors if not selector.is_exclusion]
    if any(s.is_count or s.collection in CHANGING for s in chosen):
        return None
    argument = text.decode()
    return Test(
        number=index,
        operator=operator.name,
        argument=argument,
        chain=head.transformations,
        is_negated=operator.is_negated,
        every_stage=any(action.name == "multimatch" for action in head.actions),
        spaces=frozenset(_space(selector, rule.phase, head.selectors) for selector in chosen),
        sign=SIGN_OF.get(operator.name, b""),
        flood=FLOODS.get(operator.name, b""),
        find=None if is_pattern else OPERATORS[operator.name](argument, shop.data),
    )


def _space(selector: Selector, phase: int, others: Sequence[Selector]) -> str:
    """Before a body is read, what it fills is another space: scans are remembered."""
    name, source = space_of(selector), source_of(selector)
    name += "".join(f"|!{space_of(each)}" for each in excluded_of(selector, others))
    is_by_body = source in _BY_BODY or source.startswith("MULTIPART_")
    is_early = (phase == 1 and is_by_body) or (phase < PHASES[3] and source == _RESPONSE)
    return f"{phase}:{name}" if is_early else name


def _phases(
    folded: Mapping[int, tuple[Rule | Marker, ...]],
    steps: tuple[Step, ...],
    tests: tuple[Test, ...],
) -> dict[int, Phase]:
    tested = {test.number for test in tests}
    by_id = {step.rule.id: step for step in steps}
    phases, seen, begin = {}, set[str](), 0
    for number in PHASES:
        items = folded[number]
        mine = tuple(by_id[item.id] for item in items if isinstance(item, Rule))
        spaces = list[Space]()
        for step in mine:
            if step.index in tested:
                selectors = step.rule.links[0].selectors
                for selector in selectors:
                    name = _space(selector, number, selectors)
                    if not selector.is_exclusion and name not in seen:
                        seen.add(name)
                        spaces.append(_space_of(name, selector, selectors))
        phases[number] = Phase(
            number=number,
            begin=begin,
            steps=mine,
            ends=_ends(items, begin),
            always=tuple(step.index for step in mine if step.index not in tested),
            spaces=tuple(spaces),
        )
        begin += len(mine)
    return phases


def _space_of(name: str, selector: Selector, others: Sequence[Selector]) -> Space:
    barred = excluded_of(selector, others)
    wanted = unless(barred) if barred else wanted_of(selector)
    return Space(name=name, source=source_of(selector), wanted=wanted)


def _ends(items: tuple[Rule | Marker, ...], begin: int) -> Mapping[str, int]:
    """The index of the first step after each marker; the first marker of a name counts last."""
    ends, index = dict[str, int](), begin
    for item in items:
        if isinstance(item, Marker):
            ends[item.name] = index
        else:
            index += 1
    return ends
