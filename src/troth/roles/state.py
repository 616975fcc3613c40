"""Where Troth's own state is: the embedded cluster, or the operator's PostgreSQL."""

import os
from pathlib import Path

from troth.adapters import files
from troth.adapters.config import ConfigError
from troth.catalogue import Settings
from troth.engines.postgres.binaries import unprivileged
from troth.roles import postgres
from troth.roles.places import Places

OWNER = "troth"
MAX_SECRET_BYTES = 4096


def secret(reference: str, where: str) -> str:
    """What an `env:NAME` or `file:/path` reference stands for.

    Raises:
        ConfigError: it is neither (a secret itself must not stand in troth.toml), or there is
            nothing behind it. The reference's own text is told only when it is one.
    """
    kind, _, name = reference.partition(":")
    if kind == "env" and name in os.environ:
        return os.environ[name]
    if kind == "file" and name.startswith("/"):
        return files.read_capped(Path(name), MAX_SECRET_BYTES).decode("utf-8").strip()
    if kind == "env":
        raise ConfigError(f"the environment has no {name}", where=where, mend="set it")
    raise ConfigError(
        "a secret by itself", where=where, mend='write "env:NAME" or "file:/path" instead'
    )


def owner_url(settings: Settings, places: Places) -> str:
    """The database, as the role that owns it."""
    if settings.database.url:
        return secret(settings.database.url, "[database] url")
    bindir = settings.database.bindir
    return postgres.cluster(places, "state", bindir).url("troth", OWNER)


def role_url(settings: Settings, places: Places, role: str) -> str:
    """The database, as the role `troth_<role>`; the operator's own URL keeps its user."""
    if settings.database.url:
        return owner_url(settings, places)
    unprivileged()  # refuses early where no cluster could run
    bindir = settings.database.bindir
    return postgres.cluster(places, "state", bindir).url("troth", f"troth_{role}")
