"""`[guard.canary]`: an account of our own, which our probes guess at."""

from typing import Annotated

from msgspec import Meta, Struct

from troth.promises.guard.settings.limits import Path


class SignUp(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A form that makes the canary's account; that it exists already does no harm."""

    path: Path
    fields: dict[str, Annotated[str, Meta(max_length=1024)]]


class Canary(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An account without rights but a customer's, on the first `[[guard.login]]` route.

    In `password` and in the fields of `signup`, `{canary}` stands for this installation's own
    secret. Without an `account` the proof guesses only at accounts that do not exist.
    """

    account: Annotated[str, Meta(max_length=254)] = ""
    password: Annotated[str, Meta(max_length=1024)] = "{canary}"  # noqa: S105 -- a placeholder
    signup: SignUp | None = None
