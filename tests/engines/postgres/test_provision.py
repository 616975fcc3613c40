"""An owner and a database, as often as one likes."""

import pytest

from troth.adapters import database
from troth.adapters.database import DatabaseError
from troth.engines.postgres.cluster import SUPERUSER, Cluster
from troth.engines.postgres.provision import provide


def test_a_database_gets_an_owner_and_is_closed_to_all_others(cluster: Cluster):
    first = provide(cluster, name="moved_in", owner="landlady", backup="copyist")
    again = provide(cluster, name="moved_in", owner="landlady", backup="copyist")

    assert first == again == cluster.url("moved_in", "landlady")
    with database.connect(first, name="test") as connection:
        connection.define("CREATE TABLE furniture (n int)")
        connection.define("CREATE ROLE lodger LOGIN")
    with (
        pytest.raises(DatabaseError, match="permission denied for database"),
        database.connect(cluster.url("moved_in", "lodger"), name="test"),
    ):
        pass
    with database.connect(cluster.url("postgres", SUPERUSER), name="test") as connection:
        connection.define("DROP DATABASE moved_in")
        for role in ("lodger", "landlady", "copyist"):
            connection.define("DROP ROLE {}", role)
