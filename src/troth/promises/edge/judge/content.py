"""Judges of what a browser may do with an answer: run it, frame it, guess its type."""

from collections.abc import Mapping
from typing import Any

from troth.kernel.model import Judgement
from troth.promises.edge.judge.facts import OWN, REDIRECTS, Answer, answers, count, rate
from troth.promises.edge.rules.csp import frame_ancestors, is_strict, names_scripts, parse_csp
from troth.promises.edge.settings import EdgeSettings
from troth.promises.judging import Unseen, judging

CSP = "content-security-policy"
TRIAL = "content-security-policy-report-only"
# What a browser runs script in when it is opened as a page.
DOCUMENTS = ("text/html", "application/xhtml+xml", "image/svg+xml", "text/xml", "application/xml")


def is_nosniff(answer: Answer) -> bool:
    """`X-Content-Type-Options: nosniff`, once (Fetch, 3.6)."""
    return (answer.only("x-content-type-options") or "").strip().lower() == "nosniff"


def _declares_type(answer: Answer) -> bool:
    given = (answer.only("content-type") or "").split(";")[0].strip()
    return not answer.has_body or "/" in given


@judging
def nosniff(facts: Mapping[str, Any], _settings: EdgeSettings) -> Judgement:
    """Nosniff and one declared Content-Type on every answer (a redirect needs no type)."""
    seen = answers(facts).answers
    if not any(answer.has_body and answer.all("content-type") for answer in seen):
        raise Unseen("no answer with a body and a type was seen")
    bad = count(
        not is_nosniff(answer) or not (answer.status in REDIRECTS or _declares_type(answer))
        for answer in seen
    )
    return rate(
        bad,
        len(seen),
        "answers leave their type to be guessed",
        "answers declare their type and forbid guessing it",
    )


def is_unframeable(answer: Answer, settings: EdgeSettings) -> bool:
    """Foreign sites cannot frame it: frame-ancestors and X-Frame-Options (RFC 7034) both say so."""
    allowed = frame_ancestors(parse_csp(answer.all(CSP)))
    lax = settings.headers.frame_ancestors == "self" and answer.kind not in OWN
    options = {"DENY", "SAMEORIGIN"} if lax else {"DENY"}
    sources = {"'self'"} if lax else set[str]()
    named = allowed is not None and allowed <= sources
    return named and (answer.only("x-frame-options") or "").strip().upper() in options


@judging
def clickjacking(facts: Mapping[str, Any], settings: EdgeSettings) -> Judgement:
    """frame-ancestors and X-Frame-Options on every answer, as narrow as the operator says."""
    seen = answers(facts).answers
    return rate(
        count(not is_unframeable(answer, settings) for answer in seen),
        len(seen),
        "answers may be framed by another site",
        "answers refuse to be framed by another site",
    )


def has_policy(answer: Answer, settings: EdgeSettings) -> bool:
    """The policy that the sentence speaks of: enforced and strict, or on trial where it says so.

    Answers that a browser never opens as a page need none.
    """
    if not _is_document(answer):
        return True
    if answer.kind not in OWN and settings.csp.mode == "report-only":
        return any(map(names_scripts, parse_csp(answer.all(TRIAL))))
    return any(map(is_strict, parse_csp(answer.all(CSP))))


@judging
def csp(facts: Mapping[str, Any], settings: EdgeSettings) -> Judgement:
    """A policy on every page; enforced: with nonces or hashes, no object, no base.

    In report-only mode a policy on trial is demanded of the application's pages: the sentence
    then says that it is tried and blocks nothing yet.
    """
    seen = answers(facts).answers
    if not any(_is_document(answer) for answer in seen if answer.kind == "page"):
        raise Unseen("no page of the application was seen")
    documents = [answer for answer in seen if _is_document(answer)]
    return rate(
        count(not has_policy(answer, settings) for answer in documents),
        len(documents),
        "pages lack a policy that stops injected script",
        "pages carry the policy",
    )


def _is_document(answer: Answer) -> bool:
    """Whether a browser may open it as a page; one without a type counts as such."""
    given = (answer.only("content-type") or "").split(";")[0].strip().lower()
    return answer.has_body and (not given or given in DOCUMENTS)
