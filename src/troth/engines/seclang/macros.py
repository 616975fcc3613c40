"""`%{TX.score}` in arguments, messages and values: compiled once, filled in as a request runs."""

import re
from collections.abc import Callable, Mapping

from troth.engines.seclang import names
from troth.engines.seclang.state import State

Text = bytes | Callable[[State], bytes]
"""A macro text after compilation: plain bytes where nothing in it can change."""

_MACRO = re.compile(r"%\{([^{}]+)\}")


def is_macro(text: str) -> bool:
    """Something in it is filled in."""
    return _MACRO.search(text) is not None


def keys_read(text: str) -> set[str]:
    """Names of TX values that a text reads, in lower case."""
    found = set[str]()
    for inner in _MACRO.findall(text):
        name, key = _split(inner)
        if name == "TX":
            found.add(key)
    return found


def names_read(text: str) -> set[tuple[str, str]]:
    """Every variable that a text reads: its name, and the key in it (lower case) or none."""
    return {_split(inner) for inner in _MACRO.findall(text)}


def _split(inner: str) -> tuple[str, str]:
    name, _, key = inner.strip().replace(":", ".", 1).partition(".")
    return name.upper(), key.lower()


def text_of(text: str, constants: Mapping[bytes, bytes]) -> Text:
    """Compile a text. `constants` are TX values that never change."""
    pieces = list[Text]()
    place = 0
    for found in _MACRO.finditer(text):
        pieces += [text[place : found.start()].encode(), _variable(found[1], constants)]
        place = found.end()
    pieces.append(text[place:].encode())
    merged = list[Text]()
    for piece in pieces:
        last = merged[-1] if merged else None
        if isinstance(piece, bytes) and isinstance(last, bytes):
            merged[-1] = last + piece
        elif piece != b"":
            merged.append(piece)
    if not merged:
        return b""
    if len(merged) == 1:
        return merged[0]
    return _joined(tuple(merged))


def _joined(pieces: tuple[Text, ...]) -> Callable[[State], bytes]:
    def fill(t: State) -> bytes:
        return b"".join([p if isinstance(p, bytes) else p(t) for p in pieces])

    return fill


def filled(text: Text, t: State) -> bytes:
    """What a compiled text is now."""
    return text if isinstance(text, bytes) else text(t)


def _variable(inner: str, constants: Mapping[bytes, bytes]) -> Text:
    name, key = _split(inner)
    wanted = key.encode()
    if name == "TX" and wanted in constants:
        return constants[wanted]
    readers: dict[str, Callable[[State], bytes]] = {
        "TX": lambda t: t.tx_text(wanted),
        "MATCHED_VAR": lambda t: t.matched[2],
        "MATCHED_VAR_NAME": lambda t: t.matched_name(),
        "RULE": lambda t: t.rule_text(key),
    }
    if name in readers:
        return readers[name]
    if name in names.STORES:
        return lambda t: t.store_text(name, wanted)
    return lambda t: t.first(name, wanted)
