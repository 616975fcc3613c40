"""Where in a request a card number stands: path, query, headers, cookies, and every kind of body.

What is looked at is what an application would read: decoded from percent signs (twice), from JSON's
escapes, and full-width digits as digits. Files and other bodies that are no text are not looked at.
Nearly every request is done with after one pass over its bytes in C: nothing in it could be read as
a number of such a length (`_MAYBE`).
"""

import re
import unicodedata
from collections.abc import Iterator
from urllib.parse import unquote_to_bytes

import re2

from troth.kernel import cards
from troth.kernel.request import Request
from troth.promises.guard.rules import fields
from troth.promises.guard.rules.cookies import cookies

SLUG = "no-card-data-stored"
DECODINGS = 3  # as it is, decoded, decoded twice
# Random 64-bit numbers by design. Source: Datadog's propagation headers.
NUMBERS = frozenset({b"content-length", b"x-datadog-trace-id", b"x-datadog-parent-id"})

_TEXT = re.compile(
    rb"text/|application/(?:[\w.-]+\+)?(?:json|xml|x-ndjson|javascript|graphql)", re.IGNORECASE
)
_FORM, _MULTIPART = b"application/x-www-form-urlencoded", b"multipart/form-data"
_ESCAPED = b"\\u"
# Every digit as `0`, everything else as `x`: then the shape of a number is plain text. A sign
# between groups has at most three bytes in UTF-8.
_SHAPES = bytes(48 if 48 <= byte <= 57 else 120 for byte in range(256))  # noqa: PLR2004 -- ASCII
_SHAPE = re.compile(rb"0{14}|0000x{1,3}(?:0000x{1,3}0000|000000x{1,3}0000)")
_FOUR = b"0000"
_DIGIT, _SIGNS = "(?:[0-9]|%3[0-9])", "(?:%[0-9a-fA-F]{2}|[^0-9]){1,3}"
_MAYBE_TEXT = (
    # the shape, each byte of it plain or as an escape,
    f"(?s){_DIGIT}{{14}}|{_DIGIT}{{4}}{_SIGNS}"
    f"(?:{_DIGIT}{{4}}{_SIGNS}{_DIGIT}{{4}}|{_DIGIT}{{6}}{_SIGNS}{_DIGIT}{{4}})"
    # or digits that are none yet: wide ones, and escapes that decoding may make escapes of
    r"|[\xef\xf0]|%(?:[eE][fF]|[fF]0|25|[^0-9a-fA-F]|.[^0-9a-fA-F]|.?\z)"
)
_OPTIONS = re2.Options()
_OPTIONS.encoding = re2.Options.Encoding.LATIN1
_OPTIONS.max_mem = 16 << 20
_MAYBE = re2.compile(_MAYBE_TEXT.encode(), _OPTIONS)
# How full-width and mathematical digits begin in UTF-8.
_WIDE = (b"\xef\xbc", b"\xf0\x9d\x9f")


def place(request: Request) -> str:
    """In what the first one stands, as `query`; empty where there is none."""
    values = [value for name, value in request.headers if name not in NUMBERS]
    if _has(b"\n".join((request.target, *values))):
        return next((name for name, text in _head(request) if _has(text)), "request")
    return next((name for name, text in _body(request) if _has(text)), "")


def _has(data: bytes) -> bool:
    """Whether it holds one, read as it is or decoded once or twice."""
    return _MAYBE.search(data) is not None and _has_surely(data)


def _has_surely(data: bytes) -> bool:
    for _ in range(DECODINGS):
        if _is_shaped(data) and cards.spans(data.decode("utf-8", "replace")):
            return True
        if any(wide in data for wide in _WIDE):
            plain = unicodedata.normalize("NFKC", data.decode("utf-8", "replace"))
            if cards.spans(plain):
                return True
        if b"%" not in data:
            return False
        data = unquote_to_bytes(data)
    return False


def _is_shaped(data: bytes) -> bool:
    """Whether some digits in it stand as those of a card may."""
    shapes = data.translate(_SHAPES)
    return _FOUR in shapes and _SHAPE.search(shapes) is not None


def _head(request: Request) -> Iterator[tuple[str, bytes]]:
    yield "path", request.path
    yield "query", request.target.partition(b"?")[2]
    for pair in cookies(request):
        yield "cookie", b"=".join(pair)
    for name, value in request.headers:
        if name not in NUMBERS and name != b"cookie":
            yield "header", value


def _body(request: Request) -> Iterator[tuple[str, bytes]]:
    body = request.body
    if not body:
        return
    kinds = request.values(b"content-type")
    kind = kinds[0] if len(kinds) == 1 else b""
    media = kind.partition(b";")[0].strip().lower()
    read = fields.UNREAD
    if media == _MULTIPART or (_ESCAPED in body and media != _FORM):
        read = fields.read(kind, body)
        for pair in read.pairs:
            yield "body", "\n".join(pair).encode("utf-8", "replace")
    if not read.is_whole and (media in {_FORM, _MULTIPART} or not kind or _TEXT.match(media)):
        yield "body", body
