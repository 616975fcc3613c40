"""What is remembered of somebody for a while: marks on a trail, and nothing else.

A counter (`Ask`) says how fast; a trail says who, what and in which order: which accounts were
tried from here, which numbers were looked at, whether the step before was done. A check reads
trails in `Known` and says in its opinion what is to be marked; it never writes.
"""

from collections.abc import Iterable, Mapping
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


def within(trail: Trail, now: datetime, window: timedelta) -> Trail:
    """The marks of the last `window`."""
    since = now - window
    return tuple(mark for mark in trail if mark.at > since)


def members(trail: Iterable[Mark]) -> frozenset[str]:
    """What the marks were about, each once."""
    return frozenset(mark.member for mark in trail)
