"""A database out into one file and back in, by PostgreSQL's own pg_dump, pg_restore and psql."""

from datetime import timedelta
from pathlib import Path

from troth.adapters import files, process
from troth.engines.postgres.binaries import Binaries, PostgresError

WITHIN = timedelta(minutes=30)
MAX_BYTES = 512 * 1024**2  # Troth's own state: accounts, findings; never the application's data
MODE = 0o600
EMPTY = b"DROP SCHEMA public CASCADE;\nCREATE SCHEMA public;\n"


def dump(binaries: Binaries, url: str, path: Path) -> int:
    """Write the whole database to `path`, atomically; its size in bytes.

    Raises:
        PostgresError: not reachable, or larger than `MAX_BYTES`. FileError: no place for it.
    """
    argv: list[str | Path] = [binaries.directory / "pg_dump", "--format=custom", "--dbname", url]
    try:
        done = process.run(argv, timeout=WITHIN, cap_bytes=MAX_BYTES)
    except process.ProcessError as error:
        raise PostgresError(f"not dumped: {error.what}", where=url) from error
    files.write_atomic(path, done.out, mode=MODE)
    return len(done.out)


def restore(binaries: Binaries, url: str, path: Path) -> None:
    """Put a dump in place of all that the database holds now, in one transaction: all or nothing.

    What is not in the dump goes too: a table that a newer version made must not stand in the way
    when that version comes again. Rights are given anew by migrating afterwards.

    Raises PostgresError; the database is then as it was.
    """
    read: list[str | Path] = [binaries.directory / "pg_restore", "--no-owner", "--file=-", path]
    write: list[str | Path] = [binaries.directory / "psql", "--no-psqlrc", "--quiet"]
    write += ["--single-transaction", "--set=ON_ERROR_STOP=1", "--file=-", "--dbname", url]
    try:
        text = process.run(read, timeout=WITHIN, cap_bytes=MAX_BYTES).out
        process.run(write, timeout=WITHIN, stdin=EMPTY + text, cap_bytes=MAX_BYTES)
    except process.ProcessError as error:
        raise PostgresError(f"not restored: {error.what}", where=str(path)) from error
