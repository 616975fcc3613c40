"""What one process remembers of its visitors: trails in memory, bounded in every direction.

The deciding guard has them (the warm standby has its own, and begins with none), and so has each
process with a middleware in it. Nothing of it is written to disk: after a restart everybody has a
clean sheet, which an attacker cannot bring about. Fails open: where memory is full the trail that
was not written to for longest is forgotten; kinds have room of their own, so that a flood of one
never pushes out another.
"""

import threading
from collections import OrderedDict, deque
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from troth.kernel.trail import BEGAN, MAX_MARKS, Mark, Note, Trail

MAX_TRAILS = 20_000  # of one kind: about 10 MB where each has ten marks
MAX_KINDS = 256
LONGEST = timedelta(days=2)  # longer than any window


class Trails(Mapping[str, Trail]):
    """The trails by key, as they are now; `mark` is the only way to write. Safe among threads.

    Args:
        began: when; marked, so that a check can tell what this memory cannot know.
        most: how many trails of one kind.
    """

    def __init__(self, began: datetime | None = None, *, most: int = MAX_TRAILS) -> None:
        self._most = most
        self._kinds: dict[str, OrderedDict[str, _Written]] = {}
        self._lock = threading.Lock()
        if began is not None:
            self.mark((Note(key=BEGAN, window=LONGEST),), began)

    def __getitem__(self, key: str) -> Trail:
        with self._lock:
            found = self._kinds.get(_kind(key), _NONE).get(key)
            if found is None:
                raise KeyError(key)
            return tuple(found.marks)

    def __iter__(self) -> Iterator[str]:
        return (key for kind in self._kinds.values() for key in kind)

    def __len__(self) -> int:
        return sum(map(len, self._kinds.values()))

    def mark(self, notes: Sequence[Note], now: datetime) -> None:
        """Write what was decided, in order."""
        if not notes:
            return
        with self._lock:
            for note in notes:
                if note.is_undone:
                    self._undo(note)
                else:
                    self._add(note, now)

    def _add(self, note: Note, now: datetime) -> None:
        kind = self._kinds.get(_kind(note.key))
        if kind is None:
            if len(self._kinds) >= MAX_KINDS:
                return
            kind = self._kinds[_kind(note.key)] = OrderedDict()
        written = kind.get(note.key)
        if written is None:
            self._make_room(kind, now)
            written = kind[note.key] = _Written()
        kind.move_to_end(note.key)
        written.add(Mark(now, note.member), note.window)

    def _make_room(self, kind: "OrderedDict[str, _Written]", now: datetime) -> None:
        """Forget a few that are over, and the oldest where it is full. Amortised constant time."""
        for _ in range(2):
            if kind and next(iter(kind.values())).until <= now:
                kind.popitem(last=False)
        if len(kind) >= self._most:
            kind.popitem(last=False)

    def _undo(self, note: Note) -> None:
        kind = self._kinds.get(_kind(note.key), _NONE)
        written = kind.get(note.key)
        if written is not None:
            written.drop(note.member, note.at_most)
            if not written.marks:
                del kind[note.key]


class _Written:
    """One trail: marks, and when the last of them is of no interest any more."""

    __slots__ = ("marks", "until")

    def __init__(self) -> None:
        self.marks: deque[Mark] = deque(maxlen=MAX_MARKS)
        self.until = datetime.min.replace(tzinfo=UTC)

    def add(self, mark: Mark, window: timedelta) -> None:
        since = mark.at - window
        while self.marks and self.marks[0].at <= since:
            self.marks.popleft()
        self.marks.append(mark)
        self.until = mark.at + window

    def drop(self, member: str, at_most: int) -> None:
        left = at_most or MAX_MARKS
        kept: deque[Mark] = deque(maxlen=MAX_MARKS)
        for mark in reversed(self.marks):
            if left and (not member or mark.member == member):
                left -= 1
            else:
                kept.appendleft(mark)
        self.marks = kept


_NONE: OrderedDict[str, _Written] = OrderedDict()


def _kind(key: str) -> str:
    return key.partition(":")[0]
