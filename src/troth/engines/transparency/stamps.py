"""Signed certificate timestamps, verified against a dated list of logs (RFC 6962).

The list has the shape that browsers' makers publish (log list, version 3): operators with their
logs, each with its key. Only stamps embedded in the certificate are read: all public authorities
embed them.
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from struct import pack
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.certificate_transparency import SignedCertificateTimestamp

from troth.engines.transparency.errors import TransparencyError

LOG_ID_BYTES = 32
_PRECERTIFICATE = 1  # Source: RFC 6962, 3.1, LogEntryType
_MILLISECOND_S = 1000
_USABLE = frozenset(
    {"usable", "qualified", "readonly", "retired"}
)  # pending, rejected: not yet, no


@dataclass(frozen=True, slots=True)
class LogKey:
    """One log: what it is called, who runs it, its public key (DER)."""

    name: str
    operator: str
    key: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class LogList:
    """Logs by their id, and when the list was made."""

    logs: Mapping[bytes, LogKey]
    made: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """One embedded timestamp: of which log, and whether its signature holds.

    `log` and `operator` are empty for a log that the list does not name; then nothing is known of
    the signature.
    """

    log: str
    operator: str
    made: datetime
    is_valid: bool


def read_list(raw: bytes) -> LogList:
    """A log list, version 3. Raises TransparencyError."""
    try:
        told = json.loads(raw)
        made = datetime.fromisoformat(told["log_list_timestamp"])
        logs = {}
        for operator in told["operators"]:
            for log in (*operator.get("logs", ()), *operator.get("tiled_logs", ())):
                if not _USABLE & set(log.get("state", {"usable": {}})):
                    continue
                key = base64.b64decode(log["key"], validate=True)
                name = str(log["description"])
                logs[hashlib.sha256(key).digest()] = LogKey(name, str(operator["name"]), key)
    except (ValueError, KeyError, TypeError, AttributeError, binascii.Error) as error:
        raise TransparencyError("not a log list of version 3") from error
    if not made.tzinfo:
        raise TransparencyError("a log list without the zone of its time")
    return LogList(logs=logs, made=made.astimezone(UTC))


def read(leaf_der: bytes, issuer_der: bytes, logs: LogList) -> tuple[Stamp, ...]:
    """The stamps inside a certificate; none when it has none.

    Args:
        leaf_der: the certificate.
        issuer_der: the one that signed it, whose key a stamp covers as well.
        logs: whom we know.

    Raises:
        TransparencyError: not certificates.
    """
    try:
        leaf = x509.load_der_x509_certificate(leaf_der)
        issuer = x509.load_der_x509_certificate(issuer_der)
        found = leaf.extensions.get_extension_for_class(
            x509.PrecertificateSignedCertificateTimestamps
        ).value
    except x509.ExtensionNotFound:
        return ()
    except ValueError as error:
        raise TransparencyError("not a certificate with stamps") from error
    key = issuer.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    issuer_hash = hashlib.sha256(key).digest()
    return tuple(_judge(each, leaf.tbs_precertificate_bytes, issuer_hash, logs) for each in found)


def _judge(
    stamp: SignedCertificateTimestamp, body: bytes, issuer_hash: bytes, logs: LogList
) -> Stamp:
    made = stamp.timestamp.replace(tzinfo=UTC)
    log = logs.logs.get(stamp.log_id)
    if log is None:
        return Stamp(log="", operator="", made=made, is_valid=False)
    signed = covered(
        timestamp_ms=round(made.timestamp() * _MILLISECOND_S),
        body=body,
        issuer_hash=issuer_hash,
        extensions=stamp.extension_bytes,
    )
    is_valid = _holds(log.key, stamp.signature, signed)
    return Stamp(log=log.name, operator=log.operator, made=made, is_valid=is_valid)


def covered(*, timestamp_ms: int, body: bytes, issuer_hash: bytes, extensions: bytes) -> bytes:
    """What a log signs for a precertificate (RFC 6962, 3.2)."""
    return (
        pack("!BBQH", 0, 0, timestamp_ms, _PRECERTIFICATE)
        + issuer_hash
        + len(body).to_bytes(3, "big")
        + body
        + pack("!H", len(extensions))
        + extensions
    )


def _holds(key_der: bytes, signature: bytes, signed: bytes) -> bool:
    try:
        key: Any = serialization.load_der_public_key(key_der)
        if isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, signed, ec.ECDSA(hashes.SHA256()))
        elif isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, signed, padding.PKCS1v15(), hashes.SHA256())
        else:
            return False
    except (InvalidSignature, ValueError, UnsupportedAlgorithm):
        return False
    return True
