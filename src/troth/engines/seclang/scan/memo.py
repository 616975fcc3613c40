"""What was found for a value, for the next time it comes: bounded, and hard to flush.

Two segments, each of two generations. What was seen once is on probation; what comes again while
it is there is kept. A generation that is full becomes the old one and the old one is dropped; what
is asked for in an old generation moves to the new one. So a flood of values that come once pushes
out others that came once, never what is in use: to push out a kept value one needs as many others,
each sent twice, as the segment is long, between two of its uses.
"""

from collections.abc import Callable, Hashable, Sequence
from typing import Generic, TypeVar

MAX_VALUE_BYTES = 256
DEFAULT_ENTRIES = 2048  # of each of the four generations: 2 MiB at most for a space

Answer = tuple[int, ...]
Known = TypeVar("Known")


Sift = Callable[[Sequence[bytes]], Sequence[int]]
"""Which of many values must be asked one by one, by their places; of all others nothing holds."""


def _all_of(values: Sequence[bytes]) -> Sequence[int]:
    return range(len(values))


def remembering(  # noqa: C901 -- closures over the same cells
    answer: Callable[[bytes], Answer],
    sift: Sift = _all_of,
    *,
    entries: int = DEFAULT_ENTRIES,
    max_bytes: int = MAX_VALUE_BYTES,
) -> tuple[Callable[[bytes], Answer], Sift]:
    """The same functions, which must be pure, with a memory of at most four times `entries`.

    Values longer than `max_bytes` are not kept. Threads may share it: at worst one of them forgets
    what another has just learnt.
    """
    # One cell each, so that a generation is dropped by rebinding.
    kept: dict[bytes, Answer] = {}
    kept_old: dict[bytes, Answer] = {}
    once: dict[bytes, Answer] = {}
    once_old: dict[bytes, Answer] = {}

    def keep(value: bytes, known: Answer) -> Answer:
        nonlocal kept, kept_old
        if len(kept) >= entries:
            kept, kept_old = {}, kept
        kept[value] = known
        return known

    def recall(value: bytes) -> Answer:
        known = kept.get(value)
        if known is not None:
            return known
        if len(value) > max_bytes:
            return answer(value)
        for segment in (kept_old, once, once_old):
            known = segment.pop(value, None)
            if known is not None:
                return keep(value, known)
        known = answer(value)
        learn(value, known)
        return known

    def learn(value: bytes, known: Answer) -> None:
        nonlocal once, once_old
        if len(once) >= entries:
            once, once_old = {}, once
        once[value] = known

    def recall_many(values: Sequence[bytes]) -> Sequence[int]:
        left: list[int] = []
        fresh: list[int] = []
        for at, value in enumerate(values):
            known = kept.get(value)
            if known:
                left.append(at)
            elif known is None:
                is_known = value in kept_old or value in once or value in once_old
                (left if is_known else fresh).append(at)
        if fresh:
            asked = {fresh[at] for at in sift([values[at] for at in fresh])}
            left += asked
            for at in fresh:
                if at not in asked and len(values[at]) <= max_bytes:
                    learn(values[at], ())
        return sorted(left)

    return recall, recall_many


class Memo(Generic[Known]):
    """The same memory for other keys and answers, to be asked and told.

    Args:
        entries: of each of the four generations.
    """

    def __init__(self, entries: int) -> None:
        self._entries = entries
        self._kept: dict[Hashable, Known] = {}
        self._kept_old: dict[Hashable, Known] = {}
        self._once: dict[Hashable, Known] = {}
        self._once_old: dict[Hashable, Known] = {}

    def __len__(self) -> int:
        segments = (self._kept, self._kept_old, self._once, self._once_old)
        return sum(map(len, segments))

    def get(self, key: Hashable) -> Known | None:
        """What was told of a key, if it is still known."""
        known = self._kept.get(key)
        if known is not None:
            return known
        for segment in (self._kept_old, self._once, self._once_old):
            known = segment.pop(key, None)
            if known is not None:
                if len(self._kept) >= self._entries:
                    self._kept, self._kept_old = {}, self._kept
                self._kept[key] = known
                return known
        return None

    def put(self, key: Hashable, known: Known) -> None:
        """Remember it, for a while."""
        if len(self._once) >= self._entries:
            self._once, self._once_old = {}, self._once
        self._once[key] = known
