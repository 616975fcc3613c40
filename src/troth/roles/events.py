"""`troth events`: what the guard decided, from its spool."""

import ipaddress
import json
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from troth.adapters import spool
from troth.enforce.events import DENIED
from troth.roles.places import Places
from troth.roles.recorder import EVENTS

LOOK_AGAIN_S = 0.25


Wanted = Callable[[bytes], bool]


def anything(_: bytes) -> bool:
    """Every event."""
    return True


def others(drills: Sequence[str]) -> Wanted:
    """Whether an event is of anybody but our own probes' clients (`[guard.bans] drills`)."""
    ours = [ipaddress.ip_network(each, strict=False) for each in drills]

    def wanted(line: bytes) -> bool:
        try:
            said = json.loads(line)["src_endpoint"]["ip"].rpartition("login:")[2]
            address = ipaddress.ip_network(said, strict=False).network_address
        except (ValueError, KeyError, TypeError, AttributeError):
            return True
        return not any(address in network for network in ours)

    return wanted


def last(places: Places, count: int, wanted: Wanted = anything) -> list[bytes]:
    """The newest events as they are written, oldest first; none when nothing was written."""
    found: list[bytes] = []
    for path in reversed(spool.segments(places.spool / EVENTS)):
        lines = deque((line for line, _ in spool.lines(path) if wanted(line)), maxlen=count)
        found = [*lines, *found][-count:]
        if len(found) >= count:
            break
    return found


def follow(places: Places, wanted: Wanted = anything) -> Iterator[bytes]:
    """What is written from now on, by every process; ends only when nobody asks any more."""
    folder = places.spool / EVENTS
    read = {path: path.stat().st_size for path in spool.segments(folder)}
    while True:
        for path in spool.segments(folder):
            for line, offset in spool.lines(path, read.get(path, 0)):
                read[path] = offset
                if wanted(line):
                    yield line
        time.sleep(LOOK_AGAIN_S)


def told(line: bytes) -> str:
    """An event as a person reads it; an unreadable one as it is."""
    try:
        event: dict[str, Any] = json.loads(line)
        at = datetime.fromtimestamp(event["time"] / 1000, UTC)
        request = event.get("http_request", {})
        verb = "refused" if event["action_id"] == DENIED else "passed"
        more = event.get("unmapped", {})
        ban = more.get("ban")
        what = f"banned until {ban['until']}" if ban else f"{request.get('http_method', '')}"
        path = request.get("url", {}).get("path", "")
        why = [f"{more['promise']} ({more['code']})"] if "promise" in more else []
        why += [
            f"rule {rule['uid']} at {rule['rule_location']}" for rule in more.get("rules", [])[:3]
        ]
        said = (
            f"{at:%Y-%m-%d %H:%M:%S}",
            event["metadata"]["uid"],
            f"{verb:7}",
            event["src_endpoint"]["ip"] or "-",
            f"{what} {path}".strip(),
            "; ".join(why) or event.get("status_code", ""),
        )
        return "  ".join(said).rstrip()
    except (ValueError, KeyError, TypeError):
        return line.decode("utf-8", "replace")
