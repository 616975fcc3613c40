"""The newest rounds, as sealed: one line each, in files of five minutes, oldest first.

`YYYYmmddTHHMM.jsonl` (UTC, when the ledger admitted them). A file only grows, then goes away whole:
a reader may poll sizes. A last line without a newline is still being written; readers leave it.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from troth.adapters import files

SPAN = timedelta(minutes=5)
KEEP = timedelta(hours=2)  # an hour is served; the one before may not yet be in the log's root
MAX_FILE_BYTES = 64 * 1024 * 1024
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
_NAME = re.compile(r"(\d{8}T\d{4})\.jsonl")


class Ring:
    """The writer, of whom there is one."""

    def __init__(self, folder: Path) -> None:
        """Take the folder up as it was left; a torn last line, never acknowledged, is cut off."""
        self._folder = folder
        files.make_folder(folder)
        self._newest: datetime | None = None
        self._appender: files.Appender | None = None
        for start, path in segments(folder):
            self._newest = start
            raw = files.read_capped(path, MAX_FILE_BYTES)
            whole = raw.rfind(b"\n") + 1
            if whole < len(raw):
                appender = files.Appender(path, mode=files.PUBLIC)
                appender.cut(whole)
                appender.close()

    def add(self, raw: bytes, now: datetime) -> None:
        """Keep a sealed round, durably when this returns. Raises FileError."""
        start = segment_of(now)
        if self._appender is None or (self._newest is not None and start > self._newest):
            self.close()
            self._newest = max(start, self._newest) if self._newest else start
            path = self._folder / f"{self._newest:%Y%m%dT%H%M}.jsonl"
            self._appender = files.Appender(path, mode=files.PUBLIC)
        self._appender.append(raw + b"\n")

    def prune(self, before: datetime) -> None:
        """Remove files that ended before that moment."""
        for start, path in segments(self._folder):
            if start + SPAN <= before and start != self._newest:
                path.unlink(missing_ok=True)

    def close(self) -> None:
        """Let go of the open file."""
        if self._appender is not None:
            self._appender.close()
            self._appender = None


def segment_of(moment: datetime) -> datetime:
    """The start of the five minutes that a moment is in."""
    utc = moment.astimezone(UTC).replace(second=0, microsecond=0)
    return utc - timedelta(minutes=utc.minute % (SPAN // timedelta(minutes=1)))


def segments(folder: Path) -> list[tuple[datetime, Path]]:
    """The files with the start of each, oldest first; none when there is no folder."""
    found = []
    try:
        for path in folder.iterdir():
            name = _NAME.fullmatch(path.name)
            if name:
                found.append((datetime.strptime(name[1] + "+0000", "%Y%m%dT%H%M%z"), path))
    except FileNotFoundError:
        return []
    return sorted(found)


def read(folder: Path, since: datetime, until: datetime | None = None) -> Iterator[bytes]:
    """Sealed rounds in files that begin at `since` or later and before `until`, oldest first.

    For the last hour, ask since `segment_of(now - 1 h)`. Files that go away meanwhile are passed
    over. Raises FileError.
    """
    for start, path in segments(folder):
        if start >= since and (until is None or start < until):
            try:
                raw = files.read_capped(path, MAX_FILE_BYTES)
            except FileNotFoundError:
                continue
            yield from raw.split(b"\n")[:-1]


def document(folder: Path, since: datetime, generated: str) -> bytes:
    """The rounds as `/api/v1/looks` serves them: `{"generated", "rounds": [...]}`, newest last.

    Nothing is parsed: every line is a canonical envelope, admitted by the ledger. Readers verify.

    Args:
        folder: of the ring.
        since: as in `read`.
        generated: the stamp to say.
    """
    lines = b",\n".join(read(folder, since))
    return b'{"generated":"%b","rounds":[\n%b\n]}\n' % (generated.encode(), lines)


class Follower:
    """Reads only what is new since it last looked: for whoever keeps up with the ring."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read: dict[Path, int] = {}

    def new(self) -> list[bytes]:
        """Sealed rounds that came since the last call (at first: all), oldest first."""
        found: list[bytes] = []
        standing = [path for _, path in segments(self._folder)]
        self._read = {path: size for path, size in self._read.items() if path in standing}
        for path in standing:
            done = self._read.get(path, 0)
            try:
                if path.stat().st_size <= done:
                    continue
                raw = files.read_capped(path, MAX_FILE_BYTES)[done:]
            except FileNotFoundError:
                continue
            whole = raw.rfind(b"\n") + 1
            found += raw[:whole].split(b"\n")[:-1]
            self._read[path] = done + whole
        return found
