"""The few addresses below Troth's prefix that the guard answers itself: `healthz`, `csp`, `sink`.

They are asked by anybody, so they say nothing of the inside and keep nothing of the visitor.
"""

from collections import Counter
from collections.abc import Callable
from datetime import datetime

from troth.enforce import reports, wire
from troth.enforce.sink import Sink
from troth.enforce.snapshot import Current, Snapshot
from troth.kernel.request import Request

LIMITS = wire.Limits(body_bytes=reports.MAX_REPORT_BYTES)
_PLAIN = ((b"content-type", b"application/json"), (b"cache-control", b"no-store"))


class Direct:
    """Answers one message after another.

    Args:
        current: the snapshot in force: prefix and own origins.
        learnt: where candidates from policy reports go.
        sink: where replays of attacks end.
        now: the clock.
        new_id: 128 fresh random bits in hex at each call; without it nothing of the snapshot's
            own is answered.
    """

    def __init__(
        self,
        current: Current,
        learnt: reports.Learnt,
        sink: Sink,
        *,
        now: Callable[[], datetime],
        new_id: Callable[[], str] | None = None,
    ) -> None:
        self._current = current
        self._learnt = learnt
        self._sink = sink
        self._now = now
        self._new_id = new_id
        self.counts: Counter[str] = Counter()

    def answer(self, message: wire.Message) -> wire.Reply:
        """The reply; never raises."""
        prefix = self._current.snapshot.prefix.encode()
        match message.target.partition(b"?")[0].removeprefix(prefix):
            case b"healthz":
                if message.method not in {b"GET", b"HEAD"}:
                    return _only(b"GET, HEAD")
                return wire.Reply(status=200, headers=_PLAIN, body=b'{"status":"ok"}')
            case b"csp":
                return self._report(message) if message.method == b"POST" else _only(b"POST")
            case name if name.partition(b"/")[0] == b"sink":
                return self._sink.answer(message)
            case _:
                found = None
                if self._new_id is not None:
                    found = owned(message, self._current.snapshot, self._now(), self._new_id)
                return found or wire.Reply(
                    status=404, headers=_PLAIN, body=b'{"error":"not found"}'
                )

    def _report(self, message: wire.Message) -> wire.Reply:
        kinds = [value for name, value in message.headers if name == b"content-type"]
        site = self._current.snapshot.site
        try:
            kind = kinds[0].decode("ascii", "replace") if len(kinds) == 1 else ""
            found = reports.read(message.body, kind, frozenset({site.app, site.troth}))
        except reports.ReportError:
            self.counts["report.refused"] += 1
            return wire.Reply(status=400, headers=_PLAIN, body=b'{"error":"not a report"}')
        self.counts["report.taken"] += 1
        self._learnt.add(found, self._now())
        return wire.Reply(status=204)


def _only(methods: bytes) -> wire.Reply:
    return wire.Reply(status=405, headers=((b"allow", methods), *_PLAIN))


def owned(
    message: wire.Message, snapshot: Snapshot, now: datetime, new_id: Callable[[], str]
) -> wire.Reply | None:
    """What a snapshot answers by itself below its prefix; None for what it does not know.

    Fails closed: what breaks is 503 and holds nothing.
    """
    path = message.target.partition(b"?")[0].decode("ascii", "replace")
    own = snapshot.own.get(path.removeprefix(snapshot.prefix))
    if own is None or not path.startswith(snapshot.prefix):
        return None
    hosts = [value for name, value in message.headers if name == b"host"]
    request = Request(
        method=message.method,
        target=message.target,
        host=hosts[0].lower() if len(hosts) == 1 else b"",
        headers=message.headers,
        body=message.body or None,
    )
    try:
        said = own(request, now, new_id())
    except Exception:  # noqa: BLE001 -- a machine's loop: a bug is an answer, never a hang
        return wire.Reply(status=503, headers=_PLAIN, body=b"{}")
    return wire.Reply(status=said.status, headers=said.headers, body=said.body or b"")
