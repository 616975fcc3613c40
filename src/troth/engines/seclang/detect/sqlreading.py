"""One pass over a value's tokens: what is open, what was met, and how it ended."""

from collections.abc import Iterator

from troth.engines.seclang.detect import sqlstatements
from troth.engines.seclang.detect import sqltokens as sql
from troth.engines.seclang.detect.sqlframe import Frame
from troth.engines.seclang.detect.sqltokens import Token

MAX_TOKENS = 600  # what is SQL for so long is no sentence: the ending is `long`
MAX_DEPTH = 100
_TOLD = ("T", "F", "C")
_QUALIFIERS = frozenset({b"all", b"distinct", b"distinctrow"})


class Reading:
    """One pass over the tokens; the attributes are its findings.

    `shape`: the top expression, `&` between classes of conjuncts (see `Frame.conjunct`), `)` where
    it closes what it did not open. `facts`: productions met. `ending`: `eof`, `comment`, `open` (a
    string that takes the query's own closing quote), `broken`, `long`. `count`: operators met.
    """

    def __init__(self, value: bytes) -> None:
        self.value = value
        self.shape = ""
        self.facts: set[str] = set()
        self.ending, self.is_quoted = "eof", False
        self.comment = b""
        self.count = self.words = 0
        self.first = ""
        self.frames = [Frame()]
        self.wants_operand = True
        self.before: Token | None = None
        self.source: Iterator[Token] = iter(())

    @property
    def top(self) -> Frame:
        """The innermost parentheses."""
        return self.frames[-1]

    def begin(self, start: int, *, wants_operand: bool, after: str) -> Iterator[Token]:
        """The tokens from an offset, as many as are read at all."""
        self.wants_operand, self.is_quoted = wants_operand, bool(after)
        if after:
            self.top.operand(after, "")
        self.source = self._bounded(start)
        return self.source

    def _bounded(self, start: int) -> Iterator[Token]:
        for number, token in enumerate(sql.tokens(self.value, start)):
            if number > MAX_TOKENS or len(self.frames) > MAX_DEPTH:
                self.ending = "long"
                return
            yield token

    def is_behind(self, *kinds: str) -> bool:
        """Whether the token before was of one of these kinds."""
        return self.before is not None and self.before.kind in kinds

    @property
    def is_cast(self) -> bool:
        """Whether PostgreSQL's `::` stands right before."""
        return self.before is not None and self.before.text == b"::"

    def follower(self) -> bytes:
        """The next token's text, taken; nothing where there is none."""
        token = next(self.source, None)
        return token.text if token else b""

    def conjunct(self, mark: str) -> None:
        """Ends the comparison in hand; `mark` is what ended it and joins the next one."""
        top = self.top
        kind = top.conjunct()
        is_passed = len(self.frames) > 1 and mark != "&" and not top.is_joined and kind not in _TOLD
        top.is_joined = top.is_joined or mark == "&"
        if is_passed:  # a parenthesis around one operand is that operand
            pass
        elif kind and not top.call and not top.is_select:
            self.shape += (top.joiner if self.shape else "") + kind
        elif kind == "T":
            self.facts.add("decided")
        elif not self.shape and mark == "&":
            self.shape = " "
        top.joiner = mark
        top.fresh()

    def close(self) -> None:
        """Leaves a parenthesis: what it held becomes a fact."""
        top = self.top
        self.conjunct("")
        self.frames.pop()
        if top.is_union:
            self.facts.add("union-select" if top.code or top.has_from else "union-empty")
            if top.has_from or top.code > 1:
                self.facts.add("union-strong")
        elif top.is_select and top.code:
            is_strong = top.has_from or top.code > 1
            self.facts.add(("subselect" if self.frames else "select") + "-weak" * (not is_strong))
        if top.has_from:
            self.facts.add("from")
        if self.frames and not top.is_select:  # a parenthesis that was never closed
            self.frames[-1].has_from |= top.has_from
            self.frames[-1].code += top.code > 0

    def unite(self, text: bytes) -> bool:
        """UNION: qualifiers and parentheses, then SELECT or VALUES; or it is a word."""
        self.conjunct("")
        for follower in self.source:
            if follower.kind is sql.OPEN:
                self.frames.append(Frame())
            elif follower.text in (b"select", b"values"):
                self.select()
                self.top.is_union = True
                return True
            elif follower.kind is sql.COMMENT:
                if text == b"union":
                    self.facts.add("union")
                self.ending, self.comment = "comment", follower.text
                return False
            elif follower.text not in _QUALIFIERS and follower.kind is not sql.SIGN:
                return False
        if text == b"union":
            self.facts.add("union")
        return True

    def select(self) -> bool:
        """A SELECT's list begins."""
        top = self.top
        top.fresh()
        top.is_select, top.is_union, top.has_from, top.code = True, False, False, 0
        top.clause, top.is_aliased = b"select", False
        self.wants_operand = True
        return True

    def statement(self, token: Token, *, is_stacked: bool) -> bool:
        """A statement's verb: SELECT is read on, of the others the first words decide."""
        if token.text in (b"select", b"values"):
            return self.select()
        found = sqlstatements.recognise(self.value, token.start, is_stacked=is_stacked)
        if found:
            self.facts.add("stacked" if is_stacked else "statement")
            self.ending = "eof"
        return False
