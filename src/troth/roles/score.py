"""`troth rules score`: how many attacks a rule set finds, and how many harmless values it refuses.

Each line of the files becomes one value of one request, which goes through the whole engine as a
visitor's would. An attack is detected when the request is refused, by a rule or by a limit.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Literal
from urllib.parse import quote_from_bytes

from troth.engines.seclang import Message, Program, Source, compile, parse  # noqa: A004 -- its word
from troth.engines.seclang.scan.scanner import Scanner
from troth.engines.seclang.transform import FUNCTIONS
from troth.kernel.errors import Failure
from troth.roles.rules import program_of

Place = Literal["query", "form", "json", "header", "path"]
PLACES: tuple[Place, ...] = ("query", "form", "json", "header", "path")

MAX_FILE = 256 << 20
MAX_LINE = 64 << 10  # what is longer is cut: no value of a person is
CLIPPED = 256  # characters of a value in what is printed
SHOWN = 1000  # misses, and false alarms, that are kept
_EVERY = 2000  # lines between two words of progress
_PACK = "troth.promises.guard"

# A browser's usual headers, so that no rule misses one.
_HEADERS = (
    (b"Host", b"app.example"),
    (b"User-Agent", b"Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"),
    (b"Accept", b"text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"),
    (b"Accept-Language", b"en,de;q=0.7,it;q=0.5,fr;q=0.3"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Odd:
    """One value that was not judged as it should be, clipped; what matched on it, if anything."""

    value: str
    rules: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """What came of it.

    Args:
        place: where the values stood.
        attacks, detected, harmless, refused: how many.
        detection_rate: of the attacks, 0 to 1; None when there were none.
        false_positive_rate: of the harmless values, 0 to 1; None when there were none.
        misses, false_alarms: which, the first thousand of each.
    """

    place: str
    attacks: int
    detected: int
    harmless: int
    refused: int
    detection_rate: float | None
    false_positive_rate: float | None
    misses: tuple[Odd, ...]
    false_alarms: tuple[Odd, ...]


def pack_sources() -> tuple[Source, ...]:
    """Our own rule pack's files, in the order of their names."""
    folder = files(_PACK) / "pack"
    names = sorted(item.name for item in folder.iterdir() if item.name.endswith(".conf"))
    return tuple(Source(name, (folder / name).read_text("utf-8")) for name in names)


def pack_program() -> Program:
    """Our own rule pack, compiled and scanned on RE2."""
    program = compile(parse(pack_sources()))
    return program.with_scan(Scanner(program.tests, FUNCTIONS, {}))


def score(
    attacks: Sequence[Path],
    harmless: Sequence[Path],
    *,
    place: Place,
    folder: Path | None,
    progress: Callable[[str], None],
) -> Score:
    """Judge a rule set on somebody's own data.

    Args:
        attacks: files of which each line is an attack.
        harmless: files of which each line must pass.
        place: where a line stands in its request.
        folder: of the rule set (`*.conf`); None is our own pack.
        progress: told a line every few thousand values.

    Raises:
        Failure: rules or files cannot be read, or there is nothing to judge.
    """
    if not attacks and not harmless:
        raise Failure("nothing to judge", mend="name files after --attacks or --harmless")
    program = program_of(folder, paranoia=None) if folder is not None else pack_program()
    found, missed = _judge(program, attacks, place, lambda hit: not hit, progress)
    passed, alarmed = _judge(program, harmless, place, lambda hit: hit, progress)
    detected, refused = found - missed.count, alarmed.count
    return Score(
        place=place,
        attacks=found,
        detected=detected,
        harmless=passed,
        refused=refused,
        detection_rate=round(detected / found, 6) if found else None,
        false_positive_rate=round(refused / passed, 6) if passed else None,
        misses=tuple(missed.kept),
        false_alarms=tuple(alarmed.kept),
    )


@dataclass(slots=True)
class _Odds:
    count: int
    kept: list[Odd]


def _judge(
    program: Program,
    paths: Sequence[Path],
    place: Place,
    is_odd: Callable[[bool], bool],
    progress: Callable[[str], None],
) -> tuple[int, _Odds]:
    total, odds = 0, _Odds(0, [])
    for path in paths:
        for value in _values(path):
            verdict = program.inspect(request(value, place))
            total += 1
            if is_odd(verdict.is_disrupted or bool(verdict.limits)):
                odds.count += 1
                if len(odds.kept) < SHOWN:
                    odds.kept.append(Odd(value=_clip(value), rules=verdict.rules))
            if total % _EVERY == 0:
                progress(f"{path.name}: {total} values, {odds.count} not as they should be")
        progress(f"{path.name}: done, {total} values, {odds.count} not as they should be")
    return total, odds


def _values(path: Path) -> Iterator[bytes]:
    try:
        if path.stat().st_size > MAX_FILE:
            raise Failure("a file of more than 256 MiB", where=str(path))
        with path.open("rb") as lines:
            for line in lines:
                value = line.rstrip(b"\r\n")
                if value.strip():
                    yield value[:MAX_LINE]
    except OSError as error:
        raise Failure(f"cannot be read: {error.strerror}", where=str(path)) from None


def request(value: bytes, place: Place) -> Message:
    """One value in one place of a request, in the encoding that the place asks for."""
    match place:
        case "query":
            uri = b"/search?value=" + quote_from_bytes(value, safe="").encode()
            return Message(method=b"GET", uri=uri, headers=_HEADERS)
        case "path":
            uri = b"/" + quote_from_bytes(value, safe="/").encode()
            return Message(method=b"GET", uri=uri, headers=_HEADERS)
        case "header":
            line = value.translate(None, b"\r\n\0").strip()
            return Message(method=b"GET", uri=b"/", headers=(*_HEADERS, (b"X-Value", line)))
        case "form":
            body = b"value=" + quote_from_bytes(value, safe="").encode()
            return _posted(b"application/x-www-form-urlencoded", body)
        case "json":
            text = value.decode("utf-8", "replace")
            return _posted(b"application/json", json.dumps({"value": text}).encode())


def _posted(content_type: bytes, body: bytes) -> Message:
    length = str(len(body)).encode()
    headers = (*_HEADERS, (b"Content-Type", content_type), (b"Content-Length", length))
    return Message(method=b"POST", uri=b"/message", headers=headers, body=body)


def _clip(value: bytes) -> str:
    text = value.decode("utf-8", "backslashreplace")
    return text if len(text) <= CLIPPED else text[: CLIPPED - 1] + "…"


def lines(told: Score) -> Iterator[str]:
    """What `troth rules score` prints."""
    for name, odds in (("missed", told.misses), ("false alarm", told.false_alarms)):
        for odd in odds:
            yield f"{name}: {odd.value!r} {' '.join(map(str, odd.rules))}".rstrip()
    if told.detection_rate is not None:
        yield f"detected {told.detected} of {told.attacks} attacks, {told.detection_rate:.2%}"
    if told.false_positive_rate is not None:
        rate = f"{told.false_positive_rate:.4%}"
        yield f"refused {told.refused} of {told.harmless} harmless values, {rate}"
