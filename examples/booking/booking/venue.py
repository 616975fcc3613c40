"""What one running application owns, and how a request reaches it."""

from dataclasses import dataclass, field
from pathlib import Path
from threading import BoundedSemaphore, Event

from flask import current_app, g

from . import store

_LISTENERS = 4  # of the server's eight threads: an open event stream holds one


@dataclass(frozen=True, slots=True, kw_only=True)
class Venue:
    """The database, the uploads folder, the open event streams, and the wish to stop."""

    database_url: str
    uploads: Path
    stopping: Event = field(default_factory=Event)
    listeners: BoundedSemaphore = field(default_factory=lambda: BoundedSemaphore(_LISTENERS))


def venue() -> Venue:
    """Return what the running application owns."""
    found = current_app.extensions["venue"]
    assert isinstance(found, Venue)
    return found


def database() -> store.Connection:
    """Return this request's connection, opened at its first use and closed after the request."""
    if "database" not in g:
        g.database = store.connect(venue().database_url)
    connection: store.Connection = g.database
    return connection


def close(_error: BaseException | None = None) -> None:
    """Close this request's connection if it opened one."""
    connection: store.Connection | None = g.pop("database", None)
    if connection is not None:
        connection.close()
