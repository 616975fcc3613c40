"""Events, not prose: one JSON object a line, appended to a descriptor.

The descriptor is standard output, which the supervisor opens with O_APPEND (systemd: the journal),
so a log may be truncated or moved under a running role. Fails open: an event that cannot be
written is lost and counted, because a full disk must not stop a guard.
"""

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from troth.kernel import cards

STDOUT = 1
MAX_FIELD = 512  # characters of one text field
MAX_LINE_BYTES = 8192
MAX_DEPTH = 4  # of tables within each other


class Secret:
    """A text that no log, error or traceback shows; `reveal` at the last moment."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself."""
        return self._text

    def __repr__(self) -> str:
        return "***"

    __str__ = __repr__

    def __reduce__(self) -> Any:
        raise TypeError("a secret does not travel")


@dataclass(slots=True)
class Log:
    """Where a role's events go.

    Args:
        role: which process speaks.
        now: the clock.
        fd: an open descriptor; standard output unless told otherwise.
    """

    role: str
    now: Callable[[], datetime]
    fd: int = STDOUT
    lost: int = 0

    def event(self, name: str, /, **fields: Any) -> None:
        """Write one event. Card numbers are masked, texts are cut at `MAX_FIELD`.

        What is no JSON is written as its repr.
        """
        line: dict[str, Any] = {
            "at": self.now().isoformat(timespec="milliseconds"),
            "role": self.role,
        }
        line["event"] = name
        line |= {key: _short(value) for key, value in fields.items()}
        raw = json.dumps(line, default=repr, separators=(",", ":")).encode()
        if len(raw) > MAX_LINE_BYTES:
            line = {key: line[key] for key in ("at", "role", "event")} | {"cut": len(raw)}
            raw = json.dumps(line, separators=(",", ":")).encode()
        try:
            os.write(self.fd, raw + b"\n")
        except OSError:
            self.lost += 1


def _short(value: Any, depth: int = 0) -> Any:
    if isinstance(value, bytes):
        value = value.decode("ascii", "backslashreplace")
    if isinstance(value, str):
        return cards.masked(value)[:MAX_FIELD]
    if isinstance(value, Mapping) and depth < MAX_DEPTH:
        return {key: _short(inner, depth + 1) for key, inner in value.items()}
    if isinstance(value, list | tuple) and depth < MAX_DEPTH:
        return [_short(inner, depth + 1) for inner in value]
    return value
