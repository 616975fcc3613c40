"""`troth scan`: hosts graded and ranked."""

from urllib.parse import urlsplit

from liars.edge_tls import issued
from liars.liar import HONEST, Liar, without
from troth.adapters import chance, clock
from troth.roles import scan


def graded(system, *more):
    host = urlsplit(system.site.app).netloc
    return scan.scan(
        [*more, host], now=clock.now(), rng=chance.seeded(1), ca_file=system.site.ca_file
    )


def test_the_honest_system_is_the_best(place):
    with place.up(HONEST) as system:
        best, unseen = graded(system, "nobody.localhost:1")

    assert best.tls is not None
    assert best.headers is not None
    assert (best.tls.letter, best.tls.score) == ("A+", 96)
    assert (best.headers.grade, best.headers.score) == ("A+", 140)
    assert unseen.tls is None
    printed = "\n".join(scan.lines((best, unseen)))
    assert "A+ 96" in printed
    assert "A+ 140" in printed
    assert "could not look: nobody.localhost:1" in printed


def test_what_took_points_is_said(place):
    with place.up(Liar("hsts", "none", fragments=without("hsts"))) as system:
        (worse,) = graded(system)

    assert worse.tls is not None
    assert worse.tls.letter == "A-"
    assert any("hsts -20" in line for line in scan.lines((worse,)))


def test_a_host_that_is_not_trusted_is_still_rated(place):
    foreign = Liar("tls-strong-certificate", "foreign", certificates=issued(is_foreign=True))
    with place.up(foreign) as system:
        (rated,) = graded(system)

    assert rated.tls is not None
    assert rated.tls.letter == "T"
    assert rated.headers is None
