"""What an operator may set about payments: `[payments]` in troth.toml."""

from typing import Annotated

from msgspec import Meta, Struct


class PaymentsSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[payments]`: how the promise about card numbers is proven.

    Once a day, what Troth keeps in its data directory (events, refused requests, logs, published
    files) is searched for card numbers that were just sent; at most `sweep_bytes` of it, and where
    there is more, nothing is said.
    """

    sweep_bytes: Annotated[int, Meta(ge=1_048_576, le=10_737_418_240)] = 1_073_741_824
