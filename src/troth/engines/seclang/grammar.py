r"""SecLang text, the lexical half: logical lines, words, selectors, actions. No meaning yet.

Source: the ModSecurity Reference Manual (v3.x); where the two engines differ we read as
libmodsecurity 3 does: inside double quotes only `\"` is an escape, all other backslashes stay.
"""

from collections.abc import Iterator
from typing import NamedTuple

from troth.engines.seclang.model import Action, Operator, RuleError, Selector, Source

_FOUR, _TWO = "\\" * 4, "\\" * 2
_MAX_LINE = 1 << 18  # characters of one logical line; CRS 4's longest is 13 kB


class Line(NamedTuple):
    """One directive with its words and where it began, as `file:line`."""

    name: str
    words: tuple[str, ...]
    where: str


def lines(source: Source) -> Iterator[Line]:
    """The directives of a file; comments and empty lines are gone, continuations are joined.

    Raises:
        RuleError: a quote that is never closed, or a line beyond 256 kB.
    """
    begun, parts = 0, list[str]()
    for number, raw in enumerate(source.text.split("\n"), 1):
        text = raw.rstrip("\r")
        if not parts and text.lstrip().startswith("#"):
            continue
        begun = begun or number
        if text.endswith("\\"):
            parts.append(text[:-1])
            continue
        line = _line("".join([*parts, text]), f"{source.name}:{begun}")
        begun, parts = 0, []
        if line is not None:
            yield line
    if parts:
        line = _line("".join(parts), f"{source.name}:{begun}")
        if line is not None:
            yield line


def _line(text: str, where: str) -> Line | None:
    if len(text) > _MAX_LINE:
        raise RuleError("a line of more than 256 kB", where=where)
    found = tuple(words(text, where))
    if not found:
        return None
    return Line(found[0], found[1:], where)


def words(text: str, where: str) -> Iterator[str]:
    """Words parted by white space; a word in double or single quotes may hold white space.

    Raises:
        RuleError: a quote that is never closed, or text right after a closing one.
    """
    place, end = 0, len(text)
    while place < end:
        character = text[place]
        if character in " \t":
            place += 1
        elif character in "\"'":
            word, place = _quoted(text, place, where)
            yield word
        else:
            begun = place
            while place < end and text[place] not in " \t":
                place += 1
            yield text[begun:place]


def _quoted(text: str, place: int, where: str) -> tuple[str, int]:
    quote, begun, parts = text[place], place + 1, list[str]()
    place += 1
    while place < len(text):
        if text[place] == "\\" and text[place + 1 : place + 2] == quote:
            parts.append(text[begun:place])
            begun = place + 1
            place += 2
        elif text[place] == "\\":
            place += 2
        elif text[place] == quote:
            parts.append(text[begun:place])
            if text[place + 1 : place + 2] not in {"", " ", "\t"}:
                raise RuleError("text right after a closing quote", where=where)
            return "".join(parts), place + 1
        else:
            place += 1
    raise RuleError("a quote that is never closed", where=where)


def operator(text: str) -> Operator:
    r"""`!@rx a`, `@rx a`, `! @rx a`, or a bare regular expression.

    Four backslashes are two: rules written for Apache, which takes one of two away, mean one
    backslash of the request (CRS 3.3: 920460, 941330). Two stay two, as libmodsecurity reads them.
    """
    text = text.replace(_FOUR, _TWO)
    is_negated = text.startswith("!")
    rest = text[1:].lstrip() if is_negated else text
    if not rest.startswith("@"):
        return Operator(name="rx", argument=rest, is_negated=is_negated)
    name, _, argument = rest[1:].partition(" ")
    return Operator(name=name.lower(), argument=argument.lstrip(), is_negated=is_negated)


def selectors(text: str, where: str) -> tuple[Selector, ...]:
    """`ARGS|!ARGS:/^a|b/|&TX:x|XML:/*`: parted by `|` outside of regular expressions and quotes.

    Raises:
        RuleError: a part is empty, or a regular expression or quote is never closed.
    """
    found, place = list[Selector](), 0
    while place <= len(text):
        is_exclusion = text.startswith("!", place)
        is_count = text.startswith("&", place)
        place += is_exclusion or is_count
        begun = place
        while place < len(text) and text[place] not in "|:.":
            place += 1
        name = text[begun:place].strip().upper()
        if not name:
            raise RuleError(f"an empty variable in {text!r}", where=where)
        key, is_pattern = "", False
        if text[place : place + 1] in {":", "."}:
            key, is_pattern, place = _key(text, place + 1, name == "XML", where)
        if place < len(text) and text[place] != "|":
            raise RuleError(f"cannot read the variable at {text[place:]!r}", where=where)
        found.append(
            Selector(
                collection=name,
                key=key,
                is_pattern=is_pattern,
                is_count=is_count,
                is_exclusion=is_exclusion,
            )
        )
        place += 1
    return tuple(found)


def _key(text: str, place: int, is_path: bool, where: str) -> tuple[str, bool, int]:  # noqa: FBT001
    quote = text[place] if text[place : place + 1] == "'" else ""
    place += len(quote)
    if text[place : place + 1] == "/" and not is_path:
        end = place + 1
        while end < len(text) and text[end] != "/":
            end += 2 if text[end] == "\\" else 1
        if end >= len(text) or (quote and text[end + 1 : end + 2] != quote):
            raise RuleError("a variable's regular expression is never closed", where=where)
        pattern = text[place + 1 : end].replace("\\/", "/")
        return pattern, True, end + 1 + len(quote)
    if quote:
        end = text.find(quote, place)
        if end < 0:
            raise RuleError("a quote that is never closed", where=where)
        return text[place:end].lower(), False, end + 1
    end = text.find("|", place)
    end = len(text) if end < 0 else end
    key = text[place:end].strip()
    return (key if is_path else key.lower()), False, end


def actions(text: str, where: str) -> tuple[Action, ...]:
    """`id:1,phase:2,t:none,msg:'it''s',setvar:tx.a=1`: parted by commas outside single quotes.

    Raises:
        RuleError: a quote that is never closed, or an action without a name.
    """
    found, place, end = list[Action](), 0, len(text)
    while place < end:
        begun = place
        while place < end and text[place] not in ":,=":
            place += 1
        name = text[begun:place].strip().lower()
        argument = ""
        if text[place : place + 1] in {":", "="}:
            argument, place = _argument(text, place + 1, where)
        if not name and (argument or place < end):
            raise RuleError("an action without a name", where=where)
        place += 1
        if name:
            found.append(Action(name, argument))
    return tuple(found)


def _argument(text: str, place: int, where: str) -> tuple[str, int]:
    while text[place : place + 1] in {" ", "\t"}:
        place += 1
    if text[place : place + 1] != "'":
        end = text.find(",", place)
        end = len(text) if end < 0 else end
        return text[place:end].strip(), end
    begun, parts = place + 1, list[str]()
    place += 1
    while place < len(text):
        if text[place] == "\\" and text[place + 1 : place + 2] == "'":
            parts.append(text[begun:place])
            begun = place + 1
            place += 2
        elif text[place] == "'":
            parts.append(text[begun:place])
            place += 1
            while text[place : place + 1] in {" ", "\t"}:
                place += 1
            if text[place : place + 1] not in {"", ","}:
                raise RuleError(f"text right after a quoted action: {text[place:]!r}", where=where)
            return "".join(parts), place
        else:
            place += 1
    raise RuleError("an action's quote is never closed", where=where)
