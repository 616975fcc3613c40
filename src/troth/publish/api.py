"""What machines read: promises.json, the Atom feeds, security.txt. Pure; bytes out.

Nothing here is shown that the page does not say too: one `Page`, several spellings.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from troth.kernel.evidence import stamp
from troth.kernel.model import State
from troth.publish.history import Change
from troth.publish.page import LookRow, Masthead, Page, Row
from troth.publish.render import Press, address, evidence_path

SECURITY_TXT_LASTS = timedelta(days=90)  # Source: RFC 9116, 2.5.5: less than a year
FEED_ENTRIES = 100


def promises(page: Page, rows: Sequence[Row]) -> dict[str, Any]:
    """`/api/v1/promises.json`, or with one row `/api/v1/promises/<slug>.json`."""
    return {
        "generated": stamp(page.generated),
        "valid_until": stamp(page.valid_until),
        "stale": page.is_stale,
        "trouble": page.trouble,
        "log": {"origin": page.head.origin, "size": page.head.size, "root": page.head.root},
        "catalogue": page.catalogue,
        "promises": [_promise(page, row) for row in rows],
    }


def text(value: Mapping[str, Any]) -> bytes:
    """JSON as served: readable, one newline at the end."""
    return json.dumps(value, ensure_ascii=False, indent=1).encode() + b"\n"


def _promise(page: Page, row: Row) -> dict[str, Any]:
    promise, attestation = row.promise, row.attestation
    found = {
        "slug": promise.slug,
        "area": promise.area,
        "kind": promise.kind.value,
        "severity": promise.severity.value,
        "claim": dict(row.claim),
        "state": row.state.value,
        "reason": row.standing.reason,
        "reason_check": row.standing.check,
        "since": stamp(row.since) if row.since else None,
        "rests_on": list(promise.rests_on),
        "also_affected": list(row.resting),
        "planned_for": promise.planned_for.isoformat() if promise.planned_for else None,
        "not_applicable_because": promise.not_applicable_because,
        "probe_tested": row.tested,
        "controls": [{"framework": c.framework, "id": c.id} for c in promise.controls],
        "page": page.masthead.site.troth + address(page.masthead, "en", promise.slug),
        "checks": [
            {
                "id": item.check.id,
                "method": item.check.method.value,
                "interval_s": int(item.check.interval.total_seconds()),
                "ttl_s": int(item.check.ttl.total_seconds()),
                "quorum": item.check.quorum,
                "command": item.check.command,
                "probe_tested": item.tested,
                "looks": [_look(look) for look in item.looks],
            }
            for item in row.checks
        ],
        "waivers": [
            {"reason": w.reason, "by": w.by, "expires": stamp(w.expires), "evidence": source}
            for source, w in row.waivers
        ],
        "attestation": None,
    }
    if attestation is not None:
        found["attestation"] = {
            "by": attestation[1].by,
            "role": attestation[1].role,
            "statement": attestation[1].statement,
            "signed": stamp(attestation[1].signed),
            "expires": stamp(attestation[1].expires),
            "evidence": attestation[0],
        }
    return found


def _look(look: LookRow) -> dict[str, Any]:
    item = look.evidence
    return {
        "vantage": item.vantage,
        "verdict": item.verdict.value,
        "reason": item.reason,
        "collected": stamp(item.collected),
        "expires": stamp(look.until),
        "evidence": item.source,
    }


def feed(page: Page, press: Press, language: str) -> bytes:
    """The Atom feed (RFC 4287) of every change of a state or a sentence, newest first.

    The stale variant says first that nobody looks, and of the past only that something changed.
    """
    words, house = press.phrases[language], page.masthead
    home = house.site.troth + address(house, language, "")
    entries = [_entry(page, press, change, language) for change in page.changes[:FEED_ENTRIES]]
    updated = max((change.at for change in page.changes), default=page.generated)
    if page.is_stale:
        updated = page.valid_until
        note = words["head_trouble"] if page.trouble else words["head_stale"]
        entries = [
            _atom_entry(
                f"{home}#stale-{stamp(updated)}",
                note,
                link=home,
                at=updated,
                content=note,
                terms={"state": State.STALE},
            )
        ]
    this = house.site.troth + address(house, language, "changes.atom")
    title = words["title"].format(name=house.site.name)
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        f'<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="{language}">\n'
        f"<id>{escape(this)}</id>\n<title>{escape(title)}</title>\n"
        f"<updated>{stamp(updated)}</updated>\n"
        f'<link rel="self" type="application/atom+xml" href={quoteattr(this)}/>\n'
        f'<link rel="alternate" type="text/html" href={quoteattr(home)}/>\n'
        f"<author><name>{escape(house.legal_name or house.site.name)}</name></author>\n"
        + "".join(entries)
        + "</feed>\n"
    ).encode()


def _entry(page: Page, press: Press, change: Change, language: str) -> str:
    words, house = press.phrases[language], page.masthead
    row = next((row for row in page.rows if row.promise.slug == change.slug), None)
    claim = row.claim.get(language, change.slug) if row else change.slug
    what = words["claim_changed"] if change.is_claim else words["states"][change.after]
    source = change.source or words["by_time"]
    here = house.site.troth + address(house, language, change.slug)
    kind = "claim" if change.is_claim else change.after.value
    return _atom_entry(
        f"{house.site.troth}/trust/{change.slug}#{stamp(change.at)}-{kind}",
        f"{what}: {claim}",
        link=house.site.troth + evidence_path(change.source) if change.source else here,
        at=change.at,
        content=f"{claim} {what}. {words['evidence']}: {source}",
        terms={"state": change.after, "promise": change.slug, "evidence": change.source},
    )


def _atom_entry(
    id_: str, title: str, *, link: str, at: datetime, content: str, terms: Mapping[str, str]
) -> str:
    return (
        f"<entry>\n<id>{escape(id_)}</id>\n<title>{escape(title)}</title>\n"
        f"<updated>{stamp(at)}</updated>\n<link href={quoteattr(link)}/>\n"
        + "".join(
            f"<category scheme={quoteattr(f'urn:troth:{scheme}')} term={quoteattr(term)}/>\n"
            for scheme, term in terms.items()
            if term
        )
        + f"<content>{escape(content)}</content>\n</entry>\n"
    )


def security_txt(house: Masthead, now: datetime) -> bytes:
    """security.txt (RFC 9116), with the log's key as a comment.

    It expires on a day, so that the text changes once a day and not at every rendering.
    """
    day = now.replace(hour=0, minute=0, second=0, microsecond=0)
    contact = house.contact or (f"mailto:{house.mail}" if house.mail else "")
    lines = [
        f"Contact: {contact}" if contact else f"Contact: {house.site.trust}",
        f"Expires: {stamp(day + SECURITY_TXT_LASTS)}",
        f"Canonical: {house.site.app}/.well-known/security.txt",
        f"Canonical: {house.site.troth}/.well-known/security.txt",
        f"Preferred-Languages: {', '.join(house.languages)}",
        f"Policy: {house.policy or house.site.trust}",
    ]
    if house.fingerprint:
        lines.insert(0, f"# Key of the evidence log: {house.fingerprint}")
    if house.log_key:
        lines.insert(1, f"# The same, as witnesses take it: {house.log_key}")
    return ("\n".join(lines) + "\n").encode()
