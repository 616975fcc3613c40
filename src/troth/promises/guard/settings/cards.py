"""`[guard.cards]`: card numbers do not get in."""

from typing import Annotated

from msgspec import Meta, Struct

Prefix = Annotated[str, Meta(pattern=r"^(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+/?$", max_length=256)]


class Cards(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[guard.cards]`: requests with a payment card's number in them, wherever it stands.

    `refuse` answers 403; without it they pass and are counted (`cards.seen`), and the number is
    masked in every log all the same. `exempt` are path prefixes where 16-digit numbers that are no
    cards (one in thirty looks like one) are the application's business.
    """

    refuse: bool = True
    exempt: tuple[Prefix, ...] = ()
