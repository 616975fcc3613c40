"""The status page: components and their state, in the shape of the Statuspage API v2.

A component's state comes from looks: who could be looked at answers. Unknown is never
`operational`: a component that nobody has seen lately is `degraded_performance`, and says so in
words. Incidents and maintenance have their lists, which are empty until somebody can write one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from troth.kernel.evidence import stamp
from troth.kernel.model import Verdict
from troth.publish.page import LookRow, Page

INDICATORS = ("none", "minor", "major", "critical")


class Health(StrEnum):
    """A component's status (Source: Statuspage API v2, components)."""

    OPERATIONAL = "operational"
    DEGRADED = "degraded_performance"
    PARTIAL = "partial_outage"
    MAJOR = "major_outage"


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """A component and the checks whose looks need it to answer.

    Args:
        id: stable, for machines.
        name: by language.
        checks: ids; a verdict of pass or fail says that it answered, an error that it did not.
    """

    id: str
    name: Mapping[str, str]
    checks: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """A component as shown. `seen` is when it was last seen to answer; None: never."""

    watched: Watched
    health: Health
    is_known: bool
    seen: datetime | None


def components(page: Page, watched: Sequence[Watched]) -> tuple[Component, ...]:
    """Each component's state on this page; on a stale one nothing is known."""
    return tuple(_component(page, item) for item in watched)


def _component(page: Page, item: Watched) -> Component:
    looks = [
        look
        for row in page.rows
        for c in row.checks
        if c.check.id in item.checks
        for look in c.looks
    ]
    latest: dict[tuple[str, str], LookRow] = {}
    for look in looks:
        place = (look.evidence.check, look.evidence.vantage)
        if place not in latest or latest[place].evidence.collected < look.evidence.collected:
            latest[place] = look
    answered = [look for look in latest.values() if look.fresh]
    silent = [
        look
        for look in latest.values()
        if look.evidence.verdict is Verdict.ERROR and look.until > page.generated
    ]
    seen = max(
        (k.evidence.collected for k in looks if k.evidence.verdict is not Verdict.ERROR),
        default=None,
    )
    if page.is_stale or not (answered or silent):
        return Component(watched=item, health=Health.DEGRADED, is_known=False, seen=seen)
    health = Health.OPERATIONAL if not silent else Health.PARTIAL if answered else Health.MAJOR
    return Component(watched=item, health=health, is_known=True, seen=seen)


def indicator(found: Sequence[Component]) -> str:
    """One word for all (Source: Statuspage API v2, status)."""
    worst = {
        Health.OPERATIONAL: 0,
        Health.DEGRADED: 1,
        Health.PARTIAL: 2,
        Health.MAJOR: 3,
    }
    return INDICATORS[max((worst[c.health] for c in found), default=1)]


def api(page: Page, found: Sequence[Component], words: Mapping[str, Any]) -> dict[str, Any]:
    """Every `/api/v2/*.json` by its name without ending."""
    level = indicator(found)
    about = {
        "id": "troth",
        "name": page.masthead.site.name,
        "url": page.masthead.site.status,
        "time_zone": "Etc/UTC",
        "updated_at": stamp(page.generated),
    }
    head = {"page": about}
    status = {"status": {"indicator": level, "description": words["levels"][level]}}
    if found and not any(c.is_known for c in found):
        status["status"]["description"] = words["unknown"]
    listed = {"components": [_as_json(page, c, order) for order, c in enumerate(found, 1)]}
    incidents: dict[str, list[object]] = {"incidents": []}
    maintenance: dict[str, list[object]] = {"scheduled_maintenances": []}
    return {
        "summary": {**head, **status, **listed, **incidents, **maintenance},
        "status": {**head, **status},
        "components": {**head, **listed},
        "incidents": {**head, **incidents},
        "incidents/unresolved": {**head, **incidents},
        "scheduled-maintenances": {**head, **maintenance},
        "scheduled-maintenances/upcoming": {**head, **maintenance},
        "scheduled-maintenances/active": {**head, **maintenance},
    }


def _as_json(page: Page, component: Component, order: int) -> dict[str, Any]:
    at = stamp(component.seen) if component.seen else None
    return {
        "id": component.watched.id,
        "page_id": "troth",
        "name": component.watched.name["en"],
        "status": component.health.value,
        "description": None if component.is_known else "nobody has seen it lately",
        "position": order,
        "created_at": None,
        "updated_at": at or stamp(page.generated),
        "last_seen": at,
        "known": component.is_known,
        "showcase": True,
        "group": False,
        "group_id": None,
        "only_show_if_degraded": False,
    }
