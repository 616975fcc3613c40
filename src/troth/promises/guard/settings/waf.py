"""`[guard.rules]`: which rules look at requests, how strict they are, and what they leave alone."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

RuleMode = Literal["block", "watch", "off"]
RoutePattern = Annotated[
    str, Meta(pattern=r"^/([A-Za-z0-9._~{}*-]+(/[A-Za-z0-9._~{}*-]+)*)?$", max_length=256)
]
# A variable of the rule language, with the name of what is in it: `ARGS:message`, `REQUEST_BODY`.
Place = Annotated[str, Meta(pattern=r"^[A-Z_]{2,40}(:[^\x00-\x1f\"]{1,128})?$")]
LeakPath = Annotated[str, Meta(pattern=r"^/[A-Za-z0-9._~/-]*$", max_length=256)]
KIBIBYTE = 1024


class RulesRoute(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[[guard.rules.routes]]`: another mode on one route (`/search`, `/api/*`, `/users/{id}`)."""

    path: RoutePattern
    mode: RuleMode


class Exclusion(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[[guard.rules.exclusions]]`: one rule does not look at one place of one route.

    `troth rules exclude EVENT_ID` writes them, and proves that they open nothing else. A path that
    some server might read as another one has no exclusions.
    """

    path: RoutePattern
    parameter: Place
    rule: Annotated[int, Meta(ge=1, le=2**31 - 1)]


class Rules(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[guard.rules]`: the web application firewall.

    `set` is `troth` for our own rules, or a folder of rules in SecLang (the OWASP CRS, Debian's
    `/usr/share/modsecurity-crs/rules`), of which `sha256` is what `troth rules import` printed: a
    folder that changed since is not loaded. In the mode `watch` nothing is refused and everything
    is told. Requests whose score reaches `threshold` are refused; a rule that is sure scores 5.
    An address that was refused more than `ban_after` times in ten minutes (0: never) is kept out
    for `ban_s`, and longer each further time (`[guard.bans]`). Bodies longer than `body_bytes` are
    refused (413) but on `[edge] upload_paths`.

    What the application answers on `leak_paths` (prefixes; `/` for all) is held until the rules of
    the answer's phases have looked at it, and a leak is replaced by a page; the application is
    asked for uncompressed answers there. Longer ones than `answer_bytes`, those that come in pieces
    of no declared length, and event streams go by unread, and are counted.
    """

    mode: RuleMode = "block"
    set: Annotated[str, Meta(pattern=r"^(troth|/[^\s]+)$")] = "troth"
    sha256: Annotated[str, Meta(pattern=r"^([0-9a-f]{64})?$")] = ""
    paranoia: Annotated[int, Meta(ge=1, le=4)] = 1
    threshold: Annotated[int, Meta(ge=1, le=1000)] = 5
    outbound_threshold: Annotated[int, Meta(ge=1, le=1000)] = 4
    ban_after: Annotated[int, Meta(ge=0, le=100_000)] = 10
    ban_s: Annotated[int, Meta(ge=1, le=86_400)] = 600
    body_bytes: Annotated[int, Meta(ge=8 * KIBIBYTE, le=16 * KIBIBYTE * KIBIBYTE)] = (
        KIBIBYTE * KIBIBYTE
    )
    leak_paths: Annotated[tuple[LeakPath, ...], Meta(max_length=32)] = ()
    # The edge buffers a mebibyte of a connection; an answer must fit well into it.
    answer_bytes: Annotated[int, Meta(ge=KIBIBYTE, le=512 * KIBIBYTE)] = 128 * KIBIBYTE
    routes: Annotated[tuple[RulesRoute, ...], Meta(max_length=256)] = ()
    exclusions: Annotated[tuple[Exclusion, ...], Meta(max_length=1000)] = ()
