"""The door to PostgreSQL, against a real one."""

import os
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from troth.adapters import database
from troth.adapters.database import Connection, DatabaseError, Query
from troth.engines.postgres.cluster import SUPERUSER, Cluster


@dataclass(frozen=True, slots=True)
class Number:
    n: int


def query(text: str) -> Query:
    return Query("tried", "only here", text)


@pytest.fixture
def url(cluster: Cluster) -> str:
    return cluster.url("postgres", SUPERUSER)


@pytest.fixture
def connection(url: str) -> Iterator[Connection]:
    with database.connect(url, name="test", statement=timedelta(milliseconds=200)) as made:
        yield made


def test_rows_are_typed_and_parameters_are_bound(connection: Connection):
    found = connection.rows(
        query("SELECT %(x)s::int + g AS n FROM generate_series(0, 1) g"), Number, x=1
    )

    assert found == [Number(1), Number(2)]


def test_one_row_none_or_an_error(connection: Connection):
    many = "SELECT g AS n FROM generate_series(1, %(most)s) g"

    assert connection.row(query(many), Number, most=0) is None
    assert connection.row(query(many), Number, most=1) == Number(1)
    with pytest.raises(DatabaseError, match="more than one row"):
        connection.row(query(many), Number, most=2)


def test_too_many_rows_are_refused(connection: Connection):
    with pytest.raises(DatabaseError, match="more than 10000 rows"):
        connection.rows(query("SELECT g AS n FROM generate_series(1, 10001) g"), Number)


def test_the_server_knows_who_asks_and_for_how_long(connection: Connection):
    text = "SELECT 1 AS n WHERE current_setting('application_name') = 'troth-test'"
    assert connection.rows(query(text), Number)

    with pytest.raises(DatabaseError, match="statement timeout") as caught:
        connection.rows(query("SELECT 1 AS n FROM pg_sleep(60)"), Number)
    assert caught.value.sqlstate == "57014"
    assert caught.value.where.endswith("/postgres, tried")
    assert caught.value.mend


def test_a_transaction_is_all_or_nothing(connection: Connection):
    connection.define("CREATE TEMPORARY TABLE kept (n int UNIQUE)")
    insert = query("INSERT INTO kept VALUES (%(n)s)")

    assert connection.change(insert, n=1) == 1

    def twice() -> None:
        with connection.transaction():
            connection.change(insert, n=2)
            connection.change(insert, n=1)

    with pytest.raises(DatabaseError) as caught:
        twice()

    assert caught.value.sqlstate == "23505"
    assert connection.rows(query("SELECT n FROM kept"), Number) == [Number(1)]


def test_an_error_repeats_no_data(connection: Connection):
    with pytest.raises(DatabaseError) as caught:
        connection.rows(
            query("SELECT %(x)s::text::int AS n FROM (VALUES (1)) v"), Number, x="hunter2"
        )

    # The server's first line may quote a value; what it adds in detail and context is left out.
    assert "\n" not in str(caught.value)


def test_names_are_quoted(connection: Connection):
    odd = 'x"; DROP TABLE y; --'
    connection.define("CREATE TEMPORARY TABLE {} (n int)", odd)

    assert connection.exists("pg_class", "relname", odd)
    assert not connection.exists("pg_class", "relname", "nobody")


def test_a_role_is_taken_on(url: str, connection: Connection):
    connection.define("CREATE ROLE {} NOLOGIN", "test_small")
    try:
        with (
            database.connect(url, name="test", role="test_small") as small,
            pytest.raises(DatabaseError) as caught,
        ):
            small.define("CREATE TABLE refused (n int)")
        assert caught.value.sqlstate == "42501"
    finally:
        connection.define("DROP ROLE {}", "test_small")


@pytest.mark.parametrize("text", ["", "mysql://x/y", "postgresql://[", "host=x password=hunter2"])
def test_what_is_no_url_is_refused_without_repeating_it(text: str):
    with pytest.raises(DatabaseError, match="not a PostgreSQL URL") as caught:
        database.secured(text)

    assert "hunter2" not in caught.value.hint()


@pytest.mark.parametrize(
    ("text", "mode"),
    [
        ("postgresql://u@/d?host=/run/pg", None),
        ("postgresql://u@127.0.0.1/d", None),
        ("postgresql://u@db.example/d", "verify-full"),
        ("postgresql://u@db.example/d?sslmode=require", "require"),
    ],
)
def test_a_connection_that_leaves_the_machine_is_verified(text: str, mode: str | None):
    parameters = database.secured(text)

    assert parameters.get("sslmode") == mode
    assert ("sslrootcert" in parameters) == (mode == "verify-full")


def test_nobody_there_is_said_with_place_and_mend(tmp_path: Path):
    with (
        pytest.raises(DatabaseError) as caught,
        database.connect(f"postgresql://u:hunter2@/d?host={tmp_path}", name="test"),
    ):
        pass

    assert caught.value.where == f"{tmp_path}/d"
    assert "[database] url" in caught.value.mend
    assert "hunter2" not in caught.value.hint()


def test_an_old_server_is_refused(url: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(database, "OLDEST_MAJOR", 99)

    with (
        pytest.raises(DatabaseError, match="PostgreSQL 18 is too old") as caught,
        database.connect(url, name="test"),
    ):
        pass
    assert "99 or newer" in caught.value.mend


def test_a_server_that_says_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(database, "CONNECT", timedelta(seconds=2))  # libpq's shortest
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with (
            pytest.raises(DatabaseError, match="timeout"),
            database.connect(f"postgresql://u@127.0.0.1:{port}/d", name="test"),
        ):
            pass


def test_a_session_that_is_ended_from_outside_raises(url: str, connection: Connection):
    (mine,) = connection.rows(query("SELECT pg_backend_pid() AS n"), Number)
    with database.connect(url, name="other") as other:
        other.rows(query("SELECT 1 AS n WHERE pg_terminate_backend(%(pid)s)"), Number, pid=mine.n)

    with pytest.raises(DatabaseError):
        connection.rows(query("SELECT 1 AS n"), Number)


def test_queries_are_read_by_name(tmp_path: Path):
    path = tmp_path / "queries.sql"
    path.write_text(
        "-- The file's own words.\n\n"
        "-- name: first\n-- Finds one.\n-- And tells.\nSELECT 1\n  AS n\n\n"
        "-- name: second\n-- Finds two.\nSELECT 2 AS n\n"
    )

    found = database.queries(path)

    assert list(found) == ["first", "second"]
    assert found["first"] == Query("first", "Finds one. And tells.", "SELECT 1\n  AS n")


@pytest.mark.parametrize(
    "text",
    [
        "-- name: Bad Name\n-- Words.\nSELECT 1\n",
        "-- name: wordless\nSELECT 1\n",
        "-- name: empty\n-- Words.\n",
        "-- name: twice\n-- Words.\nSELECT 1\n-- name: twice\n-- Words.\nSELECT 1\n",
    ],
)
def test_another_shape_is_a_bug(tmp_path: Path, text: str):
    (tmp_path / "queries.sql").write_text(text)

    with pytest.raises(ValueError, match="name: "):
        database.queries(tmp_path / "queries.sql")


def test_threads_each_have_their_own(url: str):
    seen: list[int] = []

    def ask() -> None:
        with database.connect(url, name="thread") as own:
            seen.extend(row.n for row in own.rows(query("SELECT pg_backend_pid() AS n"), Number))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)

    assert len(set(seen)) == 4
    assert os.getpid() not in seen
