"""As on a host of its own: synthetic clients are named by a header that the vantage signs."""

from dataclasses import replace

import pytest

from liars.liar import HONEST
from liars.matrix import LIARS, examine
from troth.catalogue import CATALOGUE
from troth.kernel.model import Verdict
from troth.prove.keys import load_or_create
from troth.roles import vantage_keys
from troth.roles.places import Places

AREAS = ("guard", "payments")
SLUGS = {promise.slug for promise in CATALOGUE if promise.area in AREAS}
COUNTED = {"rate-limit-ip", "auto-response", "ip-filtering", "ip-block-after-failures"}


@pytest.fixture
def signer(place, tmp_path):
    """Of a vantage that this ground's guards know."""
    key = load_or_create(tmp_path / "vantage-known.key")
    guards = (place.places, Places(place.places.data / "guard"))
    for places in guards:
        places.prepare()
        vantage_keys.tell(places, "known", key)
    yield key.signer
    for places in guards:
        (places.keys / "vantage-known.pub").unlink()


def test_an_honest_system_proves_all_that_it_proves_by_addresses(place, signer):
    with place.up() as system:
        verdicts = examine(replace(system, signer=signer), HONEST, slugs=SLUGS)

    bad = verdicts.having(Verdict.FAIL) | verdicts.having(Verdict.ERROR)
    assert bad == set(), [verdicts.reasons(slug) for slug in sorted(bad)]
    assert verdicts.having(Verdict.PASS) >= COUNTED


def test_a_stranger_names_nobody(place, tmp_path):
    """All its clients are the one address it comes from; what counts by address shows it."""
    stranger = load_or_create(tmp_path / "vantage-stranger.key").signer

    with place.up() as system:
        verdicts = examine(replace(system, signer=stranger), HONEST, slugs=COUNTED)

    assert not COUNTED & verdicts.having(Verdict.PASS)


@pytest.mark.parametrize("slug", ["ip-filtering", "rate-limit-ip"])
def test_a_liar_is_seen_the_same_way(place, signer, slug):
    liar = next(liar for liar in LIARS if liar.slug == slug)
    with place.up(liar) as system:
        verdicts = examine(replace(system, signer=signer), liar, slugs={slug})

    assert slug in verdicts.having(Verdict.FAIL), verdicts.reasons(slug)
