"""Envoy's questions, answered: the HTTP form of ext_authz.

Envoy sends each request's line and headers (and its body, on routes where it is read) to this door.
200 lets the request through: headers of the answer are set on it, and those that are named in
`x-envoy-auth-headers-to-remove` are taken off it. Any other answer goes to the visitor as it is.

Fails closed: what cannot be read is 400, what cannot be decided is 503; both are told.
"""

from collections import Counter
from collections.abc import Callable
from datetime import datetime

from troth.enforce import page, wire
from troth.enforce.decide import ALLOWED, Decision, Tallies, decide, told
from troth.enforce.snapshot import Current, Told
from troth.kernel.request import CLIENT, Ask, Known, Request

TO_REMOVE = b"x-envoy-auth-headers-to-remove"  # Source: Envoy, ext_authz, raw HTTP authorization
GUARD = "guard"  # who refuses, when it is no promise but the machine
MAX_EVENTS_S = 100  # a flood of refusals is counted, not written


class Authz:
    """Answers one message after another.

    Args:
        current: the snapshot in force.
        now: the clock.
        new_id: a fresh event id, hex digits, at each call.
        told: where events go: name and fields.
        take: the counters; takes from each, answers by key.
    """

    def __init__(
        self,
        current: Current,
        *,
        now: Callable[[], datetime],
        new_id: Callable[[], str],
        told: Told,
        take: Callable[[tuple[Ask, ...]], Tallies] = lambda _: {},
    ) -> None:
        self._current = current
        self._now = now
        self._new_id = new_id
        self._told = told
        self._take = take
        self._second = 0
        self._told_in_second = 0
        self.counts: Counter[str] = Counter()

    def answer(self, message: wire.Message) -> wire.Reply:
        """The reply to one question; never raises."""
        now = self._now()
        try:
            request = request_of(message)
            if request is None:
                self.counts["malformed"] += 1
                return self._refused(400, GUARD, message, now, {"code": "malformed"})
            decision = decide(request, self._current.snapshot, Known(now=now), self._take)
        except Exception as error:  # noqa: BLE001 -- a machine's loop: a bug refuses, never passes
            self.counts["failed"] += 1
            return self._refused(503, GUARD, message, now, {"code": "failed", "bug": repr(error)})
        if decision is ALLOWED:
            self.counts["allowed"] += 1
            return wire.OK
        self.counts.update(decision.counted)
        if decision.refusal is None:
            self.counts["allowed"] += 1
            return wire.Reply(status=200, headers=(*decision.add, *_removed(decision)))
        refusal = decision.refusal
        fields = told(request, refusal)
        return self._refused(refusal.status, refusal.slug, message, now, fields)

    def _refused(
        self,
        status: int,
        slug: str,
        message: wire.Message,
        now: datetime,
        fields: dict[str, object],
    ) -> wire.Reply:
        event = self._new_id()
        second = int(now.timestamp())
        if second != self._second:
            if self._told_in_second > MAX_EVENTS_S:
                self._told("guard.flood", {"untold": self._told_in_second - MAX_EVENTS_S})
            self._second, self._told_in_second = second, 0
        self._told_in_second += 1
        if self._told_in_second <= MAX_EVENTS_S:
            self._told("guard.refused", {"id": event, "promise": slug, "status": status, **fields})
        prefix = self._current.snapshot.prefix
        return page.refusal(status, slug, event, message.headers, prefix=prefix)


def _removed(decision: Decision) -> tuple[tuple[bytes, bytes], ...]:
    return ((TO_REMOVE, b",".join(decision.remove)),) if decision.remove else ()


def request_of(message: wire.Message) -> Request | None:
    """The request a message asks about; None when it is none that could be decided.

    A request has one host, and a target that is a path (or `*`, for OPTIONS): whatever else an edge
    may send (`CONNECT`, an absolute address) is not understood, so not passed.
    """
    hosts = [value for name, value in message.headers if name == b"host"]
    clients = [value for name, value in message.headers if name == CLIENT]
    is_star = message.target == b"*" and message.method == b"OPTIONS"
    if len(hosts) != 1 or not hosts[0] or not (message.target.startswith(b"/") or is_star):
        return None
    return Request(
        method=message.method,
        target=message.target,
        host=hosts[0].lower(),
        headers=message.headers,
        client=clients[0].decode("ascii", "replace") if len(clients) == 1 else "",
        body=message.body or None,
    )
