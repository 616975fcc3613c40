"""The evidence format: canonical JSON, in-toto statements in DSSE, and what a leaf may hold.

Existing standards only: in-toto Statement v1 with predicate `test-result/v0.1` for what was looked
at, DSSE for the signature, RFC 6962 for the leaf hash (in `engines/tlog`). A leaf of the log, and
an entry of the ring of looks, is one DSSE envelope as canonical JSON on one line.

Signing is handed in (`Signer`): the kernel knows the bytes, not the key.
"""

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from troth.kernel.errors import Failure
from troth.kernel.model import Evidence, Verdict

STATEMENT = "https://in-toto.io/Statement/v1"  # Source: in-toto attestation framework, Statement v1
TEST_RESULT = "https://in-toto.io/attestation/test-result/v0.1"  # Source: same, vetted predicate
PAYLOAD = "application/vnd.in-toto+json"  # Source: in-toto attestation framework, Envelope v1
PREDICATES = ("catalogue", "attestation", "waiver", "key", "gap", "restored", "rounds")
MAX_ENVELOPE_BYTES = 256 * 1024  # a round of 200 checks takes 60 KiB
MAX_DEPTH = 12


class EvidenceError(Failure):
    """An envelope or statement that is not what the format says."""


def predicate_type(name: str) -> str:
    """The type URI of one of our own `PREDICATES`."""
    return f"urn:troth:predicate:{name}:v0.1"


def canonical(value: Any) -> bytes:
    """JSON with sorted keys, no spaces, UTF-8; floats are refused (they have no one spelling)."""
    _refuse_floats(value, 0)
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    ).encode()


def _refuse_floats(value: Any, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise EvidenceError(f"JSON deeper than {MAX_DEPTH} levels")
    if isinstance(value, float):
        raise EvidenceError("a float in canonical JSON", where=repr(value))
    if isinstance(value, Mapping):
        for key, item in value.items():
            if not isinstance(key, str):
                raise EvidenceError("a key that is no string", where=repr(key))
            _refuse_floats(item, depth + 1)
    elif isinstance(value, list | tuple):
        for item in value:
            _refuse_floats(item, depth + 1)


def stamp(moment: datetime) -> str:
    """RFC 3339 in UTC with milliseconds, as every time in evidence is written."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def moment(text: str) -> datetime:
    """The time that `stamp` wrote. Raises EvidenceError for anything else."""
    if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", text):
        raise EvidenceError("not a time as evidence writes it", where=text[:40])
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise EvidenceError("no such time", where=text) from error


@dataclass(frozen=True, slots=True)
class Signer:
    """A key that signs: its public id and the act. The private half stays in the closure."""

    keyid: str
    sign: Callable[[bytes], bytes]


def key_id(public: bytes) -> str:
    """How envelopes name an Ed25519 key: `ed25519:` and 32 hex digits of its SHA-256."""
    return f"ed25519:{hashlib.sha256(public).hexdigest()[:32]}"


def pae(payload_type: str, payload: bytes) -> bytes:
    """DSSE's pre-authentication encoding (Source: DSSE v1.0.2, protocol.md): what is signed."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def seal(statement: Mapping[str, Any], signer: Signer) -> bytes:
    """The statement in a signed DSSE envelope, as one canonical line without newline."""
    payload = canonical(statement)
    signature = signer.sign(pae(PAYLOAD, payload))
    envelope = {
        "payload": base64.b64encode(payload).decode(),
        "payloadType": PAYLOAD,
        "signatures": [{"keyid": signer.keyid, "sig": base64.b64encode(signature).decode()}],
    }
    return canonical(envelope)


@dataclass(frozen=True, slots=True)
class Envelope:
    """An opened envelope. Opening does not verify: hand `signed` and `signature` to the key."""

    keyid: str
    signature: bytes
    signed: bytes
    statement: Mapping[str, Any]


def unseal(raw: bytes) -> Envelope:
    """Open an envelope, strictly. Raises EvidenceError; verifies no signature."""
    if len(raw) > MAX_ENVELOPE_BYTES:
        raise EvidenceError(f"an envelope over {MAX_ENVELOPE_BYTES} bytes")
    try:
        outer = json.loads(raw)
        if set(outer) != {"payload", "payloadType", "signatures"}:
            raise EvidenceError("not a DSSE envelope")
        (first,) = outer["signatures"]
        payload = base64.b64decode(outer["payload"], validate=True)
        signature = base64.b64decode(first["sig"], validate=True)
        keyid, kind = first["keyid"], outer["payloadType"]
        statement = json.loads(payload)
    except (ValueError, KeyError, TypeError, RecursionError, binascii.Error) as error:
        raise EvidenceError("not a DSSE envelope as Troth writes it") from error
    if kind != PAYLOAD or not isinstance(keyid, str) or not isinstance(statement, dict):
        raise EvidenceError("not an in-toto statement in DSSE")
    if statement.get("_type") != STATEMENT or canonical(statement) != payload:
        raise EvidenceError("not a canonical in-toto Statement v1")
    if canonical(outer) != raw:
        raise EvidenceError("not a canonical envelope")
    return Envelope(keyid, signature, pae(PAYLOAD, payload), statement)


def statement(kind: str, body: Mapping[str, Any], *, subject: str, digest: str) -> dict[str, Any]:
    """A statement of one of our own `PREDICATES` about `subject` (digest: SHA-256 hex)."""
    if kind not in PREDICATES:
        raise ValueError(kind)
    return {
        "_type": STATEMENT,
        "subject": [{"name": subject, "digest": {"sha256": digest}}],
        "predicateType": predicate_type(kind),
        "predicate": dict(body),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One check's outcome inside a round.

    Args:
        public: facts that are published at once.
        commitment: `commit()` of the facts that are not; empty when there are none.
        probe: the first 16 hex digits of the digest of probe and judge.
    """

    check: str
    verdict: Verdict
    collected: datetime
    expires: datetime
    reason: str
    probe: str
    public: Mapping[str, Any]
    commitment: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """What one vantage saw in one go: the unit that it signs.

    Args:
        subject: the address looked at.
        certificate: SHA-256 hex of the certificate it served (DER), 64 zeros when none was seen.
        config: SHA-256 hex of the operator's configuration.
        sequence: counts up by one for each round of this vantage; a hole is a gap.
    """

    subject: str
    certificate: str
    config: str
    version: str
    vantage: str
    sequence: int
    looks: tuple[Look, ...]


_RESULT = {Verdict.PASS: "passedTests", Verdict.ERROR: "warnedTests", Verdict.FAIL: "failedTests"}


def round_statement(seen: Round) -> dict[str, Any]:
    """The in-toto test-result statement of a round; `read_round` is its inverse."""
    tests: dict[str, list[str]] = {name: [] for name in _RESULT.values()}
    looks = []
    for look in seen.looks:
        tests[_RESULT[look.verdict]].append(look.check)
        entry: dict[str, Any] = {
            "check": look.check,
            "collected": stamp(look.collected),
            "expires": stamp(look.expires),
            "probe": look.probe,
            "reason": look.reason,
            "verdict": look.verdict.value,
        }
        if look.public:
            entry["observed"] = dict(look.public)
        if look.commitment:
            entry["commitment"] = look.commitment
        looks.append(entry)
    result = "FAILED" if tests["failedTests"] else "WARNED" if tests["warnedTests"] else "PASSED"
    predicate = {
        "result": result,
        "configuration": [{"name": "troth.toml", "digest": {"sha256": seen.config}}],
        **tests,
        "troth": {
            "vantage": seen.vantage,
            "sequence": seen.sequence,
            "version": seen.version,
            "looks": looks,
        },
    }
    return {
        "_type": STATEMENT,
        "subject": [{"name": seen.subject, "digest": {"sha256": seen.certificate}}],
        "predicateType": TEST_RESULT,
        "predicate": predicate,
    }


def read_round(statement: Mapping[str, Any]) -> Round:
    """The round that a test-result statement tells of. Raises EvidenceError when it is not one."""
    try:
        (subject,) = statement["subject"]
        predicate = statement["predicate"]
        (config,) = predicate["configuration"]
        own = predicate["troth"]
        looks = tuple(
            Look(
                check=entry["check"],
                verdict=Verdict(entry["verdict"]),
                collected=moment(entry["collected"]),
                expires=moment(entry["expires"]),
                reason=entry["reason"],
                probe=entry["probe"],
                public=entry.get("observed", {}),
                commitment=entry.get("commitment", ""),
            )
            for entry in own["looks"]
        )
        seen = Round(
            subject=subject["name"],
            certificate=subject["digest"]["sha256"],
            config=config["digest"]["sha256"],
            version=own["version"],
            vantage=own["vantage"],
            sequence=own["sequence"],
            looks=looks,
        )
        if statement["predicateType"] != TEST_RESULT or round_statement(seen) != statement:
            raise EvidenceError("a round that does not say the same in both places")
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise EvidenceError("not a round as Troth writes it") from error
    return seen


def evidence_of(seen: Round, source: str) -> tuple[Evidence, ...]:
    """The round as evidence for `state()`; `source` says where it is kept."""
    return tuple(
        Evidence(
            check=look.check,
            verdict=look.verdict,
            collected=look.collected,
            expires=look.expires,
            vantage=seen.vantage,
            observed=look.public,
            reason=look.reason,
            source=source,
        )
        for look in seen.looks
    )


def commit(facts: Mapping[str, Any], salt: bytes) -> str:
    """A commitment to facts that are not yet public: SHA-256 hex of salt (16 bytes) and facts."""
    return hashlib.sha256(salt + canonical(facts)).hexdigest()


# What a log, which cannot forget, must never hold (GDPR 17): mail addresses, addresses of people,
# tokens. Loopback and documentation addresses are nobody's.
_MAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+")
_IPV4 = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w.])")
_TOKEN = re.compile(r"(?i)\b(?:bearer|basic)\s+[\w+/=.-]{16,}|\beyJ[\w-]{10,}\.[\w-]{10,}\.")
_NOBODYS = re.compile(r"^(?:127\.|0\.0\.0\.0$|192\.0\.2\.|198\.51\.100\.|203\.0\.113\.)")


def refuse_personal(facts: Any, where: str, canaries: Sequence[str] = ()) -> None:
    """Raise EvidenceError when public facts hold a mail address, somebody's address or a token.

    Args:
        facts: JSON-ready.
        where: the check, for the error.
        canaries: mail addresses that are ours or nobody's (the published contact).
    """
    text = canonical(facts).decode()
    for found in _MAIL.findall(text):
        if found not in canaries:
            raise EvidenceError("a mail address in evidence", where=where)
    for found in _IPV4.findall(text):
        if not _NOBODYS.match(found):
            raise EvidenceError("a network address in evidence", where=where)
    if _TOKEN.search(text):
        raise EvidenceError("a token in evidence", where=where)
