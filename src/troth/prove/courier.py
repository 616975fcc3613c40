"""Carries sealed rounds to the ledger, in order, and holds them for a minute when it is away.

Fails open for time, closed for truth: a round that waited too long is let go (its sequence number
stays a hole that the ledger puts on record), and nothing is ever counted as delivered without the
ledger's yes.
"""

import base64
import json
from collections import deque
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from troth.adapters import sockets
from troth.kernel.errors import Failure

PATIENCE = timedelta(seconds=60)
MAX_WAITING = 64
ANSWER_S = 5.0
MAX_ANSWER_BYTES = 64 * 1024

Told = Callable[[str, Mapping[str, object]], None]


class CourierError(Failure):
    """A ledger that is away or does not take this vantage."""


class Courier:
    """One vantage's way to the ledger. Used by one thread at a time."""

    def __init__(self, door: Path, *, name: str, public: bytes, told: Told) -> None:
        """Get to know the way.

        Args:
            door: the ledger's socket.
            name: the vantage's.
            public: its 32 public bytes.
            told: hears of rounds that were refused or let go.
        """
        self._door, self._name, self._public, self._told = door, name, public, told
        self._waiting: deque[tuple[datetime, bytes]] = deque()
        self._is_known = False

    @property
    def waiting(self) -> int:
        """How many rounds wait."""
        return len(self._waiting)

    def enrol(self) -> int:
        """Have our key known; where our sequence stands there. Raises CourierError."""
        public = base64.b64encode(self._public).decode()
        answer = self._ask({"do": "hello", "vantage": self._name, "public": public})
        if not answer.get("ok"):
            raise CourierError(str(answer.get("why", "refused")), where=self._name)
        self._is_known = True
        return int(answer["sequence"])

    def take(self, raw: bytes, now: datetime) -> None:
        """Line a sealed round up."""
        self._waiting.append((now, raw))

    def deliver(self, now: datetime) -> int:
        """Hand over what waits; how many were taken. Raises CourierError when the ledger is away.

        What was refused is told and dropped: saying it again would not make it better.
        """
        while self._waiting and (
            self._waiting[0][0] < now - PATIENCE or len(self._waiting) > MAX_WAITING
        ):
            self._waiting.popleft()
            self._told("round.lost", {"waiting": len(self._waiting)})
        taken = 0
        while self._waiting:
            if not self._is_known:
                self.enrol()
            answer = self._ask({"do": "round", "envelope": self._waiting[0][1].decode()})
            if answer.get("code") == "unknown-vantage":
                self._is_known = False  # another ledger than before
                self.enrol()
                answer = self._ask({"do": "round", "envelope": self._waiting[0][1].decode()})
            self._waiting.popleft()
            if answer.get("ok"):
                taken += 1
            else:
                self._told("round.refused", {"why": answer.get("why"), "code": answer.get("code")})
        return taken

    def _ask(self, asked: Mapping[str, object]) -> dict[str, Any]:
        try:
            raw = sockets.ask(
                self._door,
                json.dumps(asked).encode(),
                timeout_s=ANSWER_S,
                limit_bytes=MAX_ANSWER_BYTES,
            )
            answer = json.loads(raw)
        except (sockets.SocketError, ValueError) as error:
            raise CourierError("the ledger does not answer", where=str(self._door)) from error
        if not isinstance(answer, dict):
            raise CourierError("the ledger does not speak as a ledger", where=str(self._door))
        return answer
