"""Read the text of a `@rx` into a tree: PCRE's notation, byte by byte.

The flags are ModSecurity's (libmodsecurity 3, seen on the library itself): `.` takes line breaks,
`^` and `$` hold at each line. A byte above 127 is a byte, never a part of a character, and has no
case. Source: pcrepattern(3).
"""

import re

from troth.engines.seclang.scan import tree
from troth.engines.seclang.scan.tree import (
    ANY,
    EMPTY,
    Alt,
    Atomic,
    Chars,
    Edge,
    Group,
    Look,
    Node,
    Repeat,
    Same,
    Seq,
)

MAX_PATTERN_BYTES = 65536
MAX_DEPTH = 120  # of parentheses: CRS has 12
MAX_COUNT = 65535  # of a repetition. Source: pcrelimits(3)

_SINGLE = {b"n": 10, b"r": 13, b"t": 9, b"f": 12, b"e": 27, b"a": 7}
_SETS = {
    b"d": tree.DIGIT,
    b"w": tree.WORD,
    b"s": tree.SPACE,
    b"h": tree.HORIZONTAL,
    b"v": tree.VERTICAL,
    b"N": tree.ANY ^ tree.bits(b"\n"),
}
_SETS |= {name.upper(): tree.ANY ^ _SETS[name] for name in (b"d", b"w", b"s", b"h", b"v")}
_PUNCT = tree.span(0x21, 0x7E) & ~(tree.WORD ^ tree.bits(b"_"))
_POSIX = {
    b"alpha": tree.UPPER | tree.LOWER,
    b"digit": tree.DIGIT,
    b"alnum": tree.UPPER | tree.LOWER | tree.DIGIT,
    b"upper": tree.UPPER,
    b"lower": tree.LOWER,
    b"space": tree.SPACE,
    b"blank": tree.bits(b"\t "),
    b"punct": _PUNCT,
    b"print": tree.span(0x20, 0x7E),
    b"graph": tree.span(0x21, 0x7E),
    b"cntrl": tree.span(0, 0x1F) | tree.bits(b"\x7f"),
    b"xdigit": tree.bits(b"0123456789abcdefABCDEF"),
    b"word": tree.WORD,
    b"ascii": tree.span(0, 0x7F),
}
_EDGES = {b"b": "b", b"B": "B", b"A": "A", b"z": "z", b"Z": "Z", b"G": "A"}
_COUNT = re.compile(rb"\{(\d{1,5})(?:(,)(\d{1,5})?)?\}")
_FLAGS = re.compile(rb"\(\?([imsxnJU]*)(?:-([imsxnJU]*))?([:)])")
_NAMED = re.compile(rb"\(\?P?(?:<([A-Za-z_]\w*)>|'([A-Za-z_]\w*)')")
_LOOKS = {  # whether it looks behind, and whether it forbids
    b"(?=": (False, False),
    b"(?!": (False, True),
    b"(?<=": (True, False),
    b"(?<!": (True, True),
}


class PatternError(ValueError):
    """A pattern that cannot be read; the message says at which byte and why."""


def read(text: str | bytes, *, is_caseless: bool = False) -> Node:
    """The tree of a pattern. Text is taken as UTF-8 (what was no UTF-8 comes back as it was).

    Raises:
        PatternError: it is no pattern, or uses what is not supported (conditions, recursion,
            Unicode properties), or is over a limit.
    """
    data = text.encode("utf-8", "surrogateescape") if isinstance(text, str) else text
    if len(data) > MAX_PATTERN_BYTES:
        raise PatternError(f"is longer than {MAX_PATTERN_BYTES} bytes")
    return _Reader(data, frozenset(b"ims" if is_caseless else b"ms")).whole()


class _Reader:
    def __init__(self, data: bytes, flags: frozenset[int]) -> None:
        self.data = data
        self.at = 0
        self.flags = flags
        self.groups = 0
        self.depth = 0
        self.names: dict[bytes, int] = {}

    def whole(self) -> Node:
        node = self.alternatives()
        if self.at < len(self.data):
            raise self.wrong("a parenthesis closes that was not opened")
        return node

    def wrong(self, why: str) -> PatternError:
        return PatternError(f"at byte {self.at}: {why}")

    def has(self, text: bytes) -> bool:
        return self.data.startswith(text, self.at)

    def take(self) -> bytes:
        if self.at >= len(self.data):
            raise self.wrong("it ends too early")
        self.at += 1
        return self.data[self.at - 1 : self.at]

    def is_on(self, flag: bytes) -> bool:
        return flag[0] in self.flags

    def one(self, chars: int) -> Chars:
        return Chars(tree.folded(chars) if self.is_on(b"i") else chars)

    def alternatives(self) -> Node:
        """Up to a closing parenthesis or the end; flags set within do not reach outside."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self.wrong(f"parentheses are nested deeper than {MAX_DEPTH}")
        kept, found = self.flags, [self.sequence()]
        while self.has(b"|"):
            self.at += 1
            found.append(self.sequence())
        self.flags = kept
        self.depth -= 1
        return found[0] if len(found) == 1 else Alt(tuple(found))

    def sequence(self) -> Node:
        items: list[Node] = []
        while self.at < len(self.data) and not self.has(b"|") and not self.has(b")"):
            if self.has(b"\\Q"):
                quoted = self.quoted()
                items += [*quoted[:-1], *map(self.repeated, quoted[-1:])]
                continue
            if self.is_on(b"x") and self.skipped():
                continue
            item = self.item()
            if item is not None:
                items.append(self.repeated(item))
        return items[0] if len(items) == 1 else Seq(tuple(items))

    def quoted(self) -> list[Node]:
        end = self.data.find(b"\\E", self.at)
        end = len(self.data) if end < 0 else end
        text, self.at = self.data[self.at + 2 : end], end + 2
        return [self.one(1 << byte) for byte in text]

    def skipped(self) -> bool:
        found = re.compile(rb"\s+|#[^\n]*\n?").match(self.data, self.at)
        self.at = found.end() if found else self.at
        return found is not None

    def repeated(self, item: Node) -> Node:
        while True:
            found = _COUNT.match(self.data, self.at)
            sign = self.data[self.at : self.at + 1]
            if found:
                least = int(found[1])
                most = least if not found[2] else int(found[3]) if found[3] else None
                if max(least, most or 0) > MAX_COUNT or (most is not None and most < least):
                    raise self.wrong("the numbers of a repetition are out of order or range")
                self.at = found.end()
            elif sign in (b"*", b"+", b"?") and sign:
                least, most = int(sign == b"+"), 1 if sign == b"?" else None
                self.at += 1
            else:
                return item
            mode = self.data[self.at : self.at + 1]
            self.at += mode in (b"?", b"+") and bool(mode)
            item = Repeat(item, least, most, {b"?": "lazy", b"+": "possessive"}.get(mode, ""))

    def item(self) -> Node | None:  # noqa: PLR0911 -- one for each kind of sign
        sign = self.take()
        if sign == b"(":
            self.at -= 1
            return self.parenthesis()
        if sign == b"[":
            return self.char_class()
        if sign == b"\\":
            return self.escape()
        if sign == b".":
            return Chars(ANY if self.is_on(b"s") else ANY ^ tree.bits(b"\n"))
        if sign == b"^":
            return Edge("^" if self.is_on(b"m") else "A")
        if sign == b"$":
            return Edge("$" if self.is_on(b"m") else "Z")
        if sign in (b"*", b"+", b"?"):
            raise self.wrong("there is nothing to repeat")
        return self.one(1 << sign[0])

    def parenthesis(self) -> Node | None:
        for opening, (is_behind, is_negative) in _LOOKS.items():
            if self.has(opening):
                self.at += len(opening)
                return Look(self.inside(), is_behind, is_negative)
        if self.has(b"(?#"):
            self.at = self.data.find(b")", self.at) + 1 or len(self.data)
            return None
        if self.has(b"(?>"):
            self.at += 3
            return Atomic(self.inside())
        if self.has(b"(?|"):
            raise self.wrong("captures that share a number are not supported")
        flags = _FLAGS.match(self.data, self.at)
        if flags:
            return self.flagged(flags)
        named = _NAMED.match(self.data, self.at)
        if (self.has(b"(?") and not named) or self.has(b"(*"):
            raise self.wrong("this kind of parenthesis is not supported")
        self.at = named.end() if named else self.at + 1
        self.groups += 1
        number = self.groups
        if named:
            self.names[named[1] or named[2]] = number
        return Group(self.inside(), number)

    def flagged(self, found: re.Match[bytes]) -> Node | None:
        if set(found[1] + (found[2] or b"")) & set(b"nJU"):
            raise self.wrong("these flags are not supported")
        self.at = found.end()
        kept = self.flags
        self.flags = (self.flags | frozenset(found[1])) - frozenset(found[2] or b"")
        if found[3] == b")":
            return None  # until the group around it ends: `alternatives` puts them back
        inside = self.inside()
        self.flags = kept
        return inside

    def inside(self) -> Node:
        node = self.alternatives()
        if self.take() != b")":
            raise self.wrong("a parenthesis is not closed")
        return node

    def escape(self) -> Node:
        sign = self.data[self.at : self.at + 1]
        if sign in _EDGES and sign:
            self.at += 1
            return Edge(_EDGES[sign])
        if sign == b"R":
            self.at += 1
            line_break = Seq((Chars(1 << 13), Chars(1 << 10)))
            return Alt((line_break, Chars(tree.VERTICAL)))
        if sign == b"E":
            self.at += 1
            return EMPTY
        back = re.compile(rb"[1-9]\d?|[gk]\{?<?(-?\w+)[}>]?|\(\?P=(\w+)\)").match(
            self.data, self.at
        )
        if back and not (back[0].isdigit() and int(back[0]) > max(9, self.groups)):
            return self.back(back)
        return self.one(self.escaped())

    def back(self, found: re.Match[bytes]) -> Node:
        name = found[1] or found[0]
        self.at = found.end()
        number = self.names.get(name, 0)
        if not number and re.fullmatch(rb"-?\d+", name):
            number = int(name) if int(name) > 0 else self.groups + 1 + int(name)
        if number <= 0:
            raise self.wrong("it refers to a capture that is not there")
        return Same(number, self.is_on(b"i"))

    def escaped(self) -> int:
        """The set that an escape stands for, in or out of a class; the backslash was taken."""
        sign = self.take()
        if sign in _SETS:
            return _SETS[sign]
        if sign in _SINGLE:
            return 1 << _SINGLE[sign]
        if sign == b"x":
            return 1 << self.hexadecimal()
        if sign == b"c":
            return 1 << (self.take().upper()[0] ^ 0x40)
        if sign.isdigit() or sign == b"o":
            found = re.compile(rb"o\{([0-7]{1,3})\}|([0-7]{1,3})").match(self.data, self.at - 1)
            if not found:
                raise self.wrong("no such octal number")
            self.at = found.end()
            return 1 << (int(found[1] or found[2], 8) & 0xFF)
        if sign.isalpha():
            raise self.wrong(f"the escape \\{sign.decode()} is not supported")
        return 1 << sign[0]

    def hexadecimal(self) -> int:
        found = re.compile(rb"\{([0-9A-Fa-f]{1,8})\}|([0-9A-Fa-f]{0,2})").match(self.data, self.at)
        assert found is not None  # noqa: S101 -- the second way takes the empty string
        self.at = found.end()
        value = int(found[1] or found[2] or b"0", 16)
        if value >= ANY.bit_length():
            raise self.wrong("a character above 255 is no byte")
        return value

    def char_class(self) -> Node:
        is_negative = self.has(b"^")
        self.at += is_negative
        chars, is_first = 0, True
        while is_first or not self.has(b"]"):
            is_first = False
            chars |= self.class_item()
        self.at += 1
        chars = tree.folded(chars) if self.is_on(b"i") else chars
        return Chars(ANY ^ chars if is_negative else chars)

    def class_item(self) -> int:
        posix = re.compile(rb"\[:(\^?)([a-z]+):\]").match(self.data, self.at)
        if posix:
            if posix[2] not in _POSIX:
                raise self.wrong("no such class")
            self.at = posix.end()
            return ANY ^ _POSIX[posix[2]] if posix[1] else _POSIX[posix[2]]
        first = self.class_char()
        is_range = self.has(b"-") and not self.has(b"-]") and first.bit_count() == 1
        if not is_range:
            return first
        self.at += 1
        kept, last = self.at, self.class_char()
        if last.bit_count() != 1 or self.data[kept : kept + 2] == b"[:":
            return first | last | tree.bits(b"-")  # `[a-\d]`: the dash is a dash
        if last < first:
            raise self.wrong("a range runs backwards")
        return tree.span(first.bit_length() - 1, last.bit_length() - 1)

    def class_char(self) -> int:
        sign = self.take()
        if sign != b"\\":
            return 1 << sign[0]
        if self.has(b"b"):
            self.at += 1
            return 1 << 8
        if self.has(b"E") or self.has(b"Q"):
            self.at += 1
            return 0
        return self.escaped()
