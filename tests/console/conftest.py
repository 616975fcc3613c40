"""One migrated database for each worker, and Django configured for it as the console runs."""

import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest
from django.db import connections

from troth.adapters import database
from troth.adapters.database import Connection
from troth.catalogue import Application, Settings, Status, Troth
from troth.console import settings as console_settings
from troth.console.rights import role_name
from troth.engines.postgres.cluster import Cluster
from troth.engines.postgres.provision import provide

HOST = "troth.demo.localhost"
SETTINGS = Settings(
    troth=Troth(name="Demo", host=HOST),
    application=Application(host="demo.localhost", upstream="http://127.0.0.1:1"),
    status=Status(host="status.demo.localhost"),
)

# Models can be imported only after Django is configured; where its database is, a fixture says.
console_settings.prepare(
    console_settings.derive(
        SETTINGS, url="postgresql://nobody@/none?host=/nonexistent", secret_key="for tests " * 6
    )
)

MIGRATE = """
import sys
from datetime import UTC, datetime
import troth
from troth.catalogue import Application, Settings, Status, Troth
from troth.console import schema
from troth.kernel.errors import Failure
troth.__version__ = sys.argv[2] if len(sys.argv) > 2 else troth.__version__
settings = Settings(
    troth=Troth(name="Demo", host="troth.demo.localhost"),
    application=Application(host="demo.localhost", upstream="http://127.0.0.1:1"),
    status=Status(host="status.demo.localhost"),
)
try:
    print(schema.migrate(settings, url=sys.argv[1], now=datetime(2026, 11, 21, tzinfo=UTC)))
except Failure as failure:
    print("refused:", failure.hint())
"""


Migration = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture(scope="session")
def start_migration() -> Migration:
    """Begin to migrate as `troth up` does, in a process of its own."""

    def start(url: str, *version: str) -> "subprocess.Popen[str]":
        argv = [sys.executable, "-W", "error", "-c", MIGRATE, url, *version]
        return subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)

    return start


@pytest.fixture(scope="session")
def migrate(start_migration: Migration) -> Callable[..., str]:
    """Migrate to the end; what it said."""

    def run(url: str, *version: str) -> str:
        with start_migration(url, *version) as process:
            said, _ = process.communicate(timeout=60)
            assert process.returncode == 0
        return said.strip()

    return run


@pytest.fixture(scope="session")
def owner_url(cluster: Cluster, migrate: Callable[..., str]) -> str:
    """The owner's URL of a migrated database."""
    url = provide(cluster, name="troth", owner="troth", backup=role_name("backup"))
    assert migrate(url) == "True"
    return url


@pytest.fixture(scope="session")
def console(cluster: Cluster, owner_url: str) -> Iterator[None]:
    """Django's connections go to that database, with the console's rights and no more."""
    del owner_url
    url = cluster.url("troth", role_name("console"))
    derived = console_settings.derive(SETTINGS, url=url, secret_key="for tests " * 6)
    connections.settings["default"].update(derived["DATABASES"]["default"])
    yield
    connections.close_all()


@pytest.fixture
def owner(owner_url: str) -> Iterator[Connection]:
    with database.connect(owner_url, name="test") as connection:
        yield connection


@pytest.fixture
def clean(console: None, owner: Connection) -> Iterator[None]:
    """Empty tables before and after."""
    del console
    tables = "records_person, records_invitation, records_finding"
    owner.define(f"TRUNCATE {tables} RESTART IDENTITY")
    yield
    connections.close_all()
    owner.define(f"TRUNCATE {tables} RESTART IDENTITY")
