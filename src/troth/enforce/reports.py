"""Reports of a Content-Security-Policy: what a page wanted to load and was not (or would not be).

Browsers send them here; `troth csp learn` proposes a policy from them. Anybody can send one, so
nothing is believed: it is a list of candidates that a person looks at. Kept is the directive and
the origin that was blocked, nothing of the visitor: no address, no page, no sample. Bounded:
256 KiB a body, 500 distinct candidates. Fails closed: what is no report is refused.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from troth.adapters import files
from troth.kernel.errors import Failure
from troth.kernel.request import CANARY

# Chromium gathers up to 100 reports of a page for one body (its ReportingPolicy), and each repeats
# the policy and the page's address: a rich editor's came to 60 KB.
MAX_REPORT_BYTES = 256 * 1024
MAX_BATCH = 200
MAX_CANDIDATES = 500
MAX_FILE_BYTES = 1024 * 1024
LEGACY, MODERN = "application/csp-report", "application/reports+json"  # Source: CSP 3, 5.3 and 5.5

# Source: CSP 3, 6: the directives that name sources. Others are not learnt from reports.
DIRECTIVES = frozenset(
    "child-src connect-src default-src font-src form-action frame-src img-src manifest-src "
    "media-src object-src prefetch-src script-src script-src-attr script-src-elem style-src "
    "style-src-attr style-src-elem worker-src".split()
)
# Source: CSP 3, 5.2 (`blocked-uri` of what has no address) and 5.4 (addresses without an origin).
WORDS = frozenset({"inline", "eval", "wasm-eval", "self", "data", "blob", "mediastream"})
_HOST = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?(?::\d{1,5})?")
_NETWORK = frozenset({"http", "https", "ws", "wss"})


class ReportError(Failure):
    """What was sent is no report, or more of it than is taken."""


class _Legacy(msgspec.Struct, rename="kebab"):
    document_uri: str = ""
    effective_directive: str = ""
    violated_directive: str = ""
    blocked_uri: str = ""


class _LegacyReport(msgspec.Struct):
    csp_report: _Legacy = msgspec.field(name="csp-report")


class _Body(msgspec.Struct, rename="camel"):
    document_url: str = msgspec.field(default="", name="documentURL")
    effective_directive: str = ""
    blocked_url: str | None = msgspec.field(default="", name="blockedURL")


class _Report(msgspec.Struct):
    type: str
    body: msgspec.Raw


@dataclass(frozen=True, slots=True, order=True)
class Candidate:
    """A directive and what it would have to allow: an origin, or one of `WORDS`."""

    directive: str
    source: str


def read(body: bytes, content_type: str, origins: frozenset[str]) -> tuple[Candidate, ...]:
    """The candidates in one request's body.

    Args:
        body: as sent.
        content_type: `LEGACY` or `MODERN`; parameters are ignored.
        origins: our own; what is told of other pages is left out.

    Raises:
        ReportError: too long, another type, or no report.
    """
    if len(body) > MAX_REPORT_BYTES:
        raise ReportError(f"a report over {MAX_REPORT_BYTES} bytes")
    kind = content_type.partition(";")[0].strip().lower()
    try:
        match kind:
            case "application/csp-report":
                told = [_legacy(msgspec.json.decode(body, type=_LegacyReport).csp_report)]
            case "application/reports+json":
                told = _modern(body)
            case _:
                raise ReportError("not a type of report", where=kind[:60])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ReportError("not a report") from error
    found = (candidate(*one, origins=origins) for one in told)
    return tuple(one for one in found if one is not None)


def _legacy(one: _Legacy) -> tuple[str, str, str]:
    directive = one.effective_directive or one.violated_directive
    return one.document_uri, directive, one.blocked_uri


def _modern(body: bytes) -> list[tuple[str, str, str]]:
    reports = msgspec.json.decode(body, type=list[_Report])
    if len(reports) > MAX_BATCH:
        raise ReportError(f"more than {MAX_BATCH} reports in one")
    bodies = [
        msgspec.json.decode(one.body, type=_Body) for one in reports if one.type == "csp-violation"
    ]
    return [(one.document_url, one.effective_directive, one.blocked_url or "") for one in bodies]


def candidate(
    document: str, directive: str, blocked: str, *, origins: frozenset[str]
) -> Candidate | None:
    """What a report is good for; None when there is nothing to learn, as of a probe's own page."""
    name = directive.strip().partition(" ")[0].lower()
    if name not in DIRECTIVES or origin_of(document) not in origins or CANARY in document:
        return None
    source = blocked.lower() if blocked.lower() in WORDS else origin_of(blocked)
    return Candidate(name, source) if source else None


def origin_of(address: str) -> str:
    """Scheme, host and port of a network address in lower case; empty for anything else."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    host = parts.netloc.lower()
    is_plain = parts.scheme in _NETWORK and _HOST.fullmatch(host)
    return f"{parts.scheme}://{host}" if is_plain else ""


class Seen(msgspec.Struct, forbid_unknown_fields=True):
    """How often a candidate was told of, and when first and last (UTC)."""

    directive: str
    source: str
    count: int
    first: datetime
    last: datetime


class Learnt:
    """The candidates so far, in memory and in a file; what does not fit is counted in `dropped`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen = {Candidate(one.directive, one.source): one for one in load(path)}
        self._is_saved = True
        self.dropped = 0

    def add(self, candidates: Iterable[Candidate], now: datetime) -> None:
        """Count them."""
        for one in candidates:
            seen = self._seen.get(one)
            if seen is not None:
                seen.count += 1
                seen.last = now
            elif len(self._seen) < MAX_CANDIDATES:
                self._seen[one] = Seen(one.directive, one.source, 1, now, now)
            else:
                self.dropped += 1
                continue
            self._is_saved = False

    def save(self) -> None:
        """Write the file if there is something new. Raises FileError."""
        if not self._is_saved:
            rows = [self._seen[one] for one in sorted(self._seen)]
            files.write_atomic(self._path, msgspec.json.encode(rows), mode=0o640, durable=False)
            self._is_saved = True


def load(path: Path) -> list[Seen]:
    """What was learnt, sorted; nothing when there is no file, or one that cannot be read.

    Fails open: candidates are only proposals, and a damaged file must not stop the guard.
    """
    try:
        return msgspec.json.decode(files.read_capped(path, MAX_FILE_BYTES), type=list[Seen])
    except (OSError, Failure, msgspec.MsgspecError):
        return []
