"""The malware scanner that the settings name, as uploads are shown to it."""

from datetime import timedelta
from pathlib import Path

from troth.adapters import clamd
from troth.engines.uploads import Content, Scan
from troth.promises.guard.settings.uploads import Uploads


def of(settings: Uploads) -> Scan | None:
    """It; None when none is named. What it raises is an OSError."""
    if not settings.clamd:
        return None
    place, within = Path(settings.clamd), timedelta(seconds=settings.clamd_s)

    def scan(content: Content) -> str:
        return clamd.scan(place, content, within=within)

    return scan
