"""Looks for the readers' commands, and runs one as a reader would: a shell, and nothing of ours.

Only commands that this area declares are ever run, and only when the page shows the very same
text: a page that was tampered with must not choose what this machine executes.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from troth.adapters import process
from troth.adapters.vantage import Vantage
from troth.kernel.model import Check, Observation
from troth.promises.trust import promise
from troth.promises.trust.probe import page, reading
from troth.promises.trust.rules import is_readers_own, read_page
from troth.promises.trust.settings import TrustSettings

SAMPLE: tuple[tuple[Check, Callable[[Vantage, TrustSettings], Observation]], ...] = (
    (promise.PUBLIC_MEASURE_LIST.checks[0], page.measure_list),
    (promise.PLANNED_LABELLED.checks[0], page.planned),
    (promise.PAGE_LANGUAGES.checks[0], page.languages),
)
WITHIN = timedelta(seconds=20)
PUBLIC_ROOTS = "/etc/ssl/certs/ca-certificates.crt"  # where Debian and its kin keep them


def retest(vantage: Vantage, settings: TrustSettings) -> Observation:
    """Every check's command on the promise's page and in the API; one of them run."""
    listed = reading.promises(vantage)
    checks = []
    for entry in listed["promises"]:
        shown = read_page(reading.get(vantage, f"/trust/{entry['slug']}").text).codes
        for check in entry["checks"]:
            command = str(check["command"])
            is_shown = shown.get(str(check["id"])) == command != ""
            checks.append([str(check["id"]), is_shown, is_readers_own(command)])
    return Observation(
        facts={"checks": checks, "ran": _ran(vantage, settings, listed)}, public=frozenset()
    )


def _ran(vantage: Vantage, settings: TrustSettings, listed: dict[str, Any]) -> dict[str, Any]:
    """The sample's exit code, and what our own probe of the same check sees at the same time."""
    sample, look = SAMPLE[vantage.rng.randrange(len(SAMPLE))]
    found = [c for e in listed["promises"] for c in e["checks"] if c["id"] == sample.id]
    if not found or found[0]["command"] != sample.command:
        return {"check": sample.id, "is_shown": False, "code": -1, "facts": {}}
    code = _run(vantage, sample)
    if code:  # the page may have been swapped between two of its requests
        code = _run(vantage, sample)
    return {
        "check": sample.id,
        "is_shown": True,
        "code": code,
        "facts": dict(look(vantage, settings).facts),
    }


def _run(vantage: Vantage, sample: Check) -> int:
    site = vantage.site
    names = {
        "APP": site.app,
        "HTTP": site.http,
        "TROTH": site.troth,
        "STATUS": site.status,
        "CA": site.ca_file or PUBLIC_ROOTS,
    }
    return process.run(["sh", "-c", sample.command], timeout=WITHIN, env=names, ok=None).code
