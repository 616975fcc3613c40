"""Brings the database to this code's schema, and ends: the one process with the owner's rights."""

import sys
from collections.abc import Sequence

from troth.adapters import clock
from troth.adapters.database import DatabaseError
from troth.console import schema
from troth.roles import start, state


def main(argv: Sequence[str]) -> int:
    """Migrate. Exit code 1 when the database is away (try again), 2 when a person must act."""
    return start.guarded(_main, argv, DatabaseError)


def _main(argv: Sequence[str]) -> int:
    settings, places = start.given(start.arguments("migrate").parse_args(argv))
    schema.migrate(settings, url=state.owner_url(settings, places), now=clock.now())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
