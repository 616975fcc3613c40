"""What `troth up` shows: roles as they start, then a live table of promises; lines when piped."""

import asyncio
import contextlib
import json
from collections import Counter
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

EVERY_S = 0.5
SIGNS = {
    "proven": ("✓", "green"),
    "attested": ("✎", "cyan"),
    "planned": ("◷", "blue"),
    "failing": ("✗", "bold red"),
    "stale": ("◌", "yellow"),
    "unproven": ("?", "dim"),
    "not-applicable": ("-", "dim"),
}


class Screen:
    """Tells a person, on a terminal with a table, else line by line as things change."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live: Live | None = None
        self._states: dict[str, str] = {}
        self._roles: dict[str, str] = {}

    @property
    def is_terminal(self) -> bool:
        """Whether a person sits there."""
        return self._console.is_terminal

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live = Live(console=self._console, auto_refresh=False, vertical_overflow="crop")
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._live:
            self._live.stop()

    def role(self, name: str, what: str) -> None:
        """A role's event, as the supervisor tells it."""
        seen = self._roles.get(name)
        self._roles[name] = what
        if what != "ready" or seen not in (None, "ready"):
            self._say(f"{name}: {what}")
        elif self._live is None:
            self._say(f"{name}: ready")

    def up(self, facts: dict[str, object]) -> None:
        """All roles are ready."""
        lines = (
            ("application", facts["app"]),
            ("trust page", facts["trust"]),
            ("status page", facts["status"]),
        )
        for name, address in lines:
            self._say(f"{name:12} {address}")
        if facts["ca"]:
            self._say(f"{'authority':12} {facts['ca']} (trust it in a browser of yours, or not)")
        self._say("stop with Ctrl-C")

    async def follow(self, path: Path) -> None:
        """Show the published states as they change, until cancelled."""
        seen = 0
        while True:
            changed = _changed(path)
            if changed != seen:
                seen = changed
                with contextlib.suppress(OSError, ValueError, KeyError):
                    self._show(json.loads(await asyncio.to_thread(path.read_bytes))["promises"])
            await asyncio.sleep(EVERY_S)

    def _show(self, promises: list[dict[str, Any]]) -> None:
        states = {promise["slug"]: str(promise["state"]) for promise in promises}
        if self._live is None:
            for slug, state in states.items():
                if (old := self._states.get(slug)) != state:
                    sign, _ = SIGNS[state]
                    self._say(f"{sign} {slug}: {old + ' → ' if old else ''}{state}")
        else:
            self._live.update(_table(promises), refresh=True)
        self._states = states

    def _say(self, line: str) -> None:
        self._console.print(line, highlight=False, markup=False, soft_wrap=True)


def _changed(path: Path) -> int:
    """When the file was last changed, in nanoseconds; 0 when there is none."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def _table(promises: list[dict[str, Any]]) -> Table:
    counts = Counter(str(promise["state"]) for promise in promises)
    caption = "   ".join(f"{SIGNS[state][0]} {n} {state}" for state, n in counts.items())
    table = Table(caption=caption, box=None, pad_edge=False, show_header=False, expand=True)
    table.add_column(width=16, no_wrap=True)
    table.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
    for promise in promises:
        sign, style = SIGNS[promise["state"]]
        table.add_row(Text(f"{sign} {promise['state']}", style=style), promise["claim"]["en"])
    return table
