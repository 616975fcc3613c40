"""The console as an ASGI application, for any production server."""

from typing import Any

from django.core.handlers.asgi import ASGIHandler

from troth.console import schema
from troth.console.settings import prepare


def application(derived: dict[str, Any]) -> ASGIHandler:
    """Configure this process's Django with `settings.derive(...)` and return the application.

    Raises:
        SchemaError: the database is not at this code's schema. Fails closed: nothing is served.
    """
    prepare(derived)
    schema.require_current()
    return ASGIHandler()
