"""The writer's journal, pure: what was made durable before it was published.

A header holds the tree's edge at the point from which on the journal tells; then one record for
each group commit. Each record's digest covers the one before it, so records cannot be dropped,
swapped or changed unseen. Only the last may be torn: a write that was never acknowledged.
"""

import hashlib
import struct
from dataclasses import dataclass

from troth.engines.tlog.edge import Edge
from troth.engines.tlog.errors import LogError
from troth.engines.tlog.merkle import HASH_BYTES
from troth.engines.tlog.tiles import WIDTH, unpack

MAX_BATCH_BYTES = 16 * 1024 * 1024
MAX_BATCH = 65_536
ROTATE_BYTES = 32 * 1024 * 1024  # a restart replays this much at most, in about half a second
_MAGIC = b"troth journal 1\n"
_HEAD = struct.Struct(">QH")  # time (ms since 1970), levels
_RECORD = struct.Struct(">QQII")  # first index, time (ms), count, payload bytes
DIGEST_BYTES = hashlib.sha256().digest_size
_MAX_LEVELS = 8
MAX_BYTES = ROTATE_BYTES + MAX_BATCH_BYTES + 2 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """One group commit: entries with their lengths before them, as bundles hold them."""

    first: int
    time_ms: int
    count: int
    payload: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Journal:
    """What a journal tells.

    Args:
        edge: the tree's unfinished tiles where the journal begins.
        time_ms: the last time known there.
        sound_bytes: up to where the bytes are whole; what follows was never acknowledged.
        digest: of the last whole record (or the header), from which the next is chained.
    """

    edge: tuple[tuple[bytes, ...], ...]
    time_ms: int
    batches: tuple[Batch, ...]
    sound_bytes: int
    digest: bytes


def begin(edge: Edge, time_ms: int) -> bytes:
    """A journal's first bytes; its last 32 are the digest to chain from."""
    rows = b"".join(struct.pack(">H", len(row)) + b"".join(row) for row in edge.rows)
    head = _MAGIC + _HEAD.pack(time_ms, len(edge.rows)) + rows
    return head + hashlib.sha256(head).digest()


def record(digest: bytes, batch: Batch) -> tuple[bytes, bytes]:
    """A batch as bytes, and its digest."""
    if batch.count > MAX_BATCH or len(batch.payload) > MAX_BATCH_BYTES:
        raise ValueError(f"a batch of {batch.count} leaves, {len(batch.payload)} bytes: split it")
    head = _RECORD.pack(batch.first, batch.time_ms, batch.count, len(batch.payload))
    chained = _chain(digest, head, batch.payload)
    return b"".join((head, chained, batch.payload)), chained


def _chain(digest: bytes, head: bytes, payload: bytes) -> bytes:
    chained = hashlib.sha256(digest + head)
    chained.update(payload)
    return chained.digest()


def entries(batch: Batch) -> list[bytes]:
    """The batch's leaves. Raises LogError when the payload is not what the format says."""
    return unpack(batch.payload, batch.count, f"journal, batch at {batch.first}")


def parse(raw: bytes, where: str) -> Journal:
    """Read a journal. A torn last record is left out; anything else odd raises LogError."""
    rows, time_ms, at = _parse_head(raw, where)
    digest, batches = raw[at - DIGEST_BYTES : at], []
    due = Edge(rows).size
    while (start := at) < len(raw):
        body = start + _RECORD.size + DIGEST_BYTES
        if body > len(raw):
            break
        first, moment, count, length = _RECORD.unpack_from(raw, start)
        at = body + length
        if at > len(raw):
            at = start
            break
        payload = raw[body:at]
        chained = _chain(digest, raw[start : start + _RECORD.size], payload)
        if chained != raw[start + _RECORD.size : body]:
            if at < len(raw):
                raise LogError("a journal with a damaged record", where=f"{where}, byte {start}")
            at = start
            break
        if first != due or moment < time_ms or not 0 < count <= MAX_BATCH:
            raise LogError("a journal that does not follow on", where=f"{where}, byte {start}")
        batches.append(Batch(first=first, time_ms=moment, count=count, payload=payload))
        digest, time_ms, due = chained, moment, due + count
    return Journal(
        edge=rows,
        time_ms=time_ms,
        batches=tuple(batches),
        sound_bytes=at,
        digest=digest,
    )


def _parse_head(raw: bytes, where: str) -> tuple[tuple[tuple[bytes, ...], ...], int, int]:
    """The edge, the time, and where the records begin."""
    try:
        if not raw.startswith(_MAGIC):
            raise LogError("not a journal", where=where)
        time_ms, levels = _HEAD.unpack_from(raw, len(_MAGIC))
        at, rows = len(_MAGIC) + _HEAD.size, []
        if levels > _MAX_LEVELS:
            raise LogError("a journal with a damaged head", where=where)
        for _ in range(levels):
            (width,) = struct.unpack_from(">H", raw, at)
            end = at + 2 + width * HASH_BYTES
            rows.append(_hashes(raw[at + 2 : end]))
            at = end
    except struct.error as error:
        raise LogError("a journal with a damaged head", where=where) from error
    digest = hashlib.sha256(raw[:at]).digest()
    if raw[at : at + DIGEST_BYTES] != digest or any(len(row) >= WIDTH for row in rows):
        raise LogError("a journal with a damaged head", where=where)
    return tuple(rows), time_ms, at + DIGEST_BYTES


def _hashes(raw: bytes) -> tuple[bytes, ...]:
    return tuple(raw[at : at + HASH_BYTES] for at in range(0, len(raw), HASH_BYTES))
