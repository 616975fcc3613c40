"""The right edge of a tiled tree, pure: of each level the hashes of its unfinished tile.

It is all that growing the tree and knowing its root need: at most 255 hashes a level.
"""

from collections.abc import Iterator, Sequence

from troth.engines.tlog.merkle import EMPTY_ROOT, root_of
from troth.engines.tlog.tiles import HEIGHT, WIDTH

FullTile = tuple[int, int, list[bytes]]
"""Level, index, and the 256 hashes of a tile that was just finished."""


class Edge:
    """A growing tree of which only the edge is kept."""

    def __init__(self, rows: Sequence[Sequence[bytes]] = ()) -> None:
        """Of the unfinished tiles' hashes, level 0 first, each shorter than 256."""
        self.rows = [list(row) for row in rows]
        self.size = sum(len(row) << HEIGHT * level for level, row in enumerate(self.rows))

    def extend(self, hashes: Sequence[bytes]) -> Iterator[FullTile]:
        """Add leaf hashes; yields every tile that this finishes, lower levels first."""
        self.size += len(hashes)
        level, first = 0, (self.size - len(hashes)) // WIDTH
        while hashes:
            if level == len(self.rows):
                self.rows.append([])
            row = self.rows[level] + list(hashes)
            finished, rest = divmod(len(row), WIDTH)
            parents = []
            for number in range(finished):
                tile = row[number * WIDTH : (number + 1) * WIDTH]
                parents.append(root_of(tile))
                yield level, first + number, tile
            self.rows[level] = row[len(row) - rest :]
            level, first, hashes = level + 1, first // WIDTH, parents

    def unfinished(self) -> Iterator[FullTile]:
        """The level, index and hashes of each tile that is not finished and not empty."""
        for level, row in enumerate(self.rows):
            if row:
                yield level, (self.size >> HEIGHT * (level + 1)), row

    def root(self) -> bytes:
        """The tree's root: each level's hashes, and what stands right of them as the last."""
        acc: list[bytes] = []
        for row in self.rows:
            if row or acc:
                acc = [root_of([*row, *acc])]
        return acc[0] if acc else EMPTY_ROOT
