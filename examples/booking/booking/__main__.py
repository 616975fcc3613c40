"""Start the application: `python -m booking --port 5000` or `python -m booking --unix PATH`.

`BOOKING_DATABASE_URL` names the PostgreSQL database, `BOOKING_UPLOADS` the folder for photos
(default: `uploads`, here). SIGTERM and Ctrl-C stop it; its exit status is then 0.
"""

import argparse
import os
import signal
import sys
from pathlib import Path
from types import FrameType

import psycopg
from waitress import create_server

from .app import create_app
from .venue import Venue

_THREADS = 8


def main() -> None:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser(prog="booking", description="Example Courts.")
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--unix", type=Path, metavar="PATH", help="listen on this socket")
    where.add_argument("--port", type=int, help="listen on this port of 127.0.0.1")
    chosen = parser.parse_args()
    url = os.environ.get("BOOKING_DATABASE_URL")
    if not url:
        sys.exit("booking: set BOOKING_DATABASE_URL, e.g. postgresql:///booking")
    uploads = Path(os.environ.get("BOOKING_UPLOADS", "uploads")).absolute()
    venue = Venue(database_url=url, uploads=uploads)

    def stop(_signal: int, _frame: FrameType | None) -> None:
        venue.stopping.set()
        raise SystemExit(0)  # the server's loop takes it as its word to finish

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    try:
        app = create_app(venue)
    except (psycopg.Error, OSError) as error:
        sys.exit(f"booking: cannot start: {error}")
    listen = (
        {"unix_socket": str(chosen.unix), "unix_socket_perms": "660"}
        if chosen.unix
        else {"host": "127.0.0.1", "port": chosen.port}
    )
    try:
        server = create_server(app, threads=_THREADS, **listen)
    except OSError as error:
        sys.exit(f"booking: cannot listen on {chosen.unix or chosen.port}: {error}")
    server.run()
    server.close()
    if chosen.unix:
        chosen.unix.unlink(missing_ok=True)


if __name__ == "__main__":
    main()
