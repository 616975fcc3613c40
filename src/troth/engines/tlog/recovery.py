"""What a log's folder says of itself, read and checked before anything is written.

The journal must lead to the signed root; every published file must be what the tree says. Looking
changes nothing: `look` returns what to mend, or raises LogError.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from troth.adapters import files
from troth.engines.tlog import journal as journals
from troth.engines.tlog.checkpoint import Checkpoint, open_checkpoint, timestamp_of
from troth.engines.tlog.edge import Edge
from troth.engines.tlog.errors import LogError
from troth.engines.tlog.merkle import leaf_hash
from troth.engines.tlog.note import MAX_NOTE_BYTES, NoteVerifier
from troth.engines.tlog.shelf import Shelf, Tile
from troth.engines.tlog.tiles import CHECKPOINT, WIDTH, beginning, pack, tiles_of, unpack

CLOCK_SLACK = timedelta(seconds=2)  # what a time server may pull back; recorded times never do
OWN = ".writer"  # the writer's own folder; a web server need not serve it
RESTORE = "keep this folder as it is for the inquiry, and restore the log from a copy"
_MS = timedelta(milliseconds=1)
_EPOCH = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A sound log as found.

    Args:
        head, signed: the published checkpoint.
        base: how many leaves there were when the journal began.
        edge: of all that is journalled, which may be more than is published.
        tail: the packed entries of the unfinished bundle.
        time_ms: the latest time recorded.
        digest, journal_bytes: where the journal goes on.
        tiles: every tile and bundle since the journal began, as it must be.
    """

    head: Checkpoint
    signed: bytes
    base: int
    edge: Edge
    tail: list[bytes]
    time_ms: int
    digest: bytes
    journal_bytes: int
    tiles: tuple[Tile, ...]


def look(directory: Path, key: NoteVerifier, now: datetime) -> Found | None:
    """Check the whole log; None when there is none yet.

    Raises:
        LogError: damaged, incomplete, signed by another key, or from after `now`.
    """
    path = directory / OWN / "journal"
    raw = _existing(path, journals.MAX_BYTES)
    signed = _existing(directory / CHECKPOINT, MAX_NOTE_BYTES)
    told = journals.parse(raw, str(path)) if raw is not None else None
    if told is None or signed is None:
        is_begun = told is not None and bool(told.batches or told.edge)
        if signed is None and not is_begun and not (directory / "tile").exists():
            return None
        missing = path if told is None else directory / CHECKPOINT
        raise LogError("a file of the log is missing", where=str(missing), mend=RESTORE)
    head = open_checkpoint(signed, key)
    last = told.batches[-1].time_ms if told.batches else told.time_ms
    reached = max(last, milliseconds(timestamp_of(signed, key)))
    tick(reached, now)
    leaves = [leaf for batch in told.batches for leaf in journals.entries(batch)]
    hashes = [leaf_hash(leaf) for leaf in leaves]
    _check_root(directory, head, told, hashes)
    shelf = Shelf(directory)
    edge, tail = _check_published(shelf, told)
    tiles = tuple(grow(edge, tail, [pack(leaf) for leaf in leaves], hashes, is_all=True))
    for tile in tiles:
        shelf.check_older(tile)
        shelf.stands(tile)
    return Found(
        head=head,
        signed=signed,
        base=Edge(told.edge).size,
        edge=edge,
        tail=tail,
        time_ms=reached,
        digest=told.digest,
        journal_bytes=told.sound_bytes,
        tiles=tiles,
    )


def milliseconds(moment: datetime) -> int:
    """Since 1970."""
    return (moment - _EPOCH) // _MS


def moment_of(time_ms: int) -> datetime:
    """The inverse of `milliseconds`."""
    return _EPOCH + time_ms * _MS


def tick(last_ms: int, now: datetime) -> int:
    """The time to record: `now`, never earlier than the last. LogError when the clock went back."""
    last = moment_of(last_ms)
    if now + CLOCK_SLACK < last:
        raise LogError(
            f"the clock went back: it says {now.isoformat()}, the log has seen {last.isoformat()}",
            mend="set the clock right",
        )
    return max(milliseconds(now), last_ms)


def _existing(path: Path, limit: int) -> bytes | None:
    try:
        return files.read_capped(path, limit)
    except FileNotFoundError:
        return None


def _check_root(
    directory: Path, head: Checkpoint, told: journals.Journal, hashes: Sequence[bytes]
) -> None:
    """The journal must lead from its edge through the signed root."""
    edge = Edge(told.edge)
    covered = head.size - edge.size
    if not 0 <= covered <= len(hashes):
        raise LogError(
            f"the checkpoint has {head.size} leaves, the journal reaches "
            f"from {edge.size} to {edge.size + len(hashes)}",
            where=str(directory),
            mend=RESTORE,
        )
    for _ in edge.extend(hashes[:covered]):
        pass
    if edge.root() != head.root:
        raise LogError(
            "the journal leads to another root than the one signed",
            where=str(directory),
            mend=RESTORE,
        )


def _check_published(shelf: Shelf, told: journals.Journal) -> tuple[Edge, list[bytes]]:
    """Recompute all from before the journal: it was made durable, so it must be equal."""
    edge, tail = Edge(), list[bytes]()
    for index, width in tiles_of(Edge(told.edge).size):
        bundle = shelf.bundle(index, width)
        where = f"{shelf.directory}, bundle {index}"
        if width < WIDTH:
            bundle = beginning(bundle, width)
        leaves = unpack(bundle, width, where)
        if width < WIDTH:
            tail = [pack(leaf) for leaf in leaves]
        for level, number, row in edge.extend([leaf_hash(leaf) for leaf in leaves]):
            shelf.check(Tile(level, number, WIDTH, b"".join(row)))
    if tuple(map(tuple, edge.rows)) != told.edge:
        raise LogError(
            "the published entries are not those of the journal",
            where=str(shelf.directory),
            mend=RESTORE,
        )
    return edge, tail


def grow(
    edge: Edge,
    tail: list[bytes],
    packed: Sequence[bytes],
    hashes: Sequence[bytes],
    *,
    is_all: bool = False,
) -> list[Tile]:
    """Add leaves to edge and tail, in place; the tiles and bundles that change by it.

    `packed` and `hashes` are of the same leaves; `is_all` adds unfinished tiles that stayed.
    """
    first = edge.size // WIDTH
    row = [*tail, *packed]
    tiles = [
        Tile("entries", first + index, width, b"".join(row[index * WIDTH : index * WIDTH + width]))
        for index, width in tiles_of(len(row))
    ]
    tail[:] = row[len(row) // WIDTH * WIDTH :]
    touched = {0}
    for level, index, hashed in edge.extend(hashes):
        tiles.append(Tile(level, index, WIDTH, b"".join(hashed)))
        touched.add(level + 1)
    for level, index, hashed in edge.unfinished():
        if is_all or level in touched:
            tiles.append(Tile(level, index, len(hashed), b"".join(hashed)))
    return tiles
