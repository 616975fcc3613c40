"""Signed notes (c2sp.org/signed-note), pure: text, and lines of who signed it with Ed25519.

A key has a name; its id is a short hash of name, type and public key. Two types are spoken here:
plain signatures over the text (0x01) and timestamped cosignatures (0x04, in `checkpoint`).
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from troth.engines.tlog.errors import LogError

MAX_NOTE_BYTES = 64 * 1024
MAX_SIGNATURES = 64  # Source: c2sp.org/signed-note, at least 16 must be accepted
_KEY_BYTES = 32
_KEY_ID_BYTES = 4
_SIGNATURE_BYTES = 64
_LINE = re.compile(r"— ([^\s+]+) ([A-Za-z0-9+/]+={0,2})")


class Algorithm(IntEnum):
    """Signature types (Source: c2sp.org/signed-note, signature types)."""

    ED25519 = 1
    COSIGNATURE = 4


def decode_base64(text: str, where: str) -> bytes:
    """Standard base64, in its one canonical spelling. Raises LogError."""
    try:
        raw = base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error) as error:
        raise LogError("not base64", where=where) from error
    if base64.b64encode(raw).decode() != text:
        raise LogError("base64 in an odd spelling", where=where)
    return raw


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line: name, key id (4 bytes), and the bytes after it."""

    name: str
    key_id: bytes
    raw: bytes

    def line(self) -> str:
        """As it stands in a note, without newline."""
        return f"— {self.name} {base64.b64encode(self.key_id + self.raw).decode()}"


@dataclass(frozen=True, slots=True)
class NoteVerifier:
    """A known key: who, which type, the 32 public bytes."""

    name: str
    public: bytes
    algorithm: Algorithm = Algorithm.ED25519

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[^\s+]+", self.name) or len(self.public) != _KEY_BYTES:
            raise LogError("not a key's name with 32 bytes", where=self.name[:80])

    @classmethod
    def parse(cls, vkey: str) -> "NoteVerifier":
        """Read `name+hexid+base64(type || key)`. Raises LogError."""
        name, _, rest = vkey.strip().partition("+")
        hex_id, _, material = rest.partition("+")
        raw = decode_base64(material, "vkey")
        if not raw or raw[0] not in tuple(Algorithm):
            raise LogError("a verifier key of a type not spoken here", where=name[:80])
        key = cls(name, raw[1:], Algorithm(raw[0]))
        if key.key_id.hex() != hex_id:
            raise LogError("a verifier key whose id is not its own", where=name[:80])
        return key

    @property
    def key_id(self) -> bytes:
        """The 4 bytes by which signature lines name it."""
        material = self.name.encode() + b"\n" + bytes([self.algorithm]) + self.public
        return hashlib.sha256(material).digest()[:_KEY_ID_BYTES]

    @property
    def vkey(self) -> str:
        """Its printable form, which `parse` reads."""
        material = base64.b64encode(bytes([self.algorithm]) + self.public).decode()
        return f"{self.name}+{self.key_id.hex()}+{material}"

    def verify(self, signature: bytes, message: bytes) -> None:
        """Raise LogError unless this key signed exactly `message`."""
        if len(signature) != _SIGNATURE_BYTES:
            raise LogError("a signature of the wrong length", where=self.name)
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, message)
        except (InvalidSignature, ValueError) as error:
            raise LogError("a signature that does not verify", where=self.name) from error


@dataclass(frozen=True, slots=True)
class NoteSigner:
    """A key that signs. The private half stays in the closure and is never shown."""

    name: str
    public: bytes
    sign: Callable[[bytes], bytes]

    @classmethod
    def from_private(cls, name: str, key: Ed25519PrivateKey) -> "NoteSigner":
        """Of a private key; `name` is the log's origin or the witness's name."""
        return cls(name, key.public_key().public_bytes_raw(), key.sign)

    def verifier(self, algorithm: Algorithm = Algorithm.ED25519) -> NoteVerifier:
        """The public half."""
        return NoteVerifier(self.name, self.public, algorithm)


@dataclass(frozen=True, slots=True)
class Note:
    """A note taken apart. Taking apart verifies nothing: see `open_note`."""

    text: str
    signatures: tuple[Signature, ...]


def parse_note(raw: bytes) -> Note:
    """Take a note apart, strictly. Raises LogError."""
    if len(raw) > MAX_NOTE_BYTES:
        raise LogError(f"a note over {MAX_NOTE_BYTES} bytes")
    try:
        whole = raw.decode()
    except UnicodeDecodeError as error:
        raise LogError("a note that is not UTF-8") from error
    text, gap, tail = whole.rpartition("\n\n")
    if not gap or not tail.endswith("\n") or re.search(r"[\x00-\x09\x0b-\x1f]", whole):
        raise LogError("not a signed note")
    lines = tail[:-1].split("\n")
    if len(lines) > MAX_SIGNATURES:
        raise LogError(f"a note with more than {MAX_SIGNATURES} signatures")
    return Note(text + "\n", tuple(parse_signature(line) for line in lines))


def parse_signature(line: str) -> Signature:
    """One signature line without its newline. Raises LogError."""
    found = _LINE.fullmatch(line)
    raw = decode_base64(found[2], "signature line") if found else b""
    if found is None or len(raw) <= _KEY_ID_BYTES:
        raise LogError("not a signature line", where=line[:80])
    return Signature(found[1], raw[:_KEY_ID_BYTES], raw[_KEY_ID_BYTES:])


def format_note(text: str, signatures: Sequence[Signature]) -> bytes:
    """The note's bytes."""
    return (text + "\n" + "".join(s.line() + "\n" for s in signatures)).encode()


def open_note(raw: bytes, key: NoteVerifier) -> Note:
    """Take a note apart and verify that `key` (type Ed25519) signed its text.

    Signatures by other keys are passed over, as the format demands. Raises LogError when the key
    did not sign, or a line that names it does not verify.
    """
    note = parse_note(raw)
    mine = [s for s in note.signatures if (s.name, s.key_id) == (key.name, key.key_id)]
    if not mine:
        raise LogError("not signed by the key", where=key.vkey)
    for signature in mine:
        key.verify(signature.raw, note.text.encode())
    return note
