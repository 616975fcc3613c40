"""A small published tree, made from the kernel's formats and the kernel's `state()` alone.

It stands in for a whole installation: a log with keys, catalogue, rounds, an attestation and a gap,
a ring of looks, promises.json, and pages in four languages. Its verifier shares no code with it.
"""

import base64
import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from troth.engines.tlog.log import Log
from troth.engines.tlog.note import NoteSigner
from troth.kernel.evidence import (
    Look,
    Round,
    Signer,
    canonical,
    evidence_of,
    key_id,
    round_statement,
    seal,
    stamp,
    statement,
)
from troth.kernel.model import (
    Attestation,
    Check,
    Control,
    Evidence,
    Kind,
    Method,
    Promise,
    Severity,
    Verdict,
)
from troth.kernel.state import state

NOW = datetime(2026, 1, 21, 8, tzinfo=UTC)
ORIGIN = "troth.example.com/log"
LANGUAGES = ("en", "it", "de", "fr")
SECOND = timedelta(seconds=1)


def key(name: str) -> Ed25519PrivateKey:
    """A key that is the same in every run."""
    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(name.encode()).digest())


def signer(name: str) -> Signer:
    private = key(name)
    return Signer(key_id(private.public_key().public_bytes_raw()), private.sign)


def check(slug: str, what: str, method: Method = Method.LOOK, quorum: int = 1) -> Check:
    ttl = 60 * SECOND if method is Method.LOOK else 900 * SECOND
    return Check(
        id=f"{slug}.{what}",
        method=method,
        interval=ttl / 3,
        ttl=ttl,
        quorum=quorum,
        probe="",
        judge="",
        command=f'curl -sI "$APP" # {slug}',
    )


def promise(slug: str, *checks: Check, severity: Severity = Severity.HIGH, **more) -> Promise:
    more = {"kind": Kind.ENFORCED, "controls": (Control("ISO27001:2022", "A.8.24"),)} | more
    return Promise(slug=slug, area="edge", severity=severity, checks=checks, **more)


def promises() -> tuple[Promise, ...]:
    """One in every state, and what is near the border."""
    scan = Method.SCAN
    both = (check("hsts", "header"), check("hsts", "preload", scan))
    return (
        promise("hsts", *both, severity=Severity.CRITICAL),
        promise("tls-versions", check("tls-versions", "offered", scan)),
        promise("cookies", check("cookies", "set")),
        promise("one-method", check("one-method", "a"), severity=Severity.CRITICAL),
        promise("two-vantages", check("two-vantages", "a", quorum=2), rests_on=("hsts",)),
        promise("never-looked", check("never-looked", "a")),
        promise("dated", check("dated", "a"), planned_for=date(2027, 3, 1)),
        promise("elsewhere", check("elsewhere", "a"), not_applicable_because="no mail is sent"),
        promise("trained", kind=Kind.ATTESTED),
        promise("nda", kind=Kind.ATTESTED),
    )


def entry(item: Promise) -> dict:
    """As the catalogue leaf holds it."""
    return {
        "slug": item.slug,
        "area": item.area,
        "kind": item.kind.value,
        "severity": item.severity.value,
        "rests_on": list(item.rests_on),
        "planned_for": item.planned_for.isoformat() if item.planned_for else None,
        "not_applicable_because": item.not_applicable_because,
        "controls": [[control.framework, control.id] for control in item.controls],
        "claim": {language: f"{item.slug} & more, {language}" for language in LANGUAGES},
        "checks": [
            {
                "id": each.id,
                "method": each.method.value,
                "interval_s": int(each.interval.total_seconds()),
                "ttl_s": int(each.ttl.total_seconds()),
                "quorum": each.quorum,
                "command": each.command,
                "probe": "0" * 16,
            }
            for each in item.checks
        ],
    }


def sealed(kind: str, body: dict, who: str = "ledger") -> bytes:
    digest = hashlib.sha256(canonical(body)).hexdigest()
    return seal(statement(kind, body, subject=ORIGIN, digest=digest), signer(who))


def key_leaf(name: str, role: str, *, retired: bool = False) -> bytes:
    public = key(name).public_key().public_bytes_raw()
    body = {
        "keyid": key_id(public),
        "public": base64.b64encode(public).decode(),
        "role": role,
        "name": name,
        "at": stamp(NOW - timedelta(days=1)),
        "retired": retired,
    }
    return sealed("key", body)


def catalogue_leaves(items: Iterable[Promise]) -> list[bytes]:
    """In two parts, as a long catalogue is."""
    entries = [entry(item) for item in items]
    parts = [entries[: len(entries) // 2], entries[len(entries) // 2 :]]
    common = {"config": "c" * 64, "version": "0.1.0", "at": stamp(NOW - timedelta(days=1))}
    return [
        sealed("catalogue", {"promises": part, "part": number, "parts": 2} | common)
        for number, part in enumerate(parts, 1)
    ]


@dataclass(slots=True)
class Vantage:
    """Somebody who looks, and counts its rounds."""

    name: str
    sequence: int = 0

    def round(self, at: datetime, verdicts: dict[Check, Verdict]) -> tuple[bytes, Round]:
        self.sequence += 1
        made = Round(
            subject="https://app.example.com",
            certificate="0" * 64,
            config="c" * 64,
            version="0.1.0",
            vantage=self.name,
            sequence=self.sequence,
            looks=tuple(
                Look(
                    check=of.id,
                    verdict=verdict,
                    collected=at,
                    expires=at + of.ttl,
                    reason=f"it says {verdict.value}",
                    probe="0" * 16,
                    public={"status": 200},
                )
                for of, verdict in verdicts.items()
            ),
        )
        return seal(round_statement(made), signer(self.name)), made


@dataclass(slots=True)
class Installation:
    """What is published, before it is written."""

    leaves: list[bytes] = field(default_factory=list)
    ring: list[bytes] = field(default_factory=list)
    evidence: list[Evidence] = field(default_factory=list)
    attested: list[Attestation] = field(default_factory=list)

    def log_round(self, pair: tuple[bytes, Round]) -> None:
        self.evidence += evidence_of(pair[1], f"log:{len(self.leaves)}")
        self.leaves.append(pair[0])

    def ring_round(self, pair: tuple[bytes, Round]) -> None:
        place = f"looks:{pair[1].vantage}:{pair[1].sequence}"
        self.evidence += evidence_of(pair[1], place)
        self.ring.append(pair[0])

    def attest(self, slug: str, expires: datetime) -> None:
        signed = NOW - timedelta(days=30)
        self.attested.append(
            Attestation(
                promise=slug,
                by="A. Person",
                role="CEO",
                statement="so it is",
                signed=signed,
                expires=expires,
            )
        )
        body = {
            "promise": slug,
            "by": "A. Person",
            "role": "CEO",
            "statement": "so it is",
            "signed": stamp(signed),
            "expires": stamp(expires),
            "document_sha256": "",
            "at": stamp(signed),
        }
        self.leaves.append(sealed("attestation", body))


def installation(filler: int = 0, *, again: int = 0) -> Installation:
    """A day of it: `filler` older rounds in the log, and all of these `again` so many times."""
    made, items = Installation(), promises()
    by_id = {each.id: each for item in items for each in item.checks}
    ok, bad, lost = Verdict.PASS, Verdict.FAIL, Verdict.ERROR
    inside, outside, gone = Vantage("inside"), Vantage("outside"), Vantage("gone")
    made.leaves = [
        key_leaf("ledger", "ledger"),
        *(key_leaf(name, "vantage") for name in ("inside", "outside", "gone")),
        *catalogue_leaves(items),
    ]
    day_ago = NOW - timedelta(days=1)
    first = by_id["hsts.header"]
    for number in range(filler):
        made.log_round(inside.round(day_ago + number * SECOND / 100, {first: ok}))
    made.leaves += made.leaves[6:] * again
    hour_ago = NOW - timedelta(hours=1)
    made.log_round(gone.round(hour_ago, {first: bad}))
    made.leaves.append(key_leaf("gone", "vantage", retired=True))
    made.log_round(inside.round(hour_ago, {by_id["cookies.set"]: ok}))
    made.attest("trained", NOW + timedelta(days=60))
    made.attest("nda", NOW - timedelta(days=1))
    recent = NOW - timedelta(minutes=5)
    for vantage, verdict in ((inside, ok), (outside, bad)):
        round_ = {by_id["hsts.preload"]: ok, by_id["tls-versions.offered"]: verdict}
        made.log_round(vantage.round(recent, round_))
    gap = {"vantage": "outside", "from": stamp(NOW - 50 * SECOND), "to": stamp(NOW - 30 * SECOND)}
    made.leaves.append(sealed("gap", gap | {"reason": "hole", "at": stamp(NOW - 30 * SECOND)}))
    looks = {of: ok for of in by_id.values() if of.method is Method.LOOK}
    del looks[by_id["never-looked.a"]], looks[by_id["cookies.set"]]
    for seconds in range(55, 0, -6):
        made.ring_round(inside.round(NOW - seconds * SECOND, looks | {by_id["cookies.set"]: lost}))
    for seconds in (50, 30, 10):
        made.ring_round(outside.round(NOW - seconds * SECOND, {first: ok}))
        outside.sequence += seconds == 50  # a round that was lost; the gap leaf says so
    return made


def document(made: Installation, root: str, *, is_stale: bool = False) -> dict:
    """promises.json, with the kernel's own states."""
    live = [item for item in made.evidence if item.vantage != "gone"]
    found, ends = [], [NOW + timedelta(minutes=2)]
    for item in promises():
        standing = state(item, live, made.attested, NOW)
        said, reason = standing.state.value, standing.reason
        if is_stale and said in ("proven", "attested", "failing"):
            said, reason = "stale", "expired" if item.checks else "attestation-expired"
        declared = entry(item)
        checks = []
        for of, told in zip(item.checks, declared["checks"], strict=True):
            looks = shown(made, of)
            ends += [
                datetime.fromisoformat(look["expires"])
                for look in looks
                if look["verdict"] != "error" and look["expires"] > stamp(NOW)
            ]
            del told["probe"]
            checks.append(told | {"probe_tested": True, "looks": looks})
        found.append(
            declared
            | {"controls": [{"framework": c.framework, "id": c.id} for c in item.controls]}
            | {"state": said, "reason": reason, "reason_check": standing.check}
            | {"since": None, "probe_tested": True, "checks": checks, "waivers": []}
        )
    return {
        "generated": stamp(NOW),
        "valid_until": stamp(min(ends)),
        "stale": is_stale,
        "trouble": "",
        "log": {"origin": ORIGIN, "size": len(made.leaves), "root": root},
        "promises": found,
    }


def shown(made: Installation, of: Check) -> list[dict]:
    """Each vantage's newest verdict, and a newer error beside it."""
    rows = []
    mine = [item for item in made.evidence if item.check == of.id]
    for vantage in sorted({item.vantage for item in mine}):
        theirs = [item for item in mine if item.vantage == vantage]
        real = [item for item in theirs if item.verdict is not Verdict.ERROR]
        newest = [max(real, key=lambda item: item.collected)] if real else []
        errors = [item for item in theirs if item.verdict is Verdict.ERROR]
        last = max(errors, key=lambda item: item.collected, default=None)
        if last and (not newest or last.collected > newest[0].collected):
            newest.append(last)
        rows += [
            {
                "vantage": item.vantage,
                "verdict": item.verdict.value,
                "reason": item.reason,
                "collected": stamp(item.collected),
                "expires": stamp(min(item.expires, item.collected + of.ttl)),
                "evidence": item.source,
            }
            for item in newest
        ]
    return rows


def html(found: list[dict], language: str) -> str:
    links = "".join(f'<link rel="alternate" hreflang="{each}">' for each in LANGUAGES)
    rows = "".join(
        f'<li data-slug="{p["slug"]}" data-state="{p["state"]}">'
        f"{p['claim'][language].replace('&', '&amp;')}</li>\n"
        for p in found
    )
    return f'<!doctype html>\n<html lang="{language}">{links}\n{rows}</html>\n'


def write_pages(place: Path, told: dict) -> None:
    """promises.json and the pages that say the same."""
    (place / "api/v1").mkdir(parents=True, exist_ok=True)
    (place / "api/v1/promises.json").write_text(json.dumps(told, indent=1), "utf-8")
    for language in LANGUAGES:
        folder = place / "trust" / ("" if language == "en" else language)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "index.html").write_text(html(told["promises"], language), "utf-8")
        for each in told["promises"]:
            (folder / f"{each['slug']}.html").write_text(html([each], language), "utf-8")


def publish(place: Path, made: Installation, *, is_stale: bool = False, who: str = "ledger") -> str:
    """Write the tree; the ledger key's id."""
    ledger = key(who)
    log = Log.open(place / "log", NoteSigner.from_private(ORIGIN, ledger), now=NOW - 60 * SECOND)
    for start in range(0, len(made.leaves), 4096):
        log.append(made.leaves[start : start + 4096], NOW)
    log.close()
    write_pages(place, document(made, log.root.hex(), is_stale=is_stale))
    rounds = [json.loads(raw) for raw in made.ring]
    (place / "api/v1/looks").write_text(json.dumps({"generated": stamp(NOW), "rounds": rounds}))
    return signer("ledger").keyid


def publish_stale(place: Path) -> None:
    """What is served of the same log when nobody has looked for too long."""
    told = json.loads((place / "api/v1/promises.json").read_text("utf-8"))
    made = installation(filler=told["log"]["size"] - len(installation().leaves))
    write_pages(place, document(made, told["log"]["root"], is_stale=True))


def main(place: str, filler: str) -> None:
    publish(Path(place), installation(int(filler)))


if __name__ == "__main__":
    import sys

    main(*sys.argv[1:])
