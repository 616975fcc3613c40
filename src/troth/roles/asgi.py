"""The guard as ASGI middleware: `app = TrothMiddleware(app, config="troth.toml")`.

Read `roles.within` for what it does and what it leaves to the edge, `enforce.asgi` for how.
"""

from troth.enforce.asgi import App, Door
from troth.roles.within import Behind


class TrothMiddleware(Behind[App], Door):
    """An ASGI application behind the guard, in its own process; arguments as of `within.Behind`."""
