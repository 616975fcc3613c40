"""`[guard.learn]`: which kinds of values parameters have, and what is done about others."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from troth.promises.guard.settings.waf import RoutePattern

Kind = Literal["boolean", "integer", "number", "uuid", "date", "datetime", "email", "slug"]


class Parameter(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[[guard.learn.parameters]]`: what a query or form field, or a JSON member, is on a route.

    `troth rules learn --apply` writes them. `name` of a JSON member is its path (`user.age`, of a
    list's members `items.*.id`).
    """

    path: RoutePattern
    name: Annotated[str, Meta(min_length=1, max_length=128)]
    kind: Kind
    max_length: Annotated[int, Meta(ge=1, le=4096)] = 256


class Learn(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[guard.learn]`: kinds of parameters, learnt from what passes or read from an OpenAPI file.

    With `watch` the guard notes which kinds values have (never the values). `openapi` names a
    document (JSON or YAML) that `troth rules learn` reads as well. `check` says what happens to a
    value of another kind than `parameters` say: it is refused (`block`), told (`watch`), or nothing
    (`off`).
    """

    watch: bool = False
    openapi: str = ""
    min_samples: Annotated[int, Meta(ge=5, le=1_000_000)] = 50
    check: Literal["off", "watch", "block"] = "off"
    parameters: Annotated[tuple[Parameter, ...], Meta(max_length=2000)] = ()
