"""Blocklists: read from files and addresses, each with its age; the last good one stays in use.

A list that cannot be had, or that holds nothing sensible, changes nothing: the one before is used,
and grows stale in what is shown. Every copy that was fetched is kept in the spool, so that a
restart without the network begins with it.
"""

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from troth.adapters import clock, files, http
from troth.enforce.snapshot import Told
from troth.kernel.errors import Failure
from troth.promises.guard.rules import feeds
from troth.promises.guard.rules.ranges import Ranges
from troth.promises.guard.settings.addresses import Blocklist
from troth.roles import state

MAX_BYTES = 64 * 1024**2
WITHIN_S = 60.0
LOOK_S = 0.5
SHOWN = "lists.json"  # in the spool
MAX_PAUSE_S = 300.0  # before a failed one is tried again


@dataclass(slots=True)
class _One:
    """One list: as set, as in use, and when it was had."""

    said: Blocklist
    ranges: Ranges
    had: datetime | None = None
    due: float = 0.0
    digest: str = ""
    problem: str = ""
    skipped: int = 0


class Lists:
    """All lists of one guard.

    Args:
        said: as set.
        spool: where copies are kept.
        told: where events go.
        now: the clock.
        is_shown: what is in use is written down for whoever shows it; by one process of a spool.
    """

    def __init__(
        self,
        said: Sequence[Blocklist],
        spool: Path,
        told: Told,
        now: Callable[[], datetime],
        *,
        is_shown: bool = True,
    ) -> None:
        self._is_shown = is_shown
        self._spool, self._told, self._now = spool, told, now
        self._lists: dict[str, _One] = {}
        self.by_name: dict[str, Ranges] = {}
        self._shown: list[dict[str, Any]] | None = None
        self.renew(said)

    def renew(self, said: Sequence[Blocklist]) -> None:
        """Other settings: what is the same stays as it is."""
        before, self._lists = self._lists, {}
        for each in said:
            known = before.get(each.name)
            if known is not None and known.said == each:
                self._lists[each.name] = known
            else:
                self._lists[each.name] = self._begun(each)
        self._publish()

    @property
    def has_any(self) -> bool:
        """Whether there are lists to look after."""
        return bool(self._lists)

    def shown(self) -> list[dict[str, Any]]:
        """Name, source, size, age and state of each."""
        now = self._now()
        return [
            {
                "name": one.said.name,
                "source": feeds.shown(one.said.source),
                "count": one.ranges.count,
                "skipped": one.skipped,
                "had": one.had,
                "stale": one.had is None or now - one.had > timedelta(seconds=one.said.max_age_s),
                "problem": one.problem,
            }
            for one in self._lists.values()
        ]

    async def run(self) -> None:
        """Read each when it is due; until it is cancelled."""
        while True:
            for one in tuple(self._lists.values()):
                if clock.monotonic_s() >= one.due:
                    await self._look(one)
            self._tell()
            await asyncio.sleep(LOOK_S)

    def _tell(self) -> None:
        """What is in use, for whoever shows or proves it. Fails open: it is only shown."""
        shown = self.shown() if self._is_shown else None
        if shown != self._shown:
            with suppress(files.FileError):
                files.write_atomic(
                    self._spool / SHOWN, msgspec.json.encode(shown), mode=0o640, durable=False
                )
            self._shown = shown

    async def _look(self, one: _One) -> None:
        was = one.problem
        try:
            raw, had = await asyncio.to_thread(self._had, one.said)
            digest = hashlib.sha256(raw).hexdigest()
            if digest != one.digest:
                found = await asyncio.to_thread(feeds.read, raw, one.said.kind)
                ranges = await asyncio.to_thread(Ranges, found.networks)
                one.ranges, one.digest, one.skipped = ranges, digest, found.skipped
                self._told(
                    "list.read",
                    {"name": one.said.name, "count": ranges.count, "skipped": found.skipped},
                )
            one.had, one.problem = had, ""
            age = self._now() - had if not one.said.source.startswith("file:") else timedelta(0)
            one.due = clock.monotonic_s() + max((_refresh(one.said) - age).total_seconds(), 1.0)
        except (Failure, ValueError, TimeoutError, OSError) as error:
            one.problem = str(error)[:200]
            one.due = clock.monotonic_s() + min(one.said.refresh_s, MAX_PAUSE_S)
            if one.problem != was:
                self._told("list.kept", {"name": one.said.name, "because": one.problem})
        if self._lists.get(one.said.name) is one:
            self._publish()

    def _had(self, said: Blocklist) -> tuple[bytes, datetime]:
        """The list and when it was made or fetched. Raises Failure or OSError.

        What another process of this spool fetched is as good while it is fresh.
        """
        with suppress(FileNotFoundError):
            raw, had = self._kept(said)
            if said.source.startswith("file:") or self._now() - had < _refresh(said):
                return raw, had
        if said.source.startswith("file:"):
            raise FileNotFoundError(feeds.shown(said.source))
        key = state.secret(said.key, f"[[guard.lists]] {said.name}") if said.key else ""
        answer = http.fetch(
            said.source,
            headers={"X-Api-Key": key} if key else {},
            timeout_s=WITHIN_S,
            limit_bytes=MAX_BYTES,
            ca_file=said.ca_file,
        )
        if answer.status != 200:  # noqa: PLR2004 -- RFC 9110, 15.3.1
            raise http.HttpError(f"answered {answer.status}", where=feeds.shown(said.source))
        feeds.read(answer.body, said.kind)  # what is no list must not take a good one's place
        files.write_atomic(self._copy(said), answer.body, mode=files.PRIVATE, durable=False)
        return answer.body, self._now()

    def _kept(self, said: Blocklist) -> tuple[bytes, datetime]:
        """A list's file, or the copy that was fetched. Raises FileNotFoundError or Failure."""
        is_file = said.source.startswith("file:")
        path = Path(said.source.removeprefix("file:")) if is_file else self._copy(said)
        raw = files.read_capped(path, MAX_BYTES)
        return raw, datetime.fromtimestamp(path.stat().st_mtime, UTC)

    def _begun(self, said: Blocklist) -> _One:
        """A list as it lies on disk, so that nobody is served without it; read again at once."""
        one = _One(said, Ranges())
        try:
            raw, had = self._kept(said)
            found = feeds.read(raw, said.kind)
            one.ranges, one.skipped = Ranges(found.networks), found.skipped
            one.had, one.digest = had, hashlib.sha256(raw).hexdigest()
        except (OSError, Failure, ValueError):
            pass  # it is fetched at once, and told when it cannot be had
        return one

    def _copy(self, said: Blocklist) -> Path:
        """Where a copy is kept: another source or kind is another list."""
        name = hashlib.sha256(f"{said.kind} {said.source}".encode()).hexdigest()[:16]
        return self._spool / f"list-{name}"

    def _publish(self) -> None:
        self.by_name = {name: one.ranges for name, one in self._lists.items()}


def _refresh(said: Blocklist) -> timedelta:
    return timedelta(seconds=said.refresh_s)
