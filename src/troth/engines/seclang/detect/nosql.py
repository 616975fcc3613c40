"""NoSQL injection: an operator where a value was due, or JavaScript that a query would run.

A form's `user[$ne]=1` reaches a document database as an operator; so does `{"$gt": ""}` in JSON or
in a string that is parsed later. Elsewhere (`$where`, CouchDB and Redis scripts, MongoDB's shell) a
value ends a string of JavaScript and goes on. Sentences know `$5` and `[a]`, not `[$ne]`.

Sources: MongoDB manual, query and update operators; OWASP WSTG-INPV-05.6.
"""

import re

from troth.engines.seclang.detect import layers

# Query operators, by MongoDB's manual; update and aggregation operators that a filter can smuggle.
_OPERATORS = (
    rb"eq|gte?|lte?|n?in|ne|and|or|not|nor|exists|type|expr|jsonSchema|mod|regex|options|text|where"
    rb"|geoIntersects|geoWithin|near|nearSphere|all|elemMatch|size|bits(?:All|Any)(?:Clear|Set)"
    rb"|comment|rand|function|accumulator|lookup|out|merge|unionWith|set|unset|inc|push|pull|rename"
    rb"|group|match|project|limit|skip|sort|sum|cond|ifNull|concat|substr|toString|search"
)
_IN_BRACKETS = re.compile(rb"\[\s*['\"]?\$(?:%b)['\"]?\s*\]" % _OPERATORS, re.IGNORECASE)
# The whole of a name, as a flattening of JSON or a dotted path gives it.
_NAME = re.compile(rb"(?:[\w\[\].-]{0,80}\.)?\$(?:%b)" % _OPERATORS)
_IN_JSON = re.compile(rb"[{,]\s*\\?['\"]?\$(?:%b)\\?['\"]?\s*:" % _OPERATORS)
_S = rb"(?:\s|/\*[^*]{0,40}\*/)*+"
# White space and comments, possessive so that no byte is offered to two places (linear time).
_S = rb"(?:\s|/\*[^*]{0,40}\*/)*+"


def _script(pattern: bytes) -> re.Pattern[bytes]:
    """A pattern of JavaScript; `~` is white space and comments, or nothing."""
    return re.compile(pattern.replace(b"~", _S))


# A string (or a name) ended; then the current document, a loop, a wait, the shell.
_SCRIPT = _script(
    rb"(?:['\"`]|\A[\w.-]{0,40})~[)\]}]*+~(?:\|\||&&|[;,+}]|\x00)~(?:[!(]+|return\b|if~\(|var\s|let\s)?+~"
    rb"(?:this\.\w|this\[|db\.\w+\.\w+\(|sleep~\(~[0-9]|while~\(|for~\(~(?:var|let|;)|new~Date\b|Date\.now"
    rb"|emit\(|tojson|printjson)"
)
# A string ended, an answer is given, and a variable takes up the rest: nothing is left broken.
_RETURNS = _script(
    rb"['\"`]~[)\]}]{0,4}~;~return\b[^;'\"`]{1,80};~(?:var\s|let\s|const\s)?~\w{1,40}~=~['\"`]"
)
_TRUE = _script(rb"['\"]~(?:\|\||&&)~\(?~(['\"]?)(\w*+)\1~={2,3}~\(?~\1\2(?!\w)")
_COMMANDS = _script(
    rb"\bdb\.(?:\w+\.)?(?:find|insert|update|remove|drop|eval|aggregate|getCollectionNames"
    rb"|dropDatabase|runCommand|copyDatabase)(?:One|Many)?~\("
    rb"|\bmapReduce~\(|\bfunction~\(~\)~\{[^}]{0,200}\b(?:this\.|return)"
)
_HINTS = re.compile(rb"this|sleep|Date|db\.|while|for|json|emit|function|mapReduce")
_REDIS = re.compile(
    rb"[\r\n][ \t]{0,2}(?:\*[0-9]{1,9}\r?\n\$[0-9]{1,9}|(?:config\s{1,8}set|slaveof|replicaof"
    rb"|flushall|eval\s{1,8}['\"]|module\s{1,8}load|set\s{1,8}\S{1,80}[ \t]{1,8}['\"]?[\r\n]"
    rb"|debug\s{1,8}sleep)\b)",
    re.IGNORECASE,
)
_LETTERS = bytes(range(0x30, 0x3A)) + bytes(range(0x41, 0x5B)) + bytes(range(0x61, 0x7B))
_PLAIN = _LETTERS + b" .,?!:_/%^~@#*<>\t-" + bytes(range(0x80, 0x100))


def recognise(value: bytes) -> str | None:
    """The production that makes one form of a value an attack, or None. Linear, bounded."""
    rest = value.translate(None, _PLAIN)
    if not rest:
        return None
    if b"$" in rest and _is_operator(value):
        return "operator"
    if (b"\n" in rest or b"\r" in rest) and _REDIS.search(value):
        return "redis"
    return _is_script(value, rest)


find = layers.through(recognise)
"""`recognise` over every decoded form of a value."""


def _is_operator(value: bytes) -> bool:
    return bool(_IN_BRACKETS.search(value) or _NAME.fullmatch(value) or _IN_JSON.search(value))


def _is_script(value: bytes, rest: bytes) -> str | None:
    if b"==" in rest and (b"||" in rest or b"&&" in rest) and _TRUE.search(value):
        return "tautology"
    if b";" in rest and b"return" in value and _RETURNS.search(value):
        return "script"
    if _HINTS.search(value) is None:
        return None
    if _SCRIPT.search(value):
        return "script"
    return "command" if _COMMANDS.search(value) else None
