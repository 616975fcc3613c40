"""The findings role: follows the log and keeps a finding for each promise that is broken.

The log is the truth: this role may die, be late or begin anew, and arrives at the same findings.
It needs the database and nothing of the page; without the database it waits.
"""

import signal
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from troth.adapters import notify
from troth.adapters.database import DatabaseError
from troth.adapters.files import read_capped
from troth.catalogue import CATALOGUE
from troth.console import schema
from troth.console.settings import derive, prepare
from troth.engines.tlog.errors import LogError
from troth.engines.tlog.note import NoteVerifier
from troth.engines.tlog.read import VerifiedLog, read_log
from troth.kernel.model import Promise
from troth.publish.record import Leaf, Record
from troth.publish.shapes import RecordError
from troth.roles import start, state
from troth.roles.places import Places

POLL_S = 2.0
MAX_VKEY_BYTES = 4096
OF_CHECK: Mapping[str, Promise] = {
    check.id: promise for promise in CATALOGUE for check in promise.checks
}


def main(argv: Sequence[str]) -> int:
    """Run until SIGTERM; what waiting may cure ends it with 1, and it is started again."""
    return start.guarded(_main, argv, DatabaseError, LogError, RecordError, schema.SchemaError)


def _main(argv: Sequence[str]) -> int:
    settings, places = start.given(start.arguments("findings").parse_args(argv))
    url = state.role_url(settings, places, "worker")
    role = "troth_worker" if settings.database.url else ""
    prepare(derive(settings, url=url, secret_key="signs nothing", role=role))  # noqa: S106
    schema.require_current()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    notify.ready()
    follow(places, stop)
    return 0


def follow(places: Places, stop: threading.Event) -> None:
    """Record what the log says, then whatever it comes to say, until told to stop.

    Raises:
        LogError, RecordError: the log does not verify; nothing more is recorded.
        DatabaseError: the database is away.
    """
    from troth.console.records import findings  # noqa: PLC0415 -- only after `prepare`

    record, size = Record(), 0
    while True:
        log = _log(places)
        for index, raw in log.entries(size) if log and log.head.size > size else ():
            for change in _changes(record.add(index, raw)):
                findings.record(findings.Change(index=index, **change))
        size = log.head.size if log else 0
        if stop.wait(POLL_S):
            return


def _changes(leaf: Leaf) -> Iterator[dict[str, Any]]:
    """What a leaf says of promises that this code declares: the fields of a `findings.Change`."""
    for look in leaf.round.looks if leaf.round else ():
        promise = OF_CHECK.get(look.check)
        if promise is not None and leaf.round is not None:
            yield {
                "promise": promise.slug,
                "severity": promise.severity,
                "check": look.check,
                "vantage": leaf.round.vantage,
                "verdict": look.verdict,
                "at": look.collected,
            }


def _log(places: Places) -> VerifiedLog | None:
    """The log, verified with the key that the publisher pinned; None before there is one."""
    pinned = places.public / "log.vkey"
    if not pinned.exists():
        return None
    key = NoteVerifier.parse(read_capped(pinned, MAX_VKEY_BYTES).decode("ascii").strip())
    return read_log(places.log, key)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
