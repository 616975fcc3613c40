"""The guard as ASGI middleware: `app = TrothMiddleware(app, config="troth.toml")`.

Read `roles.within` for what it does and what it leaves to the edge, `enforce.asgi` for how.
"""

from pathlib import Path

from troth.enforce.asgi import App, Door
from troth.roles.within import Guard


class TrothMiddleware(Door):
    """An ASGI application behind the guard, in its own process.

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
