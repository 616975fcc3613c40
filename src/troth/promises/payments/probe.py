"""Sends card numbers that brands publish for tests, and numbers that look alike and are none.

All of them go to the sink, each from a synthetic client of its own, in every place of a request.
Then what Troth keeps is searched for them. No fact holds a number.
"""

import base64
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import msgspec

from troth.adapters import files
from troth.adapters.vantage import Vantage
from troth.kernel.errors import Failure
from troth.kernel.model import Observation
from troth.kernel.request import MARKER
from troth.promises.payments.settings import PaymentsSettings

# Source: the brands' and their processors' public test numbers; no account belongs to any.
CARDS = (
    "4111111111111111",  # Visa
    "4012888888881881",
    "5555555555554444",  # Mastercard
    "5105105105105100",
    "2223003122003222",
    "378282246310005",  # American Express
    "371449635398431",
    "6011111111111117",  # Discover
    "3530111333300000",  # JCB
    "30569309025904",  # Diners Club
    "6200000000000005",  # UnionPay
)
# Wrong check digits, the issuer range of nobody, an UUID, an EAN-13, an IBAN, a moment in time.
HARMLESS = (
    "4111111111111112",
    "5555555555554445",
    "378282246310006",
    "7000000000000005",
    "4b1e5c6a-4111-4111-9111-111111111111",
    "4006381333931",
    "DE89 3704 0044 0532 0130 00",
    "1763740800000",
)
PLANTED = "6011000990139424"  # Discover's; never sent, only put where the sweep must find it
PLACES = ("query", "form", "json", "multipart", "header", "cookie", "path")
SIGNS = ("", " ", "-")
TAG, MARK = "replay-tag", MARKER.decode()
# Rooms of the data directory that hold what was written down; the others hold keys and sockets,
# and clusters are the application's and the console's own.
ROOMS = ("spool", "logs", "private", "public", "looks", "log", "edge", "guard")
WAIT_S, CHUNK_BYTES, OVERLAP = 8.0, 4 * 1024 * 1024, 64
PUBLIC = frozenset({"cards", "refused", "harmless", "passed", "places", "files", "bytes"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """One request: `fate` is `refused` for this promise, `arrived`, or `unclear`."""

    is_card: bool
    place: str
    fate: str


def posted(vantage: Vantage, _settings: PaymentsSettings) -> Observation:
    """A card and its harmless twin in every place, drawn anew each time."""
    run = _nonce(vantage)
    sent = [
        _sent(vantage, run, number, place, value)
        for number, place in enumerate(PLACES)
        for value in (_spelled(vantage, vantage.rng.choice(CARDS)), vantage.rng.choice(HARMLESS))
    ]
    return Observation(facts=_counted(sent), public=PUBLIC)


def swept(vantage: Vantage, settings: PaymentsSettings) -> Observation:
    """All cards and all twins in all places; then a search of what was kept."""
    if vantage.data is None:
        return Observation(facts={"is_elsewhere": True}, public=PUBLIC)
    run = _nonce(vantage)
    sent = [
        _sent(vantage, run, number, place, _spelled(vantage, value))
        for number, (place, value) in enumerate((p, v) for p in PLACES for v in (*CARDS, *HARMLESS))
    ]
    folders = [vantage.data / room for room in ROOMS]
    needles = {name: (name,) for name in (run,)} | {card: _written(card) for card in CARDS}
    deadline = time.monotonic() + WAIT_S
    while not _Sweep({run: (run,)}, settings.sweep_bytes).over(folders).found:
        if time.monotonic() > deadline:
            break
        time.sleep(0.2)
    marker = vantage.data / "spool" / f"sweep-{run}.txt"
    files.write_atomic(marker, f"planted {PLANTED}\n".encode(), mode=files.PRIVATE, durable=False)
    try:
        needles[PLANTED] = _written(PLANTED)
        sweep = _Sweep(needles, settings.sweep_bytes).over(folders)
    finally:
        marker.unlink(missing_ok=True)
    facts = _counted(sent) | {
        "is_elsewhere": False,
        "files": sweep.files,
        "bytes": sweep.bytes,
        "is_whole": sweep.is_whole,
        "has_planted": PLANTED in sweep.found,
        "has_trace": run in sweep.found,
        "kept_in": sorted(
            {str(path.relative_to(vantage.data)) for card in CARDS for path in sweep.in_(card)}
        ),
    }
    return Observation(facts=facts, public=PUBLIC)


class _Sweep:
    """Searches files for texts, each in several spellings.

    Args:
        needles: the spellings, by text.
        most: bytes that are read; of more, `is_whole` says that not all were.
    """

    def __init__(self, needles: dict[str, tuple[str, ...]], most: int) -> None:
        self._needles = [(n, s.encode()) for n, spelled in needles.items() for s in spelled]
        self._most = most
        self.found: dict[str, set[Path]] = {}
        self.files = self.bytes = 0
        self.is_whole = True

    def in_(self, needle: str) -> set[Path]:
        """The files that it was found in."""
        return self.found.get(needle, set())

    def over(self, folders: Sequence[Path]) -> "_Sweep":
        """Search every file below these folders; what goes away meanwhile is gone."""
        for folder in folders:
            for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
                if path.is_file() and not path.is_symlink():
                    self._read(path)
        return self

    def _read(self, path: Path) -> None:
        try:
            with path.open("rb") as stream:
                self.files += 1
                before = b""
                while chunk := stream.read(CHUNK_BYTES):
                    self.bytes += len(chunk)
                    if self.bytes > self._most:
                        self.is_whole = False
                        return
                    data = before + chunk
                    for name, spelled in self._needles:
                        if spelled in data:
                            self.found.setdefault(name, set()).add(path)
                    before = chunk[-OVERLAP:]
        except FileNotFoundError:
            return
        except OSError:
            self.is_whole = False


def _written(card: str) -> tuple[str, ...]:
    """How a number may have been written down: with signs between, escaped, in base64."""
    spelled = [_grouped(card, sign) for sign in (*SIGNS, "%20", "+", "%2D")]
    return (*spelled, *_in_base64(card))


def _in_base64(text: str) -> Iterator[str]:
    """What stays the same of a text's base64, wherever it begins in what is encoded."""
    for shift in range(3):
        encoded = base64.b64encode(bytes(shift) + text.encode()).decode().rstrip("=")
        yield encoded[-(-shift * 8 // 6) : (shift + len(text)) * 8 // 6]


def _grouped(card: str, sign: str) -> str:
    sizes = (4, 6, 5) if len(card) in {14, 15} else (4, 4, 4, 4)
    pieces, rest = [], card
    for size in sizes:
        pieces.append(rest[:size])
        rest = rest[size:]
    return sign.join(piece for piece in pieces if piece)


def _spelled(vantage: Vantage, value: str) -> str:
    return _grouped(value, vantage.rng.choice(SIGNS)) if value in CARDS else value


def _sent(vantage: Vantage, run: str, number: int, place: str, value: str) -> Sent:
    is_card = value.replace(" ", "").replace("-", "") in CARDS
    tag = f"{run}.{number}.{'card' if is_card else 'none'}"
    method, path, headers, body = placed(value, place)
    own = (("Origin", vantage.site.app), ("User-Agent", f"canary/{run}"), (TAG, tag), *headers)
    fate = "unclear"
    try:
        answer = vantage.as_client(f"card.{tag}").fetch(
            vantage.site.sink + path, method=method, headers=own, body=body, fresh=True
        )
        is_ours = answer.one(MARK) == "no-card-data-stored"
        fate = "refused" if is_ours else "arrived" if answer.one(TAG) == tag else "unclear"
    except (Failure, TimeoutError):
        pass
    return Sent(is_card=is_card, place=place, fate=fate)


def placed(value: str, place: str) -> tuple[str, str, tuple[tuple[str, str], ...], bytes]:
    """Method, what follows the sink's address, headers and body: the value is in that place."""
    own: dict[str, tuple[str, tuple[tuple[str, str], ...]]] = {
        "query": (f"?n={quote(value, safe='')}", ()),
        "header": ("", (("X-Note", value),)),
        "cookie": ("", (("Cookie", f"n={quote(value, safe='')}"),)),
        "path": (f"/{quote(value, safe='')}", ()),
    }
    if place in own:
        path, headers = own[place]
        return "GET", path, headers, b""
    part = f'--canary\r\nContent-Disposition: form-data; name="n"\r\n\r\n{value}\r\n'
    kind, body = {
        "form": ("application/x-www-form-urlencoded", urlencode({"n": value}).encode()),
        "json": ("application/json", msgspec.json.encode({"payment": {"n": value}})),
        "multipart": ("multipart/form-data; boundary=canary", f"{part}--canary--\r\n".encode()),
    }[place]
    return "POST", "", (("Content-Type", kind),), body


def _counted(sent: Sequence[Sent]) -> dict[str, Any]:
    cards = [one for one in sent if one.is_card]
    twins = [one for one in sent if not one.is_card]
    return {
        "cards": len(cards),
        "refused": sum(one.fate == "refused" for one in cards),
        "arrived_in": sorted({one.place for one in cards if one.fate == "arrived"}),
        "harmless": len(twins),
        "passed": sum(one.fate == "arrived" for one in twins),
        "stopped_in": sorted({one.place for one in twins if one.fate == "refused"}),
        "places": sorted({one.place for one in cards}),
    }


def _nonce(vantage: Vantage) -> str:
    """A word of its own for this run; letters only, so that it is no number of anybody's."""
    digits = uuid.UUID(int=vantage.rng.getrandbits(128)).hex[:12]
    return digits.translate(str.maketrans("0123456789", "ghijkmnpqr"))
