"""How each promise came to its state: a replay of the log, leaf by leaf.

The log holds a verdict when it changed, and a drill each time. So between two leaves the last
verdict carries on, unless a `gap` leaf says that nobody was looking; a drill ages as it says. Thus
the history is recomputed by anyone from the log alone; what the page says of *now* comes from
`page`, which knows the ring as well.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from troth.kernel.model import Attestation, Check, Evidence, Method, State, Verdict
from troth.kernel.state import state
from troth.publish.record import Gap, Leaf
from troth.publish.shapes import Declared

FOREVER = timedelta(days=36500)
MAX_CHANGES = 50  # of one promise; the log has the rest


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change that a reader of the page would have seen.

    Args:
        at: when.
        before: the state until then; None for the first.
        after: the state from then on.
        source: the leaf that tells it; empty where only time passed.
        is_claim: the sentence itself changed, its state did not.
    """

    slug: str
    at: datetime
    before: State | None
    after: State
    source: str = ""
    is_claim: bool = False


@dataclass(slots=True)
class History:
    """The changes of every promise so far; feed it every leaf in order with `add`."""

    changes: dict[str, deque[Change]] = field(default_factory=dict)
    _declared: dict[str, Declared] = field(default_factory=dict)
    _seen: dict[tuple[str, str], Evidence] = field(default_factory=dict)
    _attestations: list[Attestation] = field(default_factory=list)
    _silent: dict[str, State] = field(default_factory=dict)  # what it was before the silence
    _at: datetime | None = None

    def add(self, leaf: Leaf) -> None:
        """Replay one leaf: first what time did until then, then what it says."""
        at = max(leaf.at, self._at or leaf.at)
        if leaf.gap is not None:
            self._gap(leaf.gap, leaf.source)
        self._pass_time(at)
        self._at = at
        touched: Iterable[str] = ()
        if leaf.declared:
            touched = self._declare(leaf, at)
        elif leaf.round is not None:
            touched = self._look(leaf)
        elif leaf.attestation is not None:
            self._attestations.append(leaf.attestation)
            touched = (leaf.attestation.promise,)
        for slug in touched:
            self._settle(slug, at, leaf.source)

    def until(self, now: datetime) -> None:
        """Tell also what time alone did since the last leaf."""
        self._pass_time(now)

    def of(self, slug: str) -> Sequence[Change]:
        """The changes of one promise, newest first."""
        return tuple(reversed(self.changes.get(slug, ())))

    def latest(self, limit: int) -> list[Change]:
        """The newest changes of all promises, newest first."""
        every = (change for several in self.changes.values() for change in several)
        return sorted(every, key=lambda change: (change.at, change.slug), reverse=True)[:limit]

    def _declare(self, leaf: Leaf, at: datetime) -> set[str]:
        before, now = self._declared, {d.promise.slug: d for d in leaf.declared}
        self._declared = now
        for slug, declared in now.items():
            if slug in before and before[slug].claim != declared.claim:
                held = self._now(slug)
                self._note(
                    Change(
                        slug=slug,
                        at=at,
                        before=held,
                        after=held or State.UNPROVEN,
                        source=leaf.source,
                        is_claim=True,
                    )
                )
        return set(now)

    def _look(self, leaf: Leaf) -> set[str]:
        checks: set[str] = set()
        seen = leaf.round
        for look in seen.looks if seen else ():
            if look.verdict is Verdict.ERROR or seen is None:
                continue
            item = Evidence(
                check=look.check,
                verdict=look.verdict,
                collected=look.collected,
                expires=look.expires,
                vantage=seen.vantage,
            )
            old = self._seen.get((look.check, seen.vantage))
            if old is None or old.collected <= item.collected:
                self._seen[look.check, seen.vantage] = item
                checks.add(look.check)
        return self._with(checks)

    def _with(self, checks: set[str]) -> set[str]:
        return {
            slug
            for slug, declared in self._declared.items()
            if any(check.id in checks for check in declared.promise.checks)
        }

    def _gap(self, gap: Gap, source: str) -> None:
        """Nobody looked from `begin` to `end`: stale meanwhile, and then as before.

        Silence is told while it lasts, and again with its end when the vantage is back.
        """
        checks = {check for check, vantage in self._seen if vantage == gap.vantage}
        for slug in sorted(self._with(checks)):
            mine = [c for c in self._carried(slug) if c.id in checks]
            stale_at = gap.begin + min((check.ttl for check in mine), default=FOREVER)
            if not mine or stale_at >= gap.end:
                continue
            held = self._now(slug)
            if slug not in self._silent and held in (State.PROVEN, State.FAILING, State.ATTESTED):
                self._silent[slug] = held
                self._say(slug, stale_at, State.STALE, source)
            if gap.reason != "silent" and slug in self._silent:
                self._say(slug, gap.end, self._silent.pop(slug), source)

    def _carried(self, slug: str) -> list[Check]:
        checks = self._declared[slug].promise.checks
        return [check for check in checks if check.method is not Method.DRILL]

    def _pass_time(self, until: datetime) -> None:
        """What expired between the last leaf and this one."""
        if self._at is None:
            return
        for slug, declared in self._declared.items():
            for moment in sorted(self._expiries(declared)):
                if self._at < moment <= until:
                    self._settle(slug, moment, "")

    def _expiries(self, declared: Declared) -> set[datetime]:
        ends = {a.expires for a in self._attestations if a.promise == declared.promise.slug}
        for check in declared.promise.checks:
            if check.method is Method.DRILL:
                ends |= {until(item, check) for item in self._of(check)}
        return ends

    def _of(self, check: Check) -> list[Evidence]:
        return [item for (name, _), item in self._seen.items() if name == check.id]

    def _settle(self, slug: str, at: datetime, source: str) -> None:
        declared = self._declared.get(slug)
        if declared is None:
            return
        evidence = [
            item if check.method is Method.DRILL else _carried(item, check, at)
            for check in declared.promise.checks
            for item in self._of(check)
        ]
        after = state(declared.promise, evidence, self._attestations, at).state
        before = self._now(slug)
        if slug in self._silent and source:
            del self._silent[slug]
        if after is not before and slug not in self._silent:
            self._say(slug, at, after, source)

    def _now(self, slug: str) -> State | None:
        changes = self.changes.get(slug)
        return changes[-1].after if changes else None

    def _say(self, slug: str, at: datetime, after: State, source: str) -> None:
        before = self._now(slug)
        self._note(Change(slug=slug, at=at, before=before, after=after, source=source))

    def _note(self, change: Change) -> None:
        self.changes.setdefault(change.slug, deque(maxlen=MAX_CHANGES)).append(change)


def until(item: Evidence, check: Check) -> datetime:
    """When a verdict stops counting: at its expiry, or when the check's ttl is over."""
    return min(item.expires, item.collected + check.ttl)


def _carried(item: Evidence, check: Check, at: datetime) -> Evidence:
    """A verdict that no later leaf contradicts, as if seen again at `at`."""
    return replace(item, collected=at, expires=at + check.ttl)


def since(changes: Sequence[Change], held: State) -> datetime | None:
    """When a promise last came into the state it holds; None where its changes cannot tell.

    Args:
        changes: of one promise, newest first.
        held: its state now.
    """
    newest = next((change for change in changes if not change.is_claim), None)
    return newest.at if newest is not None and newest.after is held else None
