"""The only clock. Everything else takes `now` as an argument."""

import time
from datetime import UTC, datetime


def now() -> datetime:
    """The wall clock, aware UTC."""
    return datetime.now(UTC)


def monotonic_s() -> float:
    """Seconds that never go back, for measuring a span."""
    return time.monotonic()


def monotonic_ns() -> int:
    """Nanoseconds that never go back, for exact arithmetic."""
    return time.monotonic_ns()
