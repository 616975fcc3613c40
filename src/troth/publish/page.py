"""What the page says now: one `Page` from the record, the history and the clock.

Pure. A page knows until when it may be believed (`valid_until`, the earliest expiry of anything
that it counts as fresh); after that moment `all_stale` of it is what may be shown.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from troth.kernel.model import (
    Attestation,
    Check,
    Evidence,
    Promise,
    Standing,
    State,
    Verdict,
    Waiver,
)
from troth.kernel.site import Site
from troth.kernel.state import is_fresh, state
from troth.publish.history import Change, History, since, until
from troth.publish.record import Record
from troth.publish.shapes import Declared
from troth.publish.words import LANGUAGES, Sentence

SHOWN_CHANGES = 20
FEED_CHANGES = 100
HOPEFUL = (State.PROVEN, State.ATTESTED)
BY_EVIDENCE = (*HOPEFUL, State.FAILING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Masthead:
    """Who publishes the page and where it stands; what of it is empty is left out.

    Args:
        site: the outside names.
        languages: that the page is offered in, the first one at the top address.
        contact: `mailto:` or `https:`, for security reports.
        policy: address of the disclosure policy.
        log_origin: the log's name.
        log_key: the log's printable verifier key; empty while there is no log.
        fingerprint: the ledger key's id, as `verify.py --key` takes it.
    """

    site: Site
    languages: tuple[str, ...] = LANGUAGES
    legal_name: str = ""
    address: tuple[str, ...] = ()
    mail: str = ""
    imprint: str = ""
    privacy: str = ""
    contact: str = ""
    policy: str = ""
    log_origin: str = ""
    log_key: str = ""
    fingerprint: str = ""


@dataclass(frozen=True, slots=True)
class Head:
    """The log's head that the page was made from."""

    origin: str = ""
    size: int = 0
    root: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LookRow:
    """A verdict as shown: a vantage's newest real one, or a newer error beside it."""

    evidence: Evidence
    until: datetime
    fresh: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckRow:
    """A check with what was last seen. `tested`: this very probe has been seen red on a liar."""

    check: Check
    looks: tuple[LookRow, ...]
    tested: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A promise as shown."""

    promise: Promise
    claim: Mapping[str, str]
    how: Mapping[str, str]
    standing: Standing
    since: datetime | None
    resting: tuple[str, ...]  # who rests on it
    checks: tuple[CheckRow, ...]
    changes: tuple[Change, ...]
    attestation: tuple[str, Attestation] | None
    waivers: tuple[tuple[str, Waiver], ...]
    valid_until: datetime | None

    @property
    def state(self) -> State:
        """The state alone."""
        return self.standing.state

    @property
    def looks(self) -> tuple[LookRow, ...]:
        """Of all checks."""
        return tuple(look for check in self.checks for look in check.looks)

    @property
    def newest(self) -> LookRow | None:
        """The look that decided: of the check that the state is about, else the newest."""
        about = [c for c in self.checks if c.check.id == self.standing.check] or self.checks
        real = [k for c in about for k in c.looks if k.evidence.verdict is not Verdict.ERROR]
        return max(real, key=lambda look: look.evidence.collected, default=None)

    @property
    def tested(self) -> bool:
        """Whether every probe has been seen red."""
        return bool(self.checks) and all(check.tested for check in self.checks)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Everything that is published at one moment.

    Args:
        trouble: why nothing may be believed (a log that does not verify); empty when all is well.
        is_stale: this is the stale variant.
    """

    masthead: Masthead
    generated: datetime
    valid_until: datetime
    head: Head
    rows: tuple[Row, ...] = ()
    changes: tuple[Change, ...] = ()
    trouble: str = ""
    is_stale: bool = False
    catalogue: str = ""
    version: str = ""
    certificate: str = ""
    counts: Mapping[State, int] = field(default_factory=dict)

    @property
    def areas(self) -> dict[str, list[Row]]:
        """The rows by area, in the catalogue's order."""
        found: dict[str, list[Row]] = {}
        for row in self.rows:
            found.setdefault(row.promise.area, []).append(row)
        return found

    def row(self, slug: str) -> Row:
        """The row of one promise. Raises KeyError."""
        for row in self.rows:
            if row.promise.slug == slug:
                return row
        raise KeyError(slug)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """What a page is made from.

    Args:
        record: verified and folded.
        history: of the same leaves.
        head: the log's.
        how: by slug, the words that say how a promise is kept, filled.
        tested: (check id, probe digest) of probes that were seen red on a liar.
    """

    record: Record
    history: History
    head: Head
    how: Mapping[str, Sentence] = field(default_factory=dict)
    tested: Collection[tuple[str, str]] = frozenset()


def make(sources: Sources, masthead: Masthead, *, now: datetime, lasts: datetime) -> Page:
    """The page as of `now`.

    Args:
        sources: what is known.
        masthead: who publishes.
        now: aware UTC.
        lasts: the page is not to be believed after this, even when nothing on it expires sooner.
    """
    record, history = sources.record, sources.history
    maker = _Maker(sources, record.evidence(), record.signed(), now)
    rows = tuple(maker.row(declared) for declared in record.declared)
    ends = [row.valid_until for row in rows if row.valid_until is not None]
    newest = max(record.newest.values(), key=lambda item: item[1], default=("", now, ""))
    return Page(
        masthead=masthead,
        generated=now,
        valid_until=min([*ends, lasts]),
        head=sources.head,
        rows=rows,
        changes=tuple(history.latest(FEED_CHANGES)),
        catalogue=record.catalogue,
        version=record.version,
        certificate=newest[2],
        counts=Counter(row.state for row in rows),
    )


def troubled(masthead: Masthead, trouble: str, *, now: datetime, known: Sequence[Row] = ()) -> Page:
    """The page when the log cannot be believed: what was promised, and nothing said of it."""
    page = Page(
        masthead=masthead,
        generated=now,
        valid_until=now,
        head=Head(),
        rows=tuple(known),
        trouble=trouble,
    )
    return all_stale(page)


def all_stale(page: Page) -> Page:
    """The page as it may be shown when nobody has looked for too long."""
    rows = tuple(_aged(row, page.valid_until) for row in page.rows)
    return replace(
        page, rows=rows, is_stale=True, counts=Counter(row.state for row in rows), changes=()
    )


def _aged(row: Row, since: datetime) -> Row:
    if row.state not in BY_EVIDENCE:
        return replace(row, changes=())
    checks = tuple(
        replace(check, looks=tuple(replace(look, fresh=False) for look in check.looks))
        for check in row.checks
    )
    standing = Standing(State.STALE, "expired", row.standing.check)
    return replace(row, standing=standing, since=since, checks=checks, changes=())


@dataclass(frozen=True, slots=True)
class _Maker:
    """Makes rows."""

    sources: Sources
    evidence: Sequence[Evidence]
    signed: Sequence[Attestation]
    now: datetime

    def row(self, declared: Declared) -> Row:
        """One promise."""
        promise, record, now = declared.promise, self.sources.record, self.now
        standing = state(promise, self.evidence, self.signed, now)
        checks = tuple(
            CheckRow(
                check=check,
                looks=_looks(check, record, now),
                tested=(check.id, declared.probes[check.id]) in self.sources.tested,
            )
            for check in promise.checks
        )
        attestation = self._attestation(promise.slug)
        changes = self.sources.history.of(promise.slug)
        words = self.sources.how.get(promise.slug)
        ends = [look.until for check in checks for look in check.looks if look.fresh]
        if attestation is not None and now < attestation[1].expires:
            ends.append(attestation[1].expires)
        began = since(changes, standing.state)
        return Row(
            promise=promise,
            claim=declared.claim,
            how=words.how if words else {},
            standing=standing,
            since=began or _began(checks, standing),
            resting=self._resting(promise.slug),
            checks=checks,
            changes=tuple(changes[:SHOWN_CHANGES]),
            attestation=attestation,
            waivers=tuple(w for w in record.waivers.get(promise.slug, ()) if now < w[1].expires),
            valid_until=min(ends, default=None),
        )

    def _attestation(self, slug: str) -> tuple[str, Attestation] | None:
        """The one that lasts longest of those signed by now."""
        signed = self.sources.record.attestations.get(slug, ())
        past = [pair for pair in signed if pair[1].signed <= self.now]
        return max(past, key=lambda pair: pair[1].expires, default=None)

    def _resting(self, slug: str) -> tuple[str, ...]:
        declared = self.sources.record.declared
        return tuple(d.promise.slug for d in declared if slug in d.promise.rests_on)


def _looks(check: Check, record: Record, now: datetime) -> tuple[LookRow, ...]:
    """Each vantage's newest real verdict, and a newer error where there is one."""
    found = []
    vantages = sorted(
        {vantage for name, vantage in (*record.seen, *record.errors) if name == check.id}
    )
    for vantage in vantages:
        real = record.seen.get((check.id, vantage))
        error = record.errors.get((check.id, vantage))
        for item in (real, error):
            if item is None or item.evidence.collected > now:
                continue
            newer = real is None or item.evidence.collected > real.evidence.collected
            if item is real or newer:
                found.append(
                    LookRow(
                        evidence=item.evidence,
                        until=until(item.evidence, check),
                        fresh=item is real and is_fresh(item.evidence, check, now),
                    )
                )
    return tuple(found)


def _began(checks: Sequence[CheckRow], standing: Standing) -> datetime | None:
    """When a state that the log does not yet tell of began, by the looks themselves."""
    about = [row for row in checks if not standing.check or row.check.id == standing.check]
    real = [k for row in about for k in row.looks if k.evidence.verdict is not Verdict.ERROR]
    if standing.state is State.STALE:
        return max((look.until for look in real), default=None)
    if standing.state in BY_EVIDENCE:
        return max((look.evidence.collected for look in real), default=None)
    return None
