"""Liars about card numbers."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from liars.liar import Liar
from troth.catalogue import Settings
from troth.kernel.site import Site
from troth.promises.payments.probe import CARDS


def _lets_in(settings: Settings) -> Settings:
    cards = msgspec.structs.replace(settings.guard.cards, refuse=False)
    guard = msgspec.structs.replace(settings.guard, cards=cards)
    return msgspec.structs.replace(settings, guard=guard)


@contextmanager
def _writes_down(data: Path, _site: Site) -> Iterator[None]:
    """Somebody left a log of whole requests on."""
    path = data / "logs" / "debug.log"
    path.write_text("".join(f"POST /-/sink n={card}\n" for card in CARDS), "utf-8")
    try:
        yield
    finally:
        path.unlink()


LIARS = (
    Liar(
        "no-card-data-stored",
        "lets them in",
        settings=_lets_in,
        only=("no-card-data-stored.refused",),
    ),
    Liar(
        "no-card-data-stored",
        "writes down what it refuses",
        beside=_writes_down,
        only=("no-card-data-stored.sweep",),
    ),
)
