"""The only tool that changes the database's shape.

Migrations run by themselves at `troth up`. Several may start at once: a lock in the database lets
one work and the others find it done. A database that a newer Troth has migrated is refused, because
older code would read it wrongly.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core.management import call_command
from django.db import connection as django_connection
from django.db.migrations.executor import MigrationExecutor

import troth
from troth.adapters import database
from troth.adapters.database import Query
from troth.catalogue import Settings
from troth.console import rights
from troth.console.settings import ConsoleError, derive, prepare

_LOCK = 0x74726F7468  # "troth", a number that nobody else's advisory lock is likely to have
_PATIENCE = timedelta(minutes=10)  # a migration may rewrite a large table


class SchemaError(ConsoleError):
    """The database's schema is not the one this code speaks."""


@dataclass(frozen=True, slots=True)
class _Taken:
    taken: bool


_TAKE = Query(
    "take_migration_lock",
    "Wait for the one lock; it ends with the session.",
    "SELECT pg_advisory_lock(%(key)s) IS NOT NULL AS taken",
)
_NOTE = Query(
    "note_installation",
    "Write down which code brought the schema here.",
    """
    INSERT INTO records_installation (id, version, created, migrated)
    VALUES (1, %(version)s, %(now)s, %(now)s)
    ON CONFLICT (id) DO UPDATE SET version = excluded.version, migrated = excluded.migrated
    """,
)


def migrate(settings: Settings, *, url: str, now: datetime) -> bool:
    """Bring the database to this code's schema and give each role its rights.

    Configures this process's Django with the owner's rights, so it is the last or the only thing
    that a process does with the database.

    Args:
        settings: the whole of troth.toml.
        url: of the database, as the role that owns it and may create roles.
        now: aware UTC, written beside the version.

    Returns:
        Whether a migration was applied.

    Raises:
        SchemaError: a newer Troth has migrated it; both versions are named, nothing is changed.
        DatabaseError: not reachable, or the owner may not create roles.
    """
    prepare(derive(settings, url=url, secret_key="signs nothing", statement=_PATIENCE))  # noqa: S106
    with database.connect(url, name="migrate", statement=_PATIENCE) as owner:
        owner.rows(_TAKE, _Taken, key=_LOCK)
        try:
            _refuse_newer()
            is_behind = _is_behind()
            if is_behind:
                call_command("migrate", interactive=False, verbosity=0)
            with owner.transaction():
                rights.give(owner)
                if is_behind:
                    owner.change(_NOTE, version=troth.__version__, now=now)
        finally:
            django_connection.close()
    return is_behind


def require_current() -> None:
    """Raise SchemaError unless the database has exactly this code's migrations. Fails closed."""
    _refuse_newer()
    if _is_behind():
        raise SchemaError(
            f"the database is older than Troth {troth.__version__}", mend="run: troth upgrade"
        )


def _refuse_newer() -> None:
    loader = MigrationExecutor(django_connection).loader
    unknown = sorted(set(loader.applied_migrations) - set(loader.disk_migrations or {}))
    if not unknown:
        return
    with django_connection.cursor() as cursor:
        cursor.execute("SELECT version FROM installation")
        row = cursor.fetchone()
    version = row[0] if row else "of an unknown version"
    raise SchemaError(
        f"the database was migrated by Troth {version}, newer than this one, {troth.__version__}",
        where=".".join(unknown[0]),
        mend=f"run Troth {version} or newer, or restore an older backup",
    )


def _is_behind() -> bool:
    executor = MigrationExecutor(django_connection)
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))
