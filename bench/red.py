"""Break promises of the running demo, one after the other, and see its page say so.

`python bench/red.py [READY_FILE] [SLUG...]` (without a file on a demo that it starts itself): for
each promise with a look, its first liar that alters only the edge is pushed into the running
Envoy; measured are the seconds until all four languages say "failing", which other sentences
turned red (allowed: those declared to rest on it), and after the mend the seconds until it is
green again. Exits 1 when one was not caught or dragged down others.
"""

import json
import re
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

import demo

from liars.liar import Liar, same
from liars.matrix import LIARS, resting_on
from troth.adapters import config, http
from troth.catalogue import CATALOGUE, Settings
from troth.enforce.envoy import compile_edge
from troth.engines.envoy import push
from troth.engines.envoy.admin import Admin
from troth.kernel.model import Method
from troth.roles import edge_plan
from troth.roles.places import Places

LANGUAGES = ("", "it/", "de/", "fr/")
LIMIT_S = 180
GREEN_S = 11 * 60  # a scan that met the break says so until the next one but one, 5 min each
SEEN_BY_ATTACK = {"tls-everywhere"}  # its liars are caught by the attack, every five minutes
ROW = re.compile(r'data-slug="([^"]+)"[^>]*data-state="([^"]+)"')


def states(ready: dict) -> list[dict[str, str]]:
    """What each language's page says now, by slug."""
    pages = []
    for language in LANGUAGES:
        page = http.fetch(f"{ready['troth']}/trust/{language}", ca_file=ready["ca"], timeout_s=10)
        pages.append(dict(ROW.findall(page.text)))
    return pages


def wait(
    ready: dict, slug: str, wanted: set[str], limit_s: float = LIMIT_S
) -> tuple[float, set[str]]:
    """Seconds until all pages say one of `wanted`, and every slug that was failing meanwhile."""
    began, red = time.monotonic(), set()
    while time.monotonic() - began < limit_s:
        pages = states(ready)
        red |= {name for page in pages for name, state in page.items() if state == "failing"}
        if all(page.get(slug) in wanted for page in pages):
            return time.monotonic() - began, red
        time.sleep(0.5)
    return float("inf"), red


def breakable(slugs: list[str]) -> list[Liar]:
    """One liar a promise: seen by a look, and made of nothing but another edge."""
    chosen: dict[str, Liar] = {}
    looks = {c.id for p in CATALOGUE for c in p.checks if c.method is Method.LOOK}
    seen = {id_.partition(".")[0] for id_ in looks} - SEEN_BY_ATTACK
    for liar in LIARS:
        edge_only = liar.fragments is not same and liar.settings is same
        by_look = bool(looks & set(liar.only)) if liar.only else liar.slug in seen
        if edge_only and by_look and (not slugs or liar.slug in slugs):
            chosen.setdefault(liar.slug, liar)
    return list(chosen.values())


def main(argv: list[str]) -> int:
    """On the demo that is named, or on one of our own."""
    if argv and Path(argv[0]).is_file():
        return measure(json.loads(Path(argv[0]).read_text()), argv[1:])
    with demo.running() as (ready, _):
        if demo.wait_known(Path(ready["data"]), {"look", "scan", "attack"}, LIMIT_S) is None:
            sys.exit("red: not every promise was looked at in time")
        return measure(ready, argv)


def measure(ready: dict, slugs: list[str]) -> int:
    """Break, watch, mend, watch."""
    places = Places(Path(ready["data"]))
    settings = config.load(places.data / "troth.toml", Settings)
    admin = Admin(places.socket("edge-admin"))
    honest = edge_plan.fragments(settings)
    plan = edge_plan.plan(settings, places)
    reds, greens, good = [], [], True
    for liar in breakable(slugs):
        allowed = {liar.slug} | resting_on(liar.slug, CATALOGUE)
        try:
            push.push(places.edge, admin, compile_edge(plan, liar.fragments(honest)))
            red_after, red = wait(ready, liar.slug, {"failing"})
        finally:
            push.push(places.edge, admin, compile_edge(plan, honest))
        green_after, _ = wait(ready, liar.slug, {"proven", "attested"}, GREEN_S)
        for slug in allowed & red:
            good &= wait(ready, slug, {"proven", "attested"}, GREEN_S)[0] <= GREEN_S
        reds.append(red_after)
        greens.append(green_after)
        others = sorted(red - allowed)
        good &= red_after <= LIMIT_S and green_after <= GREEN_S and not others
        print(f"  {liar.id}: red after {red_after:.1f} s, green after {green_after:.1f} s", end="")
        print(f"; also red: {', '.join(sorted(red - {liar.slug})) or 'none'}", end="")
        print(f"  NOT ALLOWED: {others}" if others else "", flush=True)
    if len(reds) > 1:
        p95 = statistics.quantiles(reds, n=20, method="inclusive")[-1]
        print(f"  red: median {statistics.median(reds):.1f} s, p95 {p95:.1f} s of {len(reds)}")
        print(f"  green again: median {statistics.median(greens):.1f} s, worst {max(greens):.1f} s")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
