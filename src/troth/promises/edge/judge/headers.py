"""Judges of single header fields on every kind of answer."""

import re
from collections.abc import Mapping
from typing import Any

from troth.kernel.model import Judgement
from troth.promises.edge.judge import content
from troth.promises.edge.judge.facts import OWN, Answer, answers, count, rate
from troth.promises.edge.rules.hsts import YEAR_S, parse_hsts
from troth.promises.edge.settings import EdgeSettings
from troth.promises.judging import Unseen, judging

HSTS = "strict-transport-security"
# Source: W3C Referrer Policy, 3: those that send no more than the origin, and nothing downwards.
REFERRER_POLICIES = frozenset(
    {"no-referrer", "same-origin", "strict-origin", "strict-origin-when-cross-origin"}
)
_KNOWN_POLICIES = REFERRER_POLICIES | {
    "no-referrer-when-downgrade",
    "origin",
    "origin-when-cross-origin",
    "unsafe-url",
}
# Source: HTML, 7.1.3: values that part a page from the windows that open it.
OPENER_POLICIES = frozenset({"same-origin", "same-origin-allow-popups", "noopener-allow-popups"})
RESOURCE_POLICIES = frozenset({"same-origin", "same-site"})  # Source: Fetch, 3.7
# Source: W3C Permissions Policy, 5.2: a structured dictionary of feature=(allow list).
_PERMISSION = r"[a-z0-9-]+=(?:\*|self|\([^()]*\))"
_PERMISSIONS = re.compile(rf"{_PERMISSION}(?:\s*,\s*{_PERMISSION})*")


@judging
def hsts(facts: Mapping[str, Any], _settings: EdgeSettings) -> Judgement:
    """Strict-Transport-Security once, with max-age > 0, on every HTTPS answer; on no plain one.

    Source: RFC 6797, 7.1 and 7.2.
    """
    seen = answers(facts)
    if not seen.plain:
        raise Unseen("no plain-HTTP answer was seen")
    bad = count(not _age_s(answer) for answer in seen.answers)
    bad += count(bool(answer.all(HSTS)) for answer in seen.plain)
    return rate(
        bad,
        len(seen.answers) + len(seen.plain),
        "answers do not carry Strict-Transport-Security as they should",
        "answers carry Strict-Transport-Security over HTTPS only, once each",
    )


def _age_s(answer: Answer) -> int:
    """max-age of a single valid field; 0 when there is none."""
    value = answer.only(HSTS)
    parsed = parse_hsts(value) if value else None
    return parsed[0] if parsed else 0


@judging
def hsts_long_lifetime(facts: Mapping[str, Any], settings: EdgeSettings) -> Judgement:
    """A year or more, subdomains included, on every HTTPS answer that carries the instruction.

    The application's page must carry it. `preload` may be said only where the operator names it.
    """
    seen = answers(facts)
    parsed = [(answer.kind, parse_hsts(answer.only(HSTS) or "")) for answer in seen.answers]
    carried = [(kind, value) for kind, value in parsed if value or kind == "page"]
    bad = count(
        value is None
        or value[0] < YEAR_S
        or not value[1]
        or (value[2] and not settings.hsts.preload)
        for _, value in carried
    )
    return rate(
        bad,
        len(carried),
        "answers promise HTTPS for less than a year or without subdomains",
        "answers promise HTTPS for a year or longer, subdomains included",
    )


@judging
def referrer_policy(facts: Mapping[str, Any], _settings: EdgeSettings) -> Judgement:
    """Referrer-Policy once on every answer, and what a browser takes from it is strict enough."""
    seen = answers(facts).answers
    return rate(
        count(not _is_discreet(answer) for answer in seen),
        len(seen),
        "answers let a full address travel, or say nothing about it",
        "answers keep full addresses from other sites",
    )


def _is_discreet(answer: Answer) -> bool:
    """Of a list of policies a browser takes the last that it knows (W3C Referrer Policy, 8.1)."""
    tokens = [token.strip().lower() for token in (answer.only("referrer-policy") or "").split(",")]
    known = [token for token in tokens if token in _KNOWN_POLICIES]
    return bool(known) and known[-1] in REFERRER_POLICIES


@judging
def security_headers(facts: Mapping[str, Any], settings: EdgeSettings) -> Judgement:
    """Every protective header once and valid on every answer.

    nosniff, frame-ancestors, Referrer-Policy and Permissions-Policy everywhere; COOP and CORP on
    Troth's own answers, and on the application's where the operator has turned them on.
    """
    seen = answers(facts).answers
    return rate(
        count(not _has_set(answer, settings) for answer in seen),
        len(seen),
        "answers miss a protective header, or carry one that is not valid",
        "answers carry every protective header once",
    )


def _has_set(answer: Answer, settings: EdgeSettings) -> bool:
    own = answer.kind in OWN
    opener = answer.only("cross-origin-opener-policy") or ""
    resource = answer.only("cross-origin-resource-policy") or ""
    wants_opener = own or settings.headers.cross_origin_opener_policy
    wants_resource = own or settings.headers.cross_origin_resource_policy
    return (
        content.is_nosniff(answer)
        and content.is_unframeable(answer, settings)
        and _is_discreet(answer)
        and _PERMISSIONS.fullmatch(answer.only("permissions-policy") or "") is not None
        and (not wants_opener or opener.split(";")[0].strip() in OPENER_POLICIES)
        and (not wants_resource or resource.strip() in RESOURCE_POLICIES)
    )


@judging
def browser_xss_filter(facts: Mapping[str, Any], settings: EdgeSettings) -> Judgement:
    """X-XSS-Protection is absent or exactly `0` everywhere, and the CSP that replaces it is there.

    Where the operator has no CSP, or one on trial, the sentence does not speak of it: then the
    retired header alone counts.
    """
    seen = answers(facts).answers
    bad = count(any(v.strip() != "0" for v in answer.all("x-xss-protection")) for answer in seen)
    if settings.csp.mode == "enforced":
        bad += count(not content.has_policy(answer, settings) for answer in seen)
    return rate(
        bad,
        len(seen),
        "answers turn the retired filter on, or lack the policy that replaced it",
        "answers leave the retired filter off",
    )
