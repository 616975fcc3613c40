"""The static layout of c2sp.org/tlog-tiles, pure: names of tiles, bundles of entries.

A tile of level L holds up to 256 hashes, each of a full tile of the level below (level 0: of a
leaf). A bundle holds the 256 entries under a level-0 tile, each with its length before it.
"""

import struct
from collections.abc import Callable, Iterator, Sequence

from troth.engines.tlog.errors import LogError
from troth.engines.tlog.merkle import HASH_BYTES, Perfect, root_of

WIDTH = 256  # Source: c2sp.org/tlog-tiles, full tiles are exactly 256 hashes wide
HEIGHT = 8
MAX_ENTRY_BYTES = 0xFFFF  # Source: c2sp.org/tlog-tiles, entries have a uint16 length before them
MAX_BUNDLE_BYTES = WIDTH * (2 + MAX_ENTRY_BYTES)
CHECKPOINT = "checkpoint"

Fetch = Callable[[str, int], bytes]
"""`fetch(path, limit)`: the resource's bytes, `limit` at most; FileNotFoundError: there is none."""


def tile_path(level: int | str, index: int, width: int = WIDTH) -> str:
    """The path of a tile (or of a bundle, level "entries"), partial when narrower than 256."""
    digits = f"{index % 1000:03d}"
    index //= 1000
    while index:
        digits = f"x{index % 1000:03d}/{digits}"
        index //= 1000
    partial = "" if width == WIDTH else f".p/{width}"
    return f"tile/{level}/{digits}{partial}"


def tiles_of(count: int) -> Iterator[tuple[int, int]]:
    """The (index, width) of every tile that holds `count` hashes of one level."""
    full, rest = divmod(count, WIDTH)
    for index in range(full):
        yield index, WIDTH
    if rest:
        yield full, rest


def pack(entry: bytes) -> bytes:
    """An entry as a bundle holds it. ValueError when it is too long for the format."""
    if len(entry) > MAX_ENTRY_BYTES:
        raise ValueError(f"an entry of {len(entry)} bytes; the format ends at {MAX_ENTRY_BYTES}")
    return struct.pack(">H", len(entry)) + entry


def unpack(bundle: bytes, count: int, where: str) -> list[bytes]:
    """The `count` entries of a bundle. Raises LogError when it holds anything else."""
    entries, at, end = [], 0, len(bundle)
    for _ in range(count):
        start = at + 2
        at = start + int.from_bytes(bundle[at:start], "big")
        if start > end or at > end:
            raise LogError("a bundle that ends too early", where=where)
        entries.append(bundle[start:at])
    if at != end:
        raise LogError("a bundle with bytes after its last entry", where=where)
    return entries


def beginning(bundle: bytes, count: int) -> bytes:
    """The first `count` entries of a bundle that has meanwhile grown wider."""
    end = 0
    for _ in range(count):
        end += 2 + int.from_bytes(bundle[end : end + 2], "big")
    return bundle[:end]


def split_hashes(tile: bytes, width: int, where: str) -> list[bytes]:
    """The hashes of a tile. Raises LogError unless there are exactly `width`."""
    if len(tile) != width * HASH_BYTES:
        raise LogError(f"a tile that is not {width} hashes wide", where=where)
    return [tile[at : at + HASH_BYTES] for at in range(0, len(tile), HASH_BYTES)]


def perfect_from_tiles(fetch: Fetch, size: int) -> Perfect:
    """The hashes of perfect ranges within a tree of `size`, read from its tiles as needed.

    Nothing is verified here: what proofs are made of is checked against a root by their reader.
    """
    seen: dict[tuple[int, int], Sequence[bytes]] = {}

    def tile(level: int, index: int) -> Sequence[bytes]:
        key = (level, index)
        if key not in seen:
            width = min(WIDTH, (size >> (HEIGHT * level)) - index * WIDTH)
            path = tile_path(level, index, width)
            seen[key] = split_hashes(fetch(path, WIDTH * HASH_BYTES), width, path)
        return seen[key]

    def perfect(height: int, index: int) -> bytes:
        level, low = divmod(height, HEIGHT)
        first = index << low
        hashes = tile(level, first // WIDTH)
        return root_of(hashes[first % WIDTH : first % WIDTH + (1 << low)])

    return perfect
