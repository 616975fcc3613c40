"""Grading hosts by our own computations: `troth scan HOST...`, for any host that one may look at.

A few dozen requests and hellos to each, nothing that changes anything: TLS as SSL Labs rates it,
headers of the first page as the MDN HTTP Observatory scores them. Ranked, the best first.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from troth.adapters.chance import Dice
from troth.adapters.vantage import Vantage
from troth.kernel.errors import Failure
from troth.kernel.site import Site
from troth.promises.edge.judge import grade as judges
from troth.promises.edge.probe import grade as probes
from troth.promises.edge.probe.tls import offer
from troth.promises.edge.rules.grade import GUIDE, Rating
from troth.promises.edge.rules.observatory import VERSION, Score
from troth.promises.edge.settings import EdgeSettings
from troth.promises.judging import Unseen

_LETTERS = "A+ A A- B+ B B- C+ C C- D+ D D- E F T M".split()


@dataclass(frozen=True, slots=True, kw_only=True)
class Graded:
    """One host: its rating and its score, or why there is none.

    Args:
        host: as it was given.
        tls: the rating of its TLS; None when it could not be looked at.
        headers: the score of its first page; None when it could not be looked at.
        why_not: what kept us from it; empty when both are there.
    """

    host: str
    tls: Rating | None = None
    headers: Score | None = None
    why_not: str = ""


def scan(
    hosts: Sequence[str], *, now: datetime, rng: Dice, ca_file: str = ""
) -> tuple[Graded, ...]:
    """Grade hosts (`name` or `name:port`) and rank them, the best first, the unseen last.

    Args:
        hosts: 1 or more; asked one after the other.
        now: the time.
        rng: for the randoms of hellos.
        ca_file: PEM of a private authority to trust beside none; empty for the system's.
    """
    found = [_graded(host, now=now, rng=rng, ca_file=ca_file) for host in hosts]
    return tuple(sorted(found, key=_rank))


def _rank(graded: Graded) -> tuple[int, int, int, str]:
    tls, headers = graded.tls, graded.headers
    return (
        _LETTERS.index(tls.letter) if tls else len(_LETTERS),
        -headers.score if headers else 0,
        -tls.score if tls else 0,
        graded.host,
    )


def _graded(host: str, *, now: datetime, rng: Dice, ca_file: str) -> Graded:
    url = f"https://{host}"
    site = Site(
        name=host,
        app=url,
        http=f"http://{host.partition(':')[0]}",
        troth=url,
        status=url,
        ca_file=ca_file,
    )
    vantage = Vantage(site=site, name="scan", now=now, rng=rng)
    rating, score, why_not = None, None, ""
    try:
        rating = _rated(vantage, url)
        score = _scored(vantage, url)
    except (Failure, TimeoutError, Unseen, ValueError) as error:
        why_not = str(error) or type(error).__name__
    return Graded(host=host, tls=rating, headers=score, why_not=why_not)


def _rated(vantage: Vantage, url: str) -> Rating:
    told = {**probes.served(vantage, EdgeSettings(), "app", url), "offer": offer(vantage, url)}
    return judges.rating_of(msgspec.convert(told, judges.Host))


def _scored(vantage: Vantage, url: str) -> Score:
    page = vantage.fetch(f"{url}/")
    try:
        around = probes.around_host(vantage, url)
    except (Failure, TimeoutError):  # nobody on the plain port, which is no fault
        around = {"origin": probes.ORIGIN, "allow_origin": "", "allow_credentials": ""}
        around["redirects"] = []
    told = {**probes.answered("page", f"{url}/", page), **around}
    return judges.score_of(msgspec.convert(told, judges.Answer))


def lines(graded: Sequence[Graded]) -> Iterator[str]:
    """What `troth scan` prints: a line a host, and what took points below it."""
    width = max((len(each.host) for each in graded), default=0)
    yield f"{'host':{width}}  TLS ({GUIDE})  headers ({VERSION})"
    for each in graded:
        tls = f"{each.tls.letter} {each.tls.score}" if each.tls else "not seen"
        headers = f"{each.headers.grade} {each.headers.score}" if each.headers else "not seen"
        yield f"{each.host:{width}}  {tls:{len(GUIDE) + 6}}  {headers}"
        yield from (f"{'':{width}}    {why}" for why in (each.tls.why if each.tls else ()))
        for name, (points, finding) in (each.headers.tests if each.headers else {}).items():
            if points < 0:
                yield f"{'':{width}}    {name} {points}: {finding}"
        if each.why_not:
            yield f"{'':{width}}    could not look: {each.why_not}"
