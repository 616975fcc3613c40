"""One request, one snapshot, one moment: one decision. Pure, so that every door gives the same.

Fails closed: an exception here is a bug, and the door that called turns it into a 503.
"""

from dataclasses import dataclass
from datetime import datetime

from troth.enforce.snapshot import Snapshot
from troth.kernel.request import Headers, Refusal, Request

MAX_TOLD_BYTES = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What is to be done with a request.

    Args:
        refusal: None lets it through.
        add: headers for the application; each replaces what the visitor sent under that name.
        remove: headers that the application must not see.
        counted: codes of what is counted, one for each check that had something to count.
    """

    refusal: Refusal | None = None
    add: Headers = ()
    remove: tuple[bytes, ...] = ()
    counted: tuple[str, ...] = ()


ALLOWED = Decision()


def decide(request: Request, snapshot: Snapshot, now: datetime) -> Decision:
    """Ask the snapshot's checks in order; the first refusal is the answer."""
    add: Headers = ()
    remove: tuple[bytes, ...] = ()
    counted: tuple[str, ...] = ()
    for check in snapshot.checks:
        opinion = check(request, now)
        if opinion.refusal is not None:
            return Decision(refusal=opinion.refusal, counted=(*counted, opinion.refusal.slug))
        add += opinion.add
        remove += opinion.remove
        if opinion.counted:
            counted += (opinion.counted,)
    if not (add or remove or counted):
        return ALLOWED
    return Decision(add=add, remove=remove, counted=counted)


def told(request: Request, refusal: Refusal) -> dict[str, object]:
    """The fields of a refusal's event. No query, cookie or body: they hold secrets."""
    return {
        "promise": refusal.slug,
        "code": refusal.code,
        "status": refusal.status,
        "method": request.method[:MAX_TOLD_BYTES],
        "host": request.host[:MAX_TOLD_BYTES],
        "path": request.path[:MAX_TOLD_BYTES],
        "client": request.client,
    }
