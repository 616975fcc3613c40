"""What an empty cluster needs before anybody can move in: an owner and a database."""

from troth.adapters import database
from troth.engines.postgres.cluster import SUPERUSER, Cluster


def provide(cluster: Cluster, *, name: str, owner: str, backup: str = "") -> str:
    """Make a database with its owner, unless they are there, and return the owner's URL.

    Only its own roles may connect to it. Safe to call always, by one process at a time.

    Args:
        cluster: running; we are one of its members and may take its superuser's role.
        name: of the database.
        owner: role that owns the database and may create the roles that live in it.
        backup: role that may copy the cluster (REPLICATION); empty makes none.
    """
    with database.connect(cluster.url("postgres", SUPERUSER), name="provide") as connection:
        for role in (owner, backup):
            if role and not connection.exists("pg_roles", "rolname", role):
                connection.define("CREATE ROLE {} LOGIN", role)
        connection.define("ALTER ROLE {} CREATEROLE", owner)
        if backup:
            connection.define("ALTER ROLE {} REPLICATION", backup)
        if not connection.exists("pg_database", "datname", name):
            connection.define("CREATE DATABASE {} OWNER {}", name, owner)
        connection.define("REVOKE ALL ON DATABASE {} FROM PUBLIC", name)
    return cluster.url(name, owner)
