"""The console: Django under uvicorn on a unix socket, for Troth's own host only."""

import sys
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import uvicorn

from troth.adapters import chance, files, notify, process, sockets
from troth.adapters.database import DatabaseError
from troth.console import asgi
from troth.console.settings import derive
from troth.kernel.errors import Failure
from troth.roles import start, state
from troth.roles.supervisor import CONFIGURATION_ERROR

KEY_BYTES = 64
CONCURRENCY = 64  # requests at once; beyond that 503
STOP_S = 2


class MigrationError(Failure):
    """The schema could not be brought up; the child's own words say why."""


def main(argv: Sequence[str]) -> int:
    """Migrate in a child with the owner's rights, then serve with the console's own."""
    return start.guarded(_main, argv, DatabaseError)


def _main(argv: Sequence[str]) -> int:
    known = start.arguments("console").parse_args(argv)
    settings, places = start.given(known)
    _migrate(argv)
    url = state.role_url(settings, places, "console")
    role = "troth_console" if settings.database.url else ""
    derived = derive(
        settings, url=url, secret_key=_secret_key(places.keys / "console.key"), role=role
    )
    application = asgi.application(derived)
    door = sockets.listen_unix(places.socket("console"))
    configuration = uvicorn.Config(
        application,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="off",
        access_log=False,
        log_level="warning",
        limit_concurrency=CONCURRENCY,
        timeout_graceful_shutdown=STOP_S,
        server_header=False,
        date_header=True,
        forwarded_allow_ips="",
    )
    _Server(configuration).run(sockets=[door.door])
    door.unlink()
    return 0


class _Server(uvicorn.Server):
    """Says when it listens."""

    async def startup(self, sockets: list[Any] | None = None) -> None:
        """Listen, then tell the supervisor."""
        await super().startup(sockets)
        notify.ready()


def _migrate(argv: Sequence[str]) -> None:
    done = process.run(
        [sys.executable, "-m", "troth.roles.migrate", *argv], timeout=timedelta(minutes=10), ok=None
    )
    if done.code == CONFIGURATION_ERROR:
        raise MigrationError(done.err.decode("utf-8", "replace").strip())
    if done.code:
        raise DatabaseError(done.err.decode("utf-8", "replace").strip()[-2000:])


def _secret_key(path: Path) -> str:
    """What Django signs with; made once, readable by this role alone."""
    if not path.exists():
        key = chance.system().randbytes(KEY_BYTES).hex()
        files.write_atomic(path, key.encode(), mode=0o600)
    return files.read_capped(path, KEY_BYTES * 4).decode("ascii")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
