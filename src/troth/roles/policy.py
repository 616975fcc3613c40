"""From troth.toml to what decides: one snapshot, and the rules that are in it.

Slow (rules are compiled): never called in an event loop. A program is kept for as long as nothing
that it depends on changes, so a change of other settings costs nothing.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path

from troth.adapters import clock, config
from troth.catalogue import Settings, site
from troth.enforce.decide import decide
from troth.enforce.snapshot import Body, Snapshot
from troth.engines.seclang import Program
from troth.engines.seclang.scan import Scanner
from troth.kernel.request import Known, Request
from troth.promises.guard import enforce as guard
from troth.promises.guard.enforce.secrets import Secrets
from troth.promises.guard.rules.origin import is_exempt, is_plain
from troth.promises.guard.settings.waf import Rules
from troth.roles import rules_cache, rules_load, scanner
from troth.roles.guards import active

READING = frozenset({b"GET", b"HEAD", b"OPTIONS"})  # what uploads nothing

Load = Callable[[Rules], Program | None]


class Programs:
    """The last program and what it was made for; used from one thread at a time.

    Args:
        cache: folder of compiled databases (`rules_cache`); None: the rules run on RE2 alone.
        load: makes a program.
    """

    def __init__(self, cache: Path | None = None, load: Load = rules_load.program_of) -> None:
        self._cache = cache
        self._load = load
        self._key = ""
        self._program: Program | None = None
        self._is_quick = True

    def of(self, rules: Rules) -> Program | None:
        """The program for these settings. Raises Failure; the last good one is then still kept."""
        key = rules_load.key_of(rules)
        if key != self._key:
            self._program = self._load(rules)
            self._key = key
            scanner = self._scanner
            self._is_quick = scanner is None or not rules_cache.take(scanner, self._cache or Path())
        return self._program

    @property
    def is_quick(self) -> bool:
        """Whether all that can be scanned by Hyperscan is."""
        return self._is_quick

    def quicken(self) -> bool:
        """Compile what is missing, in a process of its own; whether all is in use now.

        Takes seconds to minutes. Raises Failure when it cannot be done; the rules then go on as
        they are.
        """
        scanner = self._scanner
        if scanner is not None and not self._is_quick:
            self._is_quick = rules_cache.quicken(scanner, self._cache or Path())
        return self._is_quick

    @property
    def _scanner(self) -> Scanner | None:
        scan = self._program.scan if self._program and self._cache else None
        return scan if isinstance(scan, Scanner) else None


def build(path: Path, secrets: Secrets | None = None, programs: Programs | None = None) -> Snapshot:
    """The snapshot that a troth.toml asks for. Raises Failure: nothing of it is to be used."""
    raw = _read(path)
    settings = config.parse(raw, Settings, where=str(path))
    active(settings)
    named(settings)
    place = site(settings)
    program = (programs or Programs()).of(settings.guard.rules)
    composed = guard.compose(
        settings.guard, place, secrets, program, scanner.of(settings.guard.uploads)
    )
    reads_bodies = guard.reads_bodies(settings.guard)
    snapshot = Snapshot(
        gates=composed.gates,
        asks=composed.asks,
        looks=composed.looks,
        opened=composed.opened,
        checks=composed.checks,
        bodies=composed.bodies,
        uploads=composed.uploads,
        answers=composed.answers,
        own=composed.own,
        fails_open=_fails_open(settings.guard.fail_open_paths),
        site=place,
        prefix=settings.troth.prefix,
        max_body_bytes=min(
            settings.edge.max_body_bytes,
            settings.guard.rules.body_bytes if reads_bodies else settings.edge.max_body_bytes,
        ),
        max_upload_bytes=settings.edge.max_upload_bytes,
        max_answer_bytes=settings.guard.rules.answer_bytes,
        body=_bodies(settings, reads_bodies=reads_bodies),
        config=hashlib.sha256(raw).hexdigest(),
        made=clock.now(),
    )
    _warm(snapshot)
    return snapshot


def named(settings: Settings) -> None:
    """Rules of uploads stand at or below a route that is one. Raises ConfigError."""
    for route in settings.guard.uploads.routes:
        if not route.path.startswith(settings.edge.upload_paths):
            raise config.ConfigError(
                "is no upload route, so nothing would be looked at there",
                where=f"[[guard.uploads.routes]] {route.path}",
                mend="name it, or a path above it, in [edge] upload_paths",
            )


def _fails_open(paths: tuple[str, ...]) -> Callable[[Request], bool]:
    """As the edge routes: by prefix, but only where a path is beyond doubt."""
    prefixes = tuple(path.encode() for path in paths)
    return lambda request: is_exempt(request.path, prefixes)


def _bodies(settings: Settings, *, reads_bodies: bool) -> Callable[[Request], Body]:
    """What becomes of a body, by route; a doubtful path is no route, so it is read whole.

    As the edge routes: what reads (GET) uploads nothing.
    """
    edge = settings.edge
    to_disk, unread = (
        tuple(path.encode() for path in paths) for paths in (edge.upload_paths, edge.stream_paths)
    )
    otherwise = Body.INSPECTED if reads_bodies else Body.UNREAD
    is_looked_at = settings.guard.uploads.mode != "off"

    def kind(request: Request) -> Body:
        path = request.path
        if (to_disk or unread) and is_plain(path):
            if path.startswith(unread):
                return Body.UNREAD
            if path.startswith(to_disk) and request.method not in READING:
                return Body.UPLOAD if is_looked_at else Body.UNREAD
        return otherwise

    return kind


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise config.ConfigError(f"cannot be read: {error.strerror}", where=str(path)) from error


def _warm(snapshot: Snapshot) -> None:
    """Ask every check once: what fails here must not be swapped in."""
    for method in (b"GET", b"POST"):
        request = Request(method=method, target=b"/", host=b"localhost", headers=())
        decide(request, snapshot, Known(now=snapshot.made), lambda _: {})
