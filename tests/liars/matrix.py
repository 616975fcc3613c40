"""Every liar against every check: `make liars`; what was seen red is signed.

`python tests/liars/matrix.py [SLUG...]` runs the liars of these promises; without a slug all of
them, and then writes `src/troth/liars.json`: what was seen red on liars on which the law held.
"""

import argparse
import hashlib
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import chain
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from liars import (
    edge_browser,
    edge_headers,
    edge_inline,
    edge_sharing,
    edge_tls,
    edge_transparency,
    edge_transport,
    guard_addresses,
    guard_csrf,
    guard_escaping,
    guard_flows,
    guard_login,
    guard_origin,
    guard_uploads,
    guard_waf,
    payments_cards,
    trust_page,
)
from liars.ground import Ground, System, ground
from liars.liar import HONEST, Liar
from troth.adapters import chance, clock
from troth.catalogue import CATALOGUE, declared
from troth.kernel.model import Check, Method, Promise, Verdict
from troth.prove import keys, tested
from troth.prove.digest import probe_digests
from troth.prove.run import Seen, look_now

FILES = (
    edge_transport,
    edge_tls,
    edge_transparency,
    edge_headers,
    edge_browser,
    edge_inline,
    edge_sharing,
    guard_origin,
    guard_uploads,
    guard_waf,
    guard_addresses,
    guard_login,
    guard_csrf,
    guard_flows,
    guard_escaping,
    payments_cards,
    trust_page,
)
LIARS: tuple[Liar, ...] = tuple(liar for file in FILES for liar in file.LIARS)
KEY = Path("~/.config/troth/liars.key")  # of whoever runs this; made on first use
CHEAP = frozenset({Method.LOOK, Method.SCAN, Method.ATTACK})


@dataclass(frozen=True, slots=True)
class Verdicts:
    """What every check said of one system."""

    liar: Liar
    seen: Mapping[str, tuple[Seen, ...]]
    promises: tuple[Promise, ...]

    def having(self, verdict: Verdict) -> set[str]:
        """Slugs of promises of which a check says this."""
        return {slug for slug, seen in self.seen.items() if any(s.verdict is verdict for s in seen)}

    def reasons(self, slug: str) -> str:
        """What the checks of one promise say."""
        return "; ".join(f"{s.check.id} {s.verdict}: {s.reason}" for s in self.seen[slug])

    def complaints(self) -> list[str]:
        """Where the law is broken; nothing when it holds."""
        failing = self.having(Verdict.FAIL)
        if not self.liar.slug:
            bad = failing | self.having(Verdict.ERROR)
            return [f"honest, but {slug}: {self.reasons(slug)}" for slug in sorted(bad)]
        slug = self.liar.slug
        found = [] if slug in failing else [f"not caught: {self.reasons(slug)}"]
        red = {s.check.id for s in self.seen[slug] if s.verdict is Verdict.FAIL}
        found += [f"not caught by {id_}" for id_ in sorted(set(self.liar.only) - red)]
        allowed = {slug} | resting_on(slug, self.promises)
        return found + [
            f"{other} fails too: {self.reasons(other)}" for other in sorted(failing - allowed)
        ]


def resting_on(slug: str, promises: Iterable[Promise]) -> set[str]:
    """Promises that are declared to rest on this one, directly or by another."""
    known = tuple(promises)
    found = {promise.slug for promise in known if slug in promise.rests_on}
    return found | {further for each in found for further in resting_on(each, known)}


def examine(
    system: System, liar: Liar, *, slugs: Iterable[str], with_drills: bool = False
) -> Verdicts:
    """Run the checks of these promises on a system.

    What runs once a day is run where the liar says that it must catch it and, `with_drills`, on
    the liar's own promise and on all of the honest system.
    """
    wanted = set(slugs)
    promises = declared(system.settings)
    chosen = [
        _chosen(promise, liar, is_whole=with_drills and liar.slug in {"", promise.slug})
        for promise in promises
        if promise.slug in wanted
    ]
    seen = look_now(
        [promise for promise in chosen if promise.checks],
        system.vantage(),
        system.settings.of,
        now=clock.now,
    )
    return Verdicts(liar, seen, promises)


def _chosen(promise: Promise, liar: Liar, *, is_whole: bool) -> Promise:
    kept = [c for c in promise.checks if is_whole or c.id in liar.only or _is_cheap(c)]
    return replace(promise, checks=tuple(kept))


def _is_cheap(check: Check) -> bool:
    """What runs once a day costs too much to be run on every liar."""
    return check.method in CHEAP and check.interval < timedelta(days=1)


def run_liar(slug: str) -> list[Verdicts]:
    """Every liar of one promise, with the promise and what rests on it: for `troth liar SLUG`."""
    with ground() as place:
        chosen = [liar for liar in LIARS if liar.slug == slug]
        return [against(place, liar, is_whole=False, with_drills=True) for liar in chosen]


def against(place: Ground, liar: Liar, *, is_whole: bool, with_drills: bool = False) -> Verdicts:
    """Run a liar: every promise, or its own and what rests on it; of the honest system all.

    What the page tells is on record of the honest system, so promises about the page are judged on
    that and on liars about the page.
    """
    promises = declared(liar.declared(place.settings))
    own = {liar.slug} | resting_on(liar.slug, promises)
    wanted = {promise.slug for promise in promises if is_whole or not liar.slug} | own
    of_page = {promise.slug for promise in promises if promise.area == "trust"}
    if liar.slug not in {"", *of_page}:
        wanted -= of_page
    if wanted & of_page:
        place.record()
    with place.up(liar) as system:
        return examine(system, liar, slugs=wanted, with_drills=with_drills)


def main(slugs: Sequence[str]) -> int:
    """Run, print a line a liar, sign. 0 when the law holds, 2 for a slug without liars."""
    sample, slugs = _sample(slugs)
    chosen = [liar for liar in LIARS if not slugs or liar.slug in slugs]
    if sample is not None:
        chosen = chance.seeded(sample.seed).sample(chosen, -(-len(chosen) * sample.percent // 100))
        say(f"{len(chosen)} of {len(LIARS)} liars, seed {sample.seed}")
    if unknown := set(slugs) - {liar.slug for liar in chosen}:
        say(f"no liar of {', '.join(sorted(unknown))}")
        return 2
    digests = probe_digests(check for promise in CATALOGUE for check in promise.checks)
    broken = 0
    red: dict[Check, tuple[str, datetime]] = {}
    with ground() as place:
        for liar in (HONEST, *chosen):
            began = clock.monotonic_s()
            verdicts = against(place, liar, is_whole=True, with_drills=sample is None)
            complaints = verdicts.complaints()
            broken += bool(complaints)
            failing = ", ".join(sorted(verdicts.having(Verdict.FAIL))) or "nothing"
            blind = verdicts.having(Verdict.ERROR)
            told = f" (unknown: {', '.join(sorted(blind))})" if blind else ""
            mark = "✗" if complaints else "✓"
            say(f"{mark} {liar.id} -> {failing}{told} [{clock.monotonic_s() - began:.1f} s]")
            say(*(f"    {line}" for line in complaints))
            for seen in chain.from_iterable(verdicts.seen.values()):
                if seen.verdict is Verdict.FAIL and liar.slug and not complaints:
                    is_own = seen.check.id.startswith(f"{liar.slug}.")
                    if is_own or seen.check not in red:
                        red[seen.check] = (liar.id, seen.collected)
    if not slugs and sample is None:
        for id_ in sorted(
            unseen := {c.id for p in CATALOGUE for c in p.checks} - {c.id for c in red}
        ):
            say(f"never seen red: {id_}")
        broken += len(unseen)
    if red and not slugs and sample is None:
        path = tested.write(red, _key(), digests)
        say(f"{len(red)} checks seen red, signed in {path}")
    return int(bool(broken))


@dataclass(frozen=True, slots=True)
class Sample:
    """A part of the matrix: so many percent of the liars, chosen by the seed."""

    percent: int
    seed: int


def _sample(words: Sequence[str]) -> tuple[Sample | None, Sequence[str]]:
    """`--sample PERCENT --seed TEXT` and the slugs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sample", type=int, choices=range(1, 101), metavar="PERCENT")
    parser.add_argument("--seed", default="1")
    parser.add_argument("slugs", nargs="*")
    known = parser.parse_args(words)
    seed = int.from_bytes(hashlib.sha256(known.seed.encode()).digest()[:8])
    return (Sample(known.sample, seed) if known.sample else None), known.slugs


def say(*lines: str) -> None:
    """Lines on standard output, at once."""
    for line in lines:
        sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _key() -> keys.Key:
    path = Path(os.environ.get("TROTH_LIARS_KEY", KEY)).expanduser()
    path.parent.mkdir(parents=True, exist_ok=True)
    return keys.load_or_create(path)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
