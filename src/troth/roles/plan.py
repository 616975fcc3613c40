"""Which processes make up an installation, in what order, with what rights."""

import sys
from pathlib import Path

from troth.catalogue import Settings
from troth.roles.guards import guards
from troth.roles.places import Places
from troth.roles.supervisor import Handover, Unit

# How a role begins another life (`troth upgrade`); PostgreSQL stays as it is.
HANDOVERS: dict[str, Handover] = {
    "postgres": "never",
    "edge": "signal",
    "guard": "overlap",
    "uploads": "overlap",
    "console": "overlap",
    "status": "overlap",
}


def units(settings: Settings, config: Path, places: Places) -> tuple[Unit, ...]:
    """The roles of one installation on one machine.

    The page needs only the ledger; the guard and the edge need no database; so whatever is down,
    the rest goes on.
    """

    def role(name: str, *needs: str, module: str = "", more: tuple[str, ...] = ()) -> Unit:
        argv = (
            sys.executable,
            *("-m", f"troth.roles.{module or name}"),
            *("--config", str(config)),
            *("--data", str(places.data)),
            *more,
        )
        handover = HANDOVERS.get(module or name, "stop")
        return Unit(name=name, argv=argv, needs=needs, handover=handover)

    database = () if settings.database.url else (role("postgres", more=("--name", "state")),)
    console_needs = tuple(unit.name for unit in database)
    return (
        *database,
        role("ledger"),
        *(
            role(name, module="guard", more=("--index", name.removeprefix("guard-")))
            for name in guards(settings)
        ),
        role("uploads"),
        role("console", *console_needs),
        role("publisher", "ledger"),
        role("findings", "console", "ledger"),
        role("status", "publisher"),
        role("edge", *guards(settings), "uploads"),
        role("worker", "edge", "ledger", "status"),
    )
