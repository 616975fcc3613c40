"""Blocklists as others publish them: lines of addresses, or CrowdSec's decisions.

Strict as a whole, forgiving in the small: a line that is no address is skipped and counted, a list
of which most lines are none is no list (a page that says "not found" bans nobody).
"""

import json
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from troth.promises.guard.rules.ranges import V4, interval

MAX_NETWORKS = 2_000_000
WIDEST = {0: 8, 1: 16}  # a list that bans more than a /8 (IPv6: /16) at once is a mistake


@dataclass(frozen=True, slots=True)
class Feed:
    """What a list says; `skipped` lines said nothing sensible."""

    networks: tuple[str, ...]
    skipped: int


def read(raw: bytes, kind: Literal["cidr", "crowdsec"]) -> Feed:
    """The networks of a list. Raises ValueError for what is none, or too long."""
    said = _lines(raw) if kind == "cidr" else _decisions(raw)
    if len(said) > MAX_NETWORKS:
        raise ValueError(f"more than {MAX_NETWORKS} networks")
    kept = [each for each in said if _is_sensible(each)]
    skipped = len(said) - len(kept)
    if skipped > len(kept):
        raise ValueError(f"{skipped} of {len(said)} entries are no addresses")
    return Feed(tuple(kept), skipped)


def shown(source: str) -> str:
    """A source as it may be shown: without user, password and query, which hold keys."""
    if source.startswith("file:"):
        return source
    parts = urlsplit(source)
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{parts.hostname}{port}{parts.path}"


def _lines(raw: bytes) -> list[str]:
    """The first word of each line; `#` and `;` begin a remark (Spamhaus, FireHOL, ipset)."""
    found = []
    for line in raw.decode("utf-8", "replace").splitlines():
        words = line.partition("#")[0].partition(";")[0].replace(",", " ").split(None, 1)
        found += words[:1]
    return found


def _decisions(raw: bytes) -> list[str]:
    """Source: CrowdSec, local API: `GET /v1/decisions`; its `stream` has them in `new`."""
    try:
        said = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise ValueError("no JSON") from error
    if isinstance(said, dict) and "new" in said:
        said = said["new"]
    if said is None:
        return []  # CrowdSec's way to say that there is none
    if not isinstance(said, list):
        raise ValueError("no list of decisions")  # noqa: TRY004 -- of the wire, not of our code
    found = []
    for each in said:
        if not isinstance(each, dict):
            raise ValueError("no list of decisions")  # noqa: TRY004 -- as above
        if each.get("type") == "ban" and str(each.get("scope", "")).lower() in {"ip", "range"}:
            found.append(str(each.get("value", "")))
    return found


def _is_sensible(network: str) -> bool:
    try:
        family, first, last = interval(network)
    except ValueError:
        return False
    bits = 32 if family == V4 else 128
    return bool(last - first < 2 ** (bits - WIDEST[family]))
