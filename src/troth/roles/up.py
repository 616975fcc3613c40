"""`troth up`: prepare the data directory, start every role, tell what happens, stop cleanly."""

import asyncio
import contextlib
import json
import os
import shutil
import signal
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import troth
from troth.adapters import clock, files, sockets
from troth.adapters import config as configuration
from troth.catalogue import Settings, declared, site
from troth.kernel.errors import Failure
from troth.roles import demo, plan, running
from troth.roles.places import Places
from troth.roles.postgres import REFUGE
from troth.roles.screen import Screen
from troth.roles.supervisor import Supervisor, SupervisorError, Unit

LONGEST_SOCKET_BYTES = 107  # Source: unix(7), sun_path of 108 with its NUL
MARK = ".troth-data"  # what tells a data directory from anybody's folder


class UpError(Failure):
    """The installation cannot be started."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """What is to be started and how.

    Args:
        settings: the operator's, checked.
        config: the file they came from.
        places: the data directory.
        extra: units beside the roles (the demo's application).
        ready: where to write the ready file, if anywhere.
    """

    settings: Settings
    config: Path
    places: Places
    extra: tuple[Unit, ...] = ()
    ready: Path | None = None


def prepare_demo(data: Path, ports: demo.Ports, *, reset: bool, ready: Path | None) -> Start:
    """Lay out the demo in `data`; with `reset` from nothing."""
    places = claim(data, reset=reset)
    config = demo.write_settings(places, ports)
    settings = read(config)
    return Start(
        settings=settings,
        config=config,
        places=places,
        extra=demo.units(config, places),
        ready=ready,
    )


def prepare(config: Path, data: Path | None, *, ready: Path | None) -> Start:
    """Read an operator's troth.toml and lay out its data directory."""
    settings = read(config)
    places = claim(data or Path(settings.troth.data), reset=False)
    return Start(settings=settings, config=config.resolve(), places=places, ready=ready)


def read(config: Path) -> Settings:
    """The settings of a troth.toml, with what no type can say checked too."""
    settings = configuration.load(config, Settings)
    try:
        declared(settings)
    except ValueError as error:
        raise configuration.ConfigError(str(error), where=str(config), mend="remove it") from error
    return settings


def claim(data: Path, *, reset: bool) -> Places:
    """Make `data` ours: created, or found to be a data directory; emptied first with `reset`."""
    data = data.absolute()
    longest = data / "run" / "notify-app-postgres.sock"
    if len(os.fsencode(longest)) > LONGEST_SOCKET_BYTES:
        raise UpError(
            f"too long a path: a socket's has {LONGEST_SOCKET_BYTES} bytes at most",
            where=str(data),
            mend="name a shorter one with --data",
        )
    if data.exists() and any(data.iterdir()) and not (data / MARK).exists():
        raise UpError(
            "not empty and not a data directory of Troth's",
            where=str(data),
            mend="name an empty or a new one with --data",
        )
    places = Places(data)
    try:
        data.mkdir(mode=0o755, parents=True, exist_ok=True)
        (data / MARK).touch()
        if reset:
            with _alone(data):
                _empty(data)
        places.prepare()
    except OSError as error:
        raise UpError(
            f"cannot be prepared: {error.strerror}",
            where=str(error.filename or data),
            mend="name a directory that you may write with --data",
        ) from error
    return places


@contextlib.contextmanager
def _alone(data: Path) -> Iterator[None]:
    """No second `troth up` on the same data directory."""
    lock = files.Lock(data / running.LOCK, mend="stop the other troth up, or name another --data")
    try:
        yield
    finally:
        lock.release()


def _empty(data: Path) -> None:
    for item in data.iterdir():
        if item.name in {MARK, running.LOCK}:
            continue
        if item.is_symlink() and item.resolve().is_relative_to(REFUGE):
            shutil.rmtree(item.resolve())
        if item.is_dir() and not item.is_symlink():
            shutil.rmtree(item)
        else:
            item.unlink()


def run(start: Start, screen: Screen) -> int:
    """Bring everything up and keep it up until SIGINT or SIGTERM; the exit code."""
    with _alone(start.places.data):
        running.note(start.places, start.config)
        _refuse_taken_ports(start)
        return asyncio.run(_run(start, screen))


def _refuse_taken_ports(start: Start) -> None:
    edge = start.settings.edge
    ports = ((edge.port, "--ports or [edge] port"), (edge.http_port, "--ports or [edge] http_port"))
    for port, name in (*ports, (start.settings.status.port, "--ports or [status] port")):
        for address in edge.addresses:
            if not sockets.is_free(address, port):
                raise UpError(
                    f"port {port} on {address} is taken or not allowed",
                    mend=f"stop what listens there, or choose another with {name}",
                )


async def _run(start: Start, screen: Screen) -> int:
    units: Sequence[Unit] = (*start.extra, *_after(start))
    places = start.places
    supervisor = Supervisor(units, run=places.run, logs=places.logs, told=screen.role)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, supervisor.stop)
    # A terminal that is closed says SIGHUP too, and nobody is there any more to say Ctrl-C.
    hung_up = supervisor.stop if screen.is_terminal else lambda: _reload(supervisor)
    loop.add_signal_handler(signal.SIGHUP, hung_up)
    loop.add_signal_handler(signal.SIGUSR1, _reload, supervisor)
    renew = asyncio.Event()
    loop.add_signal_handler(signal.SIGUSR2, renew.set)
    with screen:
        async with asyncio.TaskGroup() as group:
            watching = group.create_task(_when_ready(start, supervisor, screen))
            renewing = group.create_task(_renew(start, supervisor, renew))
            try:
                await supervisor.keep()
            finally:
                watching.cancel()
                renewing.cancel()
    if start.ready:
        start.ready.unlink(missing_ok=True)
    return 0


def _after(start: Start) -> Iterator[Unit]:
    """The roles; the worker looks only when what is to be looked at is there."""
    for unit in plan.units(start.settings, start.config, start.places):
        more = tuple(extra.name for extra in start.extra) if unit.name == "worker" else ()
        yield replace(unit, needs=(*unit.needs, *more))


async def _renew(start: Start, supervisor: Supervisor, asked: asyncio.Event) -> None:
    """On SIGUSR2 (`troth upgrade`) another life for each role; what came of it goes to a file."""
    while True:
        await asked.wait()
        asked.clear()
        refused = ""
        try:
            await supervisor.renew()
        except SupervisorError as failure:
            refused = failure.hint()
        running.tell(
            start.places.data / running.RENEWED,
            config=troth.__version__,
            now=clock.now(),
            refused=refused,
        )


def _reload(supervisor: Supervisor) -> None:
    for name in running.RELOADING:
        supervisor.signal(name, signal.SIGHUP)


async def _when_ready(start: Start, supervisor: Supervisor, screen: Screen) -> None:
    await supervisor.ready()
    facts = ready_facts(start)
    if start.ready:
        files.write_atomic(start.ready, json.dumps(facts, indent=1).encode() + b"\n")
    screen.up(facts)
    await screen.follow(start.places.public / "api" / "v1" / "promises.json")


def ready_facts(start: Start) -> dict[str, object]:
    """What the ready file says: every outside name, and where the authority's certificate is."""
    ca = start.places.tls / "ca.pem"
    where = site(start.settings, str(ca) if start.settings.edge.tls.authority == "local" else "")
    return {
        "app": where.app,
        "http": where.http,
        "troth": where.troth,
        "trust": where.trust,
        "status": f"{where.status}/",
        "ca": where.ca_file,
        "data": str(start.places.data),
        "pid": os.getpid(),
    }
