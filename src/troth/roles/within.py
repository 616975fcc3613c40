"""The guard within an application's own process, for `roles.asgi` and `roles.wsgi`.

Everything the guard's own process decides by, without an edge: rules, limits, bans, blocklists,
logins, events. What there is to know before using it: TLS, header sets and the trust page are the
edge's. Counters, bans and trails are this process's own, so four worker processes admit four times
a limit, unless `[counters] url` is set: then all processes and machines have the same.

What is elsewhere is asked from a thread with an event loop of its own, which begins with the first
request (after a server's fork). Without the server what needs counters or trails is 503, but on the
routes that fail open.

A change of troth.toml is taken up within a second of the next request, beside the requests; one
that cannot be used changes nothing and is told on standard error. Fails closed: a first
configuration that cannot be used raises, so the application does not start without its guard.
"""

import asyncio
import concurrent.futures
import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from troth.adapters import chance, clock, config
from troth.adapters.counters import CountersError
from troth.adapters.log import Log
from troth.adapters.scratch import Room
from troth.catalogue import Settings
from troth.enforce import direct, page, reports, sink, wire, within
from troth.enforce.clients import Clients
from troth.enforce.decide import Decision, Question
from troth.enforce.envoy.replies import STYLE
from troth.enforce.keeper import Keeper, Means, Ruled
from troth.enforce.snapshot import Current, Snapshot
from troth.kernel.errors import Failure
from troth.kernel.request import Request, Taken
from troth.roles import guard_keys, rules_cache, vantage_keys
from troth.roles.guard_standing import Standing
from troth.roles.places import Places
from troth.roles.policy import Programs, build
from troth.roles.recorder import Recorder

STDERR = 2
LOOK_AT_CONFIG_S = 1.0
A = TypeVar("A")
BEGIN_S = 5.0  # for the thread to begin
WAIT_S = 6.0  # longer than any `[counters] timeout_ms`
QUICKEN_AFTER_S = 5.0  # after the first request
LEARNT, SINK = "csp-within.json", "sink-within.json"  # in the spool


class Within(Standing):
    """The same standing, whose lists and whose server are looked after by a thread beside."""

    _loop: asyncio.AbstractEventLoop | None = None
    _thread: threading.Thread | None = None
    _ended: asyncio.Event

    def begin(self) -> None:
        """Start the thread, where there is anything to look after."""
        if self._loop is not None or (self.remote is None and not self.lists.has_any):
            return
        ready = threading.Event()
        self._thread = threading.Thread(
            target=self._beside, args=(ready,), name="troth", daemon=True
        )
        self._thread.start()
        ready.wait(BEGIN_S)

    def end(self) -> None:
        """Stop it; what is elsewhere is then no longer asked."""
        if self._loop is not None and self._thread is not None:
            self._loop.call_soon_threadsafe(self._ended.set)
            self._thread.join(BEGIN_S)

    def ask(self, question: Question) -> "asyncio.Future[Taken]":
        """The answer, for whichever loop asks."""
        return asyncio.wrap_future(self._asked(question))

    def wait(self, question: Question) -> Taken:
        """The answer, while this thread waits: no longer than `[counters] timeout_ms` or so."""
        return self._asked(question).result(WAIT_S)

    def settle(self, decision: Decision, now: datetime) -> None:
        """As Standing's; where marks go elsewhere, from there."""
        if self.remote is None:
            super().settle(decision, now)
        elif self._loop is not None and (decision.notes or decision.strikes):
            self._loop.call_soon_threadsafe(super().settle, decision, now)

    def _asked(self, question: Question) -> "concurrent.futures.Future[Taken]":
        found: concurrent.futures.Future[Taken] = concurrent.futures.Future()
        if self._loop is None:
            raise CountersError("what is elsewhere is not asked yet")

        def told(done: "asyncio.Future[Taken]") -> None:
            error = CountersError("closed") if done.cancelled() else done.exception()
            if not found.set_running_or_notify_cancel():
                return
            if error is not None:
                found.set_exception(error)
            else:
                found.set_result(done.result())

        def ask() -> None:
            Standing.ask(self, question).add_done_callback(told)

        self._loop.call_soon_threadsafe(ask)
        return found

    def _beside(self, ready: threading.Event) -> None:
        async def until_ended() -> None:
            self._ended = asyncio.Event()
            self._loop = asyncio.get_running_loop()
            ready.set()
            async with asyncio.TaskGroup() as group:
                work = group.create_task(self.run())
                await self._ended.wait()
                work.cancel()

        asyncio.run(until_ended())


class Guard(Keeper):
    """A keeper with all that it needs, in this process.

    Args:
        path: of troth.toml.
        data: where keys and spools are; `[troth] data` unless given.

    Raises:
        Failure: the configuration cannot be used.
    """

    def __init__(self, path: Path | str, data: Path | str | None = None) -> None:
        self._path = Path(path)
        settings = config.load(self._path, Settings)
        places = Places(Path(data or settings.troth.data))
        places.prepare()
        self._log = Log("within", clock.now, fd=STDERR)
        self._rng = chance.system()
        self._keys = guard_keys.Keys(settings, places.spool / guard_keys.FILE, self._rng)
        self._programs = Programs(places.spool / rules_cache.FOLDER)
        self._standing = Within(
            settings, places, None, self._told, self._keys, f"{self._rng.getrandbits(128):032x}"
        )
        self.recorder = Recorder(places, settings.guard, self._told)
        means = Means(
            now=clock.now,
            new_id=lambda: f"{self._rng.getrandbits(64):016x}",
            told=self._told,
            recognised=Clients(lambda: vantage_keys.public(places.keys)).recognised,
        )
        super().__init__(
            Current(self._built(), self._told),
            self.recorder.means(self._standing.means(means)),
        )
        own = direct.Direct(
            self.current,
            reports.Learnt(places.spool / LEARNT),
            sink.Sink(places.spool / SINK),
            now=clock.now,
            new_id=lambda: f"{self._rng.getrandbits(128):032x}",
        )
        given = settings.guard.uploads
        self.inside = within.Inside(
            own=self._own(own.answer),
            upload_s=given.receive_s,
            room=Room(given.at_once, given.total_bytes),
        )
        self._seen = _mark(self._path)
        self._look_at = clock.monotonic_s() + LOOK_AT_CONFIG_S
        self._renewing: threading.Thread | None = None
        self._beginning = threading.Lock()
        self._is_begun = False

    def judging(self, request: Request) -> Ruled:
        """As Keeper's; now and then it looks whether troth.toml is another one."""
        if not self._is_begun:
            self._begin()
        if clock.monotonic_s() >= self._look_at:
            self._look_at = clock.monotonic_s() + LOOK_AT_CONFIG_S
            self._look()
        return super().judging(request)

    def close(self) -> None:
        """Stop what goes on beside, and write what is not written yet."""
        self._standing.end()
        self.recorder.close()

    def _begin(self) -> None:
        """Start what goes on beside: with the first request, not before a server's fork."""
        with self._beginning:
            if self._is_begun:
                return
            self._standing.begin()
            later = threading.Timer(QUICKEN_AFTER_S, self._quicken)
            later.daemon = True
            later.start()
            self._is_begun = True

    def _look(self) -> None:
        mark = _mark(self._path)
        if mark == self._seen or (self._renewing is not None and self._renewing.is_alive()):
            return
        self._seen = mark
        self._renewing = threading.Thread(target=self._renew, name="troth-renew", daemon=True)
        self._renewing.start()

    def _renew(self) -> None:
        if self.current.renew(self._built):
            self._standing.reread(self._path, is_taken=True)
            self._standing.begin()
        self._quicken()

    def _quicken(self) -> None:
        """Fails open to slowness: RE2 serves where no database can be built."""
        try:
            self._programs.quicken()
        except Failure as failure:
            self._told("rules.slow", {"because": failure.hint()})

    def _built(self) -> Snapshot:
        return build(self._path, self._keys.secrets(clock.now()), self._programs)

    def _told(self, name: str, fields: dict[str, object]) -> None:
        self._log.event(name, **fields)

    def _own(self, answer: Callable[[wire.Message], wire.Reply]) -> within.Own:
        style = wire.Reply(
            status=200,
            headers=((b"content-type", b"text/css; charset=utf-8"),),
            body=STYLE.encode(),
        )

        def own(message: wire.Message) -> wire.Reply | None:
            path = message.target.partition(b"?")[0]
            prefix = self.current.snapshot.prefix.encode()
            return style if path == prefix + page.STYLE_SHEET.encode() else answer(message)

        return own


class Behind(within.Door[A]):
    """An application behind the guard, in its own process: what both middlewares are.

    Args:
        app: the application.
        config: the path of troth.toml.
        data: where keys and events are kept; `[troth] data` unless given.

    Raises:
        Failure: the configuration cannot be used; nothing is served without a guard.
    """

    def __init__(
        self, app: A, config: Path | str = "troth.toml", data: Path | str | None = None
    ) -> None:
        self.guard = Guard(config, data)
        super().__init__(app, self.guard, self.guard.inside)


def _mark(path: Path) -> tuple[int, int, int]:
    try:
        found = path.stat()
    except OSError:
        return (0, 0, 0)
    return found.st_ino, found.st_size, found.st_mtime_ns
