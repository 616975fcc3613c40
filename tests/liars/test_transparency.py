"""The honest twin of the liars about transparency: the promise is proven where it applies."""

from datetime import timedelta

from liars.edge_transparency import TWIN, World
from liars.liar import Liar
from liars.matrix import examine
from troth.kernel.model import Verdict

SLUG = "certificate-transparency"


def test_the_honest_twin_is_all_green(place):
    twin = Liar("", "the twin", declared=TWIN.declared, beside=TWIN.beside)
    with place.up(twin) as system:
        verdicts = examine(system, twin, slugs={SLUG})

    assert verdicts.complaints() == []
    assert len(verdicts.seen[SLUG]) == 3


def test_an_old_list_of_logs_is_no_ground_to_say_anything(place):
    world = World(list_age=timedelta(days=71))
    old = Liar("", "an old list", declared=world.declared, beside=world.beside)
    with place.up(old) as system:
        verdicts = examine(system, old, slugs={SLUG})

    assert verdicts.having(Verdict.ERROR) == {SLUG}
    assert verdicts.having(Verdict.FAIL) == set()
