"""The one door to PostgreSQL: bounded connections, queries by name, errors with place and mend.

Every statement has a time limit, every session says who it is, and a connection that leaves the
machine is encrypted and verified unless its URL says otherwise. Fails closed: what cannot be asked
raises `DatabaseError`; nothing is tried a second time here.
"""

import contextlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, LiteralString, TypeVar

import psycopg
from psycopg import conninfo, sql
from psycopg.rows import class_row

from troth.kernel.errors import Failure

CONNECT = timedelta(seconds=5)
STATEMENT = timedelta(seconds=10)
MAX_ROWS = 10_000
OLDEST_MAJOR = 16  # Source: design, section 6
_LOCAL = ("localhost", "127.0.0.1", "::1")
# Source: PostgreSQL manual, appendix A.
_MENDS = {
    "28000": "check the user in [database] url, or who may connect as whom",
    "28P01": "check the password that [database] url refers to",
    "3D000": "create the database, or correct its name in [database] url",
    "42501": "grant the right, or connect as the owner",
    "53100": "free some space on the database's disk",
    "53300": "raise max_connections, or close some",
    "57014": "the server is overloaded or something holds a lock; see its log",
    "57P03": "it is starting or recovering; try again in a moment",
}

T = TypeVar("T")


class DatabaseError(Failure):
    """PostgreSQL could not be reached or would not answer. `sqlstate` is its code, or empty."""

    def __init__(self, what: str, *, where: str = "", mend: str = "", sqlstate: str = "") -> None:
        super().__init__(what, where=where, mend=mend)
        self.sqlstate = sqlstate


@dataclass(frozen=True, slots=True)
class Query:
    """One entry of a file of queries: its name, what it says of itself, its text."""

    name: str
    description: str
    text: str


_HEAD = re.compile(r"^-- name: ([a-z][a-z0-9_]*)$")


def queries(path: Path) -> dict[str, Query]:
    """Read a file of named queries.

    Each begins with `-- name: some_name`, then one comment line or more that describes it, then its
    SQL with `%(parameter)s`. Raises ValueError for any other shape: the file ships with the code.
    """
    found: dict[str, Query] = {}
    for part in re.split(r"^(?=-- name: )", path.read_text("utf-8"), flags=re.MULTILINE)[1:]:
        lines = part.splitlines()
        head = _HEAD.match(lines[0])
        words = [line[3:] for line in lines[1:] if line.startswith("-- ")]
        text = "\n".join(line for line in lines[1:] if line and not line.startswith("--"))
        if not head or not words or not text or head.group(1) in found:
            raise ValueError(f"{path}: {lines[0]}")
        found[head.group(1)] = Query(head.group(1), " ".join(words), text)
    return found


class Connection:
    """A session. Made by `connect`; used by one thread at a time."""

    def __init__(self, inner: psycopg.Connection[Any], where: str) -> None:
        self._inner = inner
        self._where = where

    @property
    def database(self) -> str:
        """The name of the database that it is connected to."""
        return self._inner.info.dbname

    def rows(self, query: Query, shape: type[T], **values: object) -> list[T]:
        """The rows as `shape`, a dataclass whose fields are the columns; at most `MAX_ROWS`."""
        with (
            _explained(f"{self._where}, {query.name}"),
            self._inner.cursor(row_factory=class_row(shape)) as cursor,
        ):
            cursor.execute(query.text, values)
            found = cursor.fetchmany(MAX_ROWS + 1)
        if len(found) > MAX_ROWS:
            raise DatabaseError(f"more than {MAX_ROWS} rows", where=f"{self._where}, {query.name}")
        return found

    def row(self, query: Query, shape: type[T], **values: object) -> T | None:
        """The only row, or None. Raises DatabaseError when there are more."""
        found = self.rows(query, shape, **values)
        if len(found) > 1:
            raise DatabaseError("more than one row", where=f"{self._where}, {query.name}")
        return found[0] if found else None

    def change(self, query: Query, **values: object) -> int:
        """Run a statement that returns no rows; how many rows it touched."""
        with _explained(f"{self._where}, {query.name}"):
            return self._inner.execute(query.text, values).rowcount

    def define(self, text: LiteralString, *names: str) -> None:
        """Run a statement about objects; each `{}` becomes one of `names`, quoted.

        For those statements that take no parameters (CREATE ROLE, GRANT, SET ROLE).
        """
        with _explained(self._where):
            self._inner.execute(sql.SQL(text).format(*map(sql.Identifier, names)))

    def exists(self, relation: str, column: str, value: str) -> bool:
        """Whether a relation has a row with that value; for statements without IF NOT EXISTS."""
        asked = sql.SQL("SELECT 1 FROM {} WHERE {} = %s").format(
            sql.Identifier(relation), sql.Identifier(column)
        )
        with _explained(self._where):
            return self._inner.execute(asked, (value,)).fetchone() is not None

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing: an exception rolls back. Nested ones are savepoints."""
        with _explained(self._where), self._inner.transaction():
            yield


@contextlib.contextmanager
def connect(
    url: str, *, name: str, role: str = "", statement: timedelta = STATEMENT
) -> Iterator[Connection]:
    """A session that commits each statement by itself, but for `transaction()`.

    Args:
        url: `postgresql://...`; may hold a password, which no error repeats.
        name: who asks, for the server's own lists.
        role: whose rights to take on (SET ROLE); empty keeps the user's own.
        statement: the longest that one statement may take.

    Raises:
        DatabaseError: not a URL, not reachable within `CONNECT`, not allowed, too old.
    """
    parameters = secured(url)
    where = _place(parameters)
    parameters |= {
        "connect_timeout": int(CONNECT.total_seconds()),
        "application_name": f"troth-{name}",
        "options": f"-c statement_timeout={int(statement.total_seconds() * 1000)}",
    }
    with _explained(where):
        inner = psycopg.connect(conninfo.make_conninfo("", **parameters), autocommit=True)
    with contextlib.closing(inner):
        major = inner.info.server_version // 10_000  # Source: libpq, PQserverVersion
        if major < OLDEST_MAJOR:
            raise DatabaseError(
                f"PostgreSQL {major} is too old",
                where=where,
                mend=f"use PostgreSQL {OLDEST_MAJOR} or newer",
            )
        connection = Connection(inner, where)
        if role:
            connection.define("SET ROLE {}", role)
        yield connection


def secured(url: str) -> dict[str, Any]:
    """A URL's parameters; over a network TLS is verified unless the URL itself says otherwise.

    Raises:
        DatabaseError: not a PostgreSQL URL; the message does not repeat it.
    """
    try:
        parameters = conninfo.conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        parameters = {}
    if not parameters or not url.startswith(("postgresql://", "postgres://")):
        raise DatabaseError(
            "not a PostgreSQL URL",
            where="[database] url",
            mend="write postgresql://user@host/database",
        )
    host = str(parameters.get("host", ""))
    if host and not host.startswith(("/", "@")) and host not in _LOCAL:
        if "sslmode" not in parameters:
            parameters["sslmode"] = "verify-full"
        if parameters["sslmode"] == "verify-full" and "sslrootcert" not in parameters:
            parameters["sslrootcert"] = "system"
    return parameters


def _place(parameters: Mapping[str, Any]) -> str:
    """Where a session goes, without secrets."""
    host = str(parameters.get("host") or "localhost")
    port = f":{parameters['port']}" if "port" in parameters else ""
    return f"{host}{port}/{parameters.get('dbname', '')}"


@contextlib.contextmanager
def _explained(where: str) -> Iterator[None]:
    """Turn psycopg's errors into ours. The server's detail and context may hold data: left out."""
    try:
        yield
    except psycopg.Error as error:
        state = error.sqlstate or ""
        said = error.diag.message_primary or str(error).strip().splitlines()[0]
        mend = _MENDS.get(state, "")
        if not state and isinstance(error, psycopg.OperationalError):
            mend = "see that PostgreSQL runs there, and check [database] url"
        raise DatabaseError(said, where=where, mend=mend, sqlstate=state) from error
