"""Judges that grade: TLS as SSL Labs does, answers as the MDN HTTP Observatory does.

Both are our own computations from facts, with the version of the rules in the reason, so that
anybody can compute them again with other tools.
"""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from troth.kernel.model import Judgement, Verdict
from troth.promises.edge.judge.certificate import Served
from troth.promises.edge.judge.facts import KINDS
from troth.promises.edge.judge.tls import demand_app
from troth.promises.edge.rules import observatory
from troth.promises.edge.rules.attacks import TRIED, Offer
from troth.promises.edge.rules.grade import GUIDE, Rating, Server, rate
from troth.promises.edge.rules.hello import NAMES
from troth.promises.edge.rules.hsts import parse_hsts
from troth.promises.edge.rules.suites import BY_NAME
from troth.promises.edge.settings import EdgeSettings
from troth.promises.judging import Unseen, judging, shaped

BEST = "A+"
DECLARED, PUBLIC = "declared", "public"


class Offered(Struct, frozen=True):
    """What a host accepts.

    Args:
        suites: IANA names without `TLS_`, by version; a refused version has no key.
        groups: how keys are agreed upon: `X25519`, `P-256`, `DH 2048`.
        renegotiates_securely: RFC 5746, where TLS 1.2 or older is accepted.
        compresses: whether it compresses inside TLS.
    """

    suites: dict[str, list[str]]
    groups: list[str]
    renegotiates_securely: bool
    compresses: bool = False


class Host(Struct, frozen=True):
    """One host as it is rated.

    Args:
        offer: what it accepts.
        certificate: what it serves.
        hsts: every Strict-Transport-Security on its page.
        tried: for each attack tried, whether the host is open to it; None: none was tried.
    """

    host: str
    offer: Offered
    certificate: Served
    hsts: list[str]
    tried: dict[str, bool] | None = None


class Hosts(Struct, frozen=True):
    """What the rating's probes bring; `authority` is `declared` or `public`."""

    hosts: list[Host]
    authority: str


def offer_of(told: Offered) -> Offer:
    """What a host accepts, as the rules take it. Raises Unseen for names that nobody knows."""
    names = set(NAMES.values())
    if not told.suites or not told.suites.keys() <= names:
        raise Unseen("the facts name no version, or one that nobody knows")
    try:
        suites = {v: tuple(BY_NAME[name] for name in many) for v, many in told.suites.items()}
    except KeyError as error:
        raise Unseen("the facts name a cipher suite that nobody knows") from error
    primes = [group.removeprefix("DH ") for group in told.groups if group.startswith("DH ")]
    if not all(prime.isdecimal() for prime in primes):
        raise Unseen("the facts name a prime without its size")
    return Offer(suites=suites, dh_bits=min(map(int, primes), default=0))


@judging
def tls(facts: Mapping[str, Any], _settings: EdgeSettings) -> Judgement:
    """A+ on every host, by handshakes of our own."""
    return _rated(shaped(facts, Hosts))


@judging
def tls_scanned(facts: Mapping[str, Any], _settings: EdgeSettings) -> Judgement:
    """A+ on every host, by another's scanner, with the attacks that it tried."""
    seen = shaped(facts, Hosts)
    for host in seen.hosts:
        if host.tried is None or set(host.tried) != set(TRIED):
            raise Unseen("not every attack was tried")
    return _rated(seen)


def _rated(seen: Hosts) -> Judgement:
    demand_app([host.host for host in seen.hosts])
    if seen.authority not in {DECLARED, PUBLIC}:
        raise Unseen("it is not told which authority was trusted")
    ratings = [rating_of(host) for host in seen.hosts]
    worst = min(ratings, key=lambda rating: (rating.letter == BEST, rating.score))
    aside = "; the declared authority was taken as trusted" if seen.authority == DECLARED else ""
    parts = f"protocol {worst.protocol}, key exchange {worst.key_exchange}, cipher {worst.cipher}"
    why = f"; {worst.why[0]}" if worst.why else ""
    return Judgement(
        Verdict.PASS if all(rating.letter == BEST for rating in ratings) else Verdict.FAIL,
        f"{worst.letter} {worst.score} by {GUIDE} ({parts}) on {len(ratings)} hosts{why}{aside}",
    )


def rating_of(host: Host) -> Rating:
    """The rating of one host. Raises Unseen where a part of the facts is missing."""
    if not host.certificate.chain:
        raise Unseen("a host sent no certificate")
    own = host.certificate.chain[0]
    parsed = parse_hsts(host.hsts[0]) if len(host.hsts) == 1 else None
    holes = {name for name, is_open in (host.tried or {}).items() if is_open}
    server = Server(
        offer=offer_of(host.offer),
        key=own.key,
        key_bits=own.key_bits,
        signature_hash=own.signature_hash,
        is_trusted=host.certificate.is_trusted,
        covers_name=host.certificate.covers_name,
        hsts_s=parsed[0] if parsed else None,
        renegotiates_securely=host.offer.renegotiates_securely,
        holes=tuple(sorted(holes | ({"CRIME"} if host.offer.compresses else set()))),
    )
    try:
        return rate(server)
    except ValueError as error:
        raise Unseen("a host accepts nothing") from error


class Answer(Struct, frozen=True):
    """One answer as the Observatory scores it; the fields are those of `observatory.Page`."""

    kind: str
    url: str
    status: int
    headers: dict[str, list[str]]
    is_verified: bool
    redirects: list[str]
    allow_origin: str
    allow_credentials: str
    origin: str
    scripts: list[list[str]]


class Answers(Struct, frozen=True):
    """What the header grade's probe brings."""

    answers: list[Answer]


@judging
def headers(facts: Mapping[str, Any], _settings: EdgeSettings) -> Judgement:
    """A or better on every kind of answer."""
    seen = shaped(facts, Answers).answers
    if missing := KINDS - {answer.kind for answer in seen}:
        raise Unseen(f"no answer of the kind {min(missing)!r} was seen")
    if not any(answer.kind == "page" and answer.status == _OK for answer in seen):
        raise Unseen("the application's page was not seen")
    scores = [(answer.kind, score_of(answer)) for answer in seen]
    kind, worst = min(scores, key=lambda each: each[1].score)
    points = ", ".join(f"{name} {points:+d}" for name, (points, _) in worst.tests.items() if points)
    return Judgement(
        Verdict.PASS if worst.score >= observatory.A_FROM else Verdict.FAIL,
        f"{worst.grade} {worst.score} by {observatory.VERSION}, the worst of {len(scores)} answers "
        f"({kind}: {points or 'no test moved it'})",
    )


_OK = 200


def score_of(answer: Answer) -> observatory.Score:
    """The Observatory's score of one answer. Raises Unseen where a part of it is missing."""
    if not set(observatory.HEADERS) <= set(answer.headers):
        raise Unseen("not every header was looked for")
    if any(len(pair) != len(("src", "integrity")) for pair in answer.scripts):
        raise Unseen("the facts are not as the probe writes them")
    try:
        return observatory.score(
            observatory.Page(
                url=answer.url,
                headers=answer.headers,
                is_verified=answer.is_verified,
                redirects=tuple(answer.redirects),
                allow_origin=answer.allow_origin,
                allow_credentials=answer.allow_credentials,
                origin=answer.origin,
                scripts=tuple((src, integrity) for src, integrity in answer.scripts),
            )
        )
    except ValueError as error:
        raise Unseen("an address that cannot be read") from error
