"""`[[guard.flows]]`: what a business flow looks like, and when somebody abuses it."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from troth.promises.guard.settings.login import Method, Outcome, PathPattern

Name = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9-]{0,31}$")]
CookieName = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_.-]{0,64}$")]


class Flow(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[[guard.flows]]`: one rule about how a part of the application is used.

    `kind = "count"`: no more than `most` in `within_s`; with `share`, only where at least that
    share of the answers counted. `kind = "distinct"`: no more than `most` different values of the
    path's segment `of` (`/products/{id}`); those that were seen before stay open. `kind =
    "sequence"`: nobody comes here who was not, within `within_s`, at `after` with success.

    `answers` says which answers count (see `[[guard.login]]`); without it the request itself does.
    `less` is a path whose success takes one away again (a booking that was paid). `by` is whose
    uses are counted: an address, the session in the cookie `cookie` (the address of who has none),
    or the account (`[guard.limits]` says how it is known).

    `action`: `throttle` answers 429 with the time to wait, `refuse` 403, `ban` keeps the address
    out for `ban_s`.
    """

    name: Name
    kind: Literal["count", "distinct", "sequence"]
    path: PathPattern
    methods: tuple[Method, ...] = ()
    by: Literal["address", "session", "account"] = "address"
    cookie: CookieName = ""
    of: Annotated[str, Meta(max_length=64)] = ""
    most: Annotated[int, Meta(ge=1, le=200)] = 50
    within_s: Annotated[int, Meta(ge=1, le=86_400)] = 600
    answers: tuple[Outcome, ...] = ()
    share: Annotated[float, Meta(ge=0, le=1)] = 0.0
    after: PathPattern | None = None
    less: PathPattern | None = None
    action: Literal["throttle", "refuse", "ban"] = "throttle"
    ban_s: Annotated[int, Meta(ge=60, le=86_400)] = 900

    def __post_init__(self) -> None:
        if self.kind == "distinct" and f"{{{self.of}}}" not in self.path.split("/"):
            raise ValueError(f"{self.name}: of names no segment of the path")
        if (self.kind == "sequence") != (self.after is not None):
            raise ValueError(f"{self.name}: a sequence, and nothing else, says after")
        if self.kind == "sequence" and self.answers:
            raise ValueError(f"{self.name}: a sequence asks requests, so it takes no answers")
        if self.by == "session" and not self.cookie:
            raise ValueError(f"{self.name}: by session needs the cookie's name")
        if self.share and not (self.kind == "count" and self.answers):
            raise ValueError(f"{self.name}: a share is one of counted answers")
        if self.less is not None and self.kind != "count":
            raise ValueError(f"{self.name}: less takes away from a count")
