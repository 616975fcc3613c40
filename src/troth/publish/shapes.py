"""What the log's own leaves look like, and what they mean to the page. Strict: RecordError."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from troth.kernel.errors import Failure
from troth.kernel.evidence import Envelope, EvidenceError, moment, unseal
from troth.kernel.model import (
    Attestation,
    Check,
    Control,
    Kind,
    Method,
    Promise,
    Severity,
    Waiver,
)


class RecordError(Failure):
    """A log or ring that cannot be believed."""


class CheckBody(Struct, frozen=True):
    """A check."""

    id: str
    method: Method
    interval_s: int
    ttl_s: int
    quorum: int
    command: str
    probe: str


class PromiseBody(Struct, frozen=True):
    """A promise as declared."""

    slug: str
    area: str
    kind: Kind
    severity: Severity
    rests_on: tuple[str, ...]
    planned_for: date | None
    not_applicable_because: str
    controls: tuple[tuple[str, str], ...]
    claim: dict[str, str]
    checks: tuple[CheckBody, ...]


class CatalogueBody(Struct, frozen=True):
    """A catalogue, or `part` of `parts` of one."""

    promises: tuple[PromiseBody, ...]
    config: str
    version: str
    at: str
    part: int = 1
    parts: int = 1


class KeyBody(Struct, frozen=True):
    """A key."""

    keyid: str
    public: str
    role: str
    name: str
    at: str
    retired: bool = False


class AttestationBody(Struct, frozen=True):
    """A statement by a person."""

    promise: str
    by: str
    role: str
    statement: str
    signed: str
    expires: str
    document_sha256: str
    at: str


class WaiverBody(Struct, frozen=True):
    """A waiver."""

    promise: str
    reason: str
    by: str
    expires: str
    at: str


class GapBody(Struct, frozen=True):
    """A time in which a vantage said nothing."""

    vantage: str
    begin: str = msgspec.field(name="from")
    end: str = msgspec.field(name="to")
    reason: str
    at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """A promise as the newest `catalogue` leaf declares it, with its words.

    Args:
        promise: without the dotted paths of probe and judge, which are nobody's business here.
        claim: the sentence by language, filled.
        probes: by check id, 16 hex digits of the digest of its probe and judge.
    """

    promise: Promise
    claim: Mapping[str, str]
    probes: Mapping[str, str]


T = TypeVar("T", bound=Struct)


def opened(raw: bytes, source: str) -> Envelope:
    """An envelope, taken apart. Raises RecordError."""
    try:
        return unseal(raw)
    except EvidenceError as error:
        raise RecordError(error.what, where=source) from error


def body_of(envelope: Envelope, shape: type[T], source: str) -> T:
    """A statement's own body in its shape. Raises RecordError."""
    try:
        return msgspec.convert(envelope.statement["predicate"], shape, strict=True)
    except (msgspec.ValidationError, KeyError) as error:
        raise RecordError(f"a leaf of another shape: {error}", where=source) from error


def moment_of(text: Any, source: str) -> datetime:
    """A time as evidence writes it. Raises RecordError."""
    try:
        return moment(text)
    except (EvidenceError, TypeError) as error:
        raise RecordError("a leaf without a time", where=source) from error


def declared_of(entry: PromiseBody, source: str) -> Declared:
    """The declaration of one promise. Raises RecordError."""
    try:
        checks = tuple(
            Check(
                id=check.id,
                method=check.method,
                interval=timedelta(seconds=check.interval_s),
                ttl=timedelta(seconds=check.ttl_s),
                quorum=check.quorum,
                probe="",
                judge="",
                command=check.command,
            )
            for check in entry.checks
        )
    except ValueError as error:
        raise RecordError(f"a check that cannot be: {error}", where=source) from error
    promise = Promise(
        slug=entry.slug,
        area=entry.area,
        kind=entry.kind,
        severity=entry.severity,
        rests_on=entry.rests_on,
        planned_for=entry.planned_for,
        not_applicable_because=entry.not_applicable_because,
        controls=tuple(Control(*pair) for pair in entry.controls),
        checks=checks,
    )
    probes = {check.id: check.probe for check in entry.checks}
    return Declared(promise=promise, claim=entry.claim, probes=probes)


def attestation_of(body: AttestationBody, source: str) -> Attestation:
    """The attestation."""
    return Attestation(
        promise=body.promise,
        by=body.by,
        role=body.role,
        statement=body.statement,
        signed=moment_of(body.signed, source),
        expires=moment_of(body.expires, source),
        document_sha256=body.document_sha256,
    )


def waiver_of(body: WaiverBody, source: str) -> Waiver:
    """The waiver."""
    return Waiver(
        promise=body.promise,
        reason=body.reason,
        by=body.by,
        expires=moment_of(body.expires, source),
    )
