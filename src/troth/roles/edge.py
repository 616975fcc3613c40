"""The edge: Envoy as a child, compiled from troth.toml, its certificates kept fresh.

SIGHUP, or a change of troth.toml, compiles again; what is refused changes nothing and is told in
the log and in `edge/state.json`. SIGUSR1 opens the access log again. Certificates are looked at
every minute; renewed ones are taken up without a restart.
"""

import asyncio
import contextlib
import hashlib
import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from troth.adapters import clock, config, files, notify
from troth.adapters.log import Log
from troth.catalogue import Settings
from troth.enforce.envoy import Plan, compile_edge
from troth.engines.envoy import binary, push, server
from troth.engines.envoy.errors import EnvoyError
from troth.engines.envoy.resources import Json, bootstrap
from troth.kernel.errors import Failure
from troth.roles import edge_plan, rotation, start
from troth.roles.edge_bans import Bans
from troth.roles.edge_certificates import Certificates
from troth.roles.edge_renew import Lives
from troth.roles.places import Places

LOOK_AT_CONFIG_S = 1.0
LOOK_AT_CERTIFICATES_S = 60.0
STATE = "state.json"
ADMIN = "edge-admin"
RENEW = -1  # how `_run` says that the next life is due
LOOK_AT_LOG_S = 5.0
LOOK_AT_LIVES_S = 0.2
AT_START = ("binary", "workers")  # what a running Envoy cannot change


def main(argv: Sequence[str]) -> int:
    """Run until SIGTERM."""
    return start.guarded(_main, argv, EnvoyError)


def _main(argv: Sequence[str]) -> int:
    known = start.arguments("edge").parse_args(argv)
    edge = Edge(known.config, Places(known.data))
    code = asyncio.run(_run(edge))
    if code == RENEW and edge.server is not None:
        edge.lives.renew(argv, edge.server.child.pid)
    return code


class Edge:
    """One Envoy and what it was compiled from.

    Args:
        path: troth.toml.
        places: the data directory.
    """

    def __init__(self, path: Path, places: Places) -> None:
        self.path = path
        self.places = places
        self.log = Log("edge", clock.now)
        self._certificates = Certificates(places, self.log)
        self.server: server.Server | None = None
        self.lives = Lives(places)
        self._challenges: Mapping[str, str] = {}
        self._turn = threading.Lock()  # one change at a time; ACME is asked from another thread
        self._digest = ""
        self.seen = (0, 0, 0)
        self.settings, self.plan = self._read()
        ports = (self.plan.port, self.plan.http_port)
        self.bans = Bans(places, self.settings.guard.bans, self.log, ports)

    def start(self) -> None:
        """Bring Envoy up. Raises the Failure that a person can mend."""
        self._keep_certificates()
        self.bans.prepare()
        found = binary.identify(binary.locate(self.settings.edge.binary))
        resources = compile_edge(self.plan, edge_plan.fragments(self.settings, self.places))
        self.server = server.start(
            found.path,
            self.places.edge,
            self._bootstrap(),
            resources,
            workers=edge_plan.workers(self.settings, len(os.sched_getaffinity(0))),
            succession=self.lives.succession,
        )
        try:
            edge_plan.reach(self.plan.upstream)
        except Failure as failure:
            self.log.event("application.silent", why=failure.hint(), mend="start it")
        self.log.event("edge.ready", envoy=found.version, sha256=found.sha256, config=self._digest)
        self._tell("")

    def reload(self) -> None:
        """Compile again and hand it to the running Envoy; keep the last good one when refused."""
        with self._turn:
            before = self.settings, self.plan, self._digest
            try:
                self.settings, self.plan = self._read()
                self._keep_certificates()
                self._push()
                self.bans.settings = self.settings.guard.bans
            except Failure as failure:
                self.settings, self.plan, self._digest = before
                self._tell(failure.hint())
                self.log.event("edge.refused", why=failure.hint())
                return
        later = [name for name in AT_START if self._has_changed(name, before[0])]
        self._tell("")
        self.log.event("edge.reloaded", config=self._digest, at_next_start=later)

    def reopen_logs(self) -> None:
        """Write the access log anew: somebody moved the file away."""
        if self.server is not None:
            self.server.admin.reopen_logs()

    def look_at_certificates(self) -> None:
        """Renew what is due; a failure is told and the old ones stay. May take minutes."""
        try:
            for host in self._certificates.due(self.settings, clock.now()):
                self._certificates.obtain(self.settings, host, self._publish, clock.now())
            with self._turn:
                self._keep_certificates()
        except Failure as failure:
            self.log.event("certificate.kept", why=failure.hint())

    def _push(self) -> None:
        assert self.server is not None  # noqa: S101 -- started before
        resources = compile_edge(self.plan, edge_plan.fragments(self.settings, self.places))
        found = binary.locate(self.settings.edge.binary)
        push.validate(found, self._bootstrap(), resources)
        push.push(self.places.edge, self.server.admin, resources)

    def _read(self) -> tuple[Settings, Plan]:
        self.seen = identity(self.path)  # before: a change while we read is seen afterwards
        raw = _bytes(self.path)
        settings = config.parse(raw, Settings, where=str(self.path))
        self._digest = hashlib.sha256(raw).hexdigest()
        return settings, edge_plan.plan(settings, self.places, self._challenges)

    def _keep_certificates(self) -> None:
        self._certificates.keep(self.settings, self.plan.certificates, clock.now())

    def _publish(self, tokens: Mapping[str, str]) -> None:
        """Answer these ACME challenges on the plain listener, from when this returns."""
        with self._turn:
            self._challenges = tokens
            self.plan = replace(self.plan, challenges=dict(tokens))
            self._push()

    def _has_changed(self, name: str, before: Settings) -> bool:
        return bool(getattr(before.edge, name) != getattr(self.settings.edge, name))

    def _bootstrap(self) -> Json:
        admin = self.places.socket(ADMIN)
        return bootstrap(self.places.edge, admin, max_connections=self.plan.max_connections)

    def _tell(self, refused: str) -> None:
        """For `troth config reload` and `troth doctor`: what runs, and why the newest does not."""
        state = {"config": self._digest, "at": clock.now().isoformat(), "refused": refused}
        files.write_atomic(self.places.edge / STATE, json.dumps(state).encode(), mode=0o640)


async def _run(edge: Edge) -> int:
    stop, again, renew = asyncio.Event(), asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    loop.add_signal_handler(signal.SIGINT, stop.set)
    loop.add_signal_handler(signal.SIGHUP, again.set)
    loop.add_signal_handler(signal.SIGUSR1, edge.reopen_logs)
    loop.add_signal_handler(signal.SIGUSR2, renew.set)
    edge.start()
    assert edge.server is not None  # noqa: S101 -- started just now
    notify.ready()
    is_renewed = False
    try:
        async with asyncio.TaskGroup() as group:
            stopping = group.create_task(stop.wait())
            died = group.create_task(edge.server.child.exited())
            renewing = group.create_task(_next_life(edge, renew))
            lasting = (
                group.create_task(_reload(edge, again)),
                group.create_task(_renew(edge)),
                group.create_task(_rotate(edge)),
                group.create_task(edge.bans.run()),
            )
            await asyncio.wait((stopping, died, renewing), return_when=asyncio.FIRST_COMPLETED)
            is_renewed = renewing.done() and not (stopping.done() or died.done())
            for task in (*lasting, stopping, died, renewing):
                task.cancel()
    finally:
        code = 0 if is_renewed else edge.server.stop(timedelta(seconds=2))
        if not is_renewed:
            edge.lives.end()
    if is_renewed:
        return RENEW
    if stop.is_set():
        return 0
    raise EnvoyError(f"Envoy ended with code {code}", where=str(edge.places.edge / "envoy.log"))


async def _reload(edge: Edge, again: asyncio.Event) -> None:
    """Compile again when told to, or when the file is another one."""
    while True:
        try:
            await asyncio.wait_for(again.wait(), LOOK_AT_CONFIG_S)
        except TimeoutError:
            if identity(edge.path) == edge.seen:
                continue
        again.clear()
        edge.reload()


async def _renew(edge: Edge) -> None:
    while True:
        await _aside(edge.look_at_certificates)
        await asyncio.sleep(LOOK_AT_CERTIFICATES_S)


async def _next_life(edge: Edge, asked: asyncio.Event) -> None:
    """Return when another life was asked for and may begin: the Envoy before this one is gone."""
    while True:
        is_alone = edge.lives.look()
        if is_alone and asked.is_set() and edge.lives.succession:
            return
        await asyncio.sleep(LOOK_AT_LIVES_S)


async def _rotate(edge: Edge) -> None:
    """Keep the access log small; Envoy opens it anew, no line is lost."""
    path = edge.places.logs / "access.log"
    while True:
        await asyncio.sleep(LOOK_AT_LOG_S)
        if rotation.is_full(path):
            rotation.rotate(path)
            edge.reopen_logs()


async def _aside(work: Callable[[], None]) -> None:
    """Run it in a thread that nobody waits for when the role ends: an authority takes its time."""
    loop, done = asyncio.get_running_loop(), asyncio.Event()

    def run() -> None:
        try:
            work()
        finally:
            with contextlib.suppress(RuntimeError):  # the loop has ended before
                loop.call_soon_threadsafe(done.set)

    threading.Thread(target=run, daemon=True).start()
    await done.wait()


def _bytes(path: Path) -> bytes:
    try:
        return files.read_capped(path, config.MAX_BYTES)
    except FileNotFoundError as error:
        raise config.ConfigError("does not exist", where=str(path), mend="troth init") from error


def identity(path: Path) -> tuple[int, int, int]:
    """What changes when a file is replaced or written to; zeros when there is none."""
    try:
        found = path.stat()
    except OSError:
        return (0, 0, 0)
    return found.st_ino, found.st_size, found.st_mtime_ns


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
