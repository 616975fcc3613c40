"""Answers a reader's request from the published files, and never says more than they allow.

At every request the clock is compared with what the rendering says of itself: within its time the
current variant, after it (or before it: a clock that went back) the stale one. Caches are told the
same. An address is looked up in the manifest, or is a log tile by a strict pattern: no path of a
request ever reaches the file system.
"""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from email.utils import format_datetime
from http import HTTPStatus
from pathlib import Path

from troth.adapters import files
from troth.adapters.serve import Answer, Request
from troth.publish import tree
from troth.publish.tree import Entry, Manifest, TreeError

SLACK = timedelta(seconds=2)  # what a time server may pull back
FRESH_S = 10  # how long a cache may keep a page that speaks of the present
CALM_S = 300  # and one that does not
YEAR_S = 31_536_000
MAX_FILE_BYTES = 64 * 1024 * 1024
MAX_TARGET = 1024
# Source: c2sp.org/tlog-tiles: /tile/<L>/<N>[.p/<W>], N in groups of three digits.
_TILE = re.compile(
    r"tile/(?:[0-5]|entries)/(?:x\d{3}/){0,5}\d{3}(?:\.p/(?:[1-9]\d?|1\d\d|2[0-5]\d))?"
)
_COSIGNED = re.compile(r"cosignatures/[a-z0-9][a-z0-9.-]{0,90}")  # checkpoints of other logs
_EVIDENCE = re.compile(
    r"/trust/evidence/((?:log/\d{1,12})|(?:looks/[a-z0-9][a-z0-9-]{0,38}/\d{1,12}))"
)

# Source: notes of the outside graders; each grader's whole list, on every answer.
Lines = tuple[tuple[str, str], ...]
_CSP = (
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'; "
    "upgrade-insecure-requests"
)
_NOTHING = (
    *("accelerometer", "camera", "geolocation", "gyroscope", "magnetometer", "microphone"),
    *("payment", "usb"),
)
OWN_HEADERS = (
    ("strict-transport-security", "max-age=63072000; includeSubDomains"),
    ("content-security-policy", _CSP),
    ("referrer-policy", "strict-origin-when-cross-origin"),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("permissions-policy", ", ".join(f"{name}=()" for name in _NOTHING)),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-embedder-policy", "require-corp"),
    ("cross-origin-resource-policy", "same-origin"),
    ("origin-agent-cluster", "?1"),
    ("x-permitted-cross-domain-policies", "none"),
)
OPEN = ("/api/v2/", "/history.atom")  # what clients of other status pages read in a browser


class Reader:
    """Answers requests for one host.

    Args:
        public: where the publisher writes.
        log: the log's folder.
        home: what `/` means: an address of the rendering, or another path to go to.
        now: the clock.
    """

    def __init__(self, public: Path, log: Path, *, home: str, now: Callable[[], datetime]) -> None:
        self._public, self._log, self._home, self._now = public, log, home, now
        self._manifest: Manifest | None = None
        self._link = ""

    def answer(self, request: Request) -> Answer:
        """The answer to one request."""
        at = request.target.partition("?")[0]
        if request.method not in ("GET", "HEAD"):
            return self.refuse(405, ("allow", "GET, HEAD"))
        if not at.startswith("/") or len(at) > MAX_TARGET:
            return self.refuse(414 if at.startswith("/") else 400)
        return self._at(at, request)

    def _at(self, at: str, request: Request) -> Answer:
        if at == "/" and self._home != "/":
            return self._with(302, (("location", self._home),), "text/plain; charset=utf-8", b"")
        if at.startswith("/log/"):
            return self._tile(at.removeprefix("/log/"), request)
        if found := _EVIDENCE.fullmatch(at):
            return self._evidence(found[1], request)
        return self._listed(at, request)

    def _listed(self, at: str, request: Request) -> Answer:
        """What the manifest lists; a folder without its slash is shown the way."""
        try:
            manifest = self._current()
        except TreeError:
            return self.refuse(503, ("retry-after", "5"))
        entry = manifest.entries.get(at)
        if entry is None or at.startswith("/errors/"):
            if f"{at}/" in manifest.entries:
                return self._with(301, (("location", f"{at}/"),), tree.TEXT, b"")
            return self.refuse(404)
        return self._published(manifest, entry, at, request)

    def refuse(self, status: int, *more: tuple[str, str]) -> Answer:
        """An error with our whole header set, as a page where one is published."""
        body, kind = _plain(status), tree.HTML
        try:
            manifest = self._current()
            if status == HTTPStatus.NOT_FOUND and (entry := manifest.entries.get("/errors/404")):
                body = _read(manifest.folder / entry.current)
        except (TreeError, files.FileError, FileNotFoundError):
            pass
        return self._with(status, (("cache-control", "no-store"), *more), kind, body)

    def _current(self) -> Manifest:
        """The manifest, read again when the link points elsewhere."""
        try:
            link = str((self._public / tree.NOW).readlink())
        except OSError as error:
            raise TreeError("nothing has been published yet", where=str(self._public)) from error
        if self._manifest is None or link != self._link:
            self._manifest, self._link = tree.read(self._public), link
        return self._manifest

    def _published(self, manifest: Manifest, entry: Entry, at: str, request: Request) -> Answer:
        now = self._now()
        is_current = manifest.generated - SLACK <= now < manifest.valid_until
        if entry.stale and not is_current:
            name, tag = entry.stale, entry.stale_tag
            cache: Lines = (("cache-control", "no-cache"),)
        else:
            name, tag = entry.current, entry.current_tag
            left = int((manifest.valid_until - now).total_seconds())
            age = min(FRESH_S, left) if entry.stale else CALM_S
            cache = _for(age, now)
        return self._file(manifest.folder / name, entry.kind, tag, (*cache, *_open(at)), request)

    def _tile(self, path: str, request: Request) -> Answer:
        """The log itself (c2sp.org/tlog-tiles): tiles never change, the checkpoint does."""
        if path == "checkpoint" or _COSIGNED.fullmatch(path):
            headers = (("cache-control", "no-cache"),)
            return self._file(self._log / path, tree.TEXT, "", headers, request)
        if not _TILE.fullmatch(path):
            return self.refuse(404)
        whole = path.partition(".p/")[0]
        if not (self._log / path).is_file() and (self._log / whole).is_file():
            # A partial tile goes when the full one comes; links to it still lead somewhere.
            return self._with(302, (("location", f"/log/{whole}"),), tree.TEXT, b"")
        cache = _for(YEAR_S, self._now(), immutable=True)
        kind = "application/octet-stream"
        return self._file(self._log / path, kind, path, cache, request)

    def _evidence(self, path: str, request: Request) -> Answer:
        cache = _for(YEAR_S, self._now(), immutable=True)
        file = self._public / "evidence" / f"{path}.html"
        return self._file(file, tree.HTML, path, cache, request)

    def _file(
        self,
        path: Path,
        kind: str,
        tag: str,
        headers: Lines,
        request: Request,
    ) -> Answer:
        try:
            body = _read(path)
        except (FileNotFoundError, files.FileError):
            return self.refuse(404)
        if tag:
            headers = (*headers, ("etag", f'"{tag}"'))
            if f'"{tag}"' in request.headers.get("if-none-match", "").replace("W/", ""):
                return self._with(304, headers, kind, b"")
        return self._with(200, headers, kind, body)

    def _with(self, status: int, headers: Lines, kind: str, body: bytes) -> Answer:
        date = ("date", format_datetime(self._now(), usegmt=True))
        return Answer(
            status=status,
            headers=(("content-type", kind), *OWN_HEADERS, *headers, date),
            body=body,
        )


def _read(path: Path) -> bytes:
    return files.read_capped(path, MAX_FILE_BYTES)


def _for(age_s: int, now: datetime, *, immutable: bool = False) -> Lines:
    """How long a cache may keep it; none may show it afterwards without asking."""
    last = "immutable" if immutable else "must-revalidate"
    expires = format_datetime(now + timedelta(seconds=age_s), usegmt=True)
    return (("cache-control", f"public, max-age={age_s}, {last}"), ("expires", expires))


def _open(at: str) -> Lines:
    """The status API may be read from other sites; whoever reads the rest brings no browser."""
    return (("access-control-allow-origin", "*"),) if at.startswith(OPEN) else ()


def _plain(status: int) -> bytes:
    phrase = HTTPStatus(status).phrase
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{status}</title>'
        f"</head><body><main><h1>{phrase}</h1>"
        '<p><a href="/trust/">Promises</a></p></main></body></html>\n'
    ).encode()
