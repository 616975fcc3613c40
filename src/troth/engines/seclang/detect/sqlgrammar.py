"""Reads a value as the continuation of an SQL statement, as far as it is one, and says what it met.

An expression is operands and operators in turn; clauses and statements open where an operator may
stand. What people write breaks that order after a word or two ("O'Brien": a string, then a name),
and reading ends there: so this is cheap on prose, and what remains is what a server would run.
"""

from collections.abc import Callable, Iterator

from troth.engines.seclang.detect import sqlstatements
from troth.engines.seclang.detect import sqltokens as sql
from troth.engines.seclang.detect import sqlwords as words
from troth.engines.seclang.detect.sqltokens import Token

MAX_TOKENS = 600  # a value that is SQL for so long is one, see `ended`
MAX_DEPTH = 100
_CODED = b"_.`@*"
# How much an operand tells: a comparison of two constants is true or false whatever the row is.
_RANK = {kind: rank for rank, kind in enumerate("nscwv(f")}
_TOLD = ("T", "F", "C")
_QUALIFIERS = frozenset({b"all", b"distinct", b"distinctrow"})
_FILES = frozenset({b"outfile", b"dumpfile"})
_SET_AFTER = frozenset({sql.SIGN, sql.STATEMENT, sql.COMPARING})
_JOINED = frozenset(b"inner outer left right cross natural asc desc within".split())
_SETS = frozenset({b"union", b"intersect", b"except", b"minus"})
_OPERANDS = frozenset({sql.NUMBER, sql.STRING, sql.NAME, sql.VARIABLE, sql.CONSTANT, sql.POSTFIX})


class Frame:
    """What is known inside one pair of parentheses (or outside of all)."""

    __slots__ = (
        "between", "call", "cases", "clause", "code", "compares", "has_from", "is_aliased",
        "is_joined",
        "is_select", "is_union", "joiner", "left", "name", "right", "same",
    )  # fmt: skip

    def __init__(self, call: bytes = b"") -> None:
        self.call = call
        self.clause = b""
        self.code = self.cases = 0
        self.is_select = self.is_union = self.has_from = self.is_aliased = self.is_joined = (
            self.between
        ) = False
        self.joiner = ""
        self.fresh()

    def fresh(self) -> None:
        """Forgets the comparison that is over."""
        self.left = self.right = self.name = ""
        self.compares = self.same = False

    def operand(self, kind: str, name: str) -> None:
        """Takes an operand on the side of the comparison that is being read."""
        if self.compares:
            self.same = not self.right and bool(name) and name == self.name
            if not self.right or _RANK[kind] > _RANK[self.right]:
                self.right = kind
        else:
            self.name = "" if self.left else name
            if not self.left or _RANK[kind] > _RANK[self.left]:
                self.left = kind

    def conjunct(self) -> str:
        """The comparison's class: T decided, F told by a function, C by a name, or what is bare."""
        if not self.left:
            return ""
        if not self.compares or not self.right:
            return {"n": "b", "s": "b", "c": "b"}.get(self.left, self.left)
        both = self.left + self.right
        if self.same or not set(both) - set("nsc"):
            return "T"
        return "F" if set(both) & set("f(v") else "C"


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

    def read(self, start: int, *, wants_operand: bool, after: str = "") -> "Reading":
        """Reads from an offset, where an operand (or an operator, `after` one) is due."""
        self.wants_operand, self.is_quoted = wants_operand, bool(after)
        if after:
            self.frames[0].operand(after, "")
        self.source = self._bounded(start)
        for token in self.source:
            table = _OPERAND_DUE if self.wants_operand else _OPERATOR_DUE
            step = table.get(token.kind)
            if step is None or not step(self, token):
                if self.ending == "eof":
                    self.ending = "broken"
                break
            self.before = token
        while self.frames:
            self._close()
        return self

    def _bounded(self, start: int) -> Iterator[Token]:
        for number, token in enumerate(sql.tokens(self.value, start)):
            if number > MAX_TOKENS or len(self.frames) > MAX_DEPTH:
                self.ending = "long"
                return
            yield token

    @property
    def top(self) -> Frame:
        return self.frames[-1]

    # -- where an operand is due

    def operand(self, token: Token) -> bool:
        top, kind, text = self.top, token.kind, token.text
        self.first = self.first or kind
        if self._is_cast() and text in words.TYPES:
            self.facts.add("cast")
        if kind is sql.NAME:
            self.words += 1
            self._name(text)
        elif kind is sql.VARIABLE and text.lstrip(b"@") in words.GLOBALS:
            self.facts.add("global" if text[:2] == b"@@" else "variable")
        if kind is not sql.NAME or any(byte in _CODED for byte in text):
            top.code += 1
        if top.clause == b"from":
            top.has_from = True
        elif top.clause == b"into" and text in _FILES:
            return True
        elif top.clause == b"into" and kind in (sql.STRING, sql.VARIABLE):
            self.facts.add("into-file")
        top.operand("c" if kind is sql.POSTFIX else kind, text.decode("latin-1"))
        self.wants_operand = False
        if kind is sql.STRING and sql.is_open(token):
            self.ending = "open"
        return True

    def _is_file(self, text: bytes) -> bool:
        before = self.before.text if self.before else b""
        return text in _FILES or before in _FILES

    def _name(self, text: bytes) -> None:
        if text.startswith(words.CATALOGUES):
            self.facts.add("catalogue")

    def _is_cast(self) -> bool:
        return self.before is not None and self.before.text == b"::"

    def call(self, token: Token) -> bool:
        text = token.text
        self.first = self.first or sql.CALL
        if self.top.clause == b"into" and self._is_file(text):
            self.facts.add("into-file")
        if text in words.EFFECTS or text.startswith(words.EFFECT_PREFIXES):
            self.facts.add("effect")
        elif text in words.FUNCTIONS:
            self.facts.add("function")
        self._name(text)
        self.top.code += 1
        next(self.source, None)  # the parenthesis that made it a call
        self.frames.append(Frame(text))
        return True

    def unary(self, token: Token) -> bool:
        if self._is_cast():
            return self.operand(token._replace(kind=sql.CONSTANT))
        self.count += token.kind is sql.SIGN
        return True

    def star(self, token: Token) -> bool:
        top = self.top
        if token.text == b"*" and (top.clause == b"select" or top.call):
            top.code += 1
            self.wants_operand = False
            return True
        return False

    def compare_again(self, token: Token) -> bool:
        """`sounds like`, `= any`, `is not like`: two words, one operator."""
        return self.before is not None and self.before.kind in (sql.COMPARING, sql.UNARY)

    def first_logical(self, token: Token) -> bool:
        """A value may begin with what continues an expression; and BETWEEN has an AND."""
        return False

    def open(self, token: Token) -> bool:
        outer, inner = self.top, Frame()
        inner.joiner = "" if outer.left or outer.compares else outer.joiner
        self.frames.append(inner)
        if token.text == b"{":
            next(self.source, None)  # ODBC's `{d '...'}`, MySQL's `{any expression}`
        return True

    def close_empty(self, token: Token) -> bool:
        call = self.top.call
        if call and self.before is not None and self.before.kind is sql.CALL:
            if call in words.IDENTITY:
                self.facts.add("identity")
                if len(self.frames) > 2:  # noqa: PLR2004 - the top, the caller, and this
                    self.facts.add("function")
                    self.count += 1
            return self.close(token)
        return False

    def clause_first(self, token: Token) -> bool:
        """CASE, and what may directly follow another clause's word."""
        top, text = self.top, token.text
        if text == b"case":
            top.cases += 1
            return True
        before = self.before.text if self.before else b""
        if text == b"when" and before == b"case":
            return True
        if text in _SETS and self.before is not None and self.before.kind in _SET_AFTER:
            return self._set(text)
        return text in (b"row", b"rows", b"set", b"values") and top.clause != b""

    def statement_first(self, token: Token) -> bool:
        """SELECT opens an expression's parenthesis; other verbs stand at the start alone."""
        if token.text in (b"select", b"values"):
            return self._select(token)
        return self.before is None and self._statement(token, is_stacked=False)

    # -- where an operator is due

    def another_operand(self, token: Token) -> bool:
        """Strings side by side are one; a name behind an operand is an alias, once, in SELECT."""
        top = self.top
        if token.text == b"?":  # PostgreSQL's "has the key"
            return not self.is_quoted and self.operator(token)
        if token.kind is sql.CALL:
            kind = sql.COMPARING if token.text in words.COMPARING else sql.OPERATOR
            return token.text in words.OPERATORS and self.operator(token._replace(kind=kind))
        before = self.before.kind if self.before else sql.STRING if self.is_quoted else ""
        if token.kind is sql.STRING and before is sql.STRING:
            return self.operand(token)
        if top.clause not in (b"select", b"from") or top.is_aliased or token.kind is sql.NUMBER:
            return False
        top.is_aliased = True
        if token.kind is sql.STRING and sql.is_open(token):
            self.ending = "open"
        return True

    def logical(self, token: Token) -> bool:
        top = self.top
        self.wants_operand = True
        if top.between and token.text == b"and":
            top.between = False
            return True
        self.count += 1
        self._conjunct("&")
        return True

    def operator(self, token: Token) -> bool:
        if token.text == b"!":
            return False
        self.count += 1
        top = self.top
        if token.kind in (sql.COMPARING, sql.VARIABLE):
            top.compares = True
            top.between = token.text == b"between"
        elif token.text == b"~":
            top.compares = True
        top.code += 1
        self.wants_operand = True
        return True

    def negation(self, token: Token) -> bool:
        """NOT before LIKE, IN, BETWEEN: the operator is still to come."""
        return token.text == b"not" or (
            self.before is not None and self.before.kind is sql.COMPARING
        )

    def postfix(self, token: Token) -> bool:
        self.count += 1
        self.top.compares = True
        self.top.operand("c", "")
        return True

    def open_late(self, token: Token) -> bool:
        """A parenthesis right behind an operand: only a sub-select makes it an attempt."""
        follower = next(self.source, None)
        if follower is None or follower.text not in (b"select", b"union"):
            return False
        self.frames.append(Frame())
        return self._select(follower) if follower.text == b"select" else self._set(b"union")

    def close(self, token: Token) -> bool:
        if len(self.frames) == 1:
            self._conjunct(")")
            self.top.operand("(", "")
            self.top.clause = b""
        else:
            kind = "f" if self.top.call else self.top.conjunct() if not self.top.joiner else "("
            kind = {"b": "n", "n": "n", "w": "w", "v": "v", "f": "f"}.get(kind, "(")
            self._close()
            self.top.operand(kind, "")
            self.top.code += 1
        self.wants_operand = False
        return True

    def comma(self, token: Token) -> bool:
        top = self.top
        top.code += 1
        top.is_aliased = False
        self._conjunct(",")
        self.wants_operand = True
        return True

    def end(self, token: Token) -> bool:
        """A statement is over: what follows must be one, or nothing."""
        while len(self.frames) > 1:
            self._close()
        self._conjunct(";")
        follower = next((item for item in self.source if item.kind is not sql.END), None)
        if follower is None:
            return True
        if follower.kind is sql.COMMENT:
            return self.line_end(follower)
        self.before = token
        if follower.kind is sql.OPEN:
            self.wants_operand = True
            return self.open(follower)
        self.ending = "end"
        return self._statement(follower, is_stacked=True)

    def clause(self, token: Token) -> bool:
        top, text = self.top, token.text
        if text in _SETS:
            return self._set(text)
        if text in (b"order", b"group", b"partition"):
            follower = next(self.source, None)
            if follower is None or follower.text != b"by":
                return False
            self.facts.add(text.decode() + "-by")
        elif text in _JOINED:
            return True
        elif text in (b"for", b"lock"):
            return self._locks(text)
        elif text == b"end":
            top.cases -= 1
            self.facts.add("case")
            return top.cases >= 0
        elif not self._plain_clause(text):
            return False
        self._conjunct("")
        if text not in (b"when", b"then", b"else", b"as"):
            top.clause = text
        top.has_from = top.has_from or text == b"from"
        top.is_aliased = False
        self.wants_operand = True
        return True

    def _plain_clause(self, text: bytes) -> bool:
        top = self.top
        if text in (b"when", b"then", b"else"):
            return top.cases > 0
        if text == b"set" and not self.before:
            return False
        self.facts.add(text.decode())
        return True

    def _locks(self, text: bytes) -> bool:
        """FOR UPDATE, LOCK IN SHARE MODE: they end a SELECT, and a UNION may still follow."""
        if text == b"for":
            return self._text() in (b"update", b"share", b"xml")
        return [self._text() for _ in range(3)] == [b"in", b"share", b"mode"]

    def statement_late(self, token: Token) -> bool:
        """SQL Server needs no semicolon between statements; a verb must be one beyond doubt."""
        if token.text == b"lock":
            return self._locks(token.text)
        if token.text == b"select" and (self.is_quoted or self.first in ("n", "v", "c")):
            return self._select(token)
        return self._statement(token, is_stacked=self.is_quoted)

    def line_end(self, token: Token) -> bool:
        self.ending, self.comment = "comment", token.text
        return False

    # -- parts

    def _text(self) -> bytes:
        follower = next(self.source, None)
        return follower.text if follower else b""

    def _conjunct(self, mark: str) -> None:
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

    def _close(self) -> None:
        """Leaves a parenthesis: what it held becomes a fact."""
        top = self.top
        self._conjunct("")
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

    def _set(self, text: bytes) -> bool:
        """UNION and its kin: qualifiers and parentheses, then SELECT or VALUES, or they are words."""
        self._conjunct("")
        for follower in self.source:
            if follower.kind is sql.OPEN:
                self.frames.append(Frame())
            elif follower.text in (b"select", b"values"):
                self._select(follower)
                self.top.is_union = True
                return True
            elif follower.kind is sql.COMMENT:
                self.facts.add("union")
                return self.line_end(follower)
            elif follower.text not in _QUALIFIERS and follower.kind is not sql.SIGN:
                return False
        if text == b"union":
            self.facts.add("union")
        return True

    def _select(self, token: Token) -> bool:
        top = self.top
        top.fresh()
        top.is_select, top.is_union, top.has_from, top.code = True, False, False, 0
        top.clause, top.is_aliased = b"select", False
        self.wants_operand = True
        return True

    def _statement(self, token: Token, *, is_stacked: bool) -> bool:
        if token.text in (b"select", b"values"):
            return self._select(token)
        found = sqlstatements.recognise(self.value, token.start, is_stacked=is_stacked)
        if found:
            self.facts.add("stacked" if is_stacked else "statement")
            self.ending = "eof"
        return False


Step = Callable[[Reading, Token], bool]
_OPERAND_DUE: dict[str, Step] = {
    **dict.fromkeys(_OPERANDS, Reading.operand),
    sql.CALL: Reading.call,
    sql.SIGN: Reading.unary,
    sql.UNARY: Reading.unary,
    sql.OPERATOR: Reading.star,
    sql.COMPARING: Reading.compare_again,
    sql.OPEN: Reading.open,
    sql.CLOSE: Reading.close_empty,
    sql.CLAUSE: Reading.clause_first,
    sql.STATEMENT: Reading.statement_first,
    sql.COMMENT: Reading.line_end,
}
_OPERATOR_DUE: dict[str, Step] = {
    **dict.fromkeys((*_OPERANDS, sql.CALL), Reading.another_operand),
    sql.POSTFIX: Reading.postfix,
    sql.LOGICAL: Reading.logical,
    sql.COMPARING: Reading.operator,
    sql.OPERATOR: Reading.operator,
    sql.SIGN: Reading.operator,
    sql.UNARY: Reading.negation,
    sql.OPEN: Reading.open_late,
    sql.CLOSE: Reading.close,
    sql.COMMA: Reading.comma,
    sql.END: Reading.end,
    sql.CLAUSE: Reading.clause,
    sql.STATEMENT: Reading.statement_late,
    sql.COMMENT: Reading.line_end,
}
