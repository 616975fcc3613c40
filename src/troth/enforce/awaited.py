"""What the guard waits for: the application's answer to a request that it let through.

The edge's question ends with the request; the answer is told later, by the script on the upstream's
side (`envoy.report`), to a socket of its own that no route of the edge leads to: only the edge's
and our own processes may connect (`wire.Door` asks the kernel who it is), and what is told is
believed only under a name of 128 random bits that no visitor and no application gets to see.

Bounded: what is not told of within a minute is forgotten, and the oldest goes where there is no
room. Fails open: an answer that nobody told of was not counted. What an attempt holds open until
then is the check's own business.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from troth.enforce import wire
from troth.enforce.keeper import Keeper
from troth.kernel.request import AWAITED, Awaited, Headers, Response

LASTS = timedelta(minutes=1)
MAX_WAITING = 10_000
MAX_BODY_BYTES = 16 * 1024  # of an answer's beginning, as the script cuts it
LIMITS = wire.Limits(body_bytes=MAX_BODY_BYTES, head_bytes=32 * 1024, headers=16)
STATUS, LOCATION = b"status", b"location"
READS_BODY = "w"  # at a name's end, no hex digit: the beginning of the body is wanted


@dataclass(frozen=True, slots=True)
class _Waiting:
    awaits: tuple[Awaited, ...]
    until: datetime


class Waiting:
    """Keeps what is waited for, and hears what is told.

    Args:
        keeper: decides about what is told.
        index: of this guard; the script finds its socket by it.
        now: the clock.
        new_id: 128 fresh random bits in hex at each call.
    """

    def __init__(
        self,
        keeper: Keeper,
        *,
        index: int,
        now: Callable[[], datetime],
        new_id: Callable[[], str],
    ) -> None:
        self._keeper = keeper
        self._index = index
        self._now = now
        self._new_id = new_id
        self._waiting: OrderedDict[str, _Waiting] = OrderedDict()

    def __len__(self) -> int:
        return len(self._waiting)

    def header(self, awaits: tuple[Awaited, ...]) -> Headers:
        """What the edge is handed for a request that is waited for; nothing where none is."""
        if not awaits:
            return ()
        now = self._now()
        while self._waiting:
            oldest = next(iter(self._waiting.values()))
            if oldest.until > now and len(self._waiting) < MAX_WAITING:
                break
            self._waiting.popitem(last=False)
        name = self._new_id() + (READS_BODY if any(one.reads_body for one in awaits) else "")
        self._waiting[name] = _Waiting(awaits, now + LASTS)
        return ((AWAITED, f"{self._index}.{name}".encode()),)

    def answer(self, message: wire.Message) -> "wire.Reply | asyncio.Future[wire.Reply]":
        """Hear of one answer; never raises. The reply has what the visitor's answer gets more."""
        name = message.target.removeprefix(b"/").decode("ascii", "replace")
        waiting = self._waiting.pop(name, None)
        told = dict(message.headers)
        status = told.get(STATUS, b"")
        if waiting is None or message.method != b"POST" or not status.isdigit():
            return wire.Reply(status=404)
        location = ((LOCATION, told[LOCATION]),) if LOCATION in told else ()
        body = message.body if name.endswith(READS_BODY) else None
        response = Response(status=int(status), headers=location, body=body)
        heard = self._keeper.hearing(waiting.awaits, response)
        return self._keeper.later(heard, lambda more: wire.Reply(status=200, headers=more))
