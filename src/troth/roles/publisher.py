"""The publisher: follows log and looks, and puts the page in place when it changes.

A process of its own that needs no database and holds no key. It may die: what it published says
until when it may be believed, and whoever serves it reads the clock. SIGHUP, or another troth.toml,
reads the settings again.
"""

import asyncio
import base64
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from importlib import resources
from pathlib import Path
from typing import Any

from troth import catalogue
from troth.adapters import clock, config, files, notify
from troth.adapters.log import Log
from troth.catalogue import Settings
from troth.engines.tlog.errors import LogError
from troth.engines.tlog.note import NoteVerifier
from troth.engines.tlog.read import iter_entries
from troth.kernel.errors import Failure
from troth.kernel.evidence import key_id, unseal
from troth.kernel.model import Method, State
from troth.prove import ring, tested
from troth.publish import tree, words
from troth.publish.edition import Extras, compose
from troth.publish.editor import Editor, cited
from troth.publish.page import Masthead, Page
from troth.publish.render import Press
from troth.publish.status import Watched
from troth.publish.tree import Rendering
from troth.roles import start
from troth.roles.places import Places

POLL_S = 0.2
AT_MOST_EVERY = timedelta(seconds=1)  # a state that changed is published so soon
CALM_EVERY = timedelta(seconds=10)  # and times that merely moved on
LONGEST = timedelta(seconds=20)
AHEAD = timedelta(milliseconds=400)  # what composing takes at most: done before the moment comes
PINNED = "log.vkey"  # the log's key as first seen; another one is refused from then on
UNREFERENCED = timedelta(hours=1)  # how long evidence that no page links to keeps its own page
PRUNE_EVERY = timedelta(minutes=5)

Editing = Callable[[Rendering], None]


class PublisherError(Failure):
    """Nothing can be published."""


def main(argv: Sequence[str]) -> int:
    """Run until SIGTERM."""
    return start.guarded(_main, argv, LogError, files.FileError, PublisherError)


def _main(argv: Sequence[str]) -> int:
    known = start.arguments("publisher").parse_args(argv)
    start.given(known)
    asyncio.run(Role(known.config, Places(known.data)).run())
    return 0


class Role:
    """The process.

    Args:
        path: of troth.toml.
        places: the data directory.
        edit: changes each rendering before it is published; a liar's way to publish falsely.
    """

    def __init__(self, path: Path, places: Places, *, edit: Editing | None = None) -> None:
        self._path, self._places, self._edit = path, places, edit
        self._log = Log("publisher", clock.now)
        self._press = Press.load()
        self._editor: Editor | None = None
        self._settings: Settings | None = None
        self._seen: object = None
        self._told: object = None
        self._published: Page | None = None
        self._at = datetime.min.replace(tzinfo=UTC)
        self._pruned = self._at
        self._stop, self._again = asyncio.Event(), asyncio.Event()

    async def run(self) -> None:
        """Publish until told to stop."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        loop.add_signal_handler(signal.SIGHUP, self._again.set)
        is_ready = False
        while not self._stop.is_set():
            self._configure()
            await self.step()
            if not is_ready:
                is_ready = True
                notify.ready()
                self._log.event("publisher.ready")
            with suppress(TimeoutError):
                async with asyncio.timeout(POLL_S):
                    await self._stop.wait()

    async def step(self) -> None:
        """Publish if there is reason to. Raises nothing that waiting may cure."""
        now = clock.now()
        at = self._due(now)
        if at is None:
            return
        try:
            page = self._page(at)
            rendering = compose(page, self._press, self._extras(page))
            if self._edit is not None:
                self._edit(rendering)
            self._evidence(page)
            if at > now:
                await asyncio.sleep((at - clock.now()).total_seconds())
            tree.publish(self._places.public, rendering, now=clock.now())
        except (files.FileError, tree.TreeError) as failure:
            self._log.event("publish.failed", why=failure.hint())
            return
        self._note(page)
        self._at = clock.now()

    def _due(self, now: datetime) -> datetime | None:
        """For which moment to publish now: this one, one just ahead, or none."""
        if self._published is None:
            return now
        if self._published.valid_until - AHEAD <= now:
            return max(now, self._published.valid_until)
        since = now - self._at
        is_due = since >= LONGEST or (since >= AT_MOST_EVERY and self._is_news(now, since))
        return now if is_due else None

    def _is_news(self, now: datetime, since: timedelta) -> bool:
        """Whether log or ring changed, and a reader would call it news (later: in any case)."""
        state = self._state()
        if state == self._seen:
            return False
        if since >= CALM_EVERY:
            return True
        self._seen = state
        return self._tidings(self._page(now)) != self._told

    def _page(self, at: datetime) -> Page:
        self._seen = self._state()
        editor = self._editor or self._open()
        return editor.page(self._rounds(at), at)

    def _note(self, page: Page) -> None:
        if page.trouble and (self._published is None or self._published.trouble != page.trouble):
            self._log.event("log.doubted", why=page.trouble)
        for row in page.rows:
            before = self._before(row.promise.slug)
            if before is not row.state:
                self._log.event("state.changed", slug=row.promise.slug, state=row.state.value)
        self._published, self._told = page, self._tidings(page)

    def _before(self, slug: str) -> State | None:
        with suppress(KeyError):
            return self._published.row(slug).state if self._published else None
        return None

    @staticmethod
    def _tidings(page: Page) -> object:
        """What a reader would call news."""
        rows = tuple(
            (row.promise.slug, row.standing, tuple(row.claim.items())) for row in page.rows
        )
        return rows, page.trouble, page.changes[:1], page.catalogue

    def _state(self) -> object:
        """What changes whenever the log or the ring does."""
        marks = []
        for path in (self._places.log / "checkpoint", *self._segments()):
            with suppress(OSError):
                found = path.stat()
                marks.append((path.name, found.st_ino, found.st_size, found.st_mtime_ns))
        return tuple(marks)

    def _segments(self) -> list[Path]:
        return [path for _, path in ring.segments(self._places.looks)]

    def _rounds(self, now: datetime) -> Iterator[bytes]:
        return ring.read(self._places.looks, now - timedelta(hours=1) - ring.SPAN)

    def _extras(self, page: Page) -> Extras:
        editor, settings = self._editor, self._settings
        assert editor is not None and settings is not None  # noqa: S101, PT018 -- a page was made
        ca = b""
        if page.masthead.site.ca_file:
            with suppress(FileNotFoundError, files.FileError):
                ca = files.read_capped(Path(page.masthead.site.ca_file), 64 * 1024)
        about_tls = tls_checks(page)
        tls = [s for (check, _), s in sorted(editor.record.seen.items()) if check in about_tls]
        return Extras(tls=tls, looks=editor.looks(page.generated), ca=ca, watched=watched(page))

    def _evidence(self, page: Page) -> None:
        """Give each cited piece of evidence its page, and take it from what is cited no more."""
        assert self._editor is not None  # noqa: S101 -- a page was made
        pool = self._places.public / "evidence"

        def file(source: str) -> Path:
            return pool / (source.replace(":", "/") + ".html")

        for piece in self._editor.pieces(page, lambda source: file(source).exists()):
            path = file(piece.source)
            files.make_folder(path.parent, durable=False)
            text = self._press.evidence(page, piece)
            files.write_atomic(path, text.encode(), durable=False)
        now = clock.now()
        if now - self._pruned >= PRUNE_EVERY:
            self._pruned = now
            kept = {file(source) for source in cited(page)}
            before = (now - UNREFERENCED).timestamp()
            for path in pool.rglob("*.html"):
                if path not in kept and path.stat().st_mtime < before:
                    path.unlink(missing_ok=True)

    def _configure(self) -> None:
        """Read the settings when told to; a bad file changes nothing."""
        if self._settings is not None and not self._again.is_set():
            return
        self._again.clear()
        try:
            self._settings = config.load(self._path, Settings)
        except Failure as failure:
            if self._settings is None:
                raise
            self._log.event("config.refused", why=failure.hint())
            return
        self._editor = None
        self._seen = None

    def _open(self) -> Editor:
        assert self._settings is not None  # noqa: S101 -- `_configure` came first
        key = self._key()
        self._editor = Editor(
            self._places.log,
            key,
            masthead(self._settings, self._places, key),
            how=how(self._settings),
            tested=self._tested(),
        )
        return self._editor

    def _tested(self) -> frozenset[tuple[str, str]]:
        try:
            return tested.read()
        except Failure as failure:  # an altered list proves nothing: no probe counts as tested
            self._log.event("tested.refused", why=failure.hint())
            return frozenset()

    def _key(self) -> NoteVerifier:
        """The log's key: pinned when first seen, and no other afterwards."""
        pinned = self._places.public / PINNED
        with suppress(FileNotFoundError):
            return NoteVerifier.parse(files.read_capped(pinned, 4096).decode())
        try:
            _, first = next(iter_entries(self._places.log))
            body: Mapping[str, Any] = unseal(first).statement["predicate"]
            found = NoteVerifier(str(body["name"]), base64.b64decode(body["public"]))
        except (FileNotFoundError, StopIteration, KeyError, ValueError) as error:
            raise PublisherError("there is no log yet", where=str(self._places.log)) from error
        files.write_atomic(pinned, found.vkey.encode())
        return found


def masthead(settings: Settings, places: Places, key: NoteVerifier) -> Masthead:
    """Who publishes, as troth.toml says."""
    own = settings.edge.tls.authority == "local"
    site = catalogue.site(settings, str(places.tls / "ca.pem") if own else "")
    trust, company = settings.trust, settings.trust.company

    def link(path: str) -> str:
        return site.app + path if path.startswith("/") else path

    return Masthead(
        site=site,
        languages=trust.languages,
        legal_name=company.legal_name,
        address=company.address,
        mail=company.mail,
        imprint=link(company.imprint),
        privacy=link(company.privacy),
        contact=trust.security_contact,
        log_origin=key.name,
        log_key=key.vkey,
        fingerprint=key_id(key.public),
    )


def how(settings: Settings) -> dict[str, words.Sentence]:
    """By slug, the words of how each promise is kept. What cannot be filled is left out."""
    sentences = words.load(resources.files("troth.promises"))
    found = {}
    for promise in catalogue.declared(settings):
        if sentence := sentences.get(promise.slug):
            found[promise.slug] = words.filled(sentence, catalogue.words(settings, promise.area))
    return found


def tls_checks(page: Page) -> frozenset[str]:
    """The checks whose verdicts make up the TLS report."""
    names = ("tls-", "certificate-")
    return frozenset(
        item.check.id
        for row in page.rows
        if row.promise.area == "edge" and row.promise.slug.startswith(names)
        for item in row.checks
    )


COMPONENTS = {
    "application": {
        "en": "Application",
        "it": "Applicazione",
        "de": "Anwendung",
        "fr": "Application",
    },
    "edge": {"en": "Edge", "it": "Bordo", "de": "Rand", "fr": "Bord"},
    "page": {
        "en": "Trust page",
        "it": "Pagina di fiducia",
        "de": "Vertrauensseite",
        "fr": "Page de confiance",
    },
}
AREAS = {"guard": "application", "payments": "application", "edge": "edge", "trust": "page"}


def watched(page: Page) -> tuple[Watched, ...]:
    """The components, each with the looks that need it to answer."""
    found: dict[str, set[str]] = {name: set() for name in COMPONENTS}
    for row in page.rows:
        component = AREAS.get(row.promise.area)
        if component:
            looks = [c.check for c in row.checks if c.check.method is Method.LOOK]
            found[component] |= {check.id for check in looks}
    return tuple(
        Watched(id=name, name=COMPONENTS[name], checks=frozenset(checks))
        for name, checks in found.items()
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
