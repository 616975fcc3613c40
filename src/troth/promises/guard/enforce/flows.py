"""Declared flows: who scrapes, guesses, hoards or skips a step is slowed down, refused or banned.

Fails open where nobody can be told apart: a visitor without address and session is not counted, but
a sequence refuses whoever has no session to have been anywhere with.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial

import msgspec

from troth.kernel.request import (
    FINE,
    Awaited,
    GuardCheck,
    GuardLooks,
    Known,
    Opinion,
    Refusal,
    Request,
    Response,
)
from troth.kernel.trail import Look, Note
from troth.promises.guard.enforce.secrets import Secrets
from troth.promises.guard.rules import flows, paths, presets, tokens
from troth.promises.guard.rules.addresses import client_key
from troth.promises.guard.rules.canary import FLOW_ROUTE, FLOWS
from troth.promises.guard.rules.cookies import cookies
from troth.promises.guard.rules.flows import Rule
from troth.promises.guard.settings.flows import Flow

FIRST_ERROR = 400
MEMBER_BYTES = 8

Account = Callable[
    [Request], str
]  # a key for the account that a request is made by; empty for none


@dataclass(frozen=True, slots=True, kw_only=True)
class _Flow:
    """A rule, compiled."""

    rule: Rule
    said: Flow
    path: paths.Pattern
    after: paths.Pattern | None
    less: paths.Pattern | None
    methods: frozenset[bytes]
    who: Callable[[Request], str]
    key: tokens.Key

    def member(self, found: dict[str, str]) -> str:
        """A name for the value that is to be distinct."""
        if not self.said.of:
            return ""
        return tokens.tag(self.key, "flow", found[self.said.of.lower()], MEMBER_BYTES)


def checks(
    declared: tuple[Flow, ...], account: Account, secrets: Secrets, prefix: str = "/-/"
) -> tuple[GuardCheck, ...]:
    """The check for these flows, and for those below our prefix that our own probes abuse.

    None where none is declared. Raises ValueError for a bad path.
    """
    if not declared:
        return ()
    concerning = _concerning(declared, account, secrets, prefix)

    def check(request: Request, known: Known) -> Opinion:
        path = paths.spelled(request.target)
        compiled = concerning(request)
        said = [one for flow in compiled if (one := _asked(flow, path, request, known)) is not FINE]
        if not said:
            return FINE
        for opinion in said:
            if opinion.refusal is not None:
                return opinion
        return Opinion(
            notes=tuple(note for opinion in said for note in opinion.notes),
            awaits=tuple(each for opinion in said for each in opinion.awaits),
            remove=tuple(name for opinion in said for name in opinion.remove),
        )

    return (check,)


def looks(
    declared: tuple[Flow, ...], account: Account, secrets: Secrets, prefix: str = "/-/"
) -> tuple[GuardLooks, ...]:
    """Which trails that check will read, and what it will mark of a use that it lets pass."""
    if not declared:
        return ()
    concerning = _concerning(declared, account, secrets, prefix)

    def look(request: Request, _: Known) -> Look | None:
        path = paths.spelled(request.target)
        found = [one for flow in concerning(request) if (one := _looked(flow, path, request))]
        if not found:
            return None
        return Look(
            keys=tuple(key for one in found for key in one.keys),
            notes=tuple(note for one in found for note in one.notes),
        )

    return (look,)


def _concerning(
    declared: tuple[Flow, ...], account: Account, secrets: Secrets, prefix: str
) -> Callable[[Request], tuple[_Flow, ...]]:
    """Those that are asked of a request."""
    everyday = tuple(_compiled(flow, account, secrets) for flow in declared)
    ours = tuple(_compiled(_below(prefix, flow), account, secrets) for flow in FLOWS)
    route = f"{prefix}{FLOW_ROUTE}/".encode()
    return lambda request: (*everyday, *ours) if request.target.startswith(route) else everyday


def _below(prefix: str, flow: Flow) -> Flow:
    """A flow of our own with its paths below the prefix."""
    below = {
        name: prefix.rstrip("/") + path
        for name in ("path", "after", "less")
        if (path := getattr(flow, name)) is not None
    }
    return msgspec.structs.replace(flow, **below)


def _compiled(flow: Flow, account: Account, secrets: Secrets) -> _Flow:
    key = secrets.passing
    cookie = flow.cookie.encode()

    def session(request: Request) -> str:
        for name, value in cookies(request):
            if name == cookie and value:
                return tokens.tag(key, "session", value.decode("latin-1"))
        return "" if flow.kind == "sequence" else client_key(request.client)

    who: dict[str, Callable[[Request], str]] = {
        "address": lambda request: client_key(request.client),
        "session": session,
        "account": account,
    }
    return _Flow(
        rule=Rule(
            name=flow.name,
            kind=flow.kind,
            most=flow.most,
            within=timedelta(seconds=flow.within_s),
            share=flow.share,
            action=flow.action,
            ban=timedelta(seconds=flow.ban_s),
            has_answers=bool(flow.answers),
        ),
        said=flow,
        path=paths.pattern(flow.path),
        after=paths.pattern(flow.after) if flow.after else None,
        less=paths.pattern(flow.less) if flow.less else None,
        methods=frozenset(method.encode() for method in flow.methods),
        who=who[flow.by],
        key=key,
    )


def _asked(flow: _Flow, path: str, request: Request, known: Known) -> Opinion:
    """What one rule says of a request."""
    if flow.after is not None and flow.after.match(path) is not None:
        return _awaiting(partial(_stepped, flow, flow.who(request)))
    if flow.less is not None and flow.less.match(path) is not None:
        return _awaiting(partial(_completed, flow, flow.who(request)))
    member = _member(flow, path, request)
    return FINE if member is None else _used(flow, member, request, known)


def _looked(flow: _Flow, path: str, request: Request) -> Look | None:
    """What `_asked` will read and mark; a step before or an end reads nothing."""
    steps = (flow.after, flow.less)
    if any(step is not None and step.match(path) is not None for step in steps):
        return None
    member = _member(flow, path, request)
    who = flow.who(request)
    return None if member is None or not who else flows.looked(flow.rule, who, member)


def _member(flow: _Flow, path: str, request: Request) -> str | None:
    """What a use is about; None for what is no use."""
    if flow.methods and request.method not in flow.methods:
        return None
    found = flow.path.match(path)
    return None if found is None else flow.member(found)


def _used(flow: _Flow, member: str, request: Request, known: Known) -> Opinion:
    who = flow.who(request)
    if not who:
        if flow.rule.kind != "sequence":
            return FINE
        return Opinion(refusal=Refusal(slug=flows.SLUG, code=flow.rule.name))
    left = flows.wait(flow.rule, who, member, known)
    if left:
        return Opinion(
            refusal=flows.refusal(flow.rule, left),
            strikes=flows.strikes(flow.rule, client_key(request.client), left),
            counted=f"flow.{flow.rule.name}",
        )
    if flow.rule.kind == "sequence":
        return FINE
    if not flow.rule.has_answers:
        return Opinion(notes=flows.used(flow.rule, who, member))
    reads_body = any(outcome.body for outcome in flow.said.answers)
    opinion = _awaiting(partial(_answered, flow, who, member), reads_body=reads_body)
    return replace(
        opinion,
        notes=flows.opened(flow.rule, who),
        remove=(b"accept-encoding",) if reads_body else (),
    )


def _awaiting(ask: Callable[[Response, Known], Opinion], *, reads_body: bool = False) -> Opinion:
    return Opinion(awaits=(Awaited(ask=ask, reads_body=reads_body),))


def _answered(flow: _Flow, who: str, member: str, response: Response, _: Known) -> Opinion:
    counts = presets.is_like_any(flow.said.answers, response)
    return Opinion(notes=flows.closed(flow.rule, who, member, counts=counts))


def _stepped(flow: _Flow, who: str, response: Response, _: Known) -> Opinion:
    """The step before: somebody was there, and it went well."""
    if not who or response.status >= FIRST_ERROR:
        return FINE
    return Opinion(notes=(Note(key=flows.trail(flow.rule, who), window=flow.rule.within),))


def _completed(flow: _Flow, who: str, response: Response, _: Known) -> Opinion:
    if not who or response.status >= FIRST_ERROR:
        return FINE
    return Opinion(notes=flows.taken_away(flow.rule, who))


def accounts(header: str, cookie: str, secrets: Secrets) -> Account:
    """Who is asking, by the header or cookie that `[guard.limits]` names; either may be empty."""
    wanted, name = header.lower().encode(), cookie.encode()

    def account(request: Request) -> str:
        said = request.values(wanted) if wanted else []
        if not said and name:
            said = [value for key, value in cookies(request) if key == name]
        if not said or not said[0]:
            return ""
        return tokens.tag(secrets.passing, "account", said[0].decode("latin-1"))

    return account
