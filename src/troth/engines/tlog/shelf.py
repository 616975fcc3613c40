"""The published files of a log, as its one writer handles them.

While the log grows, files are put in place whole but are not yet handed to the disk: the journal
can make them again. `sync` hands over all of them, after which the journal may start afresh.
"""

from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from troth.adapters import files
from troth.engines.tlog.errors import LogError
from troth.engines.tlog.merkle import HASH_BYTES
from troth.engines.tlog.tiles import MAX_BUNDLE_BYTES, WIDTH, beginning, tile_path


@dataclass(frozen=True, slots=True)
class Tile:
    """A tile, or with level "entries" a bundle: where it stands and what is in it."""

    level: int | str
    index: int
    width: int
    data: bytes

    @property
    def path(self) -> str:
        """Below the log's folder."""
        return tile_path(self.level, self.index, self.width)

    def beginning(self, width: int) -> bytes:
        """The data of its partial form of `width`."""
        if self.level == "entries":
            return beginning(self.data, width)
        return self.data[: width * HASH_BYTES]

    @property
    def partials(self) -> str:
        """The folder of its partial forms."""
        return tile_path(self.level, self.index, 1).removesuffix("/1")


class Shelf:
    """The tiles and bundles below `directory`."""

    def __init__(self, directory: Path, kept_partials: int | None = None) -> None:
        self.directory = directory
        self.kept_partials = kept_partials
        self.base = 0
        self._loose: dict[Path, set[Path]] = {}  # by folder: put, and not yet handed to the disk

    def put(self, tile: Tile) -> None:
        """Write a tile. Raises FileError."""
        path = self.directory / tile.path
        if path.parent not in self._loose:
            files.make_folder(path.parent, durable=False)
        files.write_atomic(path, tile.data, durable=False)
        self._loose.setdefault(path.parent, set()).add(path)

    def stands(self, tile: Tile) -> bool:
        """Whether it stands as computed; False when it has yet to be written.

        Missing, empty, or cut short: that is what a crash leaves of a file that was never handed
        to the disk. Other bytes are damage or a forgery: LogError.
        """
        path = self.directory / tile.path
        found = self._read(path)
        if found == tile.data:
            self._loose.setdefault(path.parent, set()).add(path)
            return True
        if found is None or (len(found) < len(tile.data) and tile.data.startswith(found)):
            return False
        raise _differs(path)

    def check(self, tile: Tile) -> None:
        """Raise LogError unless a tile that was made durable stands as computed."""
        path = self.directory / tile.path
        if self._read(path) != tile.data:
            raise _differs(path)

    def check_older(self, tile: Tile) -> None:
        """Raise LogError unless each older partial form of the tile is the beginning it must be."""
        for path in (self.directory / tile.partials).glob("[0-9]*"):
            width = int(path.name) if path.name.isdecimal() else WIDTH
            if width > tile.width or not tile.beginning(width).startswith(self._read(path) or b""):
                raise _differs(path)

    def bundle(self, index: int, width: int) -> bytes:
        """The bundle, or where a full one took the place of a partial one, the full one."""
        for wide in (width, WIDTH):
            path = self.directory / tile_path("entries", index, wide)
            found = self._read(path)
            if found is not None:
                return found
        raise LogError("a bundle is missing", where=str(path), mend="restore the log")

    def drop_older(self, tile: Tile) -> None:
        """Remove the partial forms of a full tile (c2sp.org/tlog-tiles, partial tiles).

        Of an unfinished tile all but the newest `kept_partials` go, where that was chosen, and the
        form at `base`, the size from which the journal leads on: recovery begins there.
        """
        folder = self.directory / tile.partials
        if tile.width == WIDTH:
            self._loose.pop(folder, None)
            files.remove_folder(folder)
        elif self.kept_partials is not None:
            widths = sorted(int(p.name) for p in folder.glob("[0-9]*") if p.name.isdecimal())
            level = 0 if isinstance(tile.level, str) else tile.level
            needed = (self.base >> (8 * level)) - tile.index * WIDTH
            for width in widths[: -self.kept_partials]:
                if width == needed:
                    continue
                path = folder / str(width)
                self._loose.get(folder, set()).discard(path)
                path.unlink(missing_ok=True)

    def sync(self) -> None:
        """Hand everything that was put since the last time to the disk. Raises FileError."""
        files.sync_files(chain.from_iterable(self._loose.values()), root=self.directory)
        self._loose.clear()

    def _read(self, path: Path) -> bytes | None:
        try:
            return files.read_capped(path, MAX_BUNDLE_BYTES)
        except FileNotFoundError:
            return None


def _differs(path: Path) -> LogError:
    return LogError(
        "a published file differs from the log's record",
        where=str(path),
        mend="keep this folder as it is for the inquiry, and restore the log from a copy",
    )
