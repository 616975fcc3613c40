"""What a liar is: one thing wrong with the honest system."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from liars.upstream import Manners
from troth.catalogue import Settings
from troth.enforce.envoy import Plan
from troth.engines.envoy.resources import Certificate, Resources
from troth.kernel.fragment import Fragment
from troth.kernel.site import Site

Fragments = tuple[Fragment, ...]
RUDE = Manners()


def same(value: Any) -> Any:
    """Nothing is altered."""
    return value


def alone(_data: Path, _site: Site) -> AbstractContextManager[object]:
    """Nothing stands beside."""
    return nullcontext()


@dataclass(frozen=True, slots=True)
class Liar:
    """A system that breaks the promise `slug`.

    Args:
        slug: the promise that must turn red.
        name: how it lies, in a few words; with the slug it is the liar's name.
        settings: alters what the system is built from. A liar that alters `[guard]` gets guards
            of its own.
        fragments: alters the list that the edge is compiled from.
        plan: alters what the compiler is given besides.
        resources: alters the compiled edge.
        upstream: how the application behaves.
        certificates: alters the certificate files, by host.
        beside: a context manager of (data directory, site) around the run: a server of its own.
        declared: settings that the operator declares on this liar, other than the honest ones
            (what probes and judges are given, and what the edge is built from).
        only: check ids by which it must be caught; empty: any of the promise's checks will do.
        is_slow: only in `make liars`.
    """

    slug: str
    name: str
    settings: Callable[[Settings], Settings] = same
    fragments: Callable[[Fragments], Fragments] = same
    plan: Callable[[Plan], Plan] = same
    resources: Callable[[Resources], Resources] = same
    upstream: Manners = RUDE
    certificates: Callable[[Mapping[str, Certificate], Path], Mapping[str, Certificate]] = (
        lambda certificates, _data: certificates
    )
    beside: Callable[[Path, Site], AbstractContextManager[object]] = alone
    declared: Callable[[Settings], Settings] = same
    only: tuple[str, ...] = ()
    is_slow: bool = False

    @property
    def id(self) -> str:
        """Slug and name as one word, for tests and tables."""
        return f"{self.slug}: {self.name}" if self.slug else "honest"


HONEST = Liar("", "honest")


def without(*promises: str) -> Callable[[Fragments], Fragments]:
    """Leave out every fragment of these promises."""
    return lambda fragments: tuple(each for each in fragments if each.promise not in promises)


def altered(promise: str, **changes: Any) -> Callable[[Fragments], Fragments]:
    """Replace fields of the fragments of one promise."""
    return lambda fragments: tuple(
        replace(each, **changes) if each.promise == promise else each for each in fragments
    )


def instead(promise: str, *fragments: Fragment) -> Callable[[Fragments], Fragments]:
    """Other fragments in the place of a promise's own: as if the compiler were given those."""

    def exchange(given: Fragments) -> Fragments:
        place = next(i for i, each in enumerate(given) if each.promise == promise)
        kept = [each for each in given if each.promise != promise]
        return (*kept[:place], *fragments, *kept[place:])

    return exchange
