"""The demo: the example application, a cluster of its own, and the settings that go with it."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from troth.engines.postgres.binaries import unprivileged
from troth.kernel.errors import Failure
from troth.roles.places import Places
from troth.roles.postgres import application_identity
from troth.roles.postgres import home as home_of_clusters
from troth.roles.supervisor import Unit

# Addresses that nobody has (RFC 5737), and one of our own by which a stranger sees the list work.
BLOCKLIST = "# The demo's list.\n192.0.2.0/24\n198.51.100.0/24\n203.0.113.0/24\n127.66.255.2\n"


class DemoError(Failure):
    """The demo cannot be set up here."""


@dataclass(frozen=True, slots=True)
class Ports:
    """The three ports that the demo listens on."""

    app: int = 8443
    http: int = 8080
    status: int = 8444


def folder() -> Path:
    """Where `examples/booking` is. Raises DemoError when only the wheel is installed."""
    found = Path(__file__).parents[3] / "examples" / "booking"
    if not (found / "troth.toml").is_file():
        raise DemoError(
            "the example application is not part of the installed package",
            where=str(found),
            mend="clone the repository, or: troth init --upstream URL --host NAME",
        )
    return found


def write_settings(places: Places, ports: Ports) -> Path:
    """Fill the demo's troth.toml into the data directory and return its path."""
    text = (folder() / "troth.toml").read_text("utf-8")
    filled = {
        "{data}": str(places.data),
        "{port}": str(ports.app),
        "{http_port}": str(ports.http),
        "{status_port}": str(ports.status),
    }
    for name, value in filled.items():
        text = text.replace(name, value)
    path = places.data / "troth.toml"
    path.write_text(text, "utf-8")
    blocklist = places.data / "blocklist.txt"
    if not blocklist.exists():
        blocklist.write_text(BLOCKLIST, "utf-8")
    return path


def units(config: Path, places: Places) -> tuple[Unit, ...]:
    """The example application and its cluster, apart from Troth's own."""
    cluster = Unit(
        name="app-postgres",
        argv=(
            sys.executable,
            *("-m", "troth.roles.postgres"),
            *("--config", str(config), "--data", str(places.data), "--name", "app"),
        ),
    )
    identity = application_identity(places)
    sockets = home_of_clusters(places, unprivileged()) / "run-app"
    home = places.data / "app"
    home.mkdir(mode=0o755, exist_ok=True)
    if identity is not None:
        os.chown(home, identity.uid, identity.gid)
    application = Unit(
        name="app",
        argv=(sys.executable, "-m", "booking", "--unix", str(home / "app.sock")),
        needs=("app-postgres",),
        cwd=folder(),
        env={
            "BOOKING_DATABASE_URL": f"postgresql:///booking?host={sockets}&user=booking",
            "BOOKING_UPLOADS": str(home / "uploads"),
            "PYTHONDONTWRITEBYTECODE": "1",
        },
        identity=identity,
        listens_on=home / "app.sock",
    )
    return (cluster, application)
