"""A certificate chain and its key, as files: where they are, whether they can be served."""

import hashlib
import stat
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

from troth.adapters import files
from troth.engines.certificates.errors import CertificateError

MAX_PEM_BYTES = 256 * 1024
SHARED = 0o640
KEYS = "keys.txt"  # SHA-256 (hex) of each public key written here, one a line, the newest last
_MOST_KEYS = 4000
RENEW_LEFT = 3  # renew when a third of the lifetime is left (Let's Encrypt's own advice)


@dataclass(frozen=True, slots=True)
class Pair:
    """Both files, PEM: the leaf first in `chain`, the key unencrypted."""

    chain: Path
    key: Path


def place(folder: Path, host: str) -> Pair:
    """Where a host's pair is kept: `<host>.pem` and `<host>.key`."""
    return Pair(folder / f"{host}.pem", folder / f"{host}.key")


def check(pair: Pair, hosts: tuple[str, ...], now: datetime) -> x509.Certificate:
    """The leaf, when the pair can be served for these hosts now.

    Raises:
        CertificateError: a file that is missing, no PEM, expired, for other names, or a key that
            belongs to another certificate. It names the file and the mend.
    """
    leaf = _leaf(pair.chain)
    key = _key(pair.key)
    if key.public_key() != leaf.public_key():
        raise CertificateError(
            f"is not the key of the first certificate in {pair.chain.name}",
            where=str(pair.key),
            mend="put the server's own certificate first, or name its key",
        )
    where = str(pair.chain)
    if not leaf.not_valid_before_utc <= now < leaf.not_valid_after_utc:
        said = f"{leaf.not_valid_before_utc:%Y-%m-%d} to {leaf.not_valid_after_utc:%Y-%m-%d}"
        raise CertificateError(f"is valid from {said}, not now", where=where, mend="renew it")
    names = names_of(leaf)
    for host in hosts:
        if not any(_is_for(name, host) for name in names):
            said = ", ".join(names) or "no name"
            raise CertificateError(
                f"is not for {host}, but for {said}", where=where, mend=f"add {host} to it"
            )
    return leaf


def is_due(leaf: x509.Certificate, now: datetime) -> bool:
    """Whether a third of its lifetime or less is left."""
    life = leaf.not_valid_after_utc - leaf.not_valid_before_utc
    return leaf.not_valid_after_utc - now <= life / RENEW_LEFT


def names_of(leaf: x509.Certificate) -> tuple[str, ...]:
    """The DNS names it is for."""
    try:
        extension = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return ()
    return tuple(extension.value.get_values_for_type(x509.DNSName))


def write(pair: Pair, chain: bytes, key: bytes) -> None:
    """Put both in place: the key first, so that a reader never sees a chain without its key.

    The key is its owner's alone; in a folder that hands its group down (setgid), which an operator
    has set up for that, the group may read it: another role serves with it.
    """
    is_shared = pair.key.parent.stat().st_mode & stat.S_ISGID
    _remember(pair.chain.parent / KEYS, chain)
    files.write_atomic(pair.key, key, mode=SHARED if is_shared else files.PRIVATE)
    files.write_atomic(pair.chain, chain)


def _remember(path: Path, chain: bytes) -> None:
    """Keep the public key's SHA-256: public logs hold a certificate long after it was replaced."""
    key = x509.load_pem_x509_certificates(chain)[0].public_key()
    spki = key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    try:
        known = files.read_capped(path, MAX_PEM_BYTES)
    except FileNotFoundError:
        known = b""
    # 65 bytes a line: 4,000 certificates; then the oldest, long expired, make room.
    lines = [*known.split(), hashlib.sha256(spki).hexdigest().encode()][-_MOST_KEYS:]
    files.write_atomic(path, b"\n".join(lines) + b"\n")


def _leaf(path: Path) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificates(_read(path))[0]
    except ValueError as error:
        raise CertificateError("holds no PEM certificate", where=str(path)) from error


def _key(path: Path) -> PrivateKeyTypes:
    try:
        return serialization.load_pem_private_key(_read(path), None)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise CertificateError("holds no PEM private key", where=str(path)) from error
    except TypeError as error:
        mend = "store it without a passphrase and with mode 0600"
        raise CertificateError("is encrypted", where=str(path), mend=mend) from error


def _read(path: Path) -> bytes:
    try:
        return files.read_capped(path, MAX_PEM_BYTES)
    except FileNotFoundError as error:
        raise CertificateError("does not exist", where=str(path)) from error


def _is_for(name: str, host: str) -> bool:
    """RFC 9525, 6.3: a wildcard stands for exactly the first label."""
    name, host = name.lower(), host.lower()
    if name.startswith("*."):
        return host.partition(".")[2] == name[2:]
    return name == host
