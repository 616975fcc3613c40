"""Operators that compare bytes with bytes."""

from collections.abc import Callable, Mapping

from troth.engines.seclang.model import Found, OperatorFunction

_LETTERS = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")


def argument_bytes(argument: str) -> bytes:
    """The bytes of an argument: UTF-8, as it stood in the file."""
    return argument.encode("utf-8", "surrogateescape")


def _holding(
    holds: Callable[[bytes, bytes], bool],
) -> Callable[[str, Mapping[str, bytes]], OperatorFunction]:
    def build(argument: str, _data: Mapping[str, bytes]) -> OperatorFunction:
        wanted = argument_bytes(argument)

        def find(value: bytes) -> Found | None:
            return (value,) if holds(value, wanted) else None

        return find

    return build


def _contains_word(value: bytes, word: bytes) -> bool:
    """Between two bytes that are no ASCII letters, as ModSecurity counts words."""
    if not word:
        return True
    at = value.find(word)
    while at >= 0:
        end = at + len(word)
        before = at == 0 or value[at - 1] not in _LETTERS
        after = end == len(value) or value[end] not in _LETTERS
        if before and after:
            return True
        at = value.find(word, at + 1)
    return False


begins_with = _holding(bytes.startswith)
contains = _holding(bytes.__contains__)
contains_word = _holding(_contains_word)
ends_with = _holding(bytes.endswith)
equals = _holding(bytes.__eq__)
within = _holding(lambda value, wanted: value in wanted)
always = _holding(lambda _value, _wanted: True)
never = _holding(lambda _value, _wanted: False)
