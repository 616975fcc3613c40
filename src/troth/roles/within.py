"""The guard within an application's own process, for `roles.asgi` and `roles.wsgi`.

Everything the guard's own process decides by, without an edge: rules, limits, bans, logins, events.
What there is to know before using it: TLS, header sets and the trust page are the edge's; counters,
bans and trails are this process's own, so four worker processes admit four times a limit; and
blocklists are not asked.

A change of troth.toml is taken up within a second of the next request, beside the requests; one
that cannot be used changes nothing and is told on standard error. Fails closed: a first
configuration that cannot be used raises, so the application does not start without its guard.
"""

import threading
from collections.abc import Callable, Generator
from datetime import datetime
from pathlib import Path

from troth.adapters import chance, clock, config
from troth.adapters.counters import Memory
from troth.adapters.log import Log
from troth.adapters.scratch import Room
from troth.catalogue import Settings
from troth.enforce import direct, page, reports, sink, wire, within
from troth.enforce.bans import Bans
from troth.enforce.decide import Decision, Tallies
from troth.enforce.envoy.replies import STYLE
from troth.enforce.keeper import Keeper, Means, Ruling
from troth.enforce.snapshot import Current, Snapshot
from troth.enforce.trails import Trails
from troth.kernel.errors import Failure
from troth.kernel.request import Ask, Known, Request
from troth.promises.guard.enforce.limits import ALLOWED
from troth.promises.guard.enforce.secrets import Secrets
from troth.promises.guard.rules.bans import Sentence
from troth.promises.guard.rules.ranges import Ranges
from troth.promises.guard.rules.tokens import Key
from troth.roles import guard_keys, rules_cache
from troth.roles.places import Places
from troth.roles.policy import Programs, build
from troth.roles.recorder import Recorder

STDERR = 2
LOOK_AT_CONFIG_S = 1.0
QUICKEN_AFTER_S = 5.0  # after the first request
LEARNT, SINK = "csp-within.json", "sink-within.json"  # in the spool


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
        self._keys = places.spool / guard_keys.FILE
        self._passing = Key("passing", self._rng.randbytes(32))
        self._programs = Programs(places.spool / rules_cache.FOLDER)
        self._settling = threading.Lock()
        self._trails = Trails(clock.now())
        self._memory = Memory()
        self._bans = Bans(_sentence(settings), Ranges, self._told)
        self.recorder = Recorder(places, settings.guard, self._told)
        means = Means(
            now=clock.now,
            new_id=lambda: f"{self._rng.getrandbits(64):016x}",
            told=self._told,
            take=self._memory.take,
            known=self._known,
            settle=self._settle,
        )
        super().__init__(Current(self._built(), self._told), self.recorder.means(means))
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
        self._is_begun = False

    def judging(self, request: Request) -> Generator[tuple[Ask, ...], Tallies | Exception, Ruling]:
        """As Keeper's; now and then it looks whether troth.toml is another one."""
        if not self._is_begun:  # not before a fork
            self._is_begun = True
            later = threading.Timer(QUICKEN_AFTER_S, self._quicken)
            later.daemon = True
            later.start()
        if clock.monotonic_s() >= self._look_at:
            self._look_at = clock.monotonic_s() + LOOK_AT_CONFIG_S
            self._look()
        return super().judging(request)

    def _look(self) -> None:
        mark = _mark(self._path)
        if mark == self._seen or (self._renewing is not None and self._renewing.is_alive()):
            return
        self._seen = mark
        self._renewing = threading.Thread(target=self._renew, name="troth-renew", daemon=True)
        self._renewing.start()

    def _renew(self) -> None:
        if self.current.renew(self._built):
            self._bans.rules = _sentence(config.load(self._path, Settings))
        self._quicken()

    def _quicken(self) -> None:
        """Fails open to slowness: RE2 serves where no database can be built."""
        try:
            self._programs.quicken()
        except Failure as failure:
            self._told("rules.slow", {"because": failure.hint()})

    def _built(self) -> Snapshot:
        ring = guard_keys.ring(self._keys, clock.now(), self._rng)
        return build(self._path, Secrets(ring=ring, passing=self._passing), self._programs)

    def _told(self, name: str, fields: dict[str, object]) -> None:
        self._log.event(name, **fields)

    def _known(self, now: datetime) -> Known:
        lists = {ALLOWED: self._bans.allowed}
        return Known(now=now, bans=self._bans.by_subject, lists=lists, trails=self._trails)

    def _settle(self, decision: Decision, now: datetime) -> None:
        if not (decision.notes or decision.strikes):
            return
        with self._settling:
            self._trails.mark(decision.notes, now)
            if decision.strikes:
                asks = tuple(strike.ask for strike in decision.strikes)
                self._bans.struck(decision.strikes, self._memory.take(asks), now)

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


def _sentence(settings: Settings) -> Sentence:
    return Sentence(settings.guard.bans, settings.edge.trusted_proxies)


def _mark(path: Path) -> tuple[int, int, int]:
    try:
        found = path.stat()
    except OSError:
        return (0, 0, 0)
    return found.st_ino, found.st_size, found.st_mtime_ns
