"""`[guard.limits]`: how often somebody may ask."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

Path = Annotated[str, Meta(pattern=r"^/", max_length=256)]
Name = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")]
Rate = Annotated[str, Meta(pattern=r"^[1-9][0-9]{0,6}/(s|min|h|day)$")]
Method = Annotated[str, Meta(pattern=r"^[A-Z-]{1,32}$")]
HeaderName = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]+$", max_length=64)]
Network = Annotated[str, Meta(pattern=r"^[0-9A-Fa-f.:]+(/\d{1,3})?$")]
Suffix = Annotated[str, Meta(pattern=r"^\.[a-z0-9]{1,8}$")]

STATICS = (".css", ".js", ".mjs", ".map", ".png", ".jpg", ".jpeg", ".gif", ".svg", ".webp", ".avif",
           ".ico", ".woff", ".woff2", ".ttf", ".otf", ".mp4", ".webm", ".mp3")  # fmt: skip


class Limit(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[[guard.limits.rules]]`: so many requests of one kind by one address, account or token.

    Args:
        name: in headers, events and keys; no two alike.
        path: and everything below it, however it is spelled.
        methods: empty for all.
        by: `address` (IPv6: its /64), `account` or `token` (where the request has one), `route`:
            everybody together.
        rate: `600/min`; also `/s`, `/h`, `/day`.
        burst: how many may come at once; 0 for the whole rate.
        statics: what is asked for a file of the application (`statics`) counts as well.
    """

    name: Name
    path: Path = "/"
    methods: tuple[Method, ...] = ()
    by: Literal["address", "account", "route", "token"] = "address"
    rate: Rate
    burst: Annotated[int, Meta(ge=0, le=1_000_000)] = 0
    statics: bool = False


# Nobody reads ten pages a second for a minute; a page of an application may ask for 200 things.
DEFAULT = (Limit(name="app", rate="600/min", burst=200),)


class Limits(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[guard.limits]`: who asks more often is answered 429 and told when to come back.

    Args:
        rules: each is counted on its own. What the operator writes takes the place of the default.
        exempt: networks that no limit by address is about. Loopback is no visitor: a proxy on this
            machine, or ourselves.
        account_header: a header of `trusted_headers` that names the account.
        account_cookie: the application's session cookie, for want of a header.
        token_headers: where programs put a token.
        statics: endings of paths that GET and HEAD may ask for uncounted.
        ban_after: refusals of an address in ten minutes after which it is kept out; 0 for never.
        edge_rate: what the edge by itself lets one address ask for, of anything: far above what
            `rules` say, for it spares the guard a flood and knows no routes. Empty for no bound.
        edge_burst: how many of them at once.
        headers: say `RateLimit` and `RateLimit-Policy` on answers.
    """

    rules: Annotated[tuple[Limit, ...], Meta(max_length=32)] = DEFAULT
    exempt: tuple[Network, ...] = ("127.0.0.0/8", "::1/128")
    account_header: Annotated[str, Meta(max_length=64)] = ""
    account_cookie: Annotated[str, Meta(max_length=64)] = ""
    token_headers: tuple[HeaderName, ...] = ("authorization", "x-api-key")
    statics: tuple[Suffix, ...] = STATICS
    ban_after: Annotated[int, Meta(ge=0, le=100_000)] = 0
    edge_rate: Annotated[str, Meta(pattern=r"^([1-9][0-9]{0,5}/(s|min))?$")] = "100/s"
    edge_burst: Annotated[int, Meta(ge=1, le=1_000_000)] = 500
    headers: bool = True

    def __post_init__(self) -> None:
        names = [rule.name for rule in self.rules]
        if len(set(names)) != len(names):
            raise ValueError("two rules have the same name")
