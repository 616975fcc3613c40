"""The judge of cross-origin calls (Source: Fetch Standard, 3.2: the CORS protocol)."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from troth.kernel.model import Judgement
from troth.promises.edge.judge.facts import count, rate
from troth.promises.edge.settings import EdgeSettings
from troth.promises.judging import Unseen, judging, shaped

# What a stranger tries: another site, the opaque origin, and names that only look like ours.
STRANGERS = frozenset({"evil", "null", "subdomain", "prefix", "suffix", "plain"})


class Call(Struct, frozen=True):
    """One cross-origin request.

    Args:
        who: one of `STRANGERS`, or `listed`.
        origin: what was sent as Origin.
        preflight: whether it was OPTIONS with Access-Control-Request-Method.
        status: of the answer.
        allow_origin: every Access-Control-Allow-Origin.
        allow_credentials: every Access-Control-Allow-Credentials.
    """

    who: str
    origin: str
    preflight: bool
    status: int
    allow_origin: list[str]
    allow_credentials: list[str]


class Calls(Struct, frozen=True):
    """What the cross-origin attack brings; `page_status` is of the same page without Origin."""

    calls: list[Call]
    page_status: int


@judging
def cors(facts: Mapping[str, Any], settings: EdgeSettings) -> Judgement:
    """Strangers get no Access-Control-Allow-Origin; listed origins get theirs and no other.

    Credentials are allowed only where the operator says so, and never with `*`.
    """
    seen = shaped(facts, Calls)
    if not 200 <= seen.page_status < 300:  # noqa: PLR2004 -- RFC 9110, 15.3: success
        raise Unseen("the application's page was not seen")
    wanted = {(who, preflight) for who in STRANGERS for preflight in (True, False)}
    if wanted - {(call.who, call.preflight) for call in seen.calls}:
        raise Unseen("not every foreign origin was tried")
    listed = {call.origin for call in seen.calls if call.who == "listed"}
    if listed != set(settings.cors.origins):
        raise Unseen("not every listed origin was tried")
    return rate(
        count(not _is_right(call, settings) for call in seen.calls),
        len(seen.calls),
        "cross-origin calls got an answer that another origin may read",
        "cross-origin calls were answered as the list of origins says",
    )


def _is_right(call: Call, settings: EdgeSettings) -> bool:
    if call.who != "listed":
        return not call.allow_origin and not call.allow_credentials
    credentials = [["true"]] if settings.cors.credentials else [[], ["false"]]
    return call.allow_origin == [call.origin] and call.allow_credentials in credentials
