"""`troth csp learn` and `troth csp enforce`: from what pages were seen to use to a policy in force.

Uses come from browsers' reports (`enforce.reports`; anybody can send one, so a person looks at the
list) and from a bounded crawl of the application's public pages, as a stranger sees them.
"""

from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path

from troth.catalogue import Settings, site
from troth.enforce import reports
from troth.kernel.errors import Failure
from troth.promises.edge.probe.crawl import crawled
from troth.promises.edge.rules.csp import Policy, parse_csp
from troth.promises.edge.rules.learn import Use, compose, missing, uses_of
from troth.roles.change import change
from troth.roles.places import Places
from troth.roles.prove import vantage

RECENT = timedelta(days=7)
REPORTS = "csp.json"  # in the spool


class CspError(Failure):
    """A policy that is not there, or not yet ready."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One use: where it was seen, how often and when last (UTC)."""

    directive: str
    source: str
    reports: int
    last: datetime | None
    is_rejected: bool = False

    @property
    def line(self) -> str:
        """As a person reads it."""
        seen = f"{self.reports} reports" if self.reports else "on the pages"
        last = f", last {self.last:%Y-%m-%d %H:%M} UTC" if self.last else ""
        rejected = " REJECTED" if self.is_rejected else ""
        return f"{self.directive:18} {self.source:40} {seen}{last}{rejected}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A policy, what it was made from, and how many pages were read."""

    policy: str
    rows: tuple[Row, ...]
    pages: int

    @property
    def text(self) -> str:
        """As a person reads it: each use, a warning, and the policy on the last line."""
        weak = [word for word in ("'unsafe-inline'", "'unsafe-eval'") if word in self.policy]
        lines = [row.line for row in self.rows]
        lines.append(f"{self.pages} pages read; look through it: anybody can send a report")
        if weak:
            lines.append(f"weak: it allows {' and '.join(weak)}: injected script could run")
        return "\n".join([*lines, self.policy])

    def as_json(self) -> dict[str, object]:
        """As `--json` prints it."""
        return {"policy": self.policy, "pages": self.pages, "uses": [asdict(r) for r in self.rows]}


def learn(settings: Settings, places: Places, rejected: Collection[str] = ()) -> Proposal:
    """The tightest policy that lets pass what was seen, but for rejected sources.

    Raises:
        Failure, TimeoutError: the application does not answer.
    """
    pages = [
        answer
        for kind, answer in crawled(vantage(settings, places), settings.edge)
        if (answer.one("content-type") or "").startswith("text/html") and kind != "troth"
    ]
    own = site(settings).app
    found: dict[Use, Row] = {}
    for answer in pages:
        for directive, source in uses_of(answer.text, f"{own}/"):
            found[directive, source] = Row(directive=directive, source=source, reports=0, last=None)
    for (directive, source), seen in _reported(places, own).items():
        found[directive, source] = Row(
            directive=directive, source=source, reports=seen.count, last=seen.last
        )
    rows = tuple(
        Row(**{**asdict(row), "is_rejected": source in rejected})
        for (_, source), row in sorted(found.items())
    )
    kept = [(row.directive, row.source) for row in rows if not row.is_rejected]
    return Proposal(policy=compose(kept, _standing(settings)), rows=rows, pages=len(pages))


def write(config: Path, places: Places, proposal: Proposal) -> None:
    """Put it into troth.toml; whether it reports or stops stays as it is. Raises Failure."""
    change(config, places.data, {"edge.csp.policy": proposal.policy})


def enforce(
    config: Path, settings: Settings, places: Places, now: datetime, *, anyway: bool = False
) -> None:
    """Turn the policy from reporting to stopping.

    Raises:
        CspError: there is none, or browsers reported lately what it would stop.
    """
    policy = _standing(settings)
    if not policy:
        raise CspError("there is no policy yet", where=str(config), mend="troth csp learn --write")
    recent = {
        use: seen
        for use, seen in _reported(places, site(settings).app).items()
        if now - seen.last < RECENT
    }
    stopped = missing(policy, recent)
    if stopped and not anyway:
        raise CspError(
            f"it would stop what pages used in the last {RECENT.days} days: "
            + ", ".join(" ".join(use) for use in stopped[:5]),
            where=str(config),
            mend="troth csp learn --write, or --anyway",
        )
    change(config, places.data, {"edge.csp.mode": "enforced"})


def _standing(settings: Settings) -> Policy:
    """The policy that troth.toml has; empty for none."""
    return next(iter(parse_csp([settings.edge.csp.policy])), {})


def _reported(places: Places, own: str) -> dict[Use, reports.Seen]:
    return {
        (seen.directive, "self" if seen.source == own else seen.source): seen
        for seen in reports.load(places.spool / REPORTS)
    }
