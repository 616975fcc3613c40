"""What is remembered of somebody for a while: marks on a trail, and nothing else.

A counter (`Ask`) says how fast; a trail says who, what and in which order: which accounts were
tried from here, which numbers were looked at, whether the step before was done. A check reads
trails in `Known` and says in its opinion what is to be marked; it never writes.

Trails that several guards share are elsewhere: then a `Look` says beforehand which of them a check
will read. What it will mark if it lets the request pass is marked in the moment of reading, so that
of a hundred at once each sees those before it, and `left` says what is to be done about it later.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

# A trail with one mark: when this memory began. Where somebody was before that is not known.
BEGAN = "memory:began"
MAX_MARKS = 256  # on one trail; the oldest goes first


@dataclass(frozen=True, slots=True)
class Mark:
    """One thing that happened.

    Args:
        at: when, in UTC.
        member: what it was about; no secret (what is secret is hashed with a key before).
    """

    at: datetime
    member: str = ""


Trail = tuple[Mark, ...]  # oldest first
NOTHING: Trail = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """What is to be written on a trail.

    Args:
        key: which trail; what stands before the first colon is its kind, and kinds never push each
            other out of memory.
        member: of the mark.
        window: how long the mark is of interest; 0 is not allowed.
        is_undone: take away every mark of that member instead (all of them where it is empty).
        at_most: take away no more than that many, the newest first; 0 for all of them.
    """

    key: str
    member: str = ""
    window: timedelta = timedelta(0)
    is_undone: bool = False
    at_most: int = 0


Trails = Mapping[str, Trail]


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """Which trails a check is about to read, and what it will mark unless it refuses.

    Args:
        keys: of the trails.
        notes: marked at once, after the reading; none of them undoes anything.
    """

    keys: tuple[str, ...]
    notes: tuple[Note, ...] = ()


class Looked(Mapping[str, Trail]):
    """The trails that were looked at. Another one is not known, so asking for it is a bug."""

    __slots__ = ("_by_key",)

    def __init__(self, by_key: Mapping[str, Trail]) -> None:
        self._by_key = by_key

    def __getitem__(self, key: str) -> Trail:
        try:
            return self._by_key[key]
        except KeyError:
            kind = key.partition(":")[0]
            raise AssertionError(f"a trail is read that nobody looked at: {kind}") from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_key)

    def __len__(self) -> int:
        return len(self._by_key)


ELSEWHERE: Trails = Looked({})  # they are shared; nothing is known before somebody looked


def left(made: Sequence[Note], wanted: Sequence[Note]) -> tuple[Note, ...]:
    """What is still to be written, when `made` was written in advance and `wanted` is decided.

    What was made and is not wanted is taken away again, the newest mark of its member. Where what
    is wanted begins with undoing all of that member's marks, those made go with them.
    """
    redone = {(note.key, note.member) for note in wanted if note.is_undone and not note.at_most}
    rest, undone = list(wanted), []
    for note in made:
        if (note.key, note.member) in redone or (note.key, "") in redone:
            continue
        if note in rest:
            rest.remove(note)
        else:
            undone.append(Note(key=note.key, member=note.member, is_undone=True, at_most=1))
    return (*undone, *rest)


def within(trail: Trail, now: datetime, window: timedelta) -> Trail:
    """The marks of the last `window`."""
    since = now - window
    return tuple(mark for mark in trail if mark.at > since)


def members(trail: Iterable[Mark]) -> frozenset[str]:
    """What the marks were about, each once."""
    return frozenset(mark.member for mark in trail)
