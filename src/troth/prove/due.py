"""What is to be run now: pure, no database, no queue.

Time is cut into slots as long as a check's interval; a check is due once in each slot. Looks and
scans share their answers, so theirs begin together; attacks and drills begin at an offset made of
their id, so that they spread over the interval. What never ran is due at once, and so is what last
ran in another slot, a later one too: after a clock that went back nothing waits for it to catch up.
"""

import hashlib
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta

from troth.kernel.model import Check, Method

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SHARED = frozenset({Method.LOOK, Method.SCAN})


def due(
    checks: Iterable[Check], last_run: Mapping[str, datetime], now: datetime
) -> tuple[Check, ...]:
    """The checks to run now, in the order given.

    Args:
        checks: of all promises.
        last_run: when each began last, by id. To run a check at once, leave it out.
        now: aware UTC.
    """
    return tuple(check for check in checks if _is_due(check, last_run.get(check.id), now))


def next_due(
    checks: Iterable[Check], last_run: Mapping[str, datetime], now: datetime
) -> datetime | None:
    """When `due` will next have an answer; `now` when it has one; None without any check."""
    return min((_next(check, last_run.get(check.id), now) for check in checks), default=None)


def _is_due(check: Check, last: datetime | None, now: datetime) -> bool:
    return last is None or _slot(check, last) != _slot(check, now)


def _next(check: Check, last: datetime | None, now: datetime) -> datetime:
    if _is_due(check, last, now):
        return now
    return EPOCH + offset(check) + (_slot(check, now) + 1) * check.interval


def _slot(check: Check, moment: datetime) -> int:
    return (moment - EPOCH - offset(check)) // check.interval


def offset(check: Check) -> timedelta:
    """How far into the interval a check begins: 0 for those that share their answers."""
    if check.method in SHARED:
        return timedelta(0)
    share = int.from_bytes(hashlib.sha256(check.id.encode()).digest()[:4], "big")
    return check.interval * (share / 2**32)
