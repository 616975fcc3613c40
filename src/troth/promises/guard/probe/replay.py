"""Replays attacks and harmless requests against the running system, to a sink that does nothing.

Each request comes from a synthetic client of its own, so that no limit and no ban that one of them
earns meets another, and carries a tag with the replay's nonce: what arrived can be told. One attack
is planted that no rule could know: it must arrive, or the counting is wrong.
"""

import hashlib
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import msgspec

from troth.adapters.vantage import Vantage
from troth.kernel.errors import Failure
from troth.kernel.model import Observation
from troth.kernel.request import MARKER
from troth.promises.guard.settings import GuardSettings

TAG = "replay-tag"
SET = Path(__file__).parent / "replay.tsv"
PLACES = ("query", "form", "json", "header", "cookie", "path")
# Where an application would take such a value for what it is; all others may stand anywhere.
OF_KIND = {
    "nosql": ("query", "form", "json"),
    "ssrf": ("query", "form", "json"),
    "deserialisation": ("query", "form", "json", "cookie"),
}
SAMPLED = 12  # of each kind, every five minutes
# The edge answers a path with these by itself: it is redirected to a plainer one, or refused.
MOVED = frozenset("/\\%\0\r\n")
PLANTED = "planted miss: nothing is wrong with this sentence"
WAIT_S = 8.0  # the guard writes down what arrived every two seconds
PUBLIC = frozenset(
    "attacks blocked harmless passed set_sha256 planted unclear leak plain_error".split()
)
LEAK, PLAIN = "/leak/error", "/leak/none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One value: an attack of a kind, or harmless (kind is then the language)."""

    is_attack: bool
    kind: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """One request of the replay.

    `fate` is `blocked` by the guard, `arrived` at the sink, or `unclear`.
    """

    case: Case
    place: str
    tag: str
    fate: str
    by: str


def sample(vantage: Vantage, settings: GuardSettings) -> Observation:
    """Some of each kind, drawn anew each time."""
    cases = load()
    attacks = vantage.rng.sample([one for one in cases if one.is_attack], SAMPLED)
    harmless = vantage.rng.sample([one for one in cases if not one.is_attack], SAMPLED)
    return _observed(_replayed(vantage, [*attacks, *harmless]), _answers(vantage, settings))


def whole(vantage: Vantage, settings: GuardSettings) -> Observation:
    """All of the set, each value in a place drawn anew."""
    return _observed(_replayed(vantage, load()), _answers(vantage, settings))


def arrivals(vantage: Vantage, _settings: GuardSettings) -> Observation:
    """Some of each kind, and what the sink wrote down of them."""
    if vantage.data is None:
        return Observation(facts={"is_elsewhere": True})
    cases = load()
    attacks = vantage.rng.sample([one for one in cases if one.is_attack], SAMPLED)
    harmless = vantage.rng.sample([one for one in cases if not one.is_attack], SAMPLED)
    sent = _replayed(vantage, [*attacks, *harmless])
    seen = noted(vantage.data, {one.tag for one in sent if one.fate == "arrived"})
    return Observation(
        facts={
            "is_elsewhere": False,
            "attacks": sum(one.case.is_attack for one in sent),
            "harmless": sum(not one.case.is_attack for one in sent),
            "told": sum(one.case.is_attack and one.fate == "arrived" for one in sent),
            "noted_attacks": sum(one.case.is_attack and one.tag in seen for one in sent),
            "noted_harmless": sum(not one.case.is_attack and one.tag in seen for one in sent),
        },
        public=frozenset({"is_elsewhere", "attacks", "harmless", "told"}),
    )


def load() -> list[Case]:
    """The set: lines of `attack|harmless TAB kind TAB value`, the value with JSON's escapes."""
    cases = []
    for line in SET.read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            verdict, kind, value = line.split("\t")
            decoded = msgspec.json.decode(f'"{value}"', type=str)
            cases.append(Case(is_attack=verdict == "attack", kind=kind, value=decoded))
    return cases


def _replayed(vantage: Vantage, cases: Sequence[Case]) -> list[Sent]:
    nonce = uuid.UUID(int=vantage.rng.getrandbits(128)).hex[:12]
    planted = Case(is_attack=True, kind="planted", value=PLANTED)
    return [
        _sent(
            vantage,
            case,
            vantage.rng.choice(OF_KIND.get(case.kind, PLACES)),
            f"{nonce}.{_word(case)}.{number}",
        )
        for number, case in enumerate((planted, *cases))
    ]


def _word(case: Case) -> str:
    return "attack" if case.is_attack else "harmless"


def _sent(vantage: Vantage, case: Case, place: str, tag: str) -> Sent:
    method, path, headers, body = placed(case.value, place)
    own = (("Origin", vantage.site.app), (TAG, tag), *headers)
    fate, by = "unclear", ""
    try:
        answer = vantage.as_client(f"replay.{tag}").fetch(
            vantage.site.sink + path, method=method, headers=own, body=body, fresh=True
        )
        by = answer.one(MARKER.decode()) or ""
        arrived = answer.one(TAG) == tag
        fate = "blocked" if by else "arrived" if arrived else "unclear"
    except (Failure, TimeoutError):
        pass
    return Sent(case=case, place=place, tag=tag, fate=fate, by=by)


def _answers(vantage: Vantage, settings: GuardSettings) -> dict[str, str]:
    """What becomes of an answer with a leak, and of one without; nothing where none are held."""
    if not settings.rules.leak_paths:
        return {}
    return {"leak": _answered(vantage, LEAK), "plain_error": _answered(vantage, PLAIN)}


def _answered(vantage: Vantage, path: str) -> str:
    """`withheld`, `arrived` as the sink said it, or `unclear`."""
    try:
        answer = vantage.as_client(f"replay.answers{path}").fetch(
            vantage.site.sink + path, headers=((TAG, "replay.answers"),), fresh=True
        )
    except (Failure, TimeoutError):
        return "unclear"
    if answer.one(MARKER.decode()):
        return "withheld" if b"<b>Warning</b>" not in answer.body else "unclear"
    return "arrived" if b"<h1>Error</h1>" in answer.body else "unclear"


def placed(value: str, place: str) -> tuple[str, str, tuple[tuple[str, str], ...], bytes]:
    """Method, what follows the sink's address, headers and body: the value is in that place.

    A value that cannot stand there (control bytes in a header, slashes in a path) goes to the form.
    """
    plain = value.isascii() and value.isprintable()
    match place:
        case "query":
            return "GET", f"?q={quote(value, safe='')}", (), b""
        case "json":
            body = msgspec.json.encode({"note": {"text": value}})
            return "POST", "", (("Content-Type", "application/json"),), body
        case "header" if plain:
            return "GET", "", (("X-Note", value.strip()),), b""
        case "cookie" if plain:
            return "GET", "", (("Cookie", f"note={quote(value, safe=' ')}"),), b""
        case "path" if not set(value) & MOVED:
            return "GET", f"/{quote(value, safe='')}", (), b""
        case _:
            kind = ("Content-Type", "application/x-www-form-urlencoded")
            return "POST", "", (kind,), urlencode({"note": value}).encode()


def _observed(sent: Sequence[Sent], answers: dict[str, str]) -> Observation:
    real = [one for one in sent if one.case.kind != "planted"]
    attacks = [one for one in real if one.case.is_attack]
    harmless = [one for one in real if not one.case.is_attack]
    facts: dict[str, Any] = {
        "attacks": len(attacks),
        "blocked": sum(one.fate == "blocked" for one in attacks),
        "harmless": len(harmless),
        "passed": sum(one.fate == "arrived" for one in harmless),
        "unclear": sum(one.fate == "unclear" for one in real),
        "planted": [one.fate for one in sent if one.case.kind == "planted"],
        "set_sha256": hashlib.sha256(SET.read_bytes()).hexdigest(),
        "missed": [_told(one) for one in attacks if one.fate != "blocked"],
        "refused": [_told(one) for one in harmless if one.fate != "arrived"],
        **answers,
    }
    return Observation(facts=facts, public=PUBLIC)


def _told(one: Sent) -> dict[str, str]:
    """For the operator alone: single misses are not published."""
    return {
        "kind": one.case.kind,
        "place": one.place,
        "value": one.case.value[:100],
        "fate": one.fate,
        "by": one.by,
    }


def noted(data: Path, expected: set[str]) -> set[str]:
    """Tags that the sink wrote down; waits until the expected ones are there, WAIT_S at most."""
    path = data / "spool" / "sink.json"
    deadline = time.monotonic() + WAIT_S
    while True:
        try:
            found = set(msgspec.json.decode(path.read_bytes(), type=tuple[str, ...]))
        except (OSError, msgspec.DecodeError):
            found = set()
        if expected <= found or time.monotonic() > deadline:
            return found
        time.sleep(0.2)
