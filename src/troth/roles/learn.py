"""`troth rules learn`: which kinds parameters have, as the guard saw or an OpenAPI file says."""

from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
import yaml

from troth.adapters import files
from troth.catalogue import Settings
from troth.kernel.errors import Failure
from troth.kernel.redact import is_secret
from troth.kernel.request import Request
from troth.promises.guard.enforce import kinds as check
from troth.promises.guard.rules.kinds import KINDS, Learnt, Seen, route_of
from troth.promises.guard.rules.origin import is_plain
from troth.promises.guard.rules.paths import spelled
from troth.promises.guard.settings.learn import Parameter
from troth.roles.change import add
from troth.roles.places import Places

FILE = "learnt-kinds.json"  # in the spool
MAX_FILE_BYTES = 16 * 1024 * 1024
MAX_OPENAPI_BYTES = 16 * 1024 * 1024
MAX_DEPTH = 12
EVERY = 4  # one request in so many is looked at
_FORMATS = {"uuid": "uuid", "date": "date", "date-time": "datetime", "email": "email"}
_TYPES = {"integer": "integer", "number": "number", "boolean": "boolean"}
_METHODS = ("get", "post", "put", "patch", "delete")


class LearnError(Failure):
    """Nothing that could be learnt from."""


class _Written(msgspec.Struct, frozen=True):
    """What was seen of a parameter, as it is written: no value, only what values have in common."""

    count: int
    common: tuple[str, ...]
    longest: int


class Watch:
    """What the deciding guard sees; `save` writes it. Fails open: what cannot be read is new."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.is_on = False
        self.drills: Container[str] = ()  # addresses of our own probes: nobody's values
        self.learnt = read(path)
        self._count = 0
        self._is_changed = False

    def passed(self, request: Request) -> None:
        """Take a request into account that was let through and of which no rule said anything."""
        if not self.is_on or not is_plain(request.path) or request.client in self.drills:
            return
        self._count += 1
        if self._count % EVERY:
            return
        route = route_of(spelled(request.target))
        for name, value in check.fields_of(request):
            if not is_secret(name):  # what a password may be is the application's to say
                self.learnt.add(route, name, value)
                self._is_changed = True

    def save(self) -> None:
        """Write it, if anything was added. Raises FileError."""
        if self._is_changed:
            self._is_changed = False
            written = {
                route: {
                    name: _Written(seen.count, tuple(sorted(seen.common)), seen.longest)
                    for name, seen in names.items()
                }
                for route, names in self.learnt.routes.items()
            }
            files.write_atomic(self._path, msgspec.json.encode(written), mode=0o640, durable=False)


def read(path: Path) -> Learnt:
    """What was saved; nothing when that cannot be read."""
    try:
        raw = files.read_capped(path, MAX_FILE_BYTES)
        written = msgspec.json.decode(raw, type=dict[str, dict[str, _Written]])
    except (OSError, Failure, msgspec.MsgspecError):
        return Learnt()
    return Learnt(
        {
            route: {
                name: Seen(one.count, frozenset(one.common) & frozenset(KINDS), one.longest)
                for name, one in names.items()
            }
            for route, names in written.items()
        }
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """Parameters that have a kind, and how many values say so (0: the OpenAPI document does)."""

    parameters: tuple[Parameter, ...]
    samples: tuple[int, ...]

    def as_json(self) -> dict[str, Any]:
        """As `--json` prints it."""
        said = zip(self.parameters, self.samples, strict=True)
        return {
            "parameters": [
                {**msgspec.structs.asdict(each), "samples": count} for each, count in said
            ]
        }


def propose(settings: Settings, places: Places) -> Proposal:
    """What was learnt and is not in troth.toml yet; what a document says comes first.

    Raises LearnError for a document that cannot be read.
    """
    learn = settings.guard.learn
    known = {(each.path, each.name) for each in learn.parameters}
    found: dict[tuple[str, str], tuple[Parameter, int]] = {}
    if learn.openapi:
        for parameter in openapi(Path(learn.openapi)):
            found.setdefault((parameter.path, parameter.name), (parameter, 0))
    for route, names in read(places.spool / FILE).routes.items():
        for name, seen in names.items():
            if seen.count >= learn.min_samples and seen.kind:
                made = _parameter(route, name, seen.kind, longest=seen.longest)
                if made is not None:
                    found.setdefault((made.path, made.name), (made, seen.count))
    new = [found[key] for key in sorted(found) if key not in known]
    return Proposal(
        parameters=tuple(each for each, _ in new), samples=tuple(count for _, count in new)
    )


def write(config: Path, places: Places, proposal: Proposal) -> None:
    """Add them to troth.toml. Raises Failure when it cannot be served; then it is as it was."""
    tables = [
        {"path": p.path, "name": p.name, "kind": p.kind, "max_length": p.max_length}
        for p in proposal.parameters
    ]
    add(config, places.data, "guard.learn.parameters", tables)


def lines(proposal: Proposal, check_mode: str) -> Iterator[str]:
    """What a person reads."""
    for each, count in zip(proposal.parameters, proposal.samples, strict=True):
        why = f"{count} values" if count else "the OpenAPI document"
        yield f"{each.path}  {each.name}: {each.kind}, {each.max_length} at most  ({why})"
    if not proposal.parameters:
        yield "nothing new: say [guard.learn] watch = true, or openapi, and let people use it"
    elif check_mode == "off":
        yield 'they act once you say [guard.learn] check = "watch", then "block"'


def openapi(path: Path) -> Iterator[Parameter]:
    """The parameters of a document (OpenAPI 3, JSON or YAML) that have a kind. Raises LearnError.

    Source: OpenAPI Specification 3.1, parameter, media type and schema objects.
    """
    try:
        raw = files.read_capped(path, MAX_OPENAPI_BYTES)
        document = yaml.load(raw, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506
    except FileNotFoundError as error:
        raise LearnError("does not exist", where=str(path)) from error
    except OSError as error:
        raise LearnError(f"cannot be read: {error.strerror}", where=str(path)) from error
    except (yaml.YAMLError, RecursionError) as error:
        raise LearnError("is no JSON or YAML", where=f"{path}{_line_of(error)}") from error
    if not isinstance(document, dict) or not isinstance(document.get("paths"), dict):
        raise LearnError("is no OpenAPI document", where=str(path))
    return _document(document)


def _line_of(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    return f":{mark.line + 1}" if mark is not None else ""


def _document(document: dict[str, Any]) -> Iterator[Parameter]:
    servers = _list(document.get("servers"))
    base = urlsplit(str(_dict(servers[0]).get("url", ""))).path.rstrip("/") if servers else ""
    for path, item in _dict(document["paths"]).items():
        shared = _list(_dict(item).get("parameters"))
        for method in _METHODS:
            operation = _dict(_dict(item).get(method))
            for each in (*shared, *_list(operation.get("parameters"))):
                said = _resolved(document, each)
                if said.get("in") == "query":
                    schema = _resolved(document, said.get("schema"))
                    yield from _named(base + path, str(said.get("name", "")), schema)
            body = _resolved(document, operation.get("requestBody"))
            for media in _dict(body.get("content")).values():
                yield from _members(document, base + path, "", _dict(media).get("schema"), 0)


def _members(
    document: dict[str, Any], path: str, name: str, schema: object, depth: int
) -> Iterator[Parameter]:
    """The members of a body's schema, by their paths."""
    said = _resolved(document, schema)
    if depth > MAX_DEPTH:
        return
    if name:
        yield from _named(path, name, said)
    for key, inner in _dict(said.get("properties")).items():
        yield from _members(document, path, f"{name}.{key}" if name else key, inner, depth + 1)
    if "items" in said and name:
        yield from _members(document, path, f"{name}.*", said["items"], depth + 1)


def _named(path: str, name: str, schema: Mapping[str, Any]) -> Iterator[Parameter]:
    form = schema.get("format")
    said = schema.get("type")
    kind = _FORMATS.get(str(form), "") if said == "string" else _TYPES.get(str(said), "")
    longest = schema.get("maxLength")
    made = _parameter(path, name, kind, longest=longest if isinstance(longest, int) else 128)
    if kind and made is not None:
        yield made


def _parameter(path: str, name: str, kind: str, *, longest: int) -> Parameter | None:
    """As it is written; twice what was seen is left as room. None where it cannot be written."""
    room = min(max(2 * longest, 16), 4096)
    said = {"path": path, "name": name, "kind": kind, "max_length": room}
    try:
        return msgspec.convert(said, type=Parameter)
    except msgspec.ValidationError:
        return None


def _resolved(document: dict[str, Any], value: object) -> dict[str, Any]:
    """A schema, or what it refers to within the document."""
    said = _dict(value)
    for _ in range(MAX_DEPTH):
        reference = said.get("$ref")
        if not isinstance(reference, str) or not reference.startswith("#/"):
            return said
        found: object = document
        for part in reference[2:].split("/"):
            found = _dict(found).get(part.replace("~1", "/").replace("~0", "~"))
        said = _dict(found)
    return {}


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
