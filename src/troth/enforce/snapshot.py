"""What a decision depends on besides the request and the clock: one immutable value, swapped whole.

A request is decided by one snapshot from its first check to its last. A new one that cannot be
built never replaces a good one: the last good stays, and that is told.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Protocol

from troth.engines.uploads import Content, Fault, Looked
from troth.kernel.errors import Failure
from troth.kernel.request import (
    GuardAsks,
    GuardCheck,
    GuardLooks,
    GuardOwn,
    Opinion,
    Refusal,
    Request,
    ResponseCheck,
)
from troth.kernel.site import Site


class Body(Enum):
    """What becomes of a request's body: read whole, streamed to disk and told in short, or left."""

    INSPECTED = "inspected"
    UPLOAD = "upload"
    UNREAD = "unread"


def _never(_: Request) -> bool:
    return False


def _as_sent(request: Request) -> Request:
    return request


def _inspected(_: Request) -> Body:
    return Body.INSPECTED


class Uploads(Protocol):
    """What is asked of an upload once it lies whole."""

    def look(self, request: Request, content: Content) -> Looked:
        """Look at it. Slow: never in an event loop."""
        ...

    def opinion(self, fault: Fault) -> Opinion:
        """What is done about what was found."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The checks in force.

    Args:
        gates: checks that need no counter, asked first (bans, blocklists, zones).
        asks: which counters a request concerns; asked when no gate refused.
        looks: which trails the checks will read; asked only where trails are elsewhere.
        opened: the request as the checks see it (its body uncompressed), or why it cannot be read.
        checks: in the order in which they are asked; the first refusal ends it.
        bodies: those of them that are asked again about an upload, with what is read of it.
        uploads: looks at uploads; None leaves them unread.
        answers: checks of what the application answered, in order.
        own: what the guard itself answers below the prefix, by name.
        fails_open: whether this request passes when a check breaks; by default none does.
        site: our own addresses.
        prefix: below which Troth answers on the application's host, `/-/`.
        max_body_bytes: of a body that is inspected; the edge hands over no longer one.
        max_upload_bytes: of an upload, where a door reads it.
        max_answer_bytes: of an answer that is held until it was looked at.
        body: what becomes of a request's body, where a door reads it.
        config: SHA-256 hex of the configuration it was built from.
        made: when.
    """

    gates: tuple[GuardCheck, ...] = ()
    asks: tuple[GuardAsks, ...] = ()
    looks: tuple[GuardLooks, ...] = ()
    opened: Callable[[Request], Request | Refusal] = _as_sent
    checks: tuple[GuardCheck, ...]
    bodies: tuple[GuardCheck, ...] = ()
    uploads: Uploads | None = None
    answers: tuple[ResponseCheck, ...] = ()
    own: Mapping[str, GuardOwn] = field(default_factory=dict)
    fails_open: Callable[[Request], bool] = _never
    site: Site
    prefix: str
    max_body_bytes: int
    max_upload_bytes: int = 100 * 1024 * 1024
    max_answer_bytes: int = 128 * 1024
    body: Callable[[Request], Body] = _inspected
    config: str
    made: datetime


Told = Callable[[str, dict[str, object]], None]  # an event's name and fields


class Current:
    """The snapshot in force. `snapshot` is read once for each request."""

    __slots__ = ("_told", "snapshot")

    def __init__(self, first: Snapshot, told: Told) -> None:
        self.snapshot = first
        self._told = told

    def renew(self, build: Callable[[], Snapshot]) -> bool:
        """Swap in what `build` makes; whether the snapshot in force is now that one.

        Fails safe: a configuration that cannot be used (Failure, ValueError) is told and dropped.
        """
        try:
            new = build()
        except (Failure, ValueError) as error:
            self._told("snapshot.kept", {"config": self.snapshot.config, "because": str(error)})
            return False
        if new.config != self.snapshot.config:
            self._told("snapshot.swapped", {"config": new.config, "before": self.snapshot.config})
        self.snapshot = new
        return True
