"""Judges of the way to the first encrypted byte: redirect, TLS on every host, no plaintext."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from troth.kernel.model import Judgement
from troth.promises.edge.judge.facts import OK, REDIRECTS, count, rate
from troth.promises.edge.settings import EdgeSettings
from troth.promises.judging import Unseen, judging, shaped

PERMANENT = (301, 308)  # Source: RFC 6797, 7.2 asks for a permanent redirect
SHORT_BYTES = 2048  # the edge's own "Moved" page has about 500
ALERT = "15"  # Source: RFC 8446, 5.1: the record type of a TLS alert, as hex


class Redirect(Struct, frozen=True):
    """One plain-HTTP answer.

    Args:
        method: as sent.
        wanted: the https address that the answer should name; empty for a host that is not ours.
        location: what it names; None when it names nothing.
        has_cookie: whether it carries Set-Cookie.
        body: a digest of its body, empty for none.
        body_bytes: length of its body.
    """

    method: str
    wanted: str
    status: int
    location: str | None
    has_cookie: bool
    body: str
    body_bytes: int


class Redirects(Struct, frozen=True):
    """What the redirect probe brings: our hosts, and hosts that are not ours.

    Args:
        foreign_host: the name that must not come back.
        application: digests of what the application answers at the same paths over https.
    """

    own: list[Redirect]
    foreign: list[Redirect]
    foreign_host: str
    application: list[str]


@judging
def https_redirect(facts: Mapping[str, Any], _settings: EdgeSettings) -> Judgement:
    """Our hosts: 301 or 308 to the same address on https, no cookie. Others: refused.

    No application byte: a body is the edge's own short page, for one status always the same, and
    none of the bodies that the application gives. A foreign Host gets a 4xx and its name nowhere
    (RFC 9110, 7.4: a misdirected request).
    """
    seen = shaped(facts, Redirects)
    if not seen.own or not seen.foreign or not seen.foreign_host:
        raise Unseen("own and foreign hosts were not both tried over plain HTTP")
    if any(not answer.wanted for answer in seen.own):
        raise Unseen("the probe did not say where a redirect should lead")
    if not any(seen.application):
        raise Unseen("what the application answers over https was not seen")
    bodies = {answer.body for answer in seen.own if answer.body}
    pages = {(answer.status, answer.body) for answer in seen.own if answer.body}
    bad = len(bodies & set(seen.application)) + len(pages) - len({status for status, _ in pages})
    bad += count(not _leads_home(answer) for answer in seen.own)
    bad += count(not _turned_away(answer, seen.foreign_host) for answer in seen.foreign)
    total = len(seen.own) + len(seen.foreign)
    return rate(
        min(bad, total),
        total,
        "plain-HTTP requests are not sent straight to the same address on https",
        "plain-HTTP requests end on https or are refused, without content or cookie",
    )


def _leads_home(answer: Redirect) -> bool:
    return (
        answer.status in PERMANENT
        and answer.location == answer.wanted
        and not answer.has_cookie
        and answer.body_bytes <= SHORT_BYTES
    )


def _turned_away(answer: Redirect, foreign_host: str) -> bool:
    return (
        400 <= answer.status < 500  # noqa: PLR2004 -- RFC 9110, 15.5: the client errors
        and foreign_host not in (answer.location or "")
        and not answer.has_cookie
    )


class Host(Struct, frozen=True):
    """One published host over https and, where it has one, over plain HTTP.

    `verified`: the certificate chain leads to the declared authority and names the host.
    `plain_status` is 0 where nothing answers over plain HTTP.
    """

    verified: bool
    status: int
    plain_status: int = 0


class Hosts(Struct, frozen=True):
    """What the look at every published host brings."""

    hosts: list[Host]


@judging
def tls_hosts(facts: Mapping[str, Any], _settings: EdgeSettings) -> Judgement:
    """Every published host answers over verified TLS; over plain HTTP it redirects or is silent."""
    hosts = shaped(facts, Hosts).hosts
    if not any(host.verified and host.status in OK for host in hosts):
        raise Unseen("no host answered over verified TLS")
    return rate(
        count(
            not host.verified or (host.plain_status in OK and host.plain_status not in REDIRECTS)
            for host in hosts
        ),
        len(hosts),
        "published hosts answer without verified TLS",
        "published hosts answer over verified TLS",
    )


class Plaintext(Struct, frozen=True):
    """What came back when plaintext was sent to the TLS port.

    Args:
        protocol: `http/1.1`, or `h2c` with prior knowledge (RFC 9113, 3.3).
        first: the first bytes of the answer as hex, empty when there was none.
        control: a TLS request to the same address succeeded in the same run.
    """

    protocol: str
    first: str
    control: bool


class Plaintexts(Struct, frozen=True):
    """What the plaintext attack brings, over all published addresses."""

    attempts: list[Plaintext]


@judging
def no_plaintext(facts: Mapping[str, Any], _settings: EdgeSettings) -> Judgement:
    """Plaintext sent to a TLS port gets a TLS alert, a close or silence; no application byte."""
    attempts = shaped(facts, Plaintexts).attempts
    if {"http/1.1", "h2c"} - {attempt.protocol for attempt in attempts}:
        raise Unseen("not every plaintext protocol was tried")
    if not all(attempt.control for attempt in attempts):
        raise Unseen("a TLS port did not answer over TLS in the same run")
    return rate(
        count(bool(a.first) and not a.first.startswith(ALERT) for a in attempts),
        len(attempts),
        "plaintext requests to a TLS port were answered",
        "plaintext requests to a TLS port got no application byte",
    )
