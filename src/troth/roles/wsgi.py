"""The guard as WSGI middleware: `app.wsgi_app = TrothMiddleware(app.wsgi_app, "troth.toml")`.

Read `roles.within` for what it does and what it leaves to the edge, `enforce.wsgi` for how.
"""

from pathlib import Path

from troth.enforce.wsgi import App, Door
from troth.roles.within import Guard


class TrothMiddleware(Door):
    """A WSGI application behind the guard, in its own process.

    Args:
        app: the application.
        config: the path of troth.toml.
        data: where keys and events are kept; `[troth] data` unless given.

    Raises:
        Failure: the configuration cannot be used; nothing is served without a guard.
    """

    def __init__(
        self, app: App, config: Path | str = "troth.toml", data: Path | str | None = None
    ) -> None:
        guard = Guard(config, data)
        super().__init__(app, guard, guard.inside)
        self.guard = guard
