"""Rates and what is said of them in headers."""

from collections.abc import Iterable
from datetime import timedelta

from troth.kernel.request import Tally

_SECOND = timedelta(seconds=1)
PERIODS = {
    "s": timedelta(seconds=1),
    "min": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "day": timedelta(days=1),
}


def rate(text: str) -> tuple[int, timedelta]:
    """`600/min`: how many in which period. The settings' type has checked it."""
    limit, _, period = text.partition("/")
    return int(limit), PERIODS[period]


def is_below(path: str, prefix: str) -> bool:
    """Whether a path of `paths.spelled` is the prefix (spelled alike) or lies below it."""
    return prefix in {"/", path} or path.startswith(prefix + "/")


def seconds(span: timedelta) -> int:
    """Whole seconds, rounded up: who waits so long has waited long enough."""
    return -(-span // _SECOND)


def policy(name: str, limit: int, period: timedelta) -> str:
    """One item of `RateLimit-Policy`.

    Source: draft-ietf-httpapi-ratelimit-headers-10, 3: quota `q` in a window `w` of seconds.
    """
    return f'"{name}";q={limit};w={seconds(period)}'


def state(names: Iterable[tuple[str, Tally]]) -> bytes:
    """The value of `RateLimit`. Source: same draft, 4: `r` more at once, all again after `t`."""
    return ", ".join(
        f'"{name}";r={tally.remaining};t={seconds(tally.reset)}' for name, tally in names
    ).encode()
