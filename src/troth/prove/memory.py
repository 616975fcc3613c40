"""What a vantage remembers across restarts: its sequence, and when the rare checks last ran.

A worker that is started anew looks at everything at once, but does not repeat a daily drill. Lost
memory is no harm: the ledger knows the sequence too, and a drill more proves no less.
"""

import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

from troth.adapters import files
from troth.kernel.evidence import EvidenceError, moment, stamp
from troth.kernel.model import Check

RARE = timedelta(hours=1)  # checks with a longer interval are remembered
MAX_BYTES = 1024 * 1024


class Memory:
    """One vantage's file; one writer."""

    def __init__(self, path: Path) -> None:
        """Read what is there; anything unreadable counts as nothing remembered."""
        self._path = path
        self.sequence = 0
        self.config = ""
        self.ran: dict[str, datetime] = {}
        try:
            kept = json.loads(files.read_capped(path, MAX_BYTES))
            self.sequence, self.config = int(kept["sequence"]), str(kept["config"])
            self.ran = {str(name): moment(at) for name, at in kept["ran"].items()}
        except (
            FileNotFoundError,
            files.FileError,
            EvidenceError,
            ValueError,
            KeyError,
            TypeError,
            AttributeError,
        ):
            pass

    def save(self, sequence: int) -> None:
        """Remember the sequence, before a round with it is sealed."""
        self.sequence = sequence
        kept = {
            "sequence": sequence,
            "config": self.config,
            "ran": {name: stamp(at) for name, at in self.ran.items()},
        }
        raw = json.dumps(kept).encode()
        files.write_atomic(self._path, raw, mode=files.PRIVATE, durable=False)

    def begin(self, checks: Iterable[Check], config: str, now: datetime) -> dict[str, datetime]:
        """Last runs to start from: of rare checks under the same configuration, none later."""
        rare = {check.id for check in checks if check.interval > RARE}
        is_same = config == self.config
        self.config = config
        self.ran = {k: v for k, v in self.ran.items() if is_same and k in rare and v <= now}
        return dict(self.ran)

    def note(self, check: Check, began: datetime) -> None:
        """A check gave a verdict; kept with the next `save`."""
        if check.interval > RARE:
            self.ran[check.id] = began
