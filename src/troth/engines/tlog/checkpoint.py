"""Checkpoints (c2sp.org/tlog-checkpoint) and timestamped cosignatures (c2sp.org/tlog-cosignature).

A checkpoint names a log's origin, its size and its root. The log signs it twice with one key: as a
note, and as a timestamped statement "as of this second, this is my largest tree", the form
in which witnesses cosign it too. So a checkpoint says when it was made, in a standard's words.
"""

import base64
import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from troth.engines.tlog.errors import LogError
from troth.engines.tlog.merkle import HASH_BYTES
from troth.engines.tlog.note import (
    Algorithm,
    NoteSigner,
    NoteVerifier,
    Signature,
    decode_base64,
    format_note,
    open_note,
    parse_note,
)

_HEADER = "cosignature/v1"
_MAX_SIZE = 2**63 - 1
_TIME_BYTES = 8


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A tree's head: whose, how many leaves, their root."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """The note's text, with its last newline."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


def parse_checkpoint(text: str) -> Checkpoint:
    """Read a checkpoint's text. Raises LogError; extension lines too: we write none."""
    origin, *rest = text.split("\n")
    if len(rest) != 3 or rest[2] or not origin or origin == _HEADER:  # noqa: PLR2004 -- size, root, end
        raise LogError("not a checkpoint", where=text[:80])
    size, root = rest[0], decode_base64(rest[1], "root")
    if not re.fullmatch(r"0|[1-9][0-9]{0,18}", size) or int(size) > _MAX_SIZE:
        raise LogError("not a checkpoint's size", where=size[:40])
    if len(root) != HASH_BYTES:
        raise LogError("not a root hash", where=rest[1][:80])
    return Checkpoint(origin, int(size), root)


def _cosigned(text: str, seconds: int) -> bytes:
    return f"{_HEADER}\ntime {seconds}\n{text}".encode()


def cosign(text: str, key: NoteSigner, now: datetime) -> Signature:
    """A timestamped cosignature of a checkpoint's text (whole seconds, rounded down)."""
    seconds = int(now.timestamp())
    raw = struct.pack(">Q", seconds) + key.sign(_cosigned(text, seconds))
    return Signature(key.name, key.verifier(Algorithm.COSIGNATURE).key_id, raw)


def check_cosignature(text: str, signature: Signature, key: NoteVerifier) -> datetime:
    """When `key` (type cosignature) cosigned the text. Raises LogError unless it did."""
    if (signature.name, signature.key_id) != (key.name, key.key_id):
        raise LogError("a cosignature by another key", where=signature.name)
    if key.algorithm is not Algorithm.COSIGNATURE:
        raise LogError("not a cosigner's key", where=key.vkey)
    head, tail = signature.raw[:_TIME_BYTES], signature.raw[_TIME_BYTES:]
    seconds = int.from_bytes(head, "big")
    key.verify(tail, _cosigned(text, seconds))
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, OSError, ValueError) as error:
        raise LogError("a cosignature from no time", where=signature.name) from error


def sign_checkpoint(
    head: Checkpoint, key: NoteSigner, now: datetime, cosignatures: Sequence[Signature] = ()
) -> bytes:
    """The log's own signed checkpoint: note signature, own timestamp, then witnesses."""
    text = head.text()
    own = Signature(key.name, key.verifier().key_id, key.sign(text.encode()))
    return format_note(text, (own, cosign(text, key, now), *cosignatures))


def open_checkpoint(raw: bytes, key: NoteVerifier) -> Checkpoint:
    """The checkpoint of the log that `key` signs. Raises LogError for any other."""
    head = parse_checkpoint(open_note(raw, key).text)
    if head.origin != key.name:
        raise LogError("a checkpoint of another log", where=head.origin[:80])
    return head


def timestamp_of(raw: bytes, key: NoteVerifier) -> datetime:
    """When `key` cosigned: a witness's, or the log's own timestamp. Raises LogError if it did not.

    The key may be of either type: its cosigning twin (same name, same key) is looked for.
    """
    twin = NoteVerifier(key.name, key.public, Algorithm.COSIGNATURE)
    note = parse_note(raw)
    for signature in note.signatures:
        if (signature.name, signature.key_id) == (twin.name, twin.key_id):
            return check_cosignature(note.text, signature, twin)
    raise LogError("not timestamped by the key", where=twin.vkey)
