"""The application as a server runs it."""

import subprocess
import sys
from collections.abc import Callable

import pytest

from troth.console.rights import role_name
from troth.engines.postgres.cluster import Cluster
from troth.engines.postgres.provision import provide

SERVE = """
import asyncio, sys
from troth.catalogue import Application, Settings, Status, Troth
from troth.console.asgi import application
from troth.console.settings import derive
from troth.kernel.errors import Failure

settings = Settings(
    troth=Troth(name="Demo", host="troth.demo.localhost"),
    application=Application(host="demo.localhost", upstream="http://127.0.0.1:1"),
    status=Status(host="status.demo.localhost"),
)
try:
    app = application(derive(settings, url=sys.argv[1], secret_key="for tests " * 6))
except Failure as failure:
    sys.exit(f"refused: {failure.hint()}")

async def ask(host, path):
    scope = {"type": "http", "method": "GET", "path": path, "raw_path": path.encode(),
             "query_string": b"", "headers": [(b"host", host.encode()),
             (b"x-forwarded-proto", b"https")], "scheme": "http", "http_version": "1.1",
             "server": None, "client": None, "root_path": ""}
    asked, told = asyncio.Queue(), []
    await asked.put({"type": "http.request", "body": b"", "more_body": False})
    async def send(message):
        told.append(message)
    await app(scope, asked.get, send)
    return told[0]["status"]

async def all_of_them():
    for host, path in (("troth.demo.localhost:8443", "/account/style.css"),
                       ("troth.demo.localhost:8443", "/account/setup"),
                       ("troth.demo.localhost:8443", "/nothing/here"),
                       ("evil.example", "/account/setup")):
        print(await ask(host, path))

asyncio.run(all_of_them())
"""


def serve(url: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", SERVE, url],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.usefixtures("owner_url")
def test_it_serves_its_own_host_and_no_other(cluster: Cluster):
    finished = serve(cluster.url("troth", role_name("console")))

    assert finished.stdout.split() == ["200", "410", "404", "400"], finished.stderr


def test_it_does_not_start_on_a_schema_that_is_not_its_own(
    cluster: Cluster, migrate: Callable[..., str]
):
    url = provide(cluster, name="unmigrated", owner="troth")

    finished = serve(url)

    assert finished.returncode == 1
    assert finished.stderr.startswith("refused: the database is older than Troth")
