"""Blocklists: an address of our own is put on the installation's list, and taken off again."""

import os
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from troth.adapters import files
from troth.adapters.vantage import Vantage
from troth.kernel.model import Observation
from troth.kernel.request import MARKER
from troth.promises.guard.probe.addresses import nonce
from troth.promises.guard.settings import GuardSettings

SLACK_S = 5.0  # beyond a list's own pause
MAX_PAUSE_S = 30  # of a list that is tried
MAX_BYTES = 1024 * 1024
PUBLIC = frozenset({"has_overlay", "refused_after_s", "served_after_s", "lists"})
MARK = MARKER.decode()


def overlay(vantage: Vantage, settings: GuardSettings) -> Observation:
    """Put a synthetic client on the first list that is a file in the data directory.

    A list that is read again too seldom is left alone: then nothing is seen.
    """
    path = _own(vantage.data, settings)
    if path is None or not vantage.has_clients:
        return Observation(facts={"has_overlay": False}, public=PUBLIC)
    pause = next(s.refresh_s for s in settings.lists if s.source == f"file:{path}")
    client = vantage.as_client(f"listed.{nonce(vantage)}")
    other = vantage.as_client(f"unlisted.{nonce(vantage)}")
    before = client.fetch(client.site.sink, fresh=True).status
    line = f"{client.address}\n"
    _altered(path, lambda text: text + line)
    try:
        refused = _waited(client, pause + SLACK_S, is_refused=True)
        beside = other.fetch(other.site.sink, fresh=True).status
    finally:
        _altered(path, lambda text: text.replace(line, ""))
    served = _waited(client, pause + SLACK_S, is_refused=False)
    return Observation(
        facts={
            "has_overlay": True,
            "before": before,
            "other": beside,
            "refused_after_s": refused,
            "served_after_s": served,
        },
        public=PUBLIC,
    )


def age(vantage: Vantage, _settings: GuardSettings) -> Observation:
    """What the guard says of its lists: source, size, age."""
    if vantage.data is None:
        return Observation(facts={"lists": None}, public=PUBLIC)
    try:
        raw = files.read_capped(vantage.data / "spool" / "lists.json", MAX_BYTES)
        shown = msgspec.json.decode(raw, type=list[dict[str, Any]])
    except (FileNotFoundError, files.FileError, msgspec.DecodeError):
        return Observation(facts={"lists": None}, public=PUBLIC)
    return Observation(facts={"lists": [_told(each, vantage.now) for each in shown]}, public=PUBLIC)


def _told(shown: dict[str, Any], now: datetime) -> dict[str, Any]:
    had = shown.get("had")
    seconds = (now - datetime.fromisoformat(had)).total_seconds() if had else None
    return {
        "name": shown["name"],
        "source": shown["source"],
        "count": shown["count"],
        "age_s": None if seconds is None else max(int(seconds), 0),
    }


def _own(data: Path | None, settings: GuardSettings) -> Path | None:
    """The first list that is a file of this installation's own, and read often enough."""
    for each in settings.lists:
        path = Path(each.source.removeprefix("file:"))
        is_file = each.source.startswith("file:") and each.kind == "cidr"
        if data is not None and is_file and path.is_relative_to(data):
            return path if each.refresh_s <= MAX_PAUSE_S and os.access(path, os.W_OK) else None
    return None


def _altered(path: Path, change: Any) -> None:
    """Change the list; its age stays, for nobody renewed it."""
    text, was = files.read_capped(path, MAX_BYTES).decode("utf-8"), path.stat()
    files.write_atomic(path, change(text).encode(), mode=0o644)
    os.utime(path, ns=(was.st_atime_ns, was.st_mtime_ns))


def _waited(client: Vantage, for_s: float, *, is_refused: bool) -> float | None:
    """Seconds until the client is refused for the list, or served; None when it never was."""
    began = time.monotonic()
    while time.monotonic() - began < for_s:
        answer = client.fetch(client.site.sink, fresh=True)
        mark = answer.one(MARK) or ""
        if mark == ("ip-blocklist" if is_refused else ""):
            return round(time.monotonic() - began, 2)
        time.sleep(0.25)
    return None
