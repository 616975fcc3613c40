"""The worker: a vantage beside the installation, which looks at it from outside, round the clock.

Two lanes run side by side, so that a slow scan never makes a look late: one for looks, one for all
else, each taking what is due as one round. No database. SIGHUP, or another troth.toml, runs every
check at once. When the ledger is away rounds wait a minute; when the installation is away, that is
what the rounds say.
"""

import asyncio
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar

import troth
from troth import catalogue
from troth.adapters import chance, clock, config, files, notify, sockets
from troth.adapters.log import Log
from troth.adapters.vantage import Vantage
from troth.catalogue import Settings
from troth.kernel.errors import Failure
from troth.kernel.model import Check, Method, Promise, Verdict
from troth.kernel.probing import synthetic_client
from troth.kernel.site import Site
from troth.prove import keys
from troth.prove.courier import Courier, CourierError
from troth.prove.digest import UNKNOWN, probe_digests
from troth.prove.due import due, next_due
from troth.prove.ledger import config_digest
from troth.prove.memory import Memory
from troth.prove.rounds import Details, Scribe, Subject
from troth.prove.run import Runner, Seen
from troth.roles import start, vantage_keys
from troth.roles.ledger import LOCAL, contacts
from troth.roles.places import Places

LONGEST_REST_S = 5.0  # how late a change of troth.toml may be noticed
DELIVER_EVERY_S = 1.0
PRUNE_EVERY_S = 600.0
SETTLE_S = 3.0  # what the edge and the guards need to take a new troth.toml up, and more
RETRY = timedelta(seconds=20)
MAX_DOUBLINGS = 12  # a day

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to be proven, as one troth.toml declares it."""

    settings: Settings
    site: Site
    config: str
    work: tuple[tuple[Promise, Check], ...]
    digests: dict[str, str]

    def checks(self, *, is_look: bool) -> tuple[Check, ...]:
        """The checks of one lane, scans before attacks before drills."""
        order = list(Method)
        found = [c for _, c in self.work if (c.method is Method.LOOK) == is_look]
        return tuple(sorted(found, key=lambda check: order.index(check.method)))

    def area(self, check: Check) -> str:
        """The area of a check's promise."""
        return next(promise.area for promise, mine in self.work if mine.id == check.id)


def plan(path: Path, places: Places) -> Plan:
    """Read troth.toml. Raises ConfigError."""
    try:
        raw = files.read_capped(path, config.MAX_BYTES)
    except (FileNotFoundError, files.FileError) as error:
        raise config.ConfigError("cannot be read", where=str(path)) from error
    settings = config.parse(raw, Settings, where=str(path))
    own = settings.edge.tls.authority == "local"
    work = tuple(
        (promise, check)
        for promise in catalogue.declared(settings)
        if not promise.not_applicable_because
        for check in promise.checks
    )
    return Plan(
        settings=settings,
        site=catalogue.site(settings, str(places.tls / "ca.pem") if own else ""),
        config=config_digest(raw),
        work=work,
        digests=probe_digests(check for _, check in work),
    )


@dataclass(slots=True)
class Lane:
    """One of the two lanes: its runner, and when each of its checks last began."""

    is_look: bool
    runner: Runner
    last_run: dict[str, datetime] = field(default_factory=dict)
    blind: dict[str, tuple[datetime, int]] = field(default_factory=dict)

    def due(self, checks: tuple[Check, ...], now: datetime) -> tuple[Check, ...]:
        """What is to be run now; what could not look tries again sooner, each time less soon."""
        for check in checks:
            began, times = self.blind.get(check.id, (now, 0))
            if now - began > min(RETRY * 2**times, check.interval):
                self.last_run.pop(check.id, None)
        return due(checks, self.last_run, now)

    def note(self, seen: tuple[Seen, ...], began: datetime) -> None:
        """Remember which of them could not look, and how often in a row."""
        for item in seen:
            if item.verdict is Verdict.ERROR:
                _, times = self.blind.get(item.check.id, (began, -1))
                self.blind[item.check.id] = began, min(times + 1, MAX_DOUBLINGS)
            else:
                self.blind.pop(item.check.id, None)


class Worker:
    """The process: two lanes, a courier, the configuration."""

    def __init__(self, path: Path, places: Places, name: str) -> None:
        self._path, self._places, self._name = path, places, name
        self._log = Log("worker", clock.now)
        self._rng = chance.system()
        self._file = _state(path)
        self._plan = plan(path, places)
        self._held_until_s = 0.0
        key = keys.load_or_create(places.keys / f"vantage-{name}.key")
        vantage_keys.tell(places, name, key)
        self._signer = key.signer
        self._memory = Memory(places.private / f"vantage-{name}.json")
        self._details = Details(places.private / "details")
        self._courier = Courier(
            places.socket("ledger"),
            name=name,
            public=key.public,
            told=lambda event, fields: self._log.event(event, **fields),
        )
        self._scribe = Scribe(
            name=name,
            version=troth.__version__,
            signer=key.signer,
            sequence=self._memory.sequence,
            persist=self._memory.save,
            details=self._details,
            dice=self._rng.randbytes,
            digests=lambda seen: self._plan.digests.get(seen.check.id, UNKNOWN),
        )
        self._lanes = tuple(
            Lane(
                is_look=is_look,
                runner=Runner(
                    settings_of=self._settings_of,
                    now=clock.now,
                    canaries=contacts(self._plan.settings),
                ),
            )
            for is_look in (True, False)
        )
        self._stop = asyncio.Event()
        self._again = asyncio.Event()
        self._is_enrolled = False
        self._is_away = False
        self._handing = asyncio.Lock()

    def _settings_of(self, area: str) -> object:
        return self._plan.settings.of(area)

    async def run(self) -> None:
        """Prove until told to stop."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        loop.add_signal_handler(signal.SIGHUP, self._again.set)
        self._begin()
        self._log.event("worker.ready", checks=len(self._plan.work), vantage=self._name)
        notify.ready()
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._prove(lane)) for lane in self._lanes]
            tasks += [
                group.create_task(self._deliver()),
                group.create_task(self._renew()),
                group.create_task(self._prune()),
            ]
            await self._stop.wait()
            for task in tasks:
                task.cancel()

    def _begin(self) -> None:
        """Forget when checks ran, but for the rare ones that ran under this configuration."""
        checks = [check for _, check in self._plan.work]
        remembered = self._memory.begin(checks, self._plan.config, clock.now())
        for lane in self._lanes:
            lane.last_run = dict(remembered)

    async def _prove(self, lane: Lane) -> None:
        while True:
            checks = self._plan.checks(is_look=lane.is_look)
            now = clock.now()
            may_look = self._is_enrolled and clock.monotonic_s() >= self._held_until_s
            ready = lane.due(checks, now) if may_look else ()
            if not ready:
                nearest = next_due(checks, lane.last_run, now)
                rest = (nearest - now).total_seconds() if nearest and may_look else 0.2
                await asyncio.sleep(min(max(rest, 0.05), LONGEST_REST_S))
                continue
            # Attacks and drills go one by one: what one of them saw does not wait for the others.
            shared = tuple(c for c in ready if c.method in (Method.LOOK, Method.SCAN))
            await self._round(lane, shared or ready[:1])

    async def _round(self, lane: Lane, checks: tuple[Check, ...]) -> None:
        asked = self._plan
        began = clock.now()
        for check in checks:
            lane.last_run[check.id] = began
        vantage = self._vantage(asked, lane)
        work = [(asked.area(check), check) for check in checks]

        def go() -> tuple[tuple[Seen, ...], str]:
            return lane.runner.run(work, vantage), vantage.certificate_sha256

        seen, certificate = await in_thread(go)
        if asked is not self._plan or _state(self._path) != self._file:
            for check in checks:  # looked at while the configuration changed: it says nothing
                lane.last_run.pop(check.id, None)
            await asyncio.sleep(1)
            return
        now = clock.now()
        lane.note(seen, began)
        for item in seen:
            if item.verdict is not Verdict.ERROR:
                self._memory.note(item.check, began)
        subject = Subject(address=asked.site.app, certificate=certificate, config=asked.config)
        for raw in self._scribe.seal(seen, subject, now):
            self._courier.take(raw, now)
        await self._hand_over()
        notify.tell("WATCHDOG=1")

    def _vantage(self, asked: Plan, lane: Lane) -> Vantage:
        vantage = Vantage(
            site=asked.site,
            name=self._name,
            now=clock.now(),
            rng=self._rng,
            signer=self._signer,
            data=self._places.data,
        )
        if vantage.is_here:
            vantage.source = synthetic_client("looks" if lane.is_look else "scans")
        return vantage

    async def _deliver(self) -> None:
        while True:
            await self._hand_over()
            await asyncio.sleep(DELIVER_EVERY_S if self._is_enrolled else 0.2)

    async def _hand_over(self) -> None:
        """What waits goes to the ledger; while it is away, the next second tries again."""
        async with self._handing:
            if self._is_enrolled and not self._courier.waiting:
                return
            try:
                if not self._is_enrolled:
                    known = await in_thread(self._courier.enrol)
                    self._scribe.sequence = max(self._scribe.sequence, known)
                    self._is_enrolled = True
                await in_thread(lambda: self._courier.deliver(clock.now()))
            except CourierError as error:
                if not self._is_away:
                    self._log.event("ledger.away", why=error.hint())
                self._is_away = True
            else:
                self._is_away = False

    async def _renew(self) -> None:
        """Take a new troth.toml up; a bad one is told and the last good one stays."""
        while True:
            try:
                async with asyncio.timeout(1):
                    await self._again.wait()
            except TimeoutError:
                if _state(self._path) == self._file:
                    continue
            self._again.clear()
            self._file = _state(self._path)
            try:
                self._plan = plan(self._path, self._places)
            except (Failure, ValueError) as error:
                self._log.event("config.refused", why=str(error))
                continue
            self._held_until_s = clock.monotonic_s() + SETTLE_S
            self._begin()
            self._log.event("config.taken", config=self._plan.config)

    async def _prune(self) -> None:
        while True:
            self._details.prune(clock.now())
            await asyncio.sleep(PRUNE_EVERY_S)


async def in_thread(work: Callable[[], Answer]) -> Answer:
    """As `asyncio.to_thread`, but a thread that still runs at the end does not hold the end up."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[Answer] = loop.create_future()

    def put(result: Answer | None, error: BaseException | None) -> None:
        if not answer.done():
            if error is not None:
                answer.set_exception(error)
            else:
                answer.set_result(result)  # type: ignore[arg-type]  # no error: it is an Answer

    def go() -> None:
        try:
            done = work()
        except BaseException as error:  # noqa: BLE001 -- handed over
            _tell(loop, put, None, error)
        else:
            _tell(loop, put, done, None)

    threading.Thread(target=go, name="round", daemon=True).start()
    return await answer


def _tell(
    loop: asyncio.AbstractEventLoop,
    put: Callable[[Answer | None, BaseException | None], None],
    result: Answer | None,
    error: BaseException | None,
) -> None:
    try:
        loop.call_soon_threadsafe(put, result, error)
    except RuntimeError:
        return  # the loop has ended: nobody waits any more


def _state(path: Path) -> tuple[int, int, int]:
    try:
        found = path.stat()
    except OSError:
        return (0, 0, 0)
    return found.st_ino, found.st_size, found.st_mtime_ns


def main(argv: Sequence[str]) -> int:
    """Run until SIGTERM."""
    return start.guarded(_main, argv, sockets.SocketError, files.FileError)


def _main(argv: Sequence[str]) -> int:
    parser = start.arguments("worker")
    parser.add_argument("--name", default=LOCAL)
    known = parser.parse_args(argv)
    asyncio.run(_run(known.config, Places(known.data), known.name))
    return 0


async def _run(path: Path, places: Places, name: str) -> None:
    await Worker(path, places, name).run()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
