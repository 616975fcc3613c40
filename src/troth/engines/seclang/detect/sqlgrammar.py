"""Reads a value as the continuation of an SQL statement, as far as it is one, and says what it met.

An expression is operands and operators in turn; clauses and statements open where an operator may
stand. What people write breaks that order after a word or two ("O'Brien": a string, then a name),
and reading ends there: so this is cheap on prose, and what remains is what a server would run.
Each step takes one token where an operand, or an operator, is due, and says whether SQL goes on.
"""

from collections.abc import Callable

from troth.engines.seclang.detect import sqltokens as sql
from troth.engines.seclang.detect import sqlwords as words
from troth.engines.seclang.detect.sqlframe import Frame
from troth.engines.seclang.detect.sqlreading import Reading
from troth.engines.seclang.detect.sqltokens import Token

_CODED = b"_.`@*"
_FILES = frozenset({b"outfile", b"dumpfile"})
_SET_AFTER = (sql.SIGN, sql.STATEMENT, sql.COMPARING)
_JOINED = frozenset(b"inner outer left right cross natural asc desc within".split())
_SETS = frozenset({b"union", b"intersect", b"except", b"minus"})
_WITHIN = frozenset(
    {b"when", b"then", b"else", b"as"}
)  # parts of an expression, not of a statement
_OPERANDS = frozenset({sql.NUMBER, sql.STRING, sql.NAME, sql.VARIABLE, sql.CONSTANT, sql.POSTFIX})


def read(value: bytes, start: int, *, wants_operand: bool, after: str = "") -> Reading:
    """Reads from an offset, where an operand (or an operator, `after` one) is due."""
    reading = Reading(value)
    for token in reading.begin(start, wants_operand=wants_operand, after=after):
        table = _OPERAND_DUE if reading.wants_operand else _OPERATOR_DUE
        step = table.get(token.kind)
        if step is None or not step(reading, token):
            if reading.ending == "eof":
                reading.ending = "broken"
            break
        reading.before = token
    while reading.frames:
        reading.close()
    return reading


# -- where an operand is due


def _operand(reading: Reading, token: Token) -> bool:
    top, kind, text = reading.top, token.kind, token.text
    reading.first = reading.first or kind
    if reading.is_cast and text in words.TYPES:
        reading.facts.add("cast")
    if kind is sql.NAME:
        reading.words += 1
        _name(reading, text)
    elif kind is sql.VARIABLE and text.lstrip(b"@") in words.GLOBALS:
        reading.facts.add("global" if text[:2] == b"@@" else "variable")
    if kind is not sql.NAME or any(byte in _CODED for byte in text):
        top.code += 1
    if top.clause == b"from":
        top.has_from = True
    elif top.clause == b"into" and text in _FILES:
        return True
    elif top.clause == b"into" and (text[:1] == b"@" or _is_file(reading, text)):
        reading.facts.add("into-file")
    top.operand("c" if kind is sql.POSTFIX else kind, text.decode("latin-1"))
    reading.wants_operand = False
    if kind is sql.STRING and sql.is_open(token):
        reading.ending = "open"
    return True


def _is_file(reading: Reading, text: bytes) -> bool:
    before = reading.before.text if reading.before else b""
    return text in _FILES or before in _FILES


def _name(reading: Reading, text: bytes) -> None:
    if text.startswith(words.CATALOGUES):
        reading.facts.add("catalogue")


def _call(reading: Reading, token: Token) -> bool:
    text = token.text
    reading.first = reading.first or sql.CALL
    if reading.top.clause == b"into" and _is_file(reading, text):
        reading.facts.add("into-file")
    if text in words.EFFECTS or text.startswith(words.EFFECT_PREFIXES):
        reading.facts.add("effect")
    elif text in words.FUNCTIONS:
        reading.facts.add("function")
    _name(reading, text)
    reading.top.code += 1
    next(reading.source, None)  # the parenthesis that made it a call
    reading.frames.append(Frame(text))
    return True


def _unary(reading: Reading, token: Token) -> bool:
    if reading.is_cast:
        return _operand(reading, token._replace(kind=sql.CONSTANT))
    reading.count += token.kind is sql.SIGN
    return True


def _star(reading: Reading, token: Token) -> bool:
    top = reading.top
    if token.text == b"*" and (top.clause == b"select" or top.call):
        top.code += 1
        reading.wants_operand = False
        return True
    return False


def _compare_again(reading: Reading, _token: Token) -> bool:
    """`sounds like`, `= any`, `is not like`: two words, one operator."""
    return reading.is_behind(sql.COMPARING, sql.UNARY)


def _open(reading: Reading, token: Token) -> bool:
    outer, inner = reading.top, Frame()
    inner.joiner = "" if outer.left or outer.compares else outer.joiner
    reading.frames.append(inner)
    if token.text == b"{":
        next(reading.source, None)  # ODBC's `{d '...'}`, MySQL's `{any expression}`
    return True


def _close_empty(reading: Reading, token: Token) -> bool:
    call = reading.top.call
    if call == b"sleep":  # without its argument no server runs the statement
        reading.facts.discard("effect")
    if not call or not reading.is_behind(sql.CALL):
        return False
    if call in words.IDENTITY and len(reading.frames) > 2:  # noqa: PLR2004 - top, caller, this
        reading.facts.add("function")
        reading.count += 1
    return _close(reading, token)


def _clause_first(reading: Reading, token: Token) -> bool:
    """CASE, and what may directly follow another clause's word."""
    top, text = reading.top, token.text
    if text == b"case":
        top.cases += 1
        return True
    before = reading.before.text if reading.before else b""
    if text == b"when" and before == b"case":
        return True
    if text in _SETS and reading.is_behind(*_SET_AFTER):
        return reading.unite(text)
    return text in (b"row", b"rows", b"set", b"values") and top.clause != b""


def _statement_first(reading: Reading, token: Token) -> bool:
    """SELECT opens an expression's parenthesis; other verbs stand at the start alone."""
    if token.text in (b"select", b"values"):
        return reading.select()
    return reading.before is None and reading.statement(token, is_stacked=False)


# -- where an operator is due


def _another_operand(reading: Reading, token: Token) -> bool:
    """Strings side by side are one; a name behind an operand is an alias, once, in SELECT."""
    top = reading.top
    if token.text == b"?":  # PostgreSQL's "has the key"
        return not reading.is_quoted and _operator(reading, token)
    if token.kind is sql.CALL:
        kind = sql.COMPARING if token.text in words.COMPARING else sql.OPERATOR
        return token.text in words.OPERATORS and _operator(reading, token._replace(kind=kind))
    before = reading.before.kind if reading.before else sql.STRING if reading.is_quoted else ""
    if token.kind is sql.STRING and before is sql.STRING:
        return _operand(reading, token)
    if top.clause not in (b"select", b"from") or top.is_aliased or token.kind is sql.NUMBER:
        return False
    top.is_aliased = True
    if token.kind is sql.STRING and sql.is_open(token):
        reading.ending = "open"
    return True


def _logical(reading: Reading, token: Token) -> bool:
    top = reading.top
    reading.wants_operand = True
    if top.between and token.text == b"and":
        top.between = False
        return True
    reading.count += 1
    reading.conjunct("&")
    return True


def _operator(reading: Reading, token: Token) -> bool:
    if token.text == b"!":
        return False
    reading.count += 1
    top = reading.top
    if token.kind in (sql.COMPARING, sql.VARIABLE):
        top.compares = True
        top.between = token.text == b"between"
    elif token.text == b"~":
        top.compares = True
    top.code += 1
    reading.wants_operand = True
    return True


def _negation(reading: Reading, token: Token) -> bool:
    """NOT before LIKE, IN, BETWEEN: the operator is still to come."""
    return token.text == b"not" or reading.is_behind(sql.COMPARING)


def _postfix(reading: Reading, _token: Token) -> bool:
    reading.count += 1
    reading.top.compares = True
    reading.top.operand("c", "")
    return True


def _open_late(reading: Reading, _token: Token) -> bool:
    """A parenthesis right behind an operand: only a sub-select makes it an attempt."""
    follower = next(reading.source, None)
    if follower is None or follower.text not in (b"select", b"union"):
        return False
    reading.frames.append(Frame())
    return reading.select() if follower.text == b"select" else reading.unite(b"union")


def _close(reading: Reading, _token: Token) -> bool:
    if len(reading.frames) == 1:
        reading.conjunct(")")
        reading.top.operand("(", "")
        reading.top.clause = b""
    else:
        inner = reading.top
        kind = "f" if inner.call else "(" if inner.joiner else inner.conjunct()
        kind = {"b": "n", "w": "w", "v": "v", "f": "f"}.get(kind, "(")
        reading.close()
        reading.top.operand(kind, "")
        reading.top.code += 1
    reading.wants_operand = False
    return True


def _comma(reading: Reading, _token: Token) -> bool:
    top = reading.top
    top.code += 1
    top.is_aliased = False
    reading.conjunct(",")
    reading.wants_operand = True
    return True


def _end(reading: Reading, token: Token) -> bool:
    """A statement is over: what follows must be one, or nothing."""
    while len(reading.frames) > 1:
        reading.close()
    reading.conjunct(";")
    follower = next((item for item in reading.source if item.kind is not sql.END), None)
    if follower is None:
        return True
    if follower.kind is sql.COMMENT:
        return _line_end(reading, follower)
    reading.before = token
    if follower.kind is sql.OPEN:
        reading.wants_operand = True
        return _open(reading, follower)
    reading.ending = "end"
    return reading.statement(follower, is_stacked=True)


def _clause(reading: Reading, token: Token) -> bool:
    text = token.text
    if text in _SETS:
        return reading.unite(text)
    if text in _JOINED:
        return True
    if text == b"case":  # an operand's beginning
        return False
    if text in (b"for", b"lock"):
        return _locks(reading, text)
    if text == b"end":
        reading.top.cases -= 1
        reading.facts.add("case")
        return reading.top.cases >= 0
    return _begins(reading, text) and _new_clause(reading, text)


def _new_clause(reading: Reading, text: bytes) -> bool:
    reading.conjunct("")
    top = reading.top
    reading.first = reading.first or sql.CLAUSE
    if text not in _WITHIN:
        top.clause = text
    top.has_from = top.has_from or text == b"from"
    top.is_aliased = False
    reading.wants_operand = True
    return True


def _begins(reading: Reading, text: bytes) -> bool:
    """Whether a clause's word is one here: ORDER wants its BY, WHEN its CASE."""
    if text in _WITHIN:
        return text == b"as" or reading.top.cases > 0
    if text in (b"order", b"group", b"partition"):
        if reading.follower() != b"by":
            return False
        reading.facts.add(text.decode() + "-by")
        return True
    reading.facts.add(text.decode())
    return text != b"set" or reading.before is not None


def _locks(reading: Reading, text: bytes) -> bool:
    """FOR UPDATE, LOCK IN SHARE MODE: they end a SELECT, and a UNION may still follow."""
    if text == b"for":
        return reading.follower() in (b"update", b"share", b"xml")
    return [reading.follower() for _ in range(3)] == [b"in", b"share", b"mode"]


def _statement_late(reading: Reading, token: Token) -> bool:
    """SQL Server needs no semicolon between statements; a verb must be one beyond doubt."""
    if token.text == b"lock":
        return _locks(reading, token.text)
    if token.text in (b"select", b"values"):  # a name before it is a word of a sentence
        return (reading.is_quoted or reading.first != sql.NAME) and reading.select()
    is_stacked = reading.is_quoted and token.text not in words.SEPARATED
    return reading.statement(token, is_stacked=is_stacked)


def _line_end(reading: Reading, token: Token) -> bool:
    reading.ending, reading.comment = "comment", token.text
    return False


Step = Callable[[Reading, Token], bool]
_OPERAND_DUE: dict[str, Step] = {
    **dict.fromkeys(_OPERANDS, _operand),
    sql.CALL: _call,
    sql.SIGN: _unary,
    sql.UNARY: _unary,
    sql.OPERATOR: _star,
    sql.COMPARING: _compare_again,
    sql.OPEN: _open,
    sql.CLOSE: _close_empty,
    sql.CLAUSE: _clause_first,
    sql.STATEMENT: _statement_first,
    sql.COMMENT: _line_end,
}
_OPERATOR_DUE: dict[str, Step] = {
    **dict.fromkeys((*_OPERANDS, sql.CALL), _another_operand),
    sql.POSTFIX: _postfix,
    sql.LOGICAL: _logical,
    sql.COMPARING: _operator,
    sql.OPERATOR: _operator,
    sql.SIGN: _operator,
    sql.UNARY: _negation,
    sql.OPEN: _open_late,
    sql.CLOSE: _close,
    sql.COMMA: _comma,
    sql.END: _end,
    sql.CLAUSE: _clause,
    sql.STATEMENT: _statement_late,
    sql.COMMENT: _line_end,
}
