"""SQL injection: does a value, where an application would put it, continue a statement?

The places are: as it is (a number, a name), behind an operand, and inside '...', "..." and `...`,
which the value's first unescaped quote of that kind ends. `sqlgrammar` reads on from there; here it
is decided whether what it read is an attack. A quotation that the value opens and the query's own
quote closes, a comment that cuts the query off, and a comparison that is true whatever the row is,
are what no sentence has; what prose shares with SQL (`1 or 2`, `'a' or 'b'`) is not enough.
"""

import re

from troth.engines.seclang.detect import layers, sqlgrammar, sqlstatements, sqltokens
from troth.engines.seclang.detect import sqlwords as words
from troth.engines.seclang.detect.sqlreading import Reading

# What is left of a value without these can join operands; a value with nothing left needs words.
_LETTERS = bytes(range(0x30, 0x3A)) + bytes(range(0x41, 0x5B)) + bytes(range(0x61, 0x7B))
_PLAIN = _LETTERS + b" .,?!:_/+%^~[]}$\\\r\n\t-" + bytes(range(0x80, 0x100))
_SEEDS = re.compile(
    rb"select| by |having|procedure|exec|drop |shutdown|when|null|true|false|--|union|declare"
    rb"|like |between|::"
)
# The beginning of an expression: one operand, then what is behind it.
_START = re.compile(
    rb"[\x00-\x20(+!~{@`-]*+(?:([A-Za-z_]\w*+)|[\w.@$\x80-\xff]++|['\"`=<>|&)%^;,*/#\\?:])?+[\w.$]*+"
    rb"[\x00-\x20)]*+(?:([A-Za-z]+)|(:[:=]|[^\w'\"`.@?:\x80-\xff]))?",
)
# What follows the quote that ends the string: a word, or a character.
_BEHIND_QUOTE = re.compile(rb"([\x00-\x20)]*+)(?:([A-Za-z]+)|(.))?", re.DOTALL)
_NO_OPERATOR = b"'\"$.\\`"
_PREFIXES = frozenset({b"n", b"b", b"x", b"e", b"u", b"q"})  # of strings
_CONTINUING = words.LOGICAL | words.OPERATORS | words.POSTFIX | words.CLAUSES | words.STATEMENTS
_OPENING = _CONTINUING | words.UNARY | {b"case", b"not"}
_QUOTES = (b"'", b'"', b"`")
# A path's plain beginning: what follows its last slash is a value of its own.
_FOLDER = re.compile(rb"/+(?:[\w.~-]+/+)*")
# A position or several, in capitals or behind a space, as behind the operand that it follows.
_ORDERED = re.compile(
    rb"\s*(?:ORDER|GROUP)\s+BY\s+[0-9]+\s*|(?i:\s+(?:order|group)\s+by\s+[0-9\s,]+)"
)
_FEWEST = 3  # `1--`
MAX_SPAN = 240  # of what a writer puts in quotes
_MARKS = re.compile(rb"[^A-Za-z0-9]{1,16}")
# Of POSIX.1-2017, beside `sleep` in every list of manual pages.
_OF_UNIX = re.compile(rb"(?<![\w.])(?:u?alarm|(?:clock_)?nanosleep|usleep|setitimer) ?\([0-9]?\)")
_CALL_IN_PROSE = re.compile(
    rb"\w{1,40} ?\([0-9]{0,2}\)\s{1,4}([A-Za-z\x80-\xff]{2,})\s{1,4}([A-Za-z\x80-\xff]{2,})"
)
_NAMED_MARKS = re.compile(rb"['\"`]\s(?:and|or)\s['\"`](?:[\s),.;:!?]|\Z)")  # ' or "
_CITED = re.compile(rb"(?i:select)\s[^;]{1,200}\s(?i:from)\s+([\w.]+);?")
_OPTION = re.compile(rb"--[\w%$]")
_NBSP = re.compile(rb"(?<![\x80-\xff])\xa0(?![\x80-\xff])|\xc2\xa0")
_TAUTOLOGY = re.compile(r"&[TF]|T&")
_CONDITION = re.compile(r"^b&[CTFfv(]")
_JOINED = re.compile(r"&.")
_CONSTANTS = frozenset({sqltokens.NUMBER, sqltokens.VARIABLE, sqltokens.CONSTANT})
_CLOSED = frozenset({"open", "comment", "end", "long"})
_TELLING = frozenset(
    {
        "union",
        "order-by",
        "group-by",
        "having",
        "procedure",
        "function",
        "global",
        "decided",
        "case",
    }
)
_CLAUSES = frozenset({"order-by", "group-by", "having", "procedure"})
_UNITING = frozenset({"union-select", "union-empty", "union"})
_SELECTING = frozenset({"subselect-weak", "select", "union-empty", "union-select"})
_MANY = 20  # joined conditions: a bound was met, and it was no sentence
_SHORT_COMMENT = re.compile(rb"(?:--|#|/\*)(?:\w{0,6}|[\s+*/-]*\w{0,2})[\s'\")]*")
_OUTSIDE = b" \t\r\n([{,;:=>"  # and nothing at all
_BEHIND = tuple(bytes((byte,)) for byte in b" \t\r\n)]},.;:!?")


def recognise(value: bytes) -> str | None:
    """The production that makes one form of a value an attack, or None. Linear, bounded."""
    rest = value.translate(None, _PLAIN)
    if not rest and not _has_seed(value):
        return None
    if b"\xa0" in value:
        value = _NBSP.sub(b" ", value)
    for quote in _QUOTES:
        if quote in value:
            reason = _in_quotes(value, quote)
            if reason is not None:
                return reason
    if _starts(value) and (reason := _as_it_is(value)) is not None:
        return reason
    if sqlstatements.contains(value):
        return "statement"
    if value[:1] == b"/" and (folder := _FOLDER.match(value)) is not None:
        return recognise(value[folder.end() :])
    return None


def _has_seed(value: bytes) -> bool:
    if len(value) < _FEWEST or value.isalnum():
        return False
    return _SEEDS.search(value.lower()) is not None


def _starts(value: bytes) -> bool:
    """Whether a value begins as an expression does: "Let us" and "me@example.org" do not."""
    first, word, mark = _START.match(value).groups()  # type: ignore[union-attr]  # may be empty
    if mark is not None or (first is not None and first.lower() in _OPENING):
        return True
    if word is None:
        return first is None or first[:1] == b"_" or first.lower() in _PREFIXES
    return word.lower() in _CONTINUING


find = layers.through(recognise)
"""`recognise` over every decoded form of a value."""


def _in_quotes(value: bytes, quote: bytes) -> str | None:
    start = sqltokens.inside(value, quote)
    if start < 0 or (quote == b"`" and value[: start - 1][-1:].isspace()):
        return None  # no name ends in a space (MySQL manual, 9.2): the mark opens a code span
    if not _continues(value, start):
        return _acting(value, start)
    reading = sqlgrammar.read(value, start, wants_operand=False, after=sqltokens.STRING)
    reason = _by_itself(reading) or _told(reading, is_cited=_is_cited(value, start))
    if reason is None and not _is_quotation(value, start, reading):
        reason = _broken_out(value, start, reading)
    return reason


def _acting(value: bytes, start: int) -> str | None:
    """A call that acts, right behind the quote: no SQL, but a probe (`a" sleep(10) "`)."""
    word = _BEHIND_QUOTE.match(value, start)[2]  # type: ignore[index]  # it may match nothing
    if word is None or word.lower() not in words.EFFECTS:
        return None
    return _by_itself(sqlgrammar.read(value, start, wants_operand=True))


def _continues(value: bytes, start: int) -> bool:
    """Whether SQL may go on behind the quote that ends a string: no name, number or string does."""
    space, word, mark = _BEHIND_QUOTE.match(value, start).groups()  # type: ignore[union-attr]
    if word is not None:
        return word.lower() in _CONTINUING or word.lower() == b"not"
    if mark is None:
        return False
    if mark in _QUOTES:
        return bool(space)
    return not (mark.isalnum() or mark >= b"\x80" or mark in _NO_OPERATOR)


def _told(reading: Reading, *, is_cited: bool) -> str | None:
    """What is an attack behind a closing quote, however the rest looks."""
    facts = reading.facts
    if _TAUTOLOGY.search(reading.shape):
        return "tautology"
    if facts & _SELECTING and not is_cited:
        return "select"
    if facts & _TELLING and (reading.ending in _CLOSED or reading.count):
        return "clause"
    return None


def _broken_out(value: bytes, start: int, reading: Reading) -> str | None:
    """An expression that takes the query's own closing quote, or cuts it off."""
    is_closed = reading.ending in _CLOSED
    is_alone = reading.ending == "eof" and _is_word(value if start == 1 else value[: start - 1])
    if _JOINED.search(reading.shape) and (is_closed or is_alone or "C" in reading.shape):
        return "condition"
    if reading.ending == "comment":
        return "truncation"
    return "operators" if is_closed and reading.count else None


def _is_word(text: bytes) -> bool:
    return b" " not in text.strip()


def _is_quotation(value: bytes, start: int, reading: Reading) -> bool:
    """Whether the quotes are a writer's: a space (or nothing) outside, none inside; or an aside.

    "the '-' key", "'and' or 'or'", "the boys' -- all of them": attacks look so only by accident.
    """
    before, after = value[: start - 1], value[start:]
    span = _span(value, start)
    if reading.ending == "comment" and not reading.count:
        if span and _is_spoken(before, span, value[start - 1 : start]):
            return True
        is_aside = b"\n" in after or not _SHORT_COMMENT.fullmatch(reading.comment)
        return is_aside and not _is_word(before)
    if not _is_word(before) and (
        (span and _MARKS.fullmatch(span))
        or (before[-1] in _OUTSIDE and _NAMED_MARKS.match(value, start - 1))
    ):
        return True
    if after[:1].isspace() or before[-1:] not in _OUTSIDE:
        return False
    closing = value.rfind(value[start - 1 : start])
    return bool(before) or value[closing + 1 : closing + 2] in _BEHIND


def _span(value: bytes, start: int) -> bytes:
    """What stands in a writer's pair of quotes, the opening one before `start`, or nothing."""
    mark, before = value[start - 1 : start], value[: start - 1]
    end = value.find(mark, start, start + MAX_SPAN)
    behind = value[end + 1 : end + 2]
    if end < 0 or (before and before[-1:] not in _OUTSIDE and before[-1:] != b"`"):
        return b""
    return value[start:end] if behind in (b"", b"`", *_BEHIND) else b""


def _is_cited(value: bytes, start: int) -> bool:
    """Whether a sentence cites a query in quotes: a phrase before, a table's name at its end.

    An attack's SELECT ends where the string that the query's own quote begins may stand: behind an
    operator, or the name of a column.
    """
    before, span = value[: start - 1], _span(value, start)
    found = _CITED.fullmatch(span)
    return (
        found is not None
        and not _is_word(before)
        and found[1].lower() not in _OPENING
        and value.count(value[start - 1 : start], start) == 1
    )


def _is_spoken(before: bytes, span: bytes, mark: bytes) -> bool:
    """Whether a pair of quotes that hold `--` or `#` names an option, or a character.

    Behind several words the string that an attacker would end is a phrase, which no key or name is
    compared with. MySQL alone has strings in double quotes and names in back-ticks, and there
    `--` begins a comment only before white space (manual, 1.7.2.4); a string that `"#` ends is
    empty, where nothing stands before it.
    """
    return not _is_word(before) or (
        mark != b"'" and (_OPTION.match(span) is not None or (not before and span[:1] == b"#"))
    )


def _by_itself(reading: Reading) -> str | None:
    """Productions that are an attack wherever they stand in an expression."""
    facts = reading.facts
    for fact in ("stacked", "union-strong", "into-file", "effect", "subselect"):
        if fact in facts:
            return fact
    if "catalogue" in facts and facts & {"from", "select", "function"}:
        return "catalogue"
    return None


def _as_it_is(value: bytes) -> str | None:
    for wants_operand in (True, False):
        reading = sqlgrammar.read(value, 0, wants_operand=wants_operand)
        for verdict in (_by_itself, _statement, _union, _condition, _expression):
            reason = verdict(reading)
            if reason is not None:
                return None if reason == "effect" and _is_told_of(reading) else reason
    return None


def _is_told_of(reading: Reading) -> bool:
    """Whether a call that acts is spoken of: a statement that goes on as this one fails unread.

    Two names in a row behind it end all SQL, and so does a function that no server has.
    """
    if _OF_UNIX.search(reading.value):
        return True
    found = _CALL_IN_PROSE.match(reading.value) if reading.ending == "broken" else None
    return (
        found is not None
        and found[1].lower() not in _CONTINUING
        and found[2].lower() not in words.CLAUSES
    )


def _is_coded(reading: Reading) -> bool:
    """Whether the value begins with what no sentence begins with: a constant, a variable."""
    return reading.first in _CONSTANTS


def _statement(reading: Reading) -> str | None:
    """The verdict on a value that is a statement."""
    facts = reading.facts
    if "statement" in facts:
        return "statement"
    is_whole = reading.ending != "broken"
    if "select" in facts and facts & {"from", "function"}:
        return "select"
    if "select-weak" in facts and "variable" in facts and is_whole:
        return "select"
    if ")" in reading.shape and facts >= {"from", "where"} and is_whole:
        return "clause"
    return None


def _union(reading: Reading) -> str | None:
    """The verdict on a union or a sub-select that is too short to tell by itself."""
    facts = reading.facts
    is_known = _is_coded(reading) or not reading.first or "function" in facts
    if "union-select" in facts and (is_known or reading.first == sqltokens.STRING):
        return "union"
    if facts & _UNITING and (is_known or reading.ending == "comment"):
        return "union"
    if "subselect-weak" in facts and (is_known or reading.count):
        return "subselect"
    return None


def _condition(reading: Reading) -> str | None:
    """The verdict on what is joined: people's `1 or 2` and `a = 'b' and c = 'd'` are none."""
    shape = reading.shape
    if _TAUTOLOGY.search(shape):
        return "tautology"
    is_cut = reading.ending == "comment" and not reading.wants_operand and _JOINED.search(shape)
    is_endless = reading.ending == "long" and shape.count("&") > _MANY
    is_listed = reading.ending == "broken" and reading.first == sqltokens.STRING  # "A" or "B" is it
    is_met = _CONDITION.search(shape) and not is_listed
    return "condition" if is_met or is_cut or is_endless else None


def _expression(reading: Reading) -> str | None:
    """The verdict on one expression, if all of the value is it: people's `if (fd < 0)` is none."""
    facts, is_cut = reading.facts, reading.ending == "comment"
    is_coded = _is_coded(reading)
    if reading.ending == "broken":
        return None
    if facts & {"case", "cast"} or facts >= {"decided", "function"}:
        return "case"
    if facts & _CLAUSES and (is_cut or is_coded or _is_clause(reading)):
        return "clause"
    is_known = "function" in facts and (is_coded or not reading.words)
    if "global" in facts or (is_known and reading.count):
        return "function"
    if is_cut and is_coded and _SHORT_COMMENT.fullmatch(reading.comment):
        return "truncation"
    return None


def _is_clause(reading: Reading) -> bool:
    """Whether a value that begins with a clause is one: people order by five as well."""
    if "having" in reading.facts:
        return "function" in reading.facts or "T" in reading.shape
    return _ORDERED.fullmatch(reading.value) is not None
