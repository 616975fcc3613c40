"""Pages as HTML: one template environment, strict (a missing value is an error), escaping all.

Times are written so that they are valid HTML dates and read the same in every language:
`2026-11-21 07:43:12+00:00`.
"""

import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib import resources
from typing import Any

import jinja2
from markupsafe import Markup

from troth.kernel.evidence import Envelope, canonical
from troth.kernel.model import Method, State
from troth.publish.page import Masthead, Page, Row
from troth.publish.record import Seen
from troth.publish.status import Component, Health, indicator
from troth.publish.words import fill

SHOWN_COMMANDS = 1  # of a promise on the overview; its own page has them all
PUBLIC_ROOTS = "/etc/ssl/certs/ca-certificates.crt"  # where Debian and its kin keep them


def when(moment: datetime) -> Markup:
    """A moment in UTC with its offset, as a valid HTML time."""
    text = moment.astimezone(UTC).isoformat(sep=" ", timespec="seconds")
    return Markup("<time>{}</time>").format(text)


def _since(moment: datetime, now: datetime) -> Markup:
    """A moment, or its date alone when it is more than a day ago."""
    if now - moment < timedelta(days=1):
        return when(moment)
    return Markup("<time>{}</time>").format(moment.astimezone(UTC).date())


def span(duration: timedelta, units: Mapping[str, str]) -> str:
    """A duration in its largest whole unit, rounded down: `12 s`, `4 min`, `26 h`, `90 d`."""
    seconds = max(0, int(duration.total_seconds()))
    for unit, size, from_s in (("d", 86400, 2 * 86400), ("h", 3600, 2 * 3600), ("min", 60, 120)):
        if seconds >= from_s or (seconds >= size and seconds % size == 0):
            return f"{seconds // size} {units[unit]}"
    return f"{seconds} {units['s']}"


def evidence_path(source: str) -> str:
    """The address of a piece of evidence: `log:7` or `looks:home:12`."""
    return "/trust/evidence/" + source.replace(":", "/")


@dataclass(frozen=True, slots=True)
class Press:
    """Templates and phrases, loaded once; `of` gives the words of one language."""

    environment: jinja2.Environment
    phrases: Mapping[str, Mapping[str, Any]]

    @classmethod
    def load(cls) -> "Press":
        """From the package. Raises what a broken installation raises."""
        own = resources.files("troth.publish")
        environment = jinja2.Environment(
            loader=jinja2.PackageLoader("troth.publish"),
            undefined=jinja2.StrictUndefined,
            autoescape=True,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        environment.filters["fill"] = lambda text, **values: fill(text, values)
        phrases = tomllib.loads((own / "phrases.toml").read_text("utf-8"))
        return cls(environment, phrases)

    def overview(self, page: Page, language: str) -> str:
        """The page itself."""
        return self._render(
            "overview.html",
            page,
            language,
            here="",
            headline=self._headline(page, language),
            bar=_bar(page),
            row_facts=lambda row: self._facts(page, row, language),
            commands=_commands,
            setup=_setup(page.masthead),
        )

    def promise(self, page: Page, row: Row, language: str) -> str:
        """One promise with all that is known of it."""
        return self._render(
            "promise.html",
            page,
            language,
            here=row.promise.slug,
            row=row,
            row_facts=lambda row: self._facts(page, row, language),
            how=lambda row: row.how.get(language) or row.how["en"],
            claim_of=lambda slug: _claim(page.row(slug), language),
            detectable=lambda row: self._detectable(row, language),
            setup=_setup(page.masthead),
        )

    def tls(self, page: Page, seen: Sequence[Seen], language: str) -> str:
        """The report of the last TLS scan."""
        newest = max(seen, key=lambda item: item.evidence.collected, default=None)
        rows = [
            {
                "check": item.evidence.check,
                "verdict": item.evidence.verdict,
                "reason": item.evidence.reason,
                "collected": item.evidence.collected,
                "source": item.evidence.source,
                "facts": [(k, _short(v)) for k, v in sorted(item.evidence.observed.items())],
            }
            for item in seen
        ]
        return self._render(
            "tls.html",
            page,
            language,
            here="tls-report",
            rows=rows,
            certificate=newest.certificate if newest else "",
            collected=newest.evidence.collected if newest else None,
            source=newest.evidence.source if newest else "",
        )

    def status(self, page: Page, found: Sequence[Component], language: str) -> str:
        """The status page."""
        words = self.phrases[language]
        level = words["levels"][indicator(found)]
        if not any(part.is_known for part in found):
            level = words["unknown"]
        return self._render(
            "status.html",
            page,
            language,
            here="",
            parts=found,
            headline=level,
            part_icon=_part_icon,
            switch=lambda other: status_address(page.masthead, other),
            host=page.masthead.site.status,
        )

    def not_found(self, page: Page, code: str) -> str:
        """The page for an address that is none."""
        return self._render("notfound.html", page, page.masthead.languages[0], here="", code=code)

    def evidence(self, page: Page, piece: "Piece") -> str:
        """One signed statement, and how to check it. English: it is for whoever runs OpenSSL."""
        pretty = json.dumps(piece.envelope.statement, indent=1, ensure_ascii=False, sort_keys=True)
        return self._render(
            "evidence.html",
            page,
            "en",
            here="",
            title=f"Evidence {piece.source}",
            kind=piece.kind,
            signer=piece.signer,
            keyid=piece.envelope.keyid,
            key=piece.key,
            leaf_hash=piece.leaf_hash,
            offset=piece.offset,
            bundle=piece.bundle,
            facts=piece.facts,
            looks=piece.looks,
            openssl=piece.openssl,
            statement=pretty,
            envelope=piece.raw.decode(),
        )

    def _render(self, name: str, page: Page, language: str, **more: Any) -> str:
        words = self.phrases[language]
        house = page.masthead
        more.setdefault("switch", lambda other: address(house, other, more["here"]))
        more.setdefault("host", house.site.troth)
        title, status_title = (
            fill(words[key], {"name": house.site.name}) for key in ("title", "status_title")
        )
        return self.environment.get_template(name).render(
            page=page,
            lang=language,
            languages=house.languages,
            phrases=self.phrases,
            t={**words, "title": title, "status_title": status_title},
            site=house.site,
            house=house,
            address=lambda lang, here: address(house, lang, here),
            when=when,
            span=lambda duration: span(duration, words["units"]),
            icon=_icon,
            claim=lambda row: _claim(row, language),
            evidence_link=lambda source, about: self._link(source, about, language),
            **more,
        )

    def _link(self, source: str, about: str, language: str) -> Markup:
        word = self.phrases[language]["evidence"]
        return Markup('<a href="{}" data-evidence="{}" aria-label="{}: {}">{}</a>').format(
            evidence_path(source), source, word, about, word
        )

    def _facts(self, page: Page, row: Row, language: str) -> Markup:
        """What stands after the state's word: since when, last look, evidence."""
        words = self.phrases[language]
        parts = []
        if row.state is State.PLANNED and row.promise.planned_for:
            parts.append(Markup("<time>{}</time>").format(row.promise.planned_for))
        if row.state is State.NOT_APPLICABLE:
            parts.append(Markup("{}").format(row.promise.not_applicable_because))
        if row.since is not None:
            parts.append(Markup("{} {}").format(words["since"], _since(row.since, page.generated)))
        if (newest := row.newest) is not None:
            collected = newest.evidence.collected
            looked = Markup("{} {}").format(words["looked"], when(collected))
            if not page.is_stale:
                past = span(page.generated - collected, words["units"])
                looked += Markup(" ({})").format(fill(words["ago"], {"span": past}))
            parts.append(looked)
            parts.append(self._link(newest.evidence.source, row.promise.slug, language))
        elif row.attestation is not None:
            parts.append(self._link(row.attestation[0], row.promise.slug, language))
        elif page.catalogue:
            if row.state not in (State.NOT_APPLICABLE, State.PLANNED):
                parts.append(Markup("{}").format(words["no_evidence"]))
            parts.append(self._link(page.catalogue, row.promise.slug, language))
        return Markup("").join(Markup(" · {}").format(part) for part in parts)

    def _headline(self, page: Page, language: str) -> str:
        words = self.phrases[language]
        counts = {"total": len(page.rows), **{s.value: page.counts.get(s, 0) for s in State}}
        for is_so, key in (
            (bool(page.trouble), "head_trouble"),
            (not page.rows, "head_empty"),
            (page.is_stale, "head_stale"),
            (counts["failing"] == 1, "head_failing_one"),
            (counts["failing"] > 1, "head_failing"),
            (counts["proven"] == 1, "head_proven_one"),
            (counts["proven"] > 1, "head_proven"),
        ):
            if is_so:
                return fill(words[key], counts)
        return fill(words["head_none"], counts)

    def _detectable(self, row: Row, language: str) -> str:
        words = self.phrases[language]
        methods = {item.check.method for item in row.checks}
        if Method.LOOK in methods:
            return str(words["detectable_look"])
        fastest = min(item.check.interval for item in row.checks)
        if fastest <= timedelta(minutes=5):
            return str(words["detectable_scan"])
        return fill(words["detectable_slow"], {"span": span(fastest, words["units"])})


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A signed statement as its own page shows it."""

    source: str
    raw: bytes
    envelope: Envelope
    kind: str
    signer: str
    openssl: str
    key: str = ""  # where the key that signed it stands, `log:<index>`
    leaf_hash: str = ""
    offset: int = 0
    bundle: str = ""
    facts: Sequence[tuple[str, str]] = ()
    looks: Sequence[Any] = ()


def address(house: Masthead, language: str, here: str) -> str:
    """The path of a page below /trust/, in a language; the first language has no folder."""
    folder = "" if language == house.languages[0] else f"{language}/"
    return f"/trust/{folder}{here}"


def status_address(house: Masthead, language: str) -> str:
    """The path of the status page in a language."""
    return "/" if language == house.languages[0] else f"/{language}/"


def _claim(row: Row, language: str) -> str:
    return row.claim.get(language) or row.claim.get("en") or row.promise.slug


def _icon(state: str) -> Markup:
    return Markup('<svg aria-hidden="true"><use href="#i-{}"/></svg>').format(state)


def _part_icon(part: Component) -> str:
    if not part.is_known:
        return "stale"
    return "proven" if part.health is Health.OPERATIONAL else "failing"


def _commands(row: Row) -> list[str]:
    return [item.check.command for item in row.checks if item.check.command][:SHOWN_COMMANDS]


def _bar(page: Page) -> list[tuple[str, int, int]]:
    """State, start and width of each stretch of the bar, best news first."""
    order = (
        *(State.PROVEN, State.ATTESTED, State.FAILING, State.STALE),
        *(State.UNPROVEN, State.PLANNED, State.NOT_APPLICABLE),
    )
    found, start = [], 0
    for state in order:
        if width := page.counts.get(state, 0):
            found.append((state.value, start, width))
            start += width
    return found


def _setup(house: Masthead) -> list[str]:
    """The shell variables that the commands use."""
    site = house.site
    names = {"APP": site.app, "HTTP": site.http, "TROTH": site.troth, "STATUS": site.status}
    lines = ["export " + " ".join(f"{name}={value}" for name, value in names.items())]
    if site.ca_file:
        lines.append('export CA=ca.pem; curl -sko "$CA" "$TROTH/trust/ca.pem"')
    else:
        lines.append(f"export CA={PUBLIC_ROOTS}")
    return lines


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else canonical(value).decode()
    return text if len(text) <= 200 else text[:200] + "…"  # noqa: PLR2004 -- one table cell
