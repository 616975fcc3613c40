"""Whether a value is markup that runs, as libinjection sees it: `find` is `@detectXSS`.

A value is read as five pages would hold it: as text, and as an attribute's value without quotes
and in each of three. Elements, attributes and addresses that run are an attack; texts are not.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType

from troth.engines.seclang.inject import htmlwords as words
from troth.engines.seclang.inject.htmltokens import Kind, Tokens, in_quotes, in_tag, in_text

_EVENT = re.compile(rb"on(?:" + b"|".join(sorted(words.EVENTS)) + rb")", re.IGNORECASE)
_BLACK, _ADDRESS, _NAMING = "black", "address", "naming"
_ATTRIBUTES: Mapping[bytes, str] = MappingProxyType(
    dict.fromkeys(words.ATTRIBUTES, _BLACK)
    | dict.fromkeys(words.ADDRESSES, _ADDRESS)
    | {words.NAMING: _NAMING}
)
_ENTITY = re.compile(rb"&#(?:[xX]([\da-fA-F]+)|(\d+));?")
_TOLD = re.compile(rb"(?:\[if|xml).|import|entity", re.IGNORECASE | re.DOTALL)
_LEADING = re.compile(rb"[\x00-\x20\x7f-\xff]*+")
_SHORTEST = 5  # bytes of an event's name, and of the beginnings
_ASCII = 0x80
_LOW = bytes(range(33))
_ADDRESS_BYTES = 200  # of an address that are unfolded; a scheme is the beginning


_EQUALS = rb"[\x00\t-\r ]*="
SIGN = (
    rb"<(?:[!?%\x00]|/[^a-zA-Z>]|[^\t-\r />]*\x00)|(?i:</?(?:"
    + b"|".join((*words.TAG_STARTS, *sorted(words.TAGS)))
    + rb")|(?:on[a-z]{3}|"
    + b"|".join(words.ATTRIBUTE_STARTS)
    + rb")[^\x00\t-\r /=>]*"
    + _EQUALS
    + rb"|(?:"
    + b"|".join(sorted(_ATTRIBUTES))
    + rb")"
    + _EQUALS
    + rb")"
)
"""An expression that matches wherever `find` finds anything; in Hyperscan's notation."""


def find(value: bytes) -> str | None:
    """Which token is an attack; None when none is."""
    has_end, has_tag = b">" in value or b"=" in value, b"<" in value
    if has_tag and (reason := _judged(in_text(value))):
        return reason
    if not has_end:
        return None
    if reason := _judged(in_tag(value)):
        return reason
    for mark in (b"'", b'"', b"`"):
        if mark in value and (reason := _judged(in_quotes(value, mark))):
            return reason
    return None


def _judged(tokens: Tokens) -> str | None:
    attribute = None
    for kind, text in tokens:
        if kind is Kind.NAME:
            attribute = _attribute(text)
            continue
        if kind is Kind.VALUE:
            if attribute is not None and _is_bad(attribute, text):
                return "attribute"
        elif kind is Kind.TAG:
            if _is_tag(text):
                return "element"
        elif kind is Kind.DOCTYPE or (kind is Kind.COMMENT and _is_comment(text)):
            return kind.value
        attribute = None
    return None


def _is_tag(name: bytes) -> bool:
    name = name.lower()
    return name.startswith(words.TAG_STARTS) or name.replace(b"\0", b"") in words.TAGS


def _attribute(name: bytes) -> str | None:
    name = name.lower()
    if len(name) >= _SHORTEST:
        is_event = name.startswith(b"on") and _EVENT.match(name) is not None
        if is_event or name.startswith(words.ATTRIBUTE_STARTS):
            return _BLACK
    return _ATTRIBUTES.get(name.replace(b"\0", b""))


def _is_bad(attribute: str, value: bytes) -> bool:
    if attribute == _BLACK:
        return True
    if attribute == _NAMING:
        return _attribute(value) is not None
    return _is_address(value)


def _is_address(value: bytes) -> bool:
    """Whether an address begins with a scheme that runs."""
    value = value[_LEADING.match(value).end() :]  # type: ignore[union-attr]
    value = _ENTITY.sub(_unfolded, value[:_ADDRESS_BYTES])
    return value.lstrip(_LOW).translate(None, b"\0\n").upper().startswith(words.SCHEMES)


def _unfolded(found: "re.Match[bytes]") -> bytes:
    code = int(found[1], 16) if found[1] else int(found[2])
    return bytes((code,)) if code < _ASCII else b"\xff"


def _is_comment(text: bytes) -> bool:
    if b"`" in text:
        return True
    # A condition or a processing instruction, with at least one byte more; an import or an entity.
    return _TOLD.match(text) is not None
