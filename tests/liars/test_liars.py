"""The probes under test: each liar turns its promise red, and the honest system is all green."""

import pytest

from liars.liar import HONEST, Liar
from liars.matrix import LIARS, against, resting_on
from troth.catalogue import CATALOGUE
from troth.kernel.model import Kind, Verdict

QUICK = [liar for liar in LIARS if not liar.is_slow]
# Areas that have liars at all; `make liars` complains of every check that was never seen red.
AREAS = {p.area for p in CATALOGUE for liar in LIARS if liar.slug == p.slug}
PROBED = [p for p in CATALOGUE if p.area in AREAS and p.checks and p.kind is not Kind.ATTESTED]


def test_on_the_honest_system_nothing_fails_and_nothing_is_unknown(place):
    verdicts = against(place, HONEST, is_whole=False)

    assert verdicts.complaints() == []
    assert verdicts.seen


@pytest.mark.parametrize("liar", QUICK, ids=lambda liar: liar.id)
def test_a_liar_is_caught_and_drags_down_only_what_rests_on_its_promise(place, liar: Liar):
    verdicts = against(place, liar, is_whole=False)

    assert verdicts.complaints() == []


@pytest.mark.parametrize("promise", PROBED, ids=lambda promise: promise.slug)
def test_every_probed_promise_has_a_liar(promise):
    assert any(liar.slug == promise.slug for liar in LIARS)


def test_what_rests_on_a_promise_is_followed_all_the_way():
    assert "browser-xss-filter-header" in resting_on("csp", CATALOGUE)
    assert resting_on("only-port-443", CATALOGUE) == set()


def test_a_liar_that_nobody_catches_is_told(place):
    unharmed = Liar("hsts", "in name only")

    verdicts = against(place, unharmed, is_whole=False)

    assert verdicts.having(Verdict.FAIL) == set()
    assert verdicts.complaints()[0].startswith("not caught: hsts.answers pass")
