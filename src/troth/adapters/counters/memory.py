"""Counters in this process: exact, bounded, and no use to somebody who wants his own forgotten.

A counter is one number: the moment at which it is empty again (GCRA's theoretical arrival time). So
what is empty need not be kept. When there is no room, the counter that would be empty first goes,
out of the kind that has most of them: whoever wants a counter forgotten that has a debt must first
fill the memory with as many other counters of the same kind, each of them with a larger debt.
"""

import threading
from collections.abc import Callable, Iterable
from datetime import timedelta
from heapq import heappop, heappush

from troth.adapters import clock
from troth.kernel.request import Ask, Tally

CAPACITY = 250_000  # counters; about 60 MB when all are in use
MAX_KINDS = 64  # they come from settings, never from visitors; what is beyond shares one
GRAINS = 64  # how finely "empty first" is told apart: a period's part
EXPIRED_AT_ONCE = 2  # looked at with each new counter, so that a flood's remains go by themselves
NONE = timedelta(0)


class Memory:
    """All counters of one process; safe to use from several threads.

    A key's kind is what stands before its first colon. Nothing survives a restart: then everybody
    has one burst more. Never fails; what is evicted with a debt is counted in `evicted`.

    Args:
        now_ns: a clock in nanoseconds. One that goes back makes nobody wait longer than for a
            full burst.
        capacity: how many counters are kept, of all kinds together.
    """

    def __init__(
        self, *, now_ns: Callable[[], int] = clock.monotonic_ns, capacity: int = CAPACITY
    ) -> None:
        self._now_ns = now_ns
        self._capacity = capacity
        self._kinds: dict[str, _Kind] = {}
        self._lock = threading.Lock()
        self._count = 0
        self.evicted = 0

    def __len__(self) -> int:
        """How many counters are kept, of which some may be empty."""
        return self._count

    def take(self, asks: Iterable[Ask]) -> dict[str, Tally]:
        """Take from each counter that has room; the tallies by key. One moment for all of them."""
        tallies = {}
        with self._lock:
            now = self._now_ns()
            for ask in asks:
                tallies[ask.key] = self._one(ask, now)
        return tallies

    def _one(self, ask: Ask, now: int) -> Tally:
        period = ask.period
        period_ns = (period.days * 86400 + period.seconds) * 1_000_000_000 + (
            period.microseconds * 1000
        )
        step = -(-period_ns // ask.limit)  # rounded up: never more than the limit
        full = now + step * ask.burst
        kind = self._kind(ask.key, period_ns)
        had = kind.empty_at.get(ask.key)
        at = now if had is None or had < now else min(had, full)
        after = at + step * ask.cost
        over = (after if ask.cost else at + step) - full
        if had is not None and had > full:
            kind.empty_at[ask.key] = full  # the clock went back, or the rate is another one now
        if over > 0 or not ask.cost:
            return Tally(
                is_over=over > 0,
                remaining=(full - at) // step,
                reset=timedelta(0, 0, -((now - at) // 1000)),
                retry_after=timedelta(0, 0, -(-over // 1000)) if over > 0 else NONE,
            )
        if had is None:
            self._add(kind, ask.key, after, now)
        else:
            kind.empty_at[ask.key] = after
        return Tally(
            is_over=False,
            remaining=(full - after) // step,
            reset=timedelta(0, 0, -((now - after) // 1000)),
        )

    def _kind(self, key: str, period_ns: int) -> "_Kind":
        name = key.partition(":")[0]
        kind = self._kinds.get(name)
        if kind is None:
            name = name if len(self._kinds) < MAX_KINDS else ""
            kind = self._kinds.setdefault(name, _Kind(max(period_ns // GRAINS, 1_000_000)))
        return kind

    def _add(self, kind: "_Kind", key: str, empty_at: int, now: int) -> None:
        self._count -= kind.expire(now, EXPIRED_AT_ONCE)
        if self._count >= self._capacity:
            largest = max(self._kinds.values(), key=len)
            self.evicted += largest.drop() > now
            self._count -= 1
        kind.add(key, empty_at)
        self._count += 1


class _Kind:
    """Counters of one kind, filed by when they will be empty.

    Each is filed once. One that was taken from since stands in too early a file, and moves on when
    that file is looked at: each such move was paid for by a request.
    """

    __slots__ = ("_files", "_grain", "_order", "empty_at")

    def __init__(self, grain: int) -> None:
        self.empty_at: dict[str, int] = {}
        self._grain = grain
        self._files: dict[int, list[str]] = {}
        self._order: list[int] = []  # a heap of the numbers of files

    def __len__(self) -> int:
        return len(self.empty_at)

    def add(self, key: str, empty_at: int) -> None:
        """A new counter."""
        self.empty_at[key] = empty_at
        self._file(key, empty_at // self._grain)

    def drop(self) -> int:
        """Forget the counter that is empty first (within a grain); when it would have been."""
        while True:
            number, key = self._next()
            empty_at = self.empty_at[key]
            if empty_at // self._grain <= number:
                del self.empty_at[key]
                return empty_at
            self._file(key, empty_at // self._grain)

    def expire(self, now: int, at_most: int) -> int:
        """Look at a few counters that may be empty; how many were forgotten."""
        gone = 0
        for _ in range(at_most):
            if not self._order or (self._order[0] + 1) * self._grain > now:
                break
            _, key = self._next()
            empty_at = self.empty_at[key]
            if empty_at <= now:
                del self.empty_at[key]
                gone += 1
            else:
                self._file(key, empty_at // self._grain)
        return gone

    def _file(self, key: str, number: int) -> None:
        filed = self._files.get(number)
        if filed is None:
            self._files[number] = [key]
            heappush(self._order, number)
        else:
            filed.append(key)

    def _next(self) -> tuple[int, str]:
        """Take a counter out of the earliest file."""
        number = self._order[0]
        filed = self._files[number]
        key = filed.pop()
        if not filed:
            del self._files[number]
            heappop(self._order)
        return number, key
