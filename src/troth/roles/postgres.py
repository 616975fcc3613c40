"""The postgres role: one embedded cluster, `state` (Troth's own) or `app` (the demo's).

PostgreSQL never runs as root and needs a place that its user can enter. A data directory inside
somebody's home or a private temporary folder is closed to it: then root keeps the cluster in
`REFUGE`, and a link in the data directory shows where.
"""

import asyncio
import contextlib
import hashlib
import os
import pwd
import signal
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from troth.adapters import notify
from troth.adapters.process import Child, Identity
from troth.engines.postgres.binaries import find, first_closed, readable, unprivileged
from troth.engines.postgres.cluster import Cluster
from troth.engines.postgres.provision import provide
from troth.roles import start
from troth.roles.places import Places

REFUGE = Path("/var/lib/troth/clusters")
APPLICATION_ROLE = "booking"
INSTALLED = {
    "troth-console": ("troth", "troth_console"),
    "troth-findings": ("troth_worker",),
}


def home(places: Places, identity: Identity | None) -> Path:
    """Where the clusters stand: in the data directory, or in the refuge with a link to it."""
    if places.cluster.is_symlink():
        return places.cluster.resolve()
    if first_closed(places.cluster, identity) is None:
        return places.cluster
    refuge = REFUGE / hashlib.sha256(os.fsencode(places.data)).hexdigest()[:12]
    refuge.mkdir(mode=0o755, parents=True, exist_ok=True)
    places.cluster.rmdir()
    places.cluster.symlink_to(refuge)
    return refuge


def cluster(places: Places, name: str, bindir: str, guest: Identity | None = None) -> Cluster:
    """The cluster of that name.

    Args:
        places: the data directory.
        name: `state` or `app`.
        bindir: the operator's own programs, or empty for the wheel's.
        guest: a user beside ours who may connect as the application.
    """
    identity = unprivileged()
    place = home(places, identity)
    ours = pwd.getpwuid(os.geteuid()).pw_name
    members = {ours: ("all",), **(_installed() if name == "state" else {})}
    if guest is not None and identity is not None:
        identity = replace(identity, groups=(guest.gid,))
        members[pwd.getpwuid(guest.uid).pw_name] = (APPLICATION_ROLE,)
    return Cluster(
        directory=place / name,
        binaries=readable(find(Path(bindir) if bindir else None), identity, place / "programs"),
        socket_directory=place / f"run-{name}",
        name=f"troth-{name}",
        identity=identity,
        socket_group=guest.gid if guest else None,
        members=members,
    )


def _installed() -> dict[str, tuple[str, ...]]:
    """The users of `troth install`, and whom each may connect as.

    The console may be the owner: it migrates, in a process of its own, before it serves.
    """
    known: dict[str, tuple[str, ...]] = {}
    for user, roles in INSTALLED.items():
        with contextlib.suppress(KeyError):
            known[pwd.getpwnam(user).pw_name] = roles
    return known


def main(argv: Sequence[str]) -> int:
    """Run one cluster until SIGTERM."""
    return start.guarded(_main, argv)


def _main(argv: Sequence[str]) -> int:
    parser = start.arguments("postgres")
    parser.add_argument("--name", choices=("state", "app"), required=True)
    known = parser.parse_args(argv)
    settings, places = start.given(known)
    guest = application_identity(places) if known.name == "app" else None
    one = cluster(places, known.name, settings.database.bindir, guest)
    one.create()
    output = os.dup(sys.stderr.fileno())
    child = one.start(output)
    try:
        one.wait_ready(child, output)
        _move_in(one, known.name)
        notify.ready()
        return asyncio.run(_watch(child))
    finally:
        one.stop(child)
        os.close(output)


def _move_in(one: Cluster, name: str) -> None:
    if name == "app":
        provide(one, name=APPLICATION_ROLE, owner=APPLICATION_ROLE)
    else:
        provide(one, name="troth", owner="troth", backup="troth_backup")


async def _watch(child: Child) -> int:
    """The server's exit code when it ends by itself, 0 when we are told to stop."""
    asked = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, asked.set)
    async with asyncio.TaskGroup() as group:
        waits = {group.create_task(asked.wait()), group.create_task(child.exited())}
        _, rest = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for task in rest:
            task.cancel()
    return 0 if asked.is_set() else 1


def application_identity(places: Places) -> Identity | None:
    """Whom the demo's application runs as: another user than Troth's where root can choose one."""
    identity = unprivileged(("nobody",))
    if identity is None:
        return None
    needed = (Path(sys.prefix), Path(sys.executable), Path(__file__), places.data)
    is_closed = any(first_closed(path, identity) for path in needed)
    return None if is_closed else identity


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
