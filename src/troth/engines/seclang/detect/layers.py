"""What an application might see in a value once it has decoded it: the forms to look at.

    for form in unfold(value).forms:   # the value itself comes first
        form.how, form.text            # "base64+url", b"<script>..."

`through(recognise)` makes a detector of one form into a detector of all. Every form is decoded
again, three deep; the output is bounded by four times the input and a constant, the number of
forms by `MAX_FORMS`, and the work is linear. Where a bound was met, `is_exhausted` says so: what
lies behind it is unread, so that a rule may refuse the value (it fails closed there, not here).

A value without any decoder's characters costs three scans in C and nothing else.
"""

import binascii
import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import NamedTuple

import msgspec

from troth.engines.seclang.detect import escapes

DEPTH = 3
MAX_FORMS = 2048  # most are the strings of a JSON document within a field
SPARE_BYTES = 32768
GROWTH = 4
REMEMBERED = 64
MAX_REMEMBERED_BYTES = 2048
MAX_SEEN = 128  # forms looked at of a value that is to be refused as exhausted (`budget`) anyhow
MANY = 500  # ordinary marks in a value (equals signs, separators): no grammar counts them below it
MAX_RUNS = 16  # base64 runs looked at within one longer text

_LETTERS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_BASE64 = _LETTERS + b"+/-_"
# Deleted from a value, these leave only what some decoder may act on. Not here: % & \ { [ " + and
# the bytes NUL, BC-C1, E0, EF, F0, FE, FF (overlong, full-width, byte order marks).
PLAIN = (
    _LETTERS
    + b" \t\r\n!#$'()*,-./:;<=>?@]^_`|}~"
    + bytes(byte for byte in range(0x80, 0xFE) if byte not in b"\xc0\xc1\xe0\xef\xf0")
)
_RUN = bytes(0x61 if byte in _BASE64 else 0x20 for byte in range(256))
_LONG_RUN = b"a" * 16
_PRINTABLE = bytes(range(0x20, 0x7F)) + b"\t\r\n\f\0"
# Base64 of three printable characters: six bits each, so that the first digit can only be a tab's,
# a line's end's or 0x20-0x7E's upper bits, and so on. One group in twelve of other words fits.
_GROUP = rb"[CDI-Za-f][AC-HQS-Xgi-nw-z0-3][ABEFIJMNQRUVYZcdghklopstwx014589][A-Za-z0-9+/_-]"
# ... and of UTF-16, little endian: a character, NUL, a character, NUL, a character, NUL.
_WIDE_GROUPS = rb"[CDI-Za-f][AQgw][A-Za-z0-9+/]{2}A[A-Za-z0-9+/]{2}[AQgw]"
_WHOLE_BASE64 = re.compile(rb"(?:%b%b|%b)" % (_GROUP, _GROUP, _WIDE_GROUPS))
_RUN_BASE64 = re.compile(
    rb"(?<![A-Za-z0-9+_-])((?:(?:%b){3}|%b)[A-Za-z0-9+/_-]{4,}={0,2})" % (_GROUP, _WIDE_GROUPS)
)
_HEXADECIMAL = re.compile(rb"(?:0[xX])?((?:[0-9a-fA-F]{2}){6,})")
# Whatever has another form matches this, in Hyperscan's notation: says too much, never too little.
SIGN = b"|".join(
    (
        b"[" + b"".join(b"\\x%02x" % byte for byte in range(256) if byte not in PLAIN) + b"]",
        rb"[A-Za-z0-9+/_-]{%d}" % len(_LONG_RUN),
        rb"\A/?(?:%b%b|%b)" % (_GROUP, _GROUP, _WIDE_GROUPS),
        rb"\A(?:0[xX])?[0-9a-fA-F]{12}",
    )
)
_URL_SAFE = bytes.maketrans(b"-_ ", b"+/+")
_MARKS = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}
_FEWEST_LETTERS = 16  # a shorter name is nothing but a name
_FEWEST_DIGITS = 8  # base64 of less than six characters: no attack is that short


class Form(NamedTuple):
    """One reading of a value: the names of its decoders joined by `+` ("" is the value itself)."""

    how: str
    text: bytes


class Unfolded(NamedTuple):
    """All readings of a value, the value first; and whether a bound left some unread."""

    forms: tuple[Form, ...]
    is_exhausted: bool


def unfold(value: bytes) -> Unfolded:
    """The value and its decoded forms. Pure; short values are remembered."""
    if not value.translate(None, PLAIN) and not _may_be_packed(value):
        return Unfolded((Form("", value),), False)
    if len(value) <= MAX_REMEMBERED_BYTES:
        return _remembered(value)
    known = _LATEST_LONG[0]
    if known[0] is not value:
        known = _LATEST_LONG[0] = (value, _unfold(value))
    return known[1]


_LATEST_LONG: list[tuple[bytes, Unfolded]] = [(b"", Unfolded((), is_exhausted=False))]
_LATEST: list[tuple[bytes, tuple[Form, ...]]] = [(b"", ())]


def forms(value: bytes) -> tuple[Form, ...]:
    """The forms that detectors look at, the value first; none of a value that has no other.

    A rule set asks a dozen detectors about the same object one after the other: its forms are kept
    until the next comes.
    """
    latest = _LATEST[0]
    if latest[0] is not value:
        is_plain = not value.translate(None, PLAIN) and not _may_be_packed(value)
        latest = _LATEST[0] = (value, () if is_plain else _seen(unfold(value)))
    return latest[1]


def is_flood(text: bytes, marks: bytes) -> bool:
    """Whether a form has more than `MANY` of these marks."""
    return len(text) - len(text.translate(None, marks)) > MANY


def _seen(unfolded: Unfolded) -> tuple[Form, ...]:
    return unfolded.forms[:MAX_SEEN] if unfolded.is_exhausted else unfolded.forms


def through(recognise: Callable[[bytes], str | None]) -> Callable[[bytes], str | None]:
    """A detector over all forms; its reason names the layers it went through ("url:tautology")."""

    def find(value: bytes) -> str | None:
        known = forms(value)
        if not known:
            return recognise(value)
        for how, text in known:
            reason = recognise(text)
            if reason is not None:
                return f"{how}:{reason}" if how else reason
        return None

    return find


def _may_be_packed(value: bytes) -> bool:
    """Whether base64 or hexadecimal may hide in a value of plain characters."""
    if len(value) < _FEWEST_DIGITS:
        return False
    return (
        _LONG_RUN in value.translate(_RUN)
        or _WHOLE_BASE64.match(value, value[:1] == b"/") is not None
        or _HEXADECIMAL.match(value) is not None
    )


def _unfold(value: bytes) -> Unfolded:
    forms, seen = [Form("", value)], {value}
    left = GROWTH * len(value) + SPARE_BYTES
    row, is_exhausted = forms[:], escapes.is_cut(value)
    for _ in range(DEPTH):
        deeper = []
        for how, text in row:
            for name, decoded in _decoded(text, how):
                if decoded in seen:
                    continue
                if len(decoded) > left or len(forms) == MAX_FORMS:
                    is_exhausted = True
                    continue
                seen.add(decoded)
                left -= len(decoded)
                form = Form(f"{how}+{name}" if how else name, decoded)
                forms.append(form)
                deeper.append(form)
                is_exhausted = is_exhausted or escapes.is_cut(decoded)
        row = deeper
    return Unfolded(tuple(forms), is_exhausted)


_remembered = lru_cache(REMEMBERED)(_unfold)


def _decoded(text: bytes, how: str) -> Iterator[tuple[str, bytes]]:
    """Each decoder's reading of one form, where its characters occur at all."""
    rest = text.translate(None, PLAIN)
    if rest:
        if b"\0" in rest or rest[:1] in b"\xff\xfe":
            yield "utf16", _narrowed(text)
        if b"%" in rest:
            yield "url", escapes.percent(text)
        elif b"+" in rest:
            yield from _plus(text)
        if b"&" in rest:
            yield "entity", escapes.entity(text)
        if b"\\" in rest:
            yield from _backslashes(text, how)
        if not rest.isascii():
            yield "overlong", escapes.overlong(text)
            yield "wide", escapes.wide(text)
        if b'"' in rest:
            yield from (("json", leaf) for leaf in _leaves(text))
    if len(text) >= _FEWEST_DIGITS:
        yield from _packed(text)


def _backslashes(text: bytes, how: str) -> Iterator[tuple[str, bytes]]:
    """Two rivals: a text that was a style sheet is no script, and the other way round."""
    if not how.endswith("style"):
        yield "script", escapes.script(text)
    if not how.endswith(("script", "style")):
        yield "style", escapes.style(text)


def _plus(text: bytes) -> Iterator[tuple[str, bytes]]:
    """A query that nobody decoded (`1+union+select+1`), and UTF-7."""
    if b"+A" in text:
        yield "utf7", escapes.utf7(text)
    if b" " not in text:
        yield "url", text.replace(b"+", b" ")


def _narrowed(text: bytes) -> bytes:
    """UTF-16 by its mark, or NULs between the characters: what is left without them."""
    coding = _MARKS.get(text[:2])
    if coding is None:
        return text.replace(b"\0", b"")
    return text[2:].decode(coding, "replace").encode()


def _leaves(text: bytes) -> Iterator[bytes]:
    """The strings, keys included, of a value that is JSON; nothing where it is not."""
    if text.lstrip()[:1] not in (b"{", b"[", b'"'):
        return
    try:
        document = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        document = _documents(text)
    pending = [document]
    while pending:
        item = pending.pop()
        if isinstance(item, dict):
            pending.extend(item.values())
            pending.extend(item)
        elif isinstance(item, list):
            pending.extend(item)
        elif isinstance(item, str) and not (len(item) < _FEWEST_LETTERS and item.isidentifier()):
            yield item.encode()


def _documents(text: bytes) -> list[object]:
    """A document a line, as NDJSON and JSON Lines have it; nothing where one is none."""
    if b"\n" not in text:
        return []
    try:
        return msgspec.json.Decoder().decode_lines(text)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return []


def _packed(text: bytes) -> Iterator[tuple[str, bytes]]:
    """Base64 and hexadecimal that hold text: the whole value, or long runs within it."""
    match = _HEXADECIMAL.fullmatch(text)
    if match is not None:
        unpacked = bytes.fromhex(match.group(1).decode())
        if _is_text(unpacked):
            yield "hex", unpacked
    start = text[:1] == b"/"  # the path /PHN2Zz4= holds what follows the slash
    if _WHOLE_BASE64.match(text, start) and not text.translate(None, _BASE64 + b" \r\n="):
        packed = text[start:].replace(b"\r", b"").replace(b"\n", b"")
        yield from _base64(packed)
        return
    if _LONG_RUN in text.translate(_RUN):
        for count, run in enumerate(_RUN_BASE64.finditer(text)):
            if count == MAX_RUNS:
                break
            yield from _base64(run.group(1))


def _base64(packed: bytes) -> Iterator[tuple[str, bytes]]:
    digits = packed.rstrip(b"=").translate(_URL_SAFE)
    digits = digits[: len(digits) - (len(digits) % 4 == 1)]
    try:
        unpacked = binascii.a2b_base64(digits + b"=" * (-len(digits) % 4))
    except binascii.Error:
        return
    if _is_text(unpacked):
        yield "base64", unpacked


def _is_text(unpacked: bytes) -> bool:
    """Nine bytes of ten are printable ASCII (or UTF-16's NULs): random bytes give four of ten."""
    return len(unpacked.translate(None, _PRINTABLE)) * 10 <= len(unpacked)
