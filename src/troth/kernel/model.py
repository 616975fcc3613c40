"""The promise model: what is declared, what is seen, what is signed.

Everything is frozen, slotted and comparable. Times are aware UTC datetimes, durations timedeltas.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any


class Verdict(StrEnum):
    """What a judge says of one observation. `error`: could not look; neither pass nor fail."""

    PASS = "pass"  # noqa: S105 -- a verdict, no password
    FAIL = "fail"
    ERROR = "error"


class Method(StrEnum):
    """How a check probes, from a cheap single request to a restore."""

    LOOK = "look"
    SCAN = "scan"
    ATTACK = "attack"
    DRILL = "drill"


class Kind(StrEnum):
    """Where a promise's truth comes from."""

    ENFORCED = "enforced"
    PROBED = "probed"
    ATTESTED = "attested"


class Severity(StrEnum):
    """How bad it is when a promise is broken."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class State(StrEnum):
    """What the page says of a promise; the order is the order in which `state()` tries them."""

    NOT_APPLICABLE = "not-applicable"
    FAILING = "failing"
    PLANNED = "planned"
    STALE = "stale"
    UNPROVEN = "unproven"
    ATTESTED = "attested"
    PROVEN = "proven"


@dataclass(frozen=True, slots=True)
class Control:
    """A control of a framework that the promise supports (never: satisfies)."""

    framework: str
    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One way in which a promise is probed.

    Args:
        id: `<slug>.<what>`, unique in the catalogue.
        interval: how often it runs; shorter than `ttl`.
        ttl: for how long its verdict counts as fresh.
        quorum: vantages from which it must be fresh, 1 or more.
        probe: dotted path `package.module:function`, called as `probe(vantage, settings)`
            and returning an `Observation`.
        judge: dotted path, called as `judge(observation.facts, settings)`; returns a `Judgement`.
        command: one shell line with which a stranger repeats the check with tools that are not
            ours; `$APP`, `$HTTP`, `$TROTH`, `$STATUS`, `$CA` are the fields of the ready file.
    """

    id: str
    method: Method
    interval: timedelta
    ttl: timedelta
    probe: str
    judge: str
    command: str
    quorum: int = 1

    def __post_init__(self) -> None:
        if self.quorum < 1 or not timedelta(0) < self.interval < self.ttl:
            raise ValueError(f"{self.id}: quorum >= 1 and 0 < interval < ttl")


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """One published sentence, as declared. The words stand in the area's `sentences.toml`."""

    slug: str
    area: str
    kind: Kind
    severity: Severity
    checks: tuple[Check, ...] = ()
    controls: tuple[Control, ...] = ()
    rests_on: tuple[str, ...] = ()
    planned_for: date | None = None
    not_applicable_because: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What a probe saw: facts, no opinion.

    Args:
        facts: JSON-ready values only (str, int, float, bool, None, list, dict).
        public: names of facts that may be published at once; the rest is a salted commitment.
    """

    facts: Mapping[str, Any]
    public: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Judgement:
    """A judge's verdict with its reason: a short English sentence without personal data."""

    verdict: Verdict
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """A verdict on record: from one vantage, at one time, until its expiry."""

    check: str
    verdict: Verdict
    collected: datetime
    expires: datetime
    vantage: str
    observed: Mapping[str, Any] = field(default_factory=dict)
    reason: str = ""
    source: str = ""  # where it is kept: `log:<index>` or `looks:<vantage>:<sequence>`


@dataclass(frozen=True, slots=True, kw_only=True)
class Attestation:
    """A person's signed statement, for what no probe can see."""

    promise: str
    by: str
    role: str
    statement: str
    signed: datetime
    expires: datetime
    document_sha256: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiver:
    """Why somebody accepts a state for a while. Shown beside the state; never changes it."""

    promise: str
    reason: str
    by: str
    expires: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """A state with its reason (a code of `state.REASONS`) and the check it is about, if one."""

    state: State
    reason: str
    check: str = ""
