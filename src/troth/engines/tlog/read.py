"""Reading a log that somebody else writes: everything is verified before it is handed on.

A source is a folder or a `Fetch`: `fetch(path, limit)` gives a resource's bytes, at most `limit`,
and raises FileNotFoundError when there is none.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from troth.adapters import files
from troth.engines.tlog.checkpoint import Checkpoint, open_checkpoint, parse_checkpoint
from troth.engines.tlog.edge import Edge
from troth.engines.tlog.errors import LogError
from troth.engines.tlog.merkle import HASH_BYTES, leaf_hash
from troth.engines.tlog.note import MAX_NOTE_BYTES, NoteVerifier, parse_note
from troth.engines.tlog.tiles import (
    CHECKPOINT,
    MAX_BUNDLE_BYTES,
    WIDTH,
    Fetch,
    beginning,
    split_hashes,
    tile_path,
    tiles_of,
    unpack,
)

MAX_LEAVES = 1 << 28  # 8 GiB of hashes: more than a reader's memory; refused, not tried


def from_directory(directory: Path) -> Fetch:
    """The files of a log's folder, or of a copy of it."""

    def fetch(path: str, limit: int) -> bytes:
        return files.read_capped(directory / path, limit)

    return fetch


@dataclass(frozen=True, slots=True)
class VerifiedLog:
    """A log whose tree is verified; entries are checked as they are read."""

    head: Checkpoint
    signed: bytes
    fetch: Fetch
    hashes: tuple[bytes, ...]  # the level-0 tiles

    def entries(self, start: int = 0) -> Iterator[tuple[int, bytes]]:
        """Index and bytes of each leaf from `start`. Raises LogError at the first that differs."""
        for number in range(start // WIDTH, len(self.hashes)):
            tile = self.hashes[number]
            width = len(tile) // HASH_BYTES
            where = tile_path("entries", number, width)
            leaves = unpack(_bundle(self.fetch, number, width), width, where)
            if b"".join(map(leaf_hash, leaves)) != tile:
                raise LogError("entries that are not those of the tree", where=where)
            for offset, leaf in enumerate(leaves):
                if number * WIDTH + offset >= start:
                    yield number * WIDTH + offset, leaf


def read_log(source: Path | Fetch, key: NoteVerifier) -> VerifiedLog:
    """Verify a log's checkpoint and its whole tree.

    Raises:
        LogError: not signed by `key`, or the tiles do not make the signed root.
    """
    fetch = from_directory(source) if isinstance(source, Path) else source
    try:
        signed = fetch(CHECKPOINT, MAX_NOTE_BYTES)
    except FileNotFoundError as error:
        raise LogError("there is no checkpoint", where=str(source)) from error
    head = open_checkpoint(signed, key)
    if head.size > MAX_LEAVES:
        raise LogError(f"a log of more than {MAX_LEAVES} leaves", where=head.origin)
    edge, tiles = Edge(), []
    for index, width in tiles_of(head.size):
        tile = _tile(fetch, 0, index, width)
        tiles.append(tile)
        for level, number, row in edge.extend(split_hashes(tile, width, tile_path(0, index))):
            if level and _tile(fetch, level, number, WIDTH) != b"".join(row):
                raise LogError("a tile that is not the tree's", where=tile_path(level, number))
    if edge.root() != head.root:
        raise LogError("tiles that do not make the signed root", where=head.origin)
    for level, number, row in edge.unfinished():
        if level and _tile(fetch, level, number, len(row)) != b"".join(row):
            raise LogError("a tile that is not the tree's", where=tile_path(level, number))
    return VerifiedLog(head, signed, fetch, tuple(tiles))


def iter_entries(directory: Path) -> Iterator[tuple[int, bytes]]:
    """Index and bytes of each published leaf of a log of our own. Verifies no signature."""
    fetch = from_directory(directory)
    size = parse_checkpoint(parse_note(fetch(CHECKPOINT, MAX_NOTE_BYTES)).text).size
    for index, width in tiles_of(size):
        where = tile_path("entries", index, width)
        for offset, leaf in enumerate(unpack(_bundle(fetch, index, width), width, where)):
            yield index * WIDTH + offset, leaf


def _tile(fetch: Fetch, level: int, index: int, width: int) -> bytes:
    """A tile; where a full one took its place meanwhile, the beginning of that."""
    for wide in (width, WIDTH):
        try:
            found = fetch(tile_path(level, index, wide), WIDTH * HASH_BYTES)
        except FileNotFoundError:
            continue
        return found if wide == width else found[: width * HASH_BYTES]
    raise LogError("a tile is missing", where=tile_path(level, index, width))


def _bundle(fetch: Fetch, index: int, width: int) -> bytes:
    for wide in (width, WIDTH):
        try:
            found = fetch(tile_path("entries", index, wide), MAX_BUNDLE_BYTES)
        except FileNotFoundError:
            continue
        return found if wide == width else beginning(found, width)
    raise LogError("a bundle is missing", where=tile_path("entries", index, width))
