"""Which route a request is for, however its path is spelled; and the patterns that name routes.

An application reads `/Login/`, `//login`, `/%6cogin` and `/x/../login;v=1` as `/login` more often
than not. What is counted on a route must be counted on all of them, so paths are compared in one
spelling. That two routes are sometimes taken for one is harmless there: a counter counts more.
"""

import re
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

MAX_DECODINGS = 3  # of percent signs within each other; some stacks decode twice
MAX_SEGMENTS = 64
_ENCODED = re.compile(rb"%[0-9A-Fa-f]{2}")


def spelled(target: bytes) -> str:
    """A path in the spelling that patterns are compared with.

    Without query, parameters (`;x`), empty and dot segments and the last slash; decoded, in lower
    case; bytes that are no UTF-8 replaced. Begins with a slash.
    """
    path = target.partition(b"?")[0].partition(b"#")[0]
    for _ in range(MAX_DECODINGS):
        if not _ENCODED.search(path):
            break
        path = unquote_to_bytes(path)
    kept: list[bytes] = []
    for segment in path.replace(b"\\", b"/").split(b"/"):
        name = segment.partition(b";")[0]
        if name == b"..":
            del kept[-1:]
        elif name not in {b"", b"."}:
            kept.append(name)
    return ("/" + b"/".join(kept).decode("utf-8", "replace")).lower()


@dataclass(frozen=True, slots=True)
class Pattern:
    """A path with named segments: `/users/{id}/orders`, `/shop/*` (anything below, or itself)."""

    segments: tuple[str, ...]
    is_open: bool = False

    def match(self, path: str) -> dict[str, str] | None:
        """What the named segments are in a path of `spelled`; None where it does not match."""
        parts = path.split("/")[1:] if path != "/" else []
        fits = len(parts) >= len(self.segments) if self.is_open else False
        if len(parts) > MAX_SEGMENTS or not (fits or len(parts) == len(self.segments)):
            return None
        found: dict[str, str] = {}
        for wanted, part in zip(self.segments, parts, strict=False):
            if wanted.startswith("{"):
                found[wanted[1:-1]] = part
            elif wanted != part:
                return None
        return found


def pattern(text: str) -> Pattern:
    """The pattern that a setting writes.

    Raises:
        ValueError: for a `*` that is not the last segment, or a name that is there twice.
    """
    segments = [part.lower() for part in text.split("/") if part]
    is_open = bool(segments) and segments[-1] == "*"
    kept = segments[:-1] if is_open else segments
    names = [part for part in kept if part.startswith("{")]
    if any("*" in part for part in kept):
        raise ValueError(f"{text}: a * may only be the whole last segment")
    if len(set(names)) != len(names):
        raise ValueError(f"{text}: a name is there twice")
    return Pattern(tuple(kept), is_open)
