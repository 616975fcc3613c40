"""The guard as WSGI middleware: `app.wsgi_app = TrothMiddleware(app.wsgi_app, "troth.toml")`.

Read `roles.within` for what it does and what it leaves to the edge, `enforce.wsgi` for how.
"""

from troth.enforce.wsgi import App, Door
from troth.roles.within import Behind


class TrothMiddleware(Behind[App], Door):
    """A WSGI application behind the guard, in its own process; arguments as of `within.Behind`."""
