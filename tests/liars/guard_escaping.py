"""Liars about what pages show of what they were told."""

from liars.liar import Liar
from liars.upstream import Manners

LIARS = (
    Liar(
        "xss-output-escaping",
        "shows what it is told as it is",
        upstream=Manners(is_raw=True),
        only=("xss-output-escaping.planted",),
    ),
)
