"""Ed25519 keys of a ledger or a vantage: made on first use, kept in one file of mode 0600.

Fails closed: a key file that others may read, or that is no key, is refused and never replaced.
"""

import base64
import os
import stat
import threading
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from troth.adapters import files
from troth.kernel.errors import Failure
from troth.kernel.evidence import Envelope, Signer, key_id

MAX_KEY_BYTES = 4096
PUBLIC_BYTES = 32


class KeyFailure(Failure):
    """A key that cannot be used, or a signature that does not verify."""


@dataclass(frozen=True, slots=True)
class Key:
    """A private key. It is never shown: use `signer`, or `sign`."""

    private: Ed25519PrivateKey

    @property
    def public(self) -> bytes:
        """The 32 public bytes."""
        return self.private.public_key().public_bytes_raw()

    @property
    def signer(self) -> Signer:
        """For `kernel.evidence.seal`."""
        return Signer(key_id(self.public), self.private.sign)

    def __repr__(self) -> str:
        return f"Key({key_id(self.public)})"


def load_or_create(path: Path) -> Key:
    """The key of that file, made there when there is none (PKCS #8 PEM, mode 0600, durable).

    Raises:
        KeyFailure: readable by others, or not an Ed25519 key. FileError: not readable by us.
    """
    try:
        raw = files.read_capped(path, MAX_KEY_BYTES)
    except FileNotFoundError:
        _create(path)
        raw = files.read_capped(path, MAX_KEY_BYTES)
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise KeyFailure("others may read this key", where=str(path), mend="chmod 600, or renew it")
    try:
        key = serialization.load_pem_private_key(raw, password=None)
    except (ValueError, TypeError) as error:
        raise KeyFailure("not a private key", where=str(path)) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyFailure("not an Ed25519 key", where=str(path))
    return Key(key)


def _create(path: Path) -> None:
    raw = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    # Written whole beside, then linked: two that start at once agree on the first one's key.
    beside = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
    files.write_atomic(beside, raw, mode=files.PRIVATE)
    try:
        os.link(beside, path)
    except FileExistsError:
        pass
    except OSError as error:
        raise KeyFailure(f"cannot be written: {error.strerror}", where=str(path)) from error
    finally:
        beside.unlink()
    files.sync_folder(path.parent)


def decode_public(text: str) -> bytes:
    """32 public bytes from their base64. Raises KeyFailure."""
    try:
        raw = base64.b64decode(text, validate=True)
        Ed25519PublicKey.from_public_bytes(raw)
    except ValueError as error:
        raise KeyFailure("not a public Ed25519 key", where=text[:60]) from error
    return raw


def verify(envelope: Envelope, public: bytes) -> None:
    """Raise KeyFailure unless exactly this key signed the envelope."""
    if envelope.keyid != key_id(public):
        raise KeyFailure("signed by another key", where=envelope.keyid[:60])
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(envelope.signature, envelope.signed)
    except (InvalidSignature, ValueError) as error:
        raise KeyFailure("a signature that does not verify", where=envelope.keyid) from error
