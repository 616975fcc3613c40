"""The text of a cluster's configuration files: pure, written anew at every start."""

from collections.abc import Mapping, Sequence
from pathlib import Path

OPERATORS_FILE = "operator.conf"
PORT = 5432  # names the socket file; there is no TCP
LONGEST_SOCKET_BYTES = 107  # Source: unix(7), sun_path


# Small: a service's state, not a warehouse. `operator.conf` overrides each.
SHARED_BUFFERS = "32MB"
CONNECTIONS = 60
MAX_WAL = "256MB"

ANY_ROLE = "all"  # Source: PostgreSQL manual, "User Name Maps", since 16


def postgresql_conf(
    *, major: int, socket_directory: Path, socket_group: int | None, name: str
) -> str:
    """`postgresql.conf`: no TCP, durable, small. `operator.conf` beside it has the last word."""
    settings: dict[str, str | int] = {
        "listen_addresses": "",
        "port": PORT,
        "unix_socket_directories": str(socket_directory),
        "unix_socket_permissions": "0660",
        "cluster_name": name,
        # Durable: an acknowledged commit survives a crash and a power cut.
        "fsync": "on",
        "full_page_writes": "on",
        "synchronous_commit": "on",
        "wal_level": "replica",
        "max_wal_senders": 4,
        # Small: few processes, little memory.
        "max_connections": CONNECTIONS,
        "shared_buffers": SHARED_BUFFERS,
        "max_wal_size": MAX_WAL,
        "min_wal_size": "32MB",
        "autovacuum_max_workers": 1,
        "max_worker_processes": 2,
        "max_parallel_workers": 0,
        "max_logical_replication_workers": 0,
        "huge_pages": "off",
        "jit": "off",
        # Bounded: nothing waits or idles for ever.
        "idle_in_transaction_session_timeout": "60s",
        "lock_timeout": "30s",
        "client_connection_check_interval": "10s",
        "authentication_timeout": "10s",
        "temp_file_limit": "1GB",
        # Strict and plain.
        "password_encryption": "scram-sha-256",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "log_destination": "stderr",
        "logging_collector": "off",
        "log_line_prefix": "%m [%p] %q%u@%d ",
        "log_parameter_max_length": 0,
        "log_parameter_max_length_on_error": 0,
    }
    if socket_group is not None:
        settings["unix_socket_group"] = str(socket_group)
    if major >= 18:  # noqa: PLR2004 -- io_method came with PostgreSQL 18
        settings["io_method"] = "sync"
    lines = [f"{key} = {_quoted(value)}" for key, value in settings.items()]
    return "\n".join(
        (
            "# Written by Troth at every start; put your own settings into operator.conf.",
            *lines,
            f"include_if_exists = {_quoted(OPERATORS_FILE)}",
            "",
        )
    )


def hba_conf() -> str:
    """`pg_hba.conf`: the kernel says who is there, `pg_ident.conf` says who they may be."""
    return (
        "# Written by Troth at every start.\n"
        "local  all          all  peer map=troth\n"
        "local  replication  all  peer map=troth\n"
    )


def ident_conf(members: Mapping[str, Sequence[str]]) -> str:
    """`pg_ident.conf`: for each user of the system, the roles it may take (`ANY_ROLE`: any)."""
    lines = [
        f"troth  {_quoted_name(user)}  {role if role == ANY_ROLE else _quoted_name(role)}"
        for user, roles in sorted(members.items())
        for role in roles
    ]
    return "\n".join(("# Written by Troth at every start.", *lines, ""))


def _quoted(value: str | int) -> str:
    return str(value) if isinstance(value, int) else "'" + value.replace("'", "''") + "'"


def _quoted_name(name: str) -> str:
    # A leading slash would be a regular expression; quoting makes `all` and `+group` plain names.
    if not name or name.startswith("/") or '"' in name or "\n" in name:
        raise ValueError(name)
    return f'"{name}"'
