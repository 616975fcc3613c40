"""What is known: the log's leaves and the ring's rounds, verified and folded.

Fails closed: a leaf that is not what the format says, is signed by a key that the log does not
name, or says something of another's, raises RecordError, and whoever asked publishes nothing
green. Bounded: of each check and vantage only the newest verdicts are kept.
"""

import base64
from dataclasses import dataclass, field
from datetime import datetime

from troth.engines.tlog.errors import LogError
from troth.engines.tlog.note import NoteVerifier
from troth.engines.tlog.read import VerifiedLog
from troth.kernel.evidence import (
    TEST_RESULT,
    Envelope,
    EvidenceError,
    Round,
    evidence_of,
    key_id,
    predicate_type,
    read_round,
)
from troth.kernel.model import Attestation, Evidence, Verdict, Waiver
from troth.publish.shapes import (
    AttestationBody,
    CatalogueBody,
    Declared,
    GapBody,
    KeyBody,
    PromiseBody,
    RecordError,
    WaiverBody,
    attestation_of,
    body_of,
    declared_of,
    moment_of,
    opened,
    waiver_of,
)

MAX_CHECKS = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A public key that the log names, whose it is, and where it stands."""

    keyid: str
    public: bytes
    role: str
    name: str
    retired: bool
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One verdict with the round that it came in."""

    evidence: Evidence
    probe: str
    certificate: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A vantage that could not report."""

    vantage: str
    begin: datetime
    end: datetime
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """A leaf as read: where it stands, what it says, whose it is; one of the rest is set."""

    source: str
    at: datetime
    kind: str
    keyid: str
    declared: tuple[Declared, ...] = ()
    round: Round | None = None
    attestation: Attestation | None = None
    waiver: Waiver | None = None
    gap: Gap | None = None


@dataclass(slots=True)
class Record:
    """All that is known, folded leaf by leaf with `add`, and round by round with `add_round`."""

    keys: dict[str, Key] = field(default_factory=dict)
    declared: tuple[Declared, ...] = ()
    config: str = ""
    version: str = ""
    catalogue: str = ""  # where the newest catalogue stands, `log:<index>`
    seen: dict[tuple[str, str], Seen] = field(default_factory=dict)  # newest pass or fail
    errors: dict[tuple[str, str], Seen] = field(default_factory=dict)  # newest error
    attestations: dict[str, list[tuple[str, Attestation]]] = field(default_factory=dict)
    waivers: dict[str, list[tuple[str, Waiver]]] = field(default_factory=dict)
    newest: dict[str, tuple[str, datetime, str]] = field(default_factory=dict)
    _parts: list[PromiseBody] = field(default_factory=list)
    _due: int = 1  # the part of a catalogue that must come next

    def add(self, index: int, raw: bytes) -> Leaf:
        """Verify and fold one leaf of the log. Raises RecordError."""
        source = f"log:{index}"
        envelope = opened(raw, source)
        if index == 0:
            self._first(envelope, source)
        key = self._signed(envelope, source)
        kind = envelope.statement["predicateType"]
        if kind == TEST_RESULT:
            return self._round(envelope, key, source)
        if key.role != "ledger":
            raise RecordError("a leaf that only the ledger may sign", where=source)
        return self._own(envelope, source)

    def add_round(self, raw: bytes) -> Leaf | None:
        """Verify and fold one round of the ring; None for one of a vantage that was retired since.

        Raises RecordError.
        """
        envelope = opened(raw, "looks")
        known = self.keys.get(envelope.keyid)
        if known is not None and known.retired:
            return None
        key = self._signed(envelope, "looks")
        if envelope.statement["predicateType"] != TEST_RESULT:
            raise RecordError("the ring holds something that is no round", where="looks")
        return self._round(envelope, key, "")

    def evidence(self) -> list[Evidence]:
        """What `state()` needs: each vantage's newest verdicts, none of a retired key."""
        retired = {key.name for key in self.keys.values() if key.role == "vantage" and key.retired}
        live = {k.name for k in self.keys.values() if k.role == "vantage" and not k.retired}
        gone = retired - live
        return [s.evidence for (_, vantage), s in self.seen.items() if vantage not in gone]

    def signed(self) -> list[Attestation]:
        """Every attestation."""
        return [item for several in self.attestations.values() for _, item in several]

    def _first(self, envelope: Envelope, source: str) -> None:
        """The first leaf names the ledger's own key, and is signed by it."""
        if envelope.statement["predicateType"] != predicate_type("key"):
            raise RecordError("a log that does not begin with its own key", where=source)
        body = body_of(envelope, KeyBody, source)
        if body.role != "ledger" or body.keyid != envelope.keyid:
            raise RecordError("a log that begins with another's key", where=source)
        self._key(body, source)

    def _signed(self, envelope: Envelope, source: str) -> Key:
        key = self.keys.get(envelope.keyid)
        if key is None or key.retired:
            raise RecordError("signed by a key that the log does not name", where=source)
        try:
            NoteVerifier(key.name, key.public).verify(envelope.signature, envelope.signed)
        except LogError as error:
            raise RecordError("a signature that does not verify", where=source) from error
        return key

    def _key(self, body: KeyBody, source: str) -> None:
        public = base64.b64decode(body.public)
        if key_id(public) != body.keyid or body.role not in ("ledger", "vantage", "witness"):
            raise RecordError("a key that is not what it says", where=source)
        self.keys[body.keyid] = Key(
            keyid=body.keyid,
            public=public,
            role=body.role,
            name=body.name,
            retired=body.retired,
            source=source,
        )

    def _round(self, envelope: Envelope, key: Key, source: str) -> Leaf:
        try:
            seen = read_round(envelope.statement)
        except EvidenceError as error:
            raise RecordError(error.what, where=source or "looks") from error
        if key.role != "vantage" or key.name != seen.vantage:
            raise RecordError("a round signed by another's key", where=source or "looks")
        place = source or f"looks:{seen.vantage}:{seen.sequence}"
        for look, item in zip(seen.looks, evidence_of(seen, place), strict=True):
            self._keep(Seen(evidence=item, probe=look.probe, certificate=seen.certificate))
        if not seen.looks:
            raise RecordError("a round without looks", where=place)
        at = max(look.collected for look in seen.looks)
        before = self.newest.get(seen.vantage)
        if before is None or before[1] <= at:
            self.newest[seen.vantage] = (place, at, seen.certificate)
        return Leaf(source=place, at=at, kind="round", keyid=key.keyid, round=seen)

    def _keep(self, item: Seen) -> None:
        shelf = self.errors if item.evidence.verdict is Verdict.ERROR else self.seen
        place = (item.evidence.check, item.evidence.vantage)
        old = shelf.get(place)
        rank = (item.evidence.collected, item.evidence.verdict is Verdict.FAIL)
        if old is not None:
            known = (old.evidence.collected, old.evidence.verdict is Verdict.FAIL)
            if rank < known or (rank == known and old.evidence.source.startswith("log:")):
                return  # older, or the same look and already in the log: the stronger place
        if len(self.seen) + len(self.errors) > MAX_CHECKS:
            raise RecordError(f"more than {MAX_CHECKS} checks and vantages")
        shelf[place] = item

    def _catalogue(self, body: CatalogueBody, source: str) -> bool:
        """A catalogue, or a part of one; whether it is now complete."""
        if body.part == 1:
            self._parts, self._due = [], 1
        if body.part != self._due or not 1 <= body.part <= body.parts:
            raise RecordError("a catalogue with a part missing", where=source)
        self._parts += body.promises
        self._due = body.part + 1
        if body.part < body.parts:
            return False
        self.declared = tuple(declared_of(entry, source) for entry in self._parts)
        self.config, self.version = body.config, body.version
        self.catalogue = source
        self._parts, self._due = [], 1
        return True

    def _own(self, envelope: Envelope, source: str) -> Leaf:
        """A leaf of one of our own predicates."""
        kind = envelope.statement["predicateType"].removeprefix("urn:troth:predicate:")
        kind = kind.removesuffix(":v0.1")
        at = moment_of(envelope.statement["predicate"].get("at"), source)
        leaf = {"source": source, "at": at, "kind": kind, "keyid": envelope.keyid}
        if kind == "key":
            self._key(body_of(envelope, KeyBody, source), source)
        elif kind == "catalogue":
            is_whole = self._catalogue(body_of(envelope, CatalogueBody, source), source)
            return Leaf(**leaf, declared=self.declared if is_whole else ())
        elif kind == "attestation":
            attestation = attestation_of(body_of(envelope, AttestationBody, source), source)
            self.attestations.setdefault(attestation.promise, []).append((source, attestation))
            return Leaf(**leaf, attestation=attestation)
        elif kind == "waiver":
            waiver = waiver_of(body_of(envelope, WaiverBody, source), source)
            self.waivers.setdefault(waiver.promise, []).append((source, waiver))
            return Leaf(**leaf, waiver=waiver)
        elif kind == "gap":
            body = body_of(envelope, GapBody, source)
            begin, end = moment_of(body.begin, source), moment_of(body.end, source)
            gap = Gap(vantage=body.vantage, begin=begin, end=end, reason=body.reason)
            return Leaf(**leaf, gap=gap)
        return Leaf(**leaf)


def follow(record: Record, log: VerifiedLog, start: int) -> list[Leaf]:
    """Fold a verified log's leaves from `start` on. Raises LogError or RecordError."""
    return [record.add(index, raw) for index, raw in log.entries(start)]
