"""Compares what is published with the public log: the list, the feed, the TLS report."""

import hashlib
import json
import re
from base64 import b64decode
from typing import Any

from troth.adapters.http import Response
from troth.adapters.vantage import Vantage
from troth.engines.tlog.errors import LogError
from troth.engines.tlog.note import NoteVerifier
from troth.engines.tlog.tiles import WIDTH
from troth.kernel.evidence import (
    TEST_RESULT,
    Envelope,
    EvidenceError,
    predicate_type,
    read_round,
    unseal,
)
from troth.kernel.model import Observation
from troth.promises.trust.probe import reading
from troth.promises.trust.rules import age_s, read_feed, read_page
from troth.promises.trust.settings import TrustSettings

MAX_PARTS = 16
_LOG = re.compile(r"log:(\d{1,12})")


def measures_in_log(vantage: Vantage, _settings: TrustSettings) -> Observation:
    """The catalogue in the log, the page's list, and whether each evidence link leads somewhere."""
    listed = reading.promises(vantage)
    declared = _catalogue(vantage, str(listed.get("catalogue", "")), int(listed["log"]["size"]))
    page = read_page(reading.get(vantage, "/trust/").text)
    links = sorted({link for link in page.links if link.startswith("/trust/evidence/")})
    return Observation(
        facts={
            "log": {slug: claim.get("en", "") for slug, claim in declared.items()},
            "page": {item.slug: item.sentence for item in page.items},
            "links": {link: reading.get(vantage, link).status for link in links},
        },
    )


def _catalogue(vantage: Vantage, source: str, size: int) -> dict[str, dict[str, str]]:
    """Claims by slug of the catalogue whose last part stands at `source`. Raises NotSeen."""
    found = _LOG.fullmatch(source)
    if found is None:
        raise reading.NotSeen("no catalogue is named", where=source[:40])
    last = int(found[1])
    parts = []
    for index in range(last, max(last - MAX_PARTS, -1), -1):
        statement = _open(reading.leaf(vantage, index, size)).statement
        body = statement["predicate"]
        if statement["predicateType"] != predicate_type("catalogue"):
            raise reading.NotSeen("a leaf that is no catalogue", where=f"log:{index}")
        parts.append(body)
        if body.get("part", 1) == 1:
            break
    return {str(e["slug"]): e["claim"] for body in parts for e in body["promises"]}


def feed(vantage: Vantage, _settings: TrustSettings) -> Observation:
    """The feed beside the promises' states and the newest changes that the log holds."""
    answer, listed = _feed(vantage)
    try:
        entries = read_feed(answer.text)
    except ValueError as error:
        entries, fault = [], str(error)
    else:
        fault = ""
    size = int(listed["log"]["size"])
    owner = {str(c["id"]): str(e["slug"]) for e in listed["promises"] for c in e["checks"]}
    return Observation(
        facts={
            "status": answer.status,
            "fault": fault,
            "entries": [
                [entry.get("promise", ""), entry.get("state", ""), entry.get("evidence", "")]
                for entry in entries
            ],
            "states": {str(e["slug"]): str(e["state"]) for e in listed["promises"]},
            "fails": _fails(vantage, size, owner),
            "is_stale": bool(listed.get("stale")),
        },
        public=frozenset({"status", "fault"}),
    )


def _feed(vantage: Vantage) -> tuple[Response, dict[str, Any]]:
    """Feed and API of one rendering. Raises NotSeen when they change faster than they are read."""
    before = reading.promises(vantage, fresh=True)
    for _ in range(reading.TRIES):
        answer = reading.get(vantage, "/trust/changes.atom", fresh=True)
        listed = reading.promises(vantage, fresh=True)
        if before["generated"] == listed["generated"]:
            return answer, listed
        before = listed
    raise reading.NotSeen("the page changed while it was read", where=vantage.site.trust)


def _fails(vantage: Vantage, size: int, owner: dict[str, str]) -> list[list[str]]:
    """Promise and leaf of each pass that turned into a fail, in the log's newest bundle."""
    if not size:
        raise reading.NotSeen("the log is empty", where=vantage.site.troth)
    last: dict[tuple[str, str], str] = {}
    found = []
    for index, raw in reading.leaves(vantage, (size - 1) // WIDTH, size).items():
        statement = _open(raw).statement
        if index >= size or statement["predicateType"] != TEST_RESULT:
            continue
        seen = read_round(statement)
        for look in seen.looks:
            place = (look.check, seen.vantage)
            if look.verdict == "fail" and last.get(place) == "pass" and look.check in owner:
                found.append([owner[look.check], f"log:{index}"])
            if look.verdict != "error":
                last[place] = look.verdict.value
    return found


def tls_report(vantage: Vantage, _settings: TrustSettings) -> Observation:
    """The report that the page links to: its age, its signature, and the certificate it names."""
    page = read_page(reading.get(vantage, "/trust/").text)
    report = reading.get(vantage, "/trust/tls-report")
    marks = read_page(report.text).marks
    seen = vantage.fetch(f"{vantage.site.app}/").certificate_der
    source = marks.get("data-evidence-of", "")
    facts: dict[str, Any] = {
        "linked": "/trust/tls-report" in page.links,
        "status": report.status,
        "source": source,
        "named": marks.get("data-certificate", ""),
        "served": hashlib.sha256(seen).hexdigest() if seen else "",
        "age_s": age_s(marks.get("data-collected", ""), vantage.now),
        "signature": "none",
    }
    if facts["linked"] and report.status == reading.OK and source:
        facts["signature"] = _signature(vantage, source, facts["named"])
    return Observation(facts=facts, public=frozenset(facts))


def _signature(vantage: Vantage, source: str, certificate: str) -> str:
    """`good`; `bad`; or `other`: well signed, but not of this certificate. Raises NotSeen."""
    size = int(reading.promises(vantage)["log"]["size"])
    answer = reading.get(vantage, "/trust/evidence/" + source.replace(":", "/"))
    marks = read_page(answer.text).marks
    if answer.status != reading.OK:
        return "none"
    envelope = _open(json_line(read_page(answer.text).codes.get("envelope", "")))
    key = _LOG.fullmatch(marks.get("data-key", ""))
    if key is None:
        return "bad"
    named = _open(reading.leaf(vantage, int(key[1]), size)).statement["predicate"]
    try:
        public = b64decode(named["public"])
        NoteVerifier(str(named["name"]), public).verify(envelope.signature, envelope.signed)
    except (LogError, KeyError, ValueError):
        return "bad"
    (subject,) = envelope.statement["subject"]
    is_same = named["keyid"] == envelope.keyid and subject["digest"]["sha256"] == certificate
    return "good" if is_same else "other"


def json_line(text: str) -> bytes:
    """An envelope as its page shows it, as canonical bytes. Raises NotSeen."""
    try:
        whole = json.loads(text)
    except ValueError as error:
        raise reading.NotSeen("evidence that is no JSON") from error
    return json.dumps(whole, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _open(raw: bytes) -> Envelope:
    try:
        return unseal(raw)
    except EvidenceError as error:
        raise reading.NotSeen(error.what, where="log") from error
