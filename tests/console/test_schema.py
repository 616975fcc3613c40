"""Migrations: by themselves, once, never backwards."""

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from django.core.management import call_command

import troth
from troth.adapters import database
from troth.adapters.database import Query
from troth.console import schema
from troth.console.schema import SchemaError
from troth.engines.postgres.cluster import SUPERUSER, Cluster
from troth.engines.postgres.provision import provide


@dataclass(frozen=True, slots=True)
class Count:
    n: int


APPLIED = Query(
    "applied", "test", "SELECT count(*) AS n FROM django_migrations WHERE app='records'"
)


@pytest.fixture
def empty(cluster: Cluster) -> Iterator[str]:
    """A database of its own, not yet migrated."""
    yield provide(cluster, name="empty", owner="troth")
    with database.connect(cluster.url("postgres", SUPERUSER), name="test") as connection:
        connection.define("DROP DATABASE {} WITH (FORCE)", "empty")


def applied(url: str) -> int:
    with database.connect(url, name="test") as connection:
        return connection.rows(APPLIED, Count)[0].n


def test_two_that_start_at_once_migrate_once(empty: str, start_migration: Callable):
    with start_migration(empty) as one, start_migration(empty) as other:
        said = sorted(process.communicate(timeout=60)[0].strip() for process in (one, other))

    assert said == ["False", "True"]
    assert applied(empty) == 2


def test_a_newer_database_is_refused_naming_both_versions(empty: str, migrate: Callable[..., str]):
    assert migrate(empty, "9.8.7") == "True"
    with database.connect(empty, name="test") as connection:
        connection.change(
            Query(
                "from_the_future",
                "",
                "INSERT INTO django_migrations (app, name, applied)"
                " VALUES ('records', '0999_from_the_future', now())",
            )
        )

    said = migrate(empty)

    assert said.startswith("refused: ")
    assert f"migrated by Troth 9.8.7, newer than this one, {troth.__version__}" in said
    assert "records.0999_from_the_future" in said
    assert "restore an older backup" in said
    assert applied(empty) == 3


def test_again_changes_nothing(owner_url: str, migrate: Callable[..., str]):
    assert migrate(owner_url, "9.9.9") == "False"
    with database.connect(owner_url, name="test") as connection:
        version = connection.rows(
            Query(
                "v",
                "",
                f"SELECT count(*) AS n FROM installation WHERE version = '{troth.__version__}'",
            ),
            Count,
        )
    assert version == [Count(1)]


@pytest.mark.usefixtures("console")
def test_a_current_schema_is_served():
    schema.require_current()


def test_an_older_or_newer_schema_is_not_served(clean: None, owner: database.Connection):
    move = "UPDATE django_migrations SET name = %(new)s WHERE app = 'records' AND name = %(old)s"
    owner.change(Query("move", "", move), old="0002_views", new="0999_later")
    try:
        with pytest.raises(SchemaError, match="newer than this one"):
            schema.require_current()
        owner.change(
            Query("move", "", "UPDATE django_migrations SET app = 'x' WHERE name = %(n)s"),
            n="0999_later",
        )
        owner.change(Query("drop", "", "DELETE FROM django_migrations WHERE app = 'x'"))
        with pytest.raises(SchemaError, match="older than Troth"):
            schema.require_current()
    finally:
        owner.change(Query("drop", "", "DELETE FROM django_migrations WHERE name = '0999_later'"))
        owner.change(
            Query(
                "back",
                "",
                "INSERT INTO django_migrations (app, name, applied)"
                " VALUES ('records', '0002_views', now())",
            )
        )


@pytest.mark.usefixtures("console")
def test_models_and_migrations_agree():
    said = io.StringIO()

    call_command("makemigrations", "--check", "--dry-run", stdout=said)

    assert "No changes detected" in said.getvalue()
