"""Abuses flows of our own: scraping, enumeration, a skipped step, hoarding; and one honest visit.

The flows are declared below the sink, by the same words as the application's, and decided about by
the same code; nothing of the application's is held, bought or read. Each abuser is a synthetic
client of its own, and so is the visitor who does a little of everything in the right order.
"""

import time
from typing import Any

from troth.adapters.vantage import Vantage
from troth.kernel.model import Observation
from troth.kernel.request import MARKER
from troth.promises.guard.probe.addresses import ELSEWHERE, nonce
from troth.promises.guard.rules.canary import (
    ENUMERATION,
    FLOW_ROUTE,
    HOARDING,
    SCRAPING,
    SKIPPING,
)
from troth.promises.guard.settings import GuardSettings

MORE = 6  # beyond what is allowed
MARK = MARKER.decode()
PUBLIC = frozenset({"flows", "scraping", "enumeration", "skipping", "hoarding", "visit"})
Told = list[Any]  # a status, and the promise that refused


class _Visitor:
    """A client of this run that walks through our flows."""

    def __init__(self, vantage: Vantage, run: str, name: str) -> None:
        self._client = vantage.as_client(f"flows.{run}.{name}")
        self._base = f"{vantage.site.app}{vantage.site.prefix}{FLOW_ROUTE}"

    def at(self, path: str) -> Told:
        """Ask for a path below our flows."""
        answer = self._client.fetch(f"{self._base}/{path}", fresh=True)
        return [answer.status, answer.one(MARK) or ""]

    def many(self, path: str, most: int) -> list[Told]:
        """So many different ones and some more."""
        return [self.at(f"{path}/{number}") for number in range(most + MORE)]


def abuse(vantage: Vantage, settings: GuardSettings) -> Observation:
    """Each abuse by a client of its own, and a visit that is none."""
    if not vantage.has_clients:
        return ELSEWHERE
    run = nonce(vantage)
    hoarder = _Visitor(vantage, run, "hoarder")
    held = [hoarder.at("hold") for _ in range(HOARDING.most + MORE)]
    return Observation(
        facts={
            "is_elsewhere": False,
            "flows": [flow.name for flow in settings.flows],
            "scraping": _Visitor(vantage, run, "scraper").many("item", SCRAPING.most),
            "enumeration": _Visitor(vantage, run, "guesser").many("gone", ENUMERATION.most),
            "skipping": _skipped(vantage, run),
            "hoarding": held,
            "visit": _visit(_Visitor(vantage, run, "visitor")),
        },
        public=PUBLIC,
    )


def _skipped(vantage: Vantage, run: str) -> list[Told]:
    """Straight to the end. A guard that has just begun cannot know of a step before: once more."""
    told = [_Visitor(vantage, run, "hasty").at("pay")]
    if not told[0][1]:
        time.sleep(SKIPPING.within_s + 1)
        told = [_Visitor(vantage, run, "hasty-again").at("pay")]
    return told


def _visit(visitor: _Visitor) -> list[Told]:
    """A few things looked at, one that is gone, three times held and done, and paid at the end."""
    told = [visitor.at(f"item/{number % 3}") for number in range(SCRAPING.most + MORE)]
    told.append(visitor.at("gone/one"))
    for _ in range(HOARDING.most):
        told += [visitor.at("hold"), visitor.at("done")]
    return [*told, visitor.at("hold"), visitor.at("cart"), visitor.at("pay")]
