"""What each role may do in Troth's database."""

from troth.adapters.database import Connection

PREFIX = "troth_"
ROLES = ("app", "console", "guard", "worker", "backup")
_TABLES = ("records_person", "records_invitation", "records_finding")


def role_name(role: str) -> str:
    """How one of `ROLES` is called in the database, which the operator may share with others."""
    if role not in ROLES:
        raise ValueError(role)
    return PREFIX + role


def give(owner: Connection) -> None:
    """Each role gets what it needs and no more; given anew each time, so a right can be lost.

    Call it in a transaction, as the owner, after the migrations.

    Raises:
        DatabaseError: the owner may not create roles and one is missing.
    """
    for role in map(role_name, ROLES):
        if not owner.exists("pg_roles", "rolname", role):
            owner.define("CREATE ROLE {} LOGIN", role)
            # Where all share the owner's login (an operator's own URL), they SET ROLE.
            owner.define("GRANT {} TO CURRENT_USER WITH INHERIT FALSE, SET TRUE", role)
        owner.define("REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {}", role)
        owner.define("REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM {}", role)
        owner.define("GRANT CONNECT ON DATABASE {} TO {}", owner.database, role)
        owner.define("GRANT USAGE ON SCHEMA public TO {}", role)
        owner.define("GRANT SELECT ON installation TO {}", role)
    console, worker = role_name("console"), role_name("worker")
    for table in _TABLES:
        owner.define("GRANT SELECT, INSERT, UPDATE, DELETE ON {} TO {}", table, console)
    owner.define("GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {}", console)
    owner.define("GRANT SELECT, INSERT, UPDATE ON records_finding TO {}", worker)
    owner.define("GRANT USAGE ON SEQUENCE records_finding_id_seq TO {}", worker)
    owner.define("GRANT SELECT ON open_findings TO {}", worker)
    for role in (console, worker):
        owner.define("GRANT SELECT ON django_migrations TO {}", role)
