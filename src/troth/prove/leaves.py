"""The ledger's own leaves: what each holds, and what a log says when it is read again. Pure."""

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from troth.engines.tlog.merkle import leaf_hash, root_of
from troth.kernel.evidence import (
    TEST_RESULT,
    EvidenceError,
    Signer,
    canonical,
    moment,
    predicate_type,
    read_round,
    seal,
    stamp,
    statement,
)
from troth.kernel.model import Attestation, Promise, Waiver
from troth.prove.admit import Known
from troth.prove.keys import decode_public

MAX_PART_BYTES = 40_000  # of a catalogue's canonical JSON: sealed it stays below a leaf's 65,535


def sealed(kind: str, body: Mapping[str, Any], origin: str, signer: Signer) -> bytes:
    """A leaf of our own: about the log's origin, bound to the body by its digest."""
    digest = hashlib.sha256(canonical(body)).hexdigest()
    return seal(statement(kind, body, subject=origin, digest=digest), signer)


def key_body(name: str, public: bytes, keyid: str, role: str, now: datetime) -> dict[str, Any]:
    """A key that from here on counts. Role: `ledger`, `vantage` or `witness`."""
    return {
        "keyid": keyid,
        "public": base64.b64encode(public).decode(),
        "role": role,
        "name": name,
        "at": stamp(now),
        "retired": False,
    }


def gap_body(
    vantage: str, since: datetime, until: datetime, reason: str, now: datetime
) -> dict[str, Any]:
    """A time in which a vantage said nothing. Reason: `silent`, `hole` or `returned`."""
    return {
        "vantage": vantage,
        "from": stamp(since),
        "to": stamp(until),
        "reason": reason,
        "at": stamp(now),
    }


def rounds_body(
    rounds: Sequence[bytes], since: datetime, until: datetime, now: datetime
) -> dict[str, Any]:
    """All rounds admitted in an hour: the RFC 6962 root over them, counts, last sequences."""
    counts: dict[str, dict[str, int]] = {}
    sequences: dict[str, int] = {}
    for raw in rounds:
        own = body_of(raw)[1]["troth"]
        sequences[own["vantage"]] = max(own["sequence"], sequences.get(own["vantage"], 0))
        for look in own["looks"]:
            count = counts.setdefault(look["check"], {"pass": 0, "fail": 0, "error": 0})
            count[look["verdict"]] += 1
    return {
        "from": stamp(since),
        "to": stamp(until),
        "root": root_of([leaf_hash(raw) for raw in rounds]).hex(),
        "counts": counts,
        "sequences": sequences,
        "at": stamp(now),
    }


def attestation_body(signed: Attestation, now: datetime) -> dict[str, Any]:
    """A person's statement, signed by the ledger on the operator's behalf."""
    return {
        "promise": signed.promise,
        "by": signed.by,
        "role": signed.role,
        "statement": signed.statement,
        "signed": stamp(signed.signed),
        "expires": stamp(signed.expires),
        "document_sha256": signed.document_sha256,
        "at": stamp(now),
    }


def waiver_body(waiver: Waiver, now: datetime) -> dict[str, Any]:
    """Why somebody accepts a state for a while."""
    return {
        "promise": waiver.promise,
        "reason": waiver.reason,
        "by": waiver.by,
        "expires": stamp(waiver.expires),
        "at": stamp(now),
    }


def promise_entry(
    promise: Promise, claim: Mapping[str, str], digests: Mapping[str, str]
) -> dict[str, Any]:
    """A promise as the catalogue leaf holds it.

    Args:
        promise: as declared.
        claim: language -> the published sentence.
        digests: check -> digest of its probe and judge.
    """
    return {
        "slug": promise.slug,
        "area": promise.area,
        "kind": promise.kind.value,
        "severity": promise.severity.value,
        "rests_on": list(promise.rests_on),
        "planned_for": promise.planned_for.isoformat() if promise.planned_for else None,
        "not_applicable_because": promise.not_applicable_because,
        "controls": [[control.framework, control.id] for control in promise.controls],
        "claim": dict(claim),
        "checks": [
            {
                "id": check.id,
                "method": check.method.value,
                "interval_s": int(check.interval.total_seconds()),
                "ttl_s": int(check.ttl.total_seconds()),
                "quorum": check.quorum,
                "command": check.command,
                "probe": digests[check.id],
            }
            for check in promise.checks
        ],
    }


def catalogue_bodies(
    entries: Sequence[Mapping[str, Any]], config: str, version: str, now: datetime
) -> list[dict[str, Any]]:
    """The declarations, in as many leaves as they need, which follow one another in the log.

    A leaf holds 65,535 bytes and a page of sentences in four languages is longer: `part` of
    `parts`, from 1. The catalogue is the newest complete run of them.
    """
    parts: list[list[Mapping[str, Any]]] = [[]]
    size = 0
    for entry in entries:
        weight = len(canonical(entry))
        if parts[-1] and size + weight > MAX_PART_BYTES:
            parts.append([])
            size = 0
        parts[-1].append(entry)
        size += weight
    return [
        {
            "promises": part,
            "config": config,
            "version": version,
            "part": number,
            "parts": len(parts),
            "at": stamp(now),
        }
        for number, part in enumerate(parts, 1)
    ]


def body_of(raw: bytes) -> tuple[str, dict[str, Any]]:
    """Predicate type and predicate of a leaf from our own log, unverified. EvidenceError if odd."""
    try:
        inner = json.loads(base64.b64decode(json.loads(raw)["payload"]))
        return inner["predicateType"], inner["predicate"]
    except (ValueError, KeyError, TypeError) as error:
        raise EvidenceError("a leaf that is no statement") from error


@dataclass(slots=True)
class Book:
    """What the log says, gathered leaf by leaf: all that the ledger must know to go on."""

    vantages: dict[str, Known] = field(default_factory=dict)
    retired: set[bytes] = field(default_factory=set)
    ledgers: set[str] = field(default_factory=set)
    catalogue: str = ""  # digest of the newest complete one
    closed_until: datetime | None = None
    sequences: dict[str, int] = field(default_factory=dict)  # when the last hour was closed
    signed: set[str] = field(default_factory=set)  # digests of attestations and waivers
    quiet: set[str] = field(default_factory=set)  # vantages whose silence is on record
    last_rounds: dict[str, bytes] = field(default_factory=dict)  # newest round leaf by vantage
    _parts: list[dict[str, Any]] = field(default_factory=list)

    def read(self, raw: bytes) -> None:
        """Take in the next leaf. Raises EvidenceError for what is no leaf of ours."""
        kind, body = body_of(raw)
        if kind == TEST_RESULT:
            self._round(raw, body)
        elif kind == predicate_type("key"):
            self._key(body)
        elif kind == predicate_type("catalogue"):
            self._declared(body)
        elif kind == predicate_type("rounds"):
            self.closed_until = moment(body["to"])
            self.sequences |= body["sequences"]
        elif kind == predicate_type("gap"):
            change = self.quiet.add if body["reason"] == "silent" else self.quiet.discard
            change(body["vantage"])
        elif kind in (predicate_type("attestation"), predicate_type("waiver")):
            self.signed.add(digest_of(body))

    def _round(self, raw: bytes, body: Mapping[str, Any]) -> None:
        name = body["troth"]["vantage"]
        known = self.vantages.get(name)
        if known is None:
            raise EvidenceError("a round of a vantage without a key", where=name)
        known.learn(
            read_round(json.loads(base64.b64decode(json.loads(raw)["payload"]))), raw, in_log=True
        )
        self.last_rounds[name] = raw

    def _key(self, body: Mapping[str, Any]) -> None:
        if body["role"] == "ledger":
            self.ledgers.add(body["keyid"])
        elif body["role"] == "vantage" and body["retired"]:
            self.vantages.pop(body["name"], None)
            self.retired.add(decode_public(body["public"]))
        elif body["role"] == "vantage":
            self.vantages[body["name"]] = Known(public=decode_public(body["public"]))

    def _declared(self, body: dict[str, Any]) -> None:
        if body.get("part", 1) == 1:
            self._parts = []
        self._parts.append(body)
        if body.get("part", 1) == body.get("parts", 1):
            self.catalogue = catalogue_digest(self._parts)
            self._parts = []


def catalogue_digest(bodies: Iterable[Mapping[str, Any]]) -> str:
    """What a catalogue says, whenever it was written."""
    parts = [{key: value for key, value in body.items() if key != "at"} for body in bodies]
    return hashlib.sha256(canonical(parts)).hexdigest()


def digest_of(body: Mapping[str, Any]) -> str:
    """What a body says, whenever it was written."""
    return catalogue_digest([body])
