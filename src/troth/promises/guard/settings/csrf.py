"""`[guard.csrf]`: important actions need a token."""

from typing import Annotated

from msgspec import Meta, Struct

from troth.promises.guard.settings.login import PathPattern


class Csrf(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[guard.csrf]`: what changes something at `paths` needs a token of this very browser's.

    For applications that have no tokens of their own. Their pages load `/-/csrf.js` (below
    `[troth] prefix`), which adds the token to forms, `fetch` and `XMLHttpRequest`. A token is good
    for `lasts_s`. Empty `paths` turn it off.
    """

    paths: tuple[PathPattern, ...] = ()
    lasts_s: Annotated[int, Meta(ge=60, le=86_400)] = 7200
