"""What the probes of this area share: pages of one rendering, the API, leaves of the log."""

import json
from typing import Any

from troth.adapters.http import LIMIT_BYTES, Response
from troth.adapters.vantage import Vantage
from troth.engines.tlog.errors import LogError
from troth.engines.tlog.tiles import MAX_BUNDLE_BYTES, WIDTH, tile_path, unpack
from troth.kernel.errors import Failure
from troth.promises.trust.rules import Reading, read_page
from troth.promises.trust.settings import TrustSettings

OK = 200
TRIES = 3  # the publisher may swap between two requests


class NotSeen(Failure):
    """What could not be looked at."""


def get(
    vantage: Vantage, path: str, *, fresh: bool = False, limit_bytes: int = LIMIT_BYTES
) -> Response:
    """GET from Troth's own host."""
    return vantage.fetch(vantage.site.troth + path, fresh=fresh, limit_bytes=limit_bytes)


def address(settings: TrustSettings, language: str) -> str:
    """The page in a language; the first one is at the top."""
    return "/trust/" if language == settings.languages[0] else f"/trust/{language}/"


def pages(vantage: Vantage, settings: TrustSettings) -> dict[str, Reading | None]:
    """The page in every language, all of one rendering; None where it is not 200.

    Raises NotSeen when the renderings change faster than they can be read.
    """
    for attempt in range(TRIES):
        found: dict[str, Reading | None] = {}
        for language in settings.languages:
            answer = get(vantage, address(settings, language), fresh=attempt > 0)
            found[language] = read_page(answer.text) if answer.status == OK else None
        renderings = {page.generated for page in found.values() if page is not None}
        if len(renderings) <= 1:
            return found
    raise NotSeen("the page changed while it was read", where=vantage.site.trust)


def promises(vantage: Vantage, *, fresh: bool = False) -> dict[str, Any]:
    """promises.json. Raises NotSeen when it is not there or is no JSON."""
    answer = get(vantage, "/api/v1/promises.json", fresh=fresh)
    if answer.status != OK:
        raise NotSeen(f"promises.json answers {answer.status}", where=vantage.site.troth)
    try:
        found: dict[str, Any] = json.loads(answer.body)
    except ValueError as error:
        raise NotSeen("promises.json is no JSON", where=vantage.site.troth) from error
    if not isinstance(found.get("promises"), list) or not found["promises"]:
        raise NotSeen("promises.json promises nothing", where=vantage.site.troth)
    return found


def leaves(vantage: Vantage, number: int, size: int) -> dict[int, bytes]:
    """The leaves of one bundle of the public log, by index. Raises NotSeen."""
    width = min(WIDTH, size - number * WIDTH)
    for wide in (width, WIDTH):
        path = "/log/" + tile_path("entries", number, wide)
        answer = get(vantage, path, limit_bytes=MAX_BUNDLE_BYTES)
        if answer.status == OK:
            try:
                entries = unpack(answer.body, wide, path)
            except LogError as error:
                raise NotSeen(error.what, where=path) from error
            return {number * WIDTH + offset: leaf for offset, leaf in enumerate(entries)}
    raise NotSeen("a bundle of the log is missing", where=vantage.site.troth)


def leaf(vantage: Vantage, index: int, size: int) -> bytes:
    """One leaf of the public log. Raises NotSeen."""
    if not 0 <= index < size:
        raise NotSeen("no such leaf", where=f"{index} of {size}")
    return leaves(vantage, index // WIDTH, size)[index]
