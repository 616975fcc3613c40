"""A dump goes out and comes back whole, or not at all."""

import pytest

from troth.adapters import database
from troth.engines.postgres import dump
from troth.engines.postgres.binaries import PostgresError
from troth.engines.postgres.provision import provide


@pytest.fixture
def url(cluster):
    return provide(cluster, name="dumped", owner="dumped_owner")


def define(url: str, *statements: str) -> None:
    with database.connect(url, name="test") as connection:
        for statement in statements:
            connection.define(statement)


def tables(url: str) -> set[str]:
    with database.connect(url, name="test") as connection:
        return {
            name for name in ("kept", "newer") if connection.exists("pg_tables", "tablename", name)
        }


def test_what_came_later_goes_and_what_went_comes_back(cluster, url, tmp_path):
    define(url, "DROP TABLE IF EXISTS kept, newer", "CREATE TABLE kept AS SELECT 1 AS x")
    path = tmp_path / "state.dump"

    size = dump.dump(cluster.binaries, url, path)
    define(url, "DROP TABLE kept", "CREATE TABLE newer AS SELECT 2 AS x")
    dump.restore(cluster.binaries, url, path)

    assert size == path.stat().st_size
    assert path.stat().st_mode & 0o777 == 0o600
    assert tables(url) == {"kept"}


def test_a_damaged_dump_changes_nothing(cluster, url, tmp_path):
    define(url, "DROP TABLE IF EXISTS kept, newer", "CREATE TABLE kept AS SELECT 1 AS x")
    path = tmp_path / "state.dump"
    dump.dump(cluster.binaries, url, path)
    path.write_bytes(path.read_bytes()[:-200])
    define(url, "CREATE TABLE newer AS SELECT 2 AS x")

    with pytest.raises(PostgresError, match="not restored"):
        dump.restore(cluster.binaries, url, path)
    assert tables(url) == {"kept", "newer"}


def test_a_database_that_is_away(cluster, tmp_path):
    with pytest.raises(PostgresError, match="not dumped"):
        dump.dump(cluster.binaries, cluster.url("nowhere", "nobody"), tmp_path / "x.dump")
    assert not (tmp_path / "x.dump").exists()
