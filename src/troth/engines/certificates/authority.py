"""A certificate authority of this machine, for development and for closed networks.

One self-signed P-256 root that may sign end certificates only, and P-384 leaves that live for a
short time. Keys are files of mode 0600 that never leave this machine.
"""

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from troth.adapters import clock, files
from troth.adapters.chance import Dice
from troth.engines.certificates import pair
from troth.engines.certificates.errors import CertificateError

ROOT_LIFE = timedelta(days=3650)
LEAF_LIFE = timedelta(days=90)
BACKDATED = timedelta(hours=1)  # visitors' clocks differ
SERIAL_BITS = 159  # Source: RFC 5280, 4.1.2.2: at most 20 octets, positive
TURN_WITHIN_S = 10.0
MAX_PEM_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Authority:
    """The root, loaded. `create` makes one, `load` reads it."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def pem(self) -> bytes:
        """The root's certificate."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)


def keep(
    folder: Path, hosts: tuple[str, ...], *, name: str, now: datetime, rng: Dice
) -> tuple[str, ...]:
    """Make sure that a folder holds the authority and a fresh leaf for each host.

    Several roles may call this at once: they take turns.

    Args:
        folder: for `ca.pem`, `ca.key`, `<host>.pem`, `<host>.key`; exists.
        hosts: each gets a leaf of its own, so that no connection to one serves another.
        name: of the installation; stands in the authority's name.
        now: the time.
        rng: for serial numbers.

    Returns:
        The hosts whose leaf was issued anew: missing, unusable, or a third of its life left.

    Raises:
        CertificateError: the authority's own files are wrong.
    """
    with _turn(folder / "ca.lock"):
        authority = ensure(folder, name=name, now=now, rng=rng)
        renewed = tuple(host for host in hosts if not _is_fresh(folder, host, authority, now))
        for host in renewed:
            chain, key = issue(authority, (host,), now=now, rng=rng)
            pair.write(pair.place(folder, host), chain, key)
    return renewed


def has_issued(folder: Path, leaf: x509.Certificate) -> bool:
    """Whether a leaf is one of this folder's authority; no when there is none."""
    try:
        root = load(folder / "ca.pem", folder / "ca.key").certificate
    except (CertificateError, FileNotFoundError):
        return False
    return _signed(root, leaf)


def _is_fresh(folder: Path, host: str, authority: Authority, now: datetime) -> bool:
    try:
        leaf = pair.check(pair.place(folder, host), (host,), now)
    except CertificateError:
        return False
    return _signed(authority.certificate, leaf) and not pair.is_due(leaf, now)


def _signed(root: x509.Certificate, leaf: x509.Certificate) -> bool:
    try:
        leaf.verify_directly_issued_by(root)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


@contextlib.contextmanager
def _turn(path: Path) -> Iterator[None]:
    """Wait for the lock. Raises FileError after `TURN_WITHIN_S`."""
    deadline = clock.monotonic_s() + TURN_WITHIN_S
    while True:
        try:
            lock = files.Lock(path)
            break
        except files.FileError:
            if clock.monotonic_s() > deadline:
                raise
            time.sleep(0.01)
    try:
        yield
    finally:
        lock.release()


def ensure(folder: Path, *, name: str, now: datetime, rng: Dice) -> Authority:
    """Load `ca.pem` and `ca.key` from a folder, or make them there.

    Raises:
        CertificateError: only one of both is there, or they are not what they should be.
    """
    chain, key = folder / "ca.pem", folder / "ca.key"
    if chain.exists() != key.exists():
        missing = key if chain.exists() else chain
        raise CertificateError("is missing", where=str(missing), mend="restore it, or remove both")
    if not chain.exists():
        authority = create(name=name, now=now, rng=rng)
        files.write_atomic(key, pem_of_key(authority.key), mode=files.PRIVATE)
        files.write_atomic(chain, authority.pem)
    return load(chain, key)


def create(*, name: str, now: datetime, rng: Dice) -> Authority:
    """A new root."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{name} local authority"[:64])])
    certificate = (
        _builder(subject, subject, key, now, ROOT_LIFE, rng)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .sign(key, hashes.SHA256())
    )
    return Authority(certificate, key)


def load(chain: Path, key: Path) -> Authority:
    """Read a root. Raises CertificateError naming the file that is wrong."""
    try:
        certificate = x509.load_pem_x509_certificate(files.read_capped(chain, MAX_PEM_BYTES))
    except ValueError as error:
        raise CertificateError("is not a PEM certificate", where=str(chain)) from error
    try:
        private = serialization.load_pem_private_key(files.read_capped(key, MAX_PEM_BYTES), None)
    except ValueError as error:
        raise CertificateError("is not a PEM private key", where=str(key)) from error
    if not isinstance(private, ec.EllipticCurvePrivateKey):
        raise CertificateError("is not an elliptic-curve key", where=str(key))
    if private.public_key() != certificate.public_key():
        raise CertificateError("does not belong to ca.pem", where=str(key))
    return Authority(certificate, private)


def issue(
    authority: Authority,
    hosts: tuple[str, ...],
    *,
    now: datetime,
    rng: Dice,
    life: timedelta = LEAF_LIFE,
) -> tuple[bytes, bytes]:
    """A leaf for these names: the chain (leaf and root) and the key, both PEM."""
    key = ec.generate_private_key(ec.SECP384R1())
    root = authority.certificate
    identifier = x509.SubjectKeyIdentifier.from_public_key(authority.key.public_key())
    certificate = (
        _builder(
            x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, hosts[0][:64])]),
            root.subject,
            key,
            now,
            min(life, root.not_valid_after_utc - now),
            rng,
        )
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts]), critical=False
        )
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier),
            critical=False,
        )
        .sign(authority.key, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM) + authority.pem, pem_of_key(key)


def pem_of_key(key: ec.EllipticCurvePrivateKey) -> bytes:
    """PKCS #8, unencrypted: its file's mode protects it."""
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    now: datetime,
    life: timedelta,
    rng: Dice,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(rng.getrandbits(SERIAL_BITS - 1) | 1 << (SERIAL_BITS - 1))
        .not_valid_before(now - BACKDATED)
        .not_valid_after(now + life)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )
