"""Records on their way: appended by a thread of their own, so that nobody who has one ever waits.

A folder of segments, each a file of lines, one record a line. The name of a segment begins with
when it was begun (milliseconds), so names sort by age. Each process writes segments of its own and
holds a lock on the one it writes; what a dead process left half written is cut off by the next that
opens the folder. What was written survives the process from then on, and a power cut from the next
`fsync` on, which is `sync_s` later at most.

Fails open, because a full disk must not stop a guard: a record for which there is no room (in
memory or on disk) is dropped, counted in `lost`, and told once a minute. Oldest segments make room
for new ones, and none grows older than `keep`.
"""

import fcntl
import os
import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from troth.adapters import clock

SUFFIX = ".jsonl"
MAX_RECORD_BYTES = 256 * 1024
TELL_EVERY_S = 60.0
GATHER_S = 0.02  # a record is in the file this soon after it was put
ENDING = b"\n"

Told = Callable[[str, dict[str, object]], None]
Make = Callable[[], bytes]  # the record without a line break; called in the writer's thread


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How much a spool may hold.

    Args:
        queued: records in memory.
        segment_bytes: of one file.
        total_bytes: of all files in the folder, of all processes.
        keep: no record is older than this plus a fortieth of it.
        sync_s: how long a record may wait for `fsync`.
        mode: of the files.
    """

    queued: int = 10_000
    segment_bytes: int = 4 * 1024 * 1024
    total_bytes: int = 64 * 1024 * 1024
    keep: timedelta = timedelta(days=7)
    sync_s: float = 1.0
    mode: int = 0o640


class Spool:
    """One process's way into a folder; the thread begins with the first record.

    Args:
        folder: exists, or its parent does.
        told: an event's name and fields, from the writer's thread.
    """

    def __init__(self, folder: Path, told: Told, bounds: Bounds | None = None) -> None:
        self.folder = folder
        self.bounds = bounds or Bounds()
        self.lost = 0
        self.written = 0
        self.told = told
        self.queue: deque[Make] = deque()
        self.wanted = threading.Event()
        self.closing = threading.Event()
        self._thread: threading.Thread | None = None
        self._pid = 0

    def put(self, make: Make) -> bool:
        """Take a record; whether there was room for it. Never blocks, never raises."""
        if len(self.queue) >= self.bounds.queued or self.closing.is_set():
            self.lost += 1
            return False
        self.queue.append(make)
        if self._pid != os.getpid():  # the first record, or the first after a fork
            self._begin()
        self.wanted.set()
        return True

    def close(self, within: timedelta = timedelta(seconds=5)) -> None:
        """Write what is queued, make it durable, end the thread; fine to call twice."""
        self.closing.set()
        self.wanted.set()
        if self._thread is not None and self._pid == os.getpid():
            self._thread.join(within.total_seconds())

    def _begin(self) -> None:
        self._pid = os.getpid()
        self.wanted, self.closing = threading.Event(), threading.Event()
        writer = _Writer(self)
        self._thread = threading.Thread(
            target=writer.run, name=f"spool-{self.folder.name}", daemon=True
        )
        self._thread.start()


class _Writer:
    """The thread's own state: the segment it writes, what is not yet durable, what was not told."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._bounds = spool.bounds
        self._fd = -1
        self._size = 0
        self._begun_ms = 0
        self._number = 0
        self._unsynced_since: float | None = None
        self._told_lost = 0
        self._told_at = -TELL_EVERY_S
        self._why = ""

    def run(self) -> None:
        """Write what comes until the spool is closed and empty."""
        spool = self._spool
        self._recover()
        while not spool.closing.is_set() or spool.queue:
            spool.wanted.wait(self._rest_s())
            spool.closing.wait(GATHER_S)  # one wake-up serves many
            spool.wanted.clear()
            self._write(self._batch())
            if self._rest_s() == 0:
                self._sync()
            self._tell()
        self._end_segment()

    def _rest_s(self) -> float | None:
        """How long nothing has to be done when no record comes; None for ever."""
        if self._unsynced_since is not None:
            return max(0.0, self._unsynced_since + self._bounds.sync_s - clock.monotonic_s())
        return None if self._told_lost == self._spool.lost else TELL_EVERY_S

    def _batch(self) -> bytes:
        """Everything that waits, at most a segment of it."""
        spool, lines, size = self._spool, [], 0
        while spool.queue and size < self._bounds.segment_bytes:
            try:
                line = spool.queue.popleft()()
            except Exception as error:  # noqa: BLE001 -- one bad record must not end all records
                spool.lost += 1
                spool.told("spool.failed", {"spool": spool.folder.name, "bug": repr(error)})
                continue
            if len(line) > MAX_RECORD_BYTES or ENDING in line:
                spool.lost += 1
                continue
            lines.append(line)
            size += len(line) + 1
        return b"".join(line + ENDING for line in lines)

    def _write(self, batch: bytes) -> None:
        """Append what fits of a batch, in whole lines; the rest is lost, and counted."""
        if not batch:
            return
        done = 0
        try:
            self._open_segment()
            while done < len(batch):
                done += os.write(self._fd, memoryview(batch)[done:])
        except OSError as error:
            self._why = str(error.strerror or error)
            done = batch.rfind(ENDING, 0, done) + 1
            self._cut(self._size + done)
        kept = batch.count(ENDING, 0, done)
        self._size += done
        self._spool.written += kept
        self._spool.lost += batch.count(ENDING) - kept
        if kept and self._unsynced_since is None:
            self._unsynced_since = clock.monotonic_s()

    def _cut(self, size: int) -> None:
        """Take back the line that was torn."""
        if self._fd >= 0:
            try:
                os.ftruncate(self._fd, size)
            except OSError:
                self._end_segment()

    def _open_segment(self) -> None:
        now_ms = int(clock.now().timestamp() * 1000)
        oldest = self._bounds.keep.total_seconds() * 1000 / 40
        if self._fd >= 0 and (
            self._size >= self._bounds.segment_bytes or now_ms - self._begun_ms > oldest
        ):
            self._end_segment()
        if self._fd < 0:
            self._spool.folder.mkdir(mode=0o750, exist_ok=True)
            self._number += 1
            name = f"{now_ms:013d}-{os.getpid()}-{self._number}{SUFFIX}"
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
            self._fd = os.open(self._spool.folder / name, flags, self._bounds.mode)
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._size, self._begun_ms = 0, now_ms
            self._prune(now_ms)

    def _end_segment(self) -> None:
        if self._fd >= 0:
            self._sync()
            os.close(self._fd)
            self._fd = -1

    def _sync(self) -> None:
        self._unsynced_since = None
        try:
            os.fsync(self._fd)
        except OSError as error:
            self._why = str(error.strerror or error)

    def _prune(self, now_ms: int) -> None:
        """Remove the oldest until the rest fits, and whatever is too old."""
        found = segments(self._spool.folder)
        sizes = {path: _size(path) for path in found}
        before = now_ms - self._bounds.keep.total_seconds() * 1000
        # room for the segment that has just begun
        too_much = sum(sizes.values()) + self._bounds.segment_bytes - self._bounds.total_bytes
        for path in found[:-1]:
            if too_much <= 0 and _begun_ms(path) >= before:
                break
            path.unlink(missing_ok=True)
            too_much -= sizes[path]

    def _recover(self) -> None:
        """Cut off what dead processes left half written."""
        for path in segments(self._spool.folder):
            cut = _cut_tail(path)
            if cut:
                self._spool.told(
                    "spool.recovered", {"spool": self._spool.folder.name, "cut_bytes": cut}
                )

    def _tell(self) -> None:
        lost, now = self._spool.lost, clock.monotonic_s()
        if lost == self._told_lost or now - self._told_at < TELL_EVERY_S:
            return
        self._spool.told(
            "spool.lost",
            {
                "spool": self._spool.folder.name,
                "records": lost - self._told_lost,
                "because": self._why or "there was no room in memory",
            },
        )
        self._told_lost, self._told_at = lost, now


def segments(folder: Path) -> list[Path]:
    """The segments of a folder, oldest first; none when there is no folder."""
    return sorted(folder.glob(f"*{SUFFIX}"), key=lambda path: path.name)


def lines(path: Path, offset: int = 0) -> Iterator[tuple[bytes, int]]:
    """The whole records of a segment from a place on, each with the place after it.

    A line that is not whole yet, and a segment that has gone meanwhile, end it.
    """
    try:
        file = path.open("rb")
    except OSError:
        return
    with file:
        file.seek(offset)
        while True:
            line = file.readline(MAX_RECORD_BYTES + 1)
            if not line.endswith(ENDING):
                return
            offset += len(line)
            yield line[:-1], offset


def _cut_tail(path: Path) -> int:
    """How many bytes of a torn line were cut; 0 while somebody writes there."""
    try:
        fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return 0
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        size = os.fstat(fd).st_size
        tail = os.pread(fd, min(size, 2 * MAX_RECORD_BYTES), max(0, size - 2 * MAX_RECORD_BYTES))
        torn = len(tail) - (tail.rfind(ENDING) + 1)
        if torn:
            os.ftruncate(fd, size - torn)
    except OSError:
        return 0
    else:
        return torn
    finally:
        os.close(fd)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _begun_ms(path: Path) -> int:
    stamp = path.name.partition("-")[0]
    return int(stamp) if stamp.isdigit() else 0
