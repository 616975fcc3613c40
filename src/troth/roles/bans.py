"""`troth ban`, `unban`, `allow`, `bans`: a line to the guard's desk, no console, no database."""

import json
import re
from datetime import timedelta
from typing import Any

from troth.adapters import clock, sockets
from troth.adapters.sockets import SocketError
from troth.kernel.errors import Failure
from troth.roles.guard_bans import desk
from troth.roles.places import Places

GUARDS = 2  # the first, and who stands by while it is not there
LIMIT_BYTES = 8 * 1024**2
FOR_GOOD_YEARS = 50
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


class BanError(Failure):
    """A ban that no guard took."""


def length(text: str) -> timedelta:
    """`90s`, `30m`, `1h`, `2d`, `1w`. Raises BanError."""
    found = re.fullmatch(r"([1-9]\d{0,6})([smhdw])", text.strip())
    if found is None:
        raise BanError("no length of time", where=text, mend="such as 30m, 1h or 2d")
    return timedelta(seconds=int(found.group(1)) * UNITS[found.group(2)])


def ask(places: Places, do: str, **fields: Any) -> dict[str, Any]:
    """What the guard says; the standby is asked where the first is not there.

    Raises:
        BanError: it refused.
        SocketError: no guard answers.
    """
    line = json.dumps({"do": do, **fields}).encode()
    for index in range(GUARDS):
        try:
            said: dict[str, Any] = json.loads(
                sockets.ask(desk(places, index), line, limit_bytes=LIMIT_BYTES)
            )
            break
        except SocketError as error:
            last = error
    else:
        raise SocketError(
            "no guard answers", where=last.where, mend="is troth running? (troth up)"
        ) from last
    if not said.pop("ok", False):
        why, address = str(said.get("why")), str(fields.get("address", ""))
        raise BanError(why, where="" if address in why else address)
    return said


def moment(text: str) -> str:
    """`2026-01-31 12:00:00 UTC`, of what the guard says; empty: never."""
    return f"{text[:10]} {text[11:19]} UTC" if text else "never"


def until(text: str) -> str:
    """How long somebody is let pass; what is decades away is for good."""
    far = clock.now().year + FOR_GOOD_YEARS
    return "for good" if text[:4].isdigit() and int(text[:4]) > far else f"until {moment(text)}"


def table(said: dict[str, Any]) -> str:
    """What is in force, as lines for a person."""
    lines = [
        f"{ban['subject']:40} until {moment(ban['until'])}  {ban['cause']}"
        + (f" (the {ban['times']}. in a row)" if ban["times"] > 1 else "")
        for ban in said["bans"]
    ]
    if said["count"] > len(lines):
        lines.append(f"... and {said['count'] - len(lines)} more")
    lines += [f"{each['network']:40} allowed {until(each['until'])}" for each in said["allowed"]]
    for each in said["lists"]:
        state = "stale" if each["stale"] else "fresh"
        why = f": {each['problem']}" if each["problem"] else ""
        lines.append(
            f"list {each['name']:35} {each['count']} entries, {state}, "
            f"had {moment(each['had'] or '')}, "
            f"{each['source']}{why}"
        )
    return "\n".join(lines) or "nobody is banned"
