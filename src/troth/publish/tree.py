"""What is published, as files: every address with its bytes, in two variants.

A `Rendering` is put in place whole: a folder of its own, then one rename of the link `now`. The
manifest says for each address until when the current variant may be shown; whoever serves compares
that with the clock at every request and shows the stale one afterwards. Both variants come from one
rendering, so they are swapped together.
"""

import hashlib
import json
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from troth.adapters import files
from troth.kernel.errors import Failure
from troth.kernel.evidence import EvidenceError, moment, stamp

NOW = "now"
KEPT = 3  # renderings: a request that began with an older one still finds its file
MAX_MANIFEST_BYTES = 16 * 1024 * 1024
HTML, JSON, ATOM = "text/html; charset=utf-8", "application/json", "application/atom+xml"
TEXT = "text/plain; charset=utf-8"
_ADDRESS = re.compile(r"/[A-Za-z0-9._~/-]*")


class TreeError(Failure):
    """A published tree that cannot be written or read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """One address.

    Args:
        kind: the content type.
        current: the bytes while they may be believed.
        stale: the bytes afterwards; None for what says nothing of the present.
    """

    kind: str
    current: bytes
    stale: bytes | None = None


@dataclass(slots=True)
class Rendering:
    """Everything that one moment publishes. Addresses begin with a slash."""

    generated: datetime
    valid_until: datetime
    resources: dict[str, Resource] = field(default_factory=dict)

    def put(self, at: str, kind: str, current: bytes | str, stale: bytes | str | None) -> None:
        """Add an address. Raises ValueError for one that is odd or taken."""
        if not _ADDRESS.fullmatch(at) or ".." in at or at in self.resources:
            raise ValueError(at)
        self.resources[at] = Resource(kind=kind, current=_bytes(current), stale=_bytes_or(stale))


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An address in the manifest: file names below the rendering, and their digests."""

    kind: str
    current: str
    current_tag: str
    stale: str
    stale_tag: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """A published rendering as its server sees it."""

    folder: Path
    generated: datetime
    valid_until: datetime
    entries: Mapping[str, Entry]


def publish(public: Path, rendering: Rendering, *, now: datetime) -> Path:
    """Write a rendering and swap to it. Raises FileError; the old one then still stands."""
    folder = public / f"r{now:%Y%m%d%H%M%S%f}"
    entries: dict[str, dict[str, str]] = {}
    made: set[Path] = set()
    for at, resource in rendering.resources.items():
        name = _file_name(at)
        entry = {"kind": resource.kind}
        for variant, body in (("current", resource.current), ("stale", resource.stale)):
            if body is None:
                entry[variant] = entry[f"{variant}_tag"] = ""
                continue
            path = folder / variant / name
            if path.parent not in made:
                files.make_folder(path.parent, durable=False)
                made.add(path.parent)
            _write(path, body)
            entry[variant] = f"{variant}/{name}"
            entry[f"{variant}_tag"] = hashlib.sha256(body).hexdigest()[:32]
        entries[at] = entry
    manifest = {
        "generated": stamp(rendering.generated),
        "valid_until": stamp(rendering.valid_until),
        "entries": entries,
    }
    _write(folder / "manifest.json", json.dumps(manifest).encode())
    _swap(public, folder.name)
    _clear(public, folder.name)
    return folder


def _write(path: Path, body: bytes) -> None:
    """Into a folder that nobody reads yet: no rename needed, and no fsync for what is remade."""
    try:
        path.write_bytes(body)
    except OSError as error:
        raise TreeError(f"cannot be written: {error.strerror}", where=str(path)) from error


def _swap(public: Path, name: str) -> None:
    link = public / f".{NOW}.new"
    try:
        link.unlink(missing_ok=True)
        link.symlink_to(name)
        link.rename(public / NOW)
        for top in ("trust", "api"):  # for a static host, which knows no variants
            link = public / top
            if not link.is_symlink():
                link.symlink_to(f"{NOW}/current/{top}")
    except OSError as error:
        raise TreeError(f"cannot be swapped: {error.strerror}", where=str(link)) from error


def _clear(public: Path, keep: str) -> None:
    """Remove all but the newest renderings; fails open, the next time tries again."""
    found = sorted(entry for entry in public.glob("r[0-9]*") if entry.is_dir())
    for folder in found[:-KEPT]:
        if folder.name != keep:
            shutil.rmtree(folder, ignore_errors=True)


def read(public: Path) -> Manifest:
    """The published rendering's manifest. Raises TreeError when there is none to be used."""
    try:
        folder = (public / NOW).resolve(strict=True)
        raw = files.read_capped(folder / "manifest.json", MAX_MANIFEST_BYTES)
        found = json.loads(raw)
        entries = {at: Entry(**entry) for at, entry in found["entries"].items()}
        return Manifest(
            folder=folder,
            generated=moment(found["generated"]),
            valid_until=moment(found["valid_until"]),
            entries=entries,
        )
    except FileNotFoundError as error:
        raise TreeError("nothing has been published yet", where=str(public)) from error
    except (OSError, RuntimeError) as error:
        raise TreeError(f"cannot be read: {error}", where=str(public)) from error
    except (ValueError, KeyError, TypeError, EvidenceError) as error:
        raise TreeError("a manifest that is none", where=str(public)) from error


def _file_name(at: str) -> str:
    """The file of an address: a folder's is its index, a page without ending gets `.html`."""
    name = at[1:]
    if not name or name.endswith("/"):
        return f"{name}index.html"
    return name if "." in name.rpartition("/")[2] else f"{name}.html"


def _bytes(body: bytes | str) -> bytes:
    return body.encode() if isinstance(body, str) else body


def _bytes_or(body: bytes | str | None) -> bytes | None:
    return None if body is None else _bytes(body)
