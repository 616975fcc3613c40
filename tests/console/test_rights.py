"""Each role can do what it needs and nothing else."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest

from troth.adapters import database
from troth.adapters.database import DatabaseError, Query
from troth.console.rights import ROLES, role_name
from troth.engines.postgres.cluster import Cluster

QUERIES = database.queries(Path(database.__file__).with_name("queries.sql"))
REFUSED = "42501"


@dataclass(frozen=True, slots=True)
class Installed:
    version: str
    created: datetime
    migrated: datetime


@dataclass(frozen=True, slots=True)
class OpenFinding:
    promise: str
    check_id: str
    vantage: str
    severity: str
    opened: datetime
    opened_index: int


FOR = {
    "installation": (ROLES, Installed),
    "open_findings": (("worker",), OpenFinding),
}


def test_every_query_is_tried_here():
    assert set(QUERIES) == set(FOR)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("name", sorted(QUERIES))
def test_a_query_works_for_whom_it_is_and_for_nobody_else(
    cluster: Cluster, owner_url: str, role: str, name: str
):
    allowed, shape = FOR[name]
    with database.connect(cluster.url("troth", role_name(role)), name="test") as connection:
        if role in allowed:
            connection.rows(QUERIES[name], shape)
        else:
            with pytest.raises(DatabaseError) as caught:
                connection.rows(QUERIES[name], shape)
            assert caught.value.sqlstate == REFUSED


@pytest.mark.parametrize("role", ROLES)
def test_no_role_changes_the_schema_or_its_history(cluster: Cluster, owner_url: str, role: str):
    with database.connect(cluster.url("troth", role_name(role)), name="test") as connection:
        for text in (
            "CREATE TABLE mine (n int)",
            "DROP TABLE records_finding",
            "DELETE FROM django_migrations",
            "UPDATE records_installation SET version = '0'",
        ):
            with pytest.raises(DatabaseError) as caught:
                connection.change(Query("tried", "", text))
            assert caught.value.sqlstate == REFUSED


@pytest.mark.parametrize("role", [role for role in ROLES if role != "console"])
def test_only_the_console_sees_people_and_invitations(cluster: Cluster, owner_url: str, role: str):
    with database.connect(cluster.url("troth", role_name(role)), name="test") as connection:
        for table in ("records_person", "records_invitation"):
            with pytest.raises(DatabaseError) as caught:
                connection.change(Query("tried", "", f"SELECT 1 FROM {table}"))
            assert caught.value.sqlstate == REFUSED


def test_a_login_that_all_share_takes_a_roles_rights_on(owner_url: str):
    with (
        database.connect(owner_url, name="test", role=role_name("guard")) as connection,
        pytest.raises(DatabaseError) as caught,
    ):
        connection.change(Query("tried", "", "SELECT 1 FROM records_person"))

    assert caught.value.sqlstate == REFUSED


def test_an_unknown_role_is_a_bug():
    with pytest.raises(ValueError, match="postgres"):
        role_name("postgres")
