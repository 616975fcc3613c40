"""The status page: who could be looked at answers; unknown is not well."""

from datetime import timedelta

import pytest

from troth.publish import status
from troth.publish.page import all_stale
from troth.publish.status import Health, Watched

S = timedelta(seconds=1)
EDGE = Watched(
    id="edge",
    name=dict.fromkeys(("en", "it", "de", "fr"), "Edge"),
    checks=frozenset({"a.look", "b.look"}),
)
NAMES = {
    *("summary", "status", "components", "incidents", "incidents/unresolved"),
    *("scheduled-maintenances", "scheduled-maintenances/upcoming"),
    "scheduled-maintenances/active",
}


def seen(bench, verdicts, age=5):
    bench.catalogue(bench.promise("a"), bench.promise("b"))
    if verdicts:
        bench.round(verdicts, bench.NOW - age * S)
    (found,) = status.components(bench.page(), [EDGE])
    return found


@pytest.mark.parametrize(
    ("verdicts", "age", "health", "is_known"),
    [
        ({"a.look": "pass", "b.look": "fail"}, 5, Health.OPERATIONAL, True),
        ({"a.look": "pass", "b.look": "error"}, 5, Health.PARTIAL, True),
        ({"a.look": "error", "b.look": "error"}, 5, Health.MAJOR, True),
        ({"a.look": "pass", "b.look": "pass"}, 90, Health.DEGRADED, False),
        ({"a.look": "error", "b.look": "error"}, 90, Health.DEGRADED, False),
        ({}, 5, Health.DEGRADED, False),
    ],
)
def test_health_follows_the_looks(bench, verdicts, age, health, is_known):
    found = seen(bench, verdicts, age)

    assert (found.health, found.is_known) == (health, is_known)


def test_a_stale_page_knows_nothing(bench):
    seen(bench, {"a.look": "pass", "b.look": "pass"})

    (found,) = status.components(all_stale(bench.page()), [EDGE])

    assert (found.health, found.is_known) == (Health.DEGRADED, False)


def test_the_api_has_statuspages_shape(bench, press):
    found = [seen(bench, {"a.look": "pass", "b.look": "pass"})]
    told = status.api(bench.page(), found, press.phrases["en"])

    assert set(told) == NAMES
    summary = told["summary"]
    assert set(summary) == {
        *("page", "status", "components", "incidents", "scheduled_maintenances"),
    }
    assert summary["status"] == {"indicator": "none", "description": "All parts answer"}
    assert summary["components"][0]["status"] == "operational"
    assert {"id", "name", "url", "time_zone", "updated_at"} <= set(summary["page"])


def test_nothing_known_is_not_none(bench, press):
    told = status.api(bench.page(), [], press.phrases["en"])
    unknown = status.api(bench.page(), [seen(bench, {})], press.phrases["en"])

    assert told["status"]["status"]["indicator"] == "minor"
    assert unknown["status"]["status"]["description"] == "Nobody has looked for too long"
