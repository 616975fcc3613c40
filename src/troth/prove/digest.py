"""Which probe and which judge spoke: a digest of their source.

It covers both modules and what they import from their own area and from what all areas share, all
the way: a judge that changed by a constant next door is another judge. Machine and doors are
not in it.
"""

import ast
import hashlib
import importlib.util
from collections.abc import Iterable, Iterator
from pathlib import Path

from troth.adapters import files
from troth.kernel.errors import Failure
from troth.kernel.model import Check

HEX_DIGITS = 16
ROOM_DEPTH = 3  # `troth.promises.<area>`
MAX_SOURCE_BYTES = 1024 * 1024


class DigestError(Failure):
    """A probe or judge whose source cannot be found."""


UNKNOWN = "0" * HEX_DIGITS  # of a check whose probe or judge has no source: never a tested one


def probe_digests(checks: Iterable[Check]) -> dict[str, str]:
    """By check id, the first 16 hex digits of the SHA-256 over names and sources.

    Imports no probe. `UNKNOWN` where a module has no readable source.
    """
    known: dict[str, tuple[bytes, tuple[str, ...]]] = {}
    digests = {}
    for check in checks:
        try:
            digests[check.id] = _digest(check, known)
        except DigestError:
            digests[check.id] = UNKNOWN
    return digests


def _digest(check: Check, known: dict[str, tuple[bytes, tuple[str, ...]]]) -> str:
    sources: dict[str, bytes] = {}
    for path in (check.probe, check.judge):
        module = path.partition(":")[0]
        _gather(module, module.split(".")[:ROOM_DEPTH], sources, known)
    whole = hashlib.sha256(f"{check.probe}\n{check.judge}\n".encode())
    for name in sorted(sources):
        whole.update(f"{name} {len(sources[name])}\n".encode() + sources[name])
    return whole.hexdigest()[:HEX_DIGITS]


def _gather(
    module: str,
    room: list[str],
    sources: dict[str, bytes],
    known: dict[str, tuple[bytes, tuple[str, ...]]],
) -> None:
    """Add the module's source and that of what it imports from its own room, or beside it."""
    if module in sources:
        return
    if module not in known:
        raw = source(module)
        known[module] = raw, tuple(n for n in _imports(raw) if _is_near(n, room))
    sources[module], imports = known[module]
    for name in imports:
        if name in known or _file(name) is not None:
            _gather(name, room, sources, known)


def _is_near(module: str, room: list[str]) -> bool:
    """Whether it is in the room, or a single file beside it, which all rooms share."""
    parts = module.split(".")
    if parts[: len(room)] == room:
        return True
    if len(parts) != len(room) or parts[:-1] != room[:-1]:
        return False
    found = _file(module)
    return found is not None and found.name != "__init__.py"


def source(module: str) -> bytes:
    """A module's source, found by its place below its top package. Raises DigestError."""
    found = _file(module)
    if found is None:
        raise DigestError("a module without source", where=module)
    return files.read_capped(found, MAX_SOURCE_BYTES)


def _file(module: str) -> Path | None:
    """Where a module's source is. Nothing is imported: asking for a submodule's spec would."""
    top, *names = module.split(".")
    spec = importlib.util.find_spec(top) if top else None
    if spec is None or not spec.submodule_search_locations or not all(names):
        return None
    for folder in spec.submodule_search_locations:
        place = Path(folder, *names)
        for file in (place / "__init__.py", place.with_name(f"{place.name}.py")):
            if file.is_file():
                return file
    return None


def _imports(raw: bytes) -> Iterator[str]:
    for node in ast.walk(ast.parse(raw)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
