"""The web application firewall as a check: a request is a message, a verdict is an opinion.

Fails closed: what the rules could not look at (a limit was passed) is refused with 413, a body that
no parser can read with 400 by a rule of the set. A bug in the engine is the keeper's business: 503,
but on `fail_open_paths`. In the mode `watch` nothing is refused, and whatever matched is told.
"""

from dataclasses import replace
from datetime import timedelta

from troth.engines.seclang import Match, Message, Program, Verdict
from troth.engines.seclang.late import of_answers
from troth.kernel.request import (
    FINE,
    Ask,
    GuardCheck,
    Headers,
    Hit,
    Known,
    Opinion,
    Refusal,
    Request,
    Response,
    ResponseCheck,
    Strike,
)
from troth.promises.guard.enforce.exclusions import Excluded, Policy
from troth.promises.guard.rules.addresses import client_key
from troth.promises.guard.rules.binary import is_binary, is_fields
from troth.promises.guard.settings.waf import RuleMode, Rules

SLUG = "waf-owasp-top10"
MAX_HITS = 50
REFUSED = 403
TOO_MUCH = 413
STRIKES = timedelta(minutes=10)  # in which `ban_after` refusals are counted
LATE = frozenset({3, 4})  # phases
# What rule sets expect of any request.
_SOME = ((b"user-agent", b"Mozilla/5.0"), (b"accept", b"*/*"))
# Written by our own edge: no visitor said it, so no rule is to be surprised by it.
OURS = (b"x-troth-", b"x-envoy-", b"x-forwarded-", b"x-request-id")
_SCORES = {0: 5, 1: 5, 2: 5, 3: 4, 4: 3, 5: 2}  # by severity. Source: OWASP CRS, anomaly scoring


def check(program: Program, rules: Rules) -> GuardCheck:
    """The check of requests. Raises ValueError for a pattern that cannot be read."""
    policy = Policy(rules, program.ruleset)

    def waf(request: Request, known: Known) -> Opinion:
        mode = policy.mode(request)
        if mode == "off":
            return FINE
        opinion = FINE
        for look, excluded in policy.looks(request) if rules.exclusions else ((request, ()),):
            said = _opinion(program.inspect(message_of(look, known, excluded)), mode)
            opinion = said if opinion is FINE or said.refusal else opinion
            if opinion.refusal is not None:
                break
        if opinion.refusal is None or opinion.refusal.code != "rules":
            return opinion
        return replace(opinion, strikes=_strikes(request, rules))

    return waf


def _strikes(request: Request, rules: Rules) -> tuple[Strike, ...]:
    """An attack counts against the address it comes from."""
    client = client_key(request.client)
    if not client or not rules.ban_after:
        return ()
    ask = Ask(key=f"attacks:{client}", limit=rules.ban_after, period=STRIKES, burst=rules.ban_after)
    length = timedelta(seconds=rules.ban_s)
    return (Strike(ask=ask, subject=client, cause=f"{SLUG}:attacks", length=length),)


def answer_check(program: Program, rules: Rules) -> ResponseCheck:
    """The check of answers: leaks, by the rules' phases 3 and 4, where the door shows them.

    Of the request those rules are shown path and host, so that every door says the same:
    the edge has nothing more of it by then. An exclusion of `RESPONSE_BODY` holds by path.
    """
    policy, reader = Policy(rules), of_answers(program)

    def leaks(request: Request, response: Response, known: Known) -> Opinion:
        mode = policy.mode(request)
        if mode == "off":
            return FINE
        excluded = policy.excluded(request)
        for asked in (_bare(request), replace(_bare(request), target=b"/")):
            shown = message_of(asked, known, excluded, response=response)
            said = reader.inspect(shown)
            late = tuple(match for match in said.matches if match.phase in LATE)
            if late or not said.is_disrupted:
                break  # else the path is an attack that was only watched: look without it
        if late:
            return _opinion(said, mode, late)
        return Opinion(counted=f"answer.limit-{said.limits[0]}") if said.limits else FINE

    return leaks


def _bare(request: Request) -> Request:
    """What rules of an answer are shown of the request: nothing in it is an attack again."""
    headers = ((b"host", request.host), *_SOME)
    return Request(method=b"GET", target=request.path, host=request.host, headers=headers)


def reads_answers(program: Program) -> bool:
    """Whether a rule of the set looks at answers at all."""
    return any(rule.phase in LATE for rule in program.ruleset.rules)


def message_of(
    request: Request,
    known: Known,
    excluded: Excluded = (),
    *,
    response: Response | None = None,
) -> Message:
    """What the rules are shown of a request, and of the answer to it."""
    name, _, port = request.host.decode("latin-1").partition(":")
    asked = Message(
        method=request.method,
        uri=request.target,
        protocol=request.protocol,
        headers=_visitors(request.headers),
        body=_readable(request),
        client=request.client,
        server=name,
        server_port=int(port) if port.isdigit() else 443,
        epoch_s=int(known.now.timestamp()),
        excluded=excluded,
    )
    if response is None:
        return asked
    return replace(
        asked,
        status=response.status,
        response_headers=_typed(response),
        response_body=response.body,
    )


def _typed(response: Response) -> Headers:
    """Its headers; what says no type may be taken for bytes (RFC 9110, 8.3), as the edge does."""
    if response.values(b"content-type"):
        return response.headers
    return (*response.headers, (b"content-type", b"application/octet-stream"))


def _readable(request: Request) -> bytes | None:
    """The body, unless it is neither fields nor text: then it is judged by its headers."""
    body = request.body
    if not body or all(map(is_fields, request.values(b"content-type") or [b""])):
        return body
    return None if is_binary(body) else body


def _visitors(headers: Headers) -> Headers:
    return tuple([pair for pair in headers if pair[0][:1] != b"x" or not pair[0].startswith(OURS)])


def _opinion(verdict: Verdict, mode: RuleMode, matches: tuple[Match, ...] | None = None) -> Opinion:
    """What is done about a verdict."""
    if not verdict.matches and not verdict.limits and not verdict.is_disrupted:
        return FINE
    said = matches or verdict.matches
    # What only adds up scores says nothing of the request.
    told = tuple(match for match in said if not match.place.startswith("TX:")) or said
    hits = tuple(_hit(match) for match in told[:MAX_HITS])
    refusal = _refusal(verdict)
    if refusal is None:
        return Opinion(hits=hits) if hits else FINE
    if mode == "watch":
        return Opinion(hits=hits, counted=f"waf.watched.{refusal.code}")
    return Opinion(refusal=refusal, hits=hits)


def _refusal(verdict: Verdict) -> Refusal | None:
    if verdict.is_disrupted:
        status = verdict.status or REFUSED
        is_error = 400 <= status <= 599  # noqa: PLR2004 -- a redirect is no answer to an attack
        return Refusal(slug=SLUG, code="rules", status=status if is_error else REFUSED)
    if verdict.limits:
        return Refusal(slug=SLUG, code=f"limit-{verdict.limits[0]}", status=TOO_MUCH)
    return None


def _hit(match: Match) -> Hit:
    is_answer = match.place.startswith("RESPONSE_")  # what leaked must not leak into an event
    return Hit(
        rule=str(match.rule),
        place=match.place,
        value=b"" if is_answer else match.value,
        message=match.message,
        score=_SCORES.get(match.severity, 0) if match.severity is not None else 0,
    )
