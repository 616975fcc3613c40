"""A refused request, kept so that it can be explained: secrets taken out, values clipped.

What is kept is enough to ask the rules again: line, headers, body. What is a secret by its name (a
cookie's value, a password, a token) is replaced by `***`; card numbers are masked; a body that
cannot be taken apart is kept only where it holds no word that sounds like a secret. So a replay may
say less than the decision did: then the record's own rules are what there is.
"""

import base64
import json
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import unquote_plus, unquote_to_bytes

from troth.enforce.decide import Decision
from troth.enforce.events import place_is_secret
from troth.kernel.redact import MASK, is_secret, masked
from troth.kernel.request import Headers, Request

MAX_VALUE_BYTES = 4096
MAX_TARGET_BYTES = 4096
MAX_HEADERS, MAX_HEADERS_BYTES = 64, 16 * 1024
MAX_BODY_BYTES = 24 * 1024
MAX_HITS = 20
MAX_DEPTH = 32
EDGES = b"x-envoy-"  # the edge says so itself (`x-envoy-auth-partial-body`): no secret
_SECRET_WORD = re.compile(
    rb"passw|pwd|secret|token|api[-_]?key|authorization|session|cvv|iban", re.IGNORECASE
)
_PART_NAME = re.compile(rb'name="?([^";\r\n]*)', re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A request as it is kept, and what was said of it.

    Args:
        id: of the event.
        at: when, in UTC.
        request: with its secrets taken out.
        slug, code, status: of the refusal.
        rules: what matched: id, place, message, and the value unless it is a secret's.
        is_whole: nothing was taken out or cut: a replay sees exactly what was decided about.
    """

    id: str
    at: datetime
    request: Request
    slug: str
    code: str
    status: int
    rules: tuple[dict[str, Any], ...]
    is_whole: bool


def record(event: str, request: Request, decision: Decision, now: datetime) -> bytes:
    """One line of JSON of it."""
    bare = redacted(request)
    refusal = decision.refusal
    found: dict[str, Any] = {
        "id": event,
        "at": now.isoformat(timespec="milliseconds"),
        "promise": refusal.slug if refusal else "",
        "code": refusal.code if refusal else "",
        "status": refusal.status if refusal else 200,
        "rules": [
            {
                "rule": hit.rule,
                "place": hit.place[:MAX_VALUE_BYTES],
                "message": hit.message,
                "value": MASK.decode() if place_is_secret(hit.place) else _text(masked(hit.value)),
            }
            for hit in decision.hits[:MAX_HITS]
        ],
        "whole": bare == request,
        "method": _text(bare.method),
        "target": _text(bare.target),
        "host": _text(bare.host),
        "client": bare.client,
        "protocol": _text(bare.protocol),
        "headers": [[_text(name), _text(value)] for name, value in bare.headers],
        "body": None if bare.body is None else base64.b64encode(bare.body).decode(),
    }
    return json.dumps(found, separators=(",", ":")).encode()


def read(line: bytes) -> Kept:
    """What `record` wrote. Raises ValueError for anything else."""
    try:
        said = json.loads(line)
        body = said["body"]
        request = Request(
            method=said["method"].encode("latin-1"),
            target=said["target"].encode("latin-1"),
            host=said["host"].encode("latin-1"),
            headers=tuple((n.encode("latin-1"), v.encode("latin-1")) for n, v in said["headers"]),
            client=said["client"],
            protocol=said["protocol"].encode("latin-1"),
            body=None if body is None else base64.b64decode(body, validate=True),
        )
        return Kept(
            id=said["id"],
            at=datetime.fromisoformat(said["at"]),
            request=request,
            slug=said["promise"],
            code=said["code"],
            status=said["status"],
            rules=tuple(said["rules"]),
            is_whole=said["whole"],
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"no record of a request: {error}") from error


def redacted(request: Request) -> Request:
    """The request without what nobody writes down."""
    path, mark, query = request.target.partition(b"?")
    target = masked(path)[:MAX_TARGET_BYTES] + mark + _form(query)[:MAX_TARGET_BYTES]
    types = request.values(b"content-type")
    return Request(
        method=request.method[:32],
        target=target,
        host=request.host[:256],
        headers=_headers(request.headers),
        client=request.client,
        protocol=request.protocol,
        body=None if request.body is None else _body(request.body, types[0] if types else b""),
    )


def _headers(headers: Headers) -> Headers:
    kept, size = [], 0
    for name, value in headers[:MAX_HEADERS]:
        bare = _header(name, value)
        size += len(name) + len(bare)
        if size > MAX_HEADERS_BYTES:
            break
        kept.append((name[:128], bare))
    return tuple(kept)


def _header(name: bytes, value: bytes) -> bytes:
    if name == b"cookie":
        pairs = [pair.partition(b"=") for pair in value.split(b";")]
        return b";".join(key + mark + (MASK if mark else b"") for key, mark, _ in pairs)[
            :MAX_VALUE_BYTES
        ]
    if is_secret(name.decode("latin-1")) and not name.startswith(EDGES):
        return MASK
    if name == b"referer":
        path, mark, query = value.partition(b"?")
        value = path + mark + _form(query)
    return masked(value)[:MAX_VALUE_BYTES]


def _form(query: bytes) -> bytes:
    """An urlencoded text, byte for byte but for the values of secrets."""
    return b"&".join(_pair(pair) for pair in query.split(b"&"))


def _pair(pair: bytes) -> bytes:
    name, mark, value = pair.partition(b"=")
    if is_secret(unquote_plus(name.decode("latin-1"))):
        return name + mark + MASK
    hidden = masked(value)
    if (
        hidden == value
        and masked(decoded := unquote_to_bytes(value.replace(b"+", b" "))) != decoded
    ):
        hidden = MASK
    return name + mark + hidden[:MAX_VALUE_BYTES]


def _body(body: bytes, content_type: bytes) -> bytes:
    kind = content_type.partition(b";")[0].strip().lower()
    if kind == b"application/x-www-form-urlencoded":
        return _form(body)[:MAX_BODY_BYTES]
    if kind.endswith(b"json"):
        return _json(body)[:MAX_BODY_BYTES]
    if kind == b"multipart/form-data":
        return _multipart(body, content_type)[:MAX_BODY_BYTES]
    return _opaque(body)


def _opaque(body: bytes) -> bytes:
    return MASK if _SECRET_WORD.search(body) else masked(body)[:MAX_BODY_BYTES]


def _json(body: bytes) -> bytes:
    """As it came where it holds no secret, else written again without it."""
    try:
        said = json.loads(body)
        bare = _bare(said, 0)
    except (ValueError, RecursionError):
        return _opaque(body)
    return body if bare == said else json.dumps(bare, ensure_ascii=False).encode()


def _bare(value: Any, depth: int) -> Any:
    if depth > MAX_DEPTH:
        return MASK.decode()
    if isinstance(value, dict):
        return {
            key: MASK.decode() if is_secret(key) else _bare(each, depth + 1)
            for key, each in value.items()
        }
    if isinstance(value, list):
        return [_bare(each, depth + 1) for each in value]
    if isinstance(value, (str, int)) and not isinstance(value, bool):
        text = str(value).encode("utf-8", "surrogatepass")
        return value if masked(text) == text else masked(text).decode("utf-8", "replace")
    return value


def _multipart(body: bytes, content_type: bytes) -> bytes:
    """Every part's head as it came; contents of secrets replaced, files cut short."""
    found = re.search(rb'boundary="?([^";]+)', content_type)
    if not found:
        return _opaque(body)
    mark = b"--" + found.group(1).strip()
    return mark.join(_part(part) for part in body.split(mark))


def _part(part: bytes) -> bytes:
    head, blank, content = part.partition(b"\r\n\r\n")
    if not blank:
        return part
    name = _PART_NAME.search(head)
    end = b"\r\n" if content.endswith(b"\r\n") else b""
    inner = content.removesuffix(b"\r\n")
    if name is None or is_secret(name.group(1).decode("latin-1")):
        inner = MASK
    limit = 512 if b"filename" in head.lower() else MAX_VALUE_BYTES
    return head + blank + masked(inner)[:limit] + end


def _text(value: bytes) -> str:
    return value.decode("latin-1")
