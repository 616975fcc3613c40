"""Scripts: a value that is a call of JavaScript, or ends a string to make one.

A whole value (`(alert)(1)`, `confirm.call(null,1)`, `javascript:...`), what follows a quotation
mark that it closes (`'-alert(1)//`), or a template's expression that reaches the outside
(`{{constructor.constructor('...')()}}`). A call inside a sentence is a sentence.
"""

import re

from troth.engines.seclang.detect import htmlwords as words

MAX_REACH = 200  # from the quotation mark to the call: a sentence's code is farther away
MAX_LOUD = 8192  # bytes searched for a script's address within a value

_SINK = b"|".join(words.SINKS)
_OBJECT = b"|".join(words.OBJECTS)
# Possessive: white space that one place has taken is not offered to the next (linear time).
_S = rb"(?:\s|/\*[^*]{0,40}\*/)*+"
# A reference to something that runs: alert, (alert), window.alert, top['al'+'ert'], [].filter...
_REFERENCE = rb"(?:\(?%b(?:(?:%b)%b(?:\.|\?\.|\[%b['\"`]?))*%b(?:%b)\b(?:['\"`]?%b\])?%b\)?)" % (
    _S, _OBJECT, _S, _S, _S, _SINK, _S, _S,
)  # fmt: skip
_CALL = rb"%b%b(?:\.%b(?:call|apply|bind)%b)?(?:\(|`|\?\.\()" % (_REFERENCE, _S, _S, _S)
_WHOLE = re.compile(
    rb"[\s;,!~+({/\[-]*+(?:void%b|new%b|throw%b|return%b|typeof%b)?%b" % ((_S,) * 5 + (_CALL,))
)
# A string ended: its mark, then what may follow an operand; then, somewhere, a call.
_ENDED = re.compile(rb"\\?['\"`][\s)\]}]*(?:[-+*/%&|^<>=,?;]|\bin\b)")
_CALLED = re.compile(rb"(?<![\w$.])(?!fetch\(\d\))%b" % _CALL)  # git-fetch(1) is a page
_REACH = re.compile(
    rb"(?<![\w$])(?:document%b\.%b(?:cookie|domain|write|location|body|documentElement|forms|URL)"
    rb"|(?:window|self|top|parent|document)?\.?location%b\.(?:href|replace|assign)"
    rb"|(?<![-+])(?:window|self|top|parent|document)?\.?location%b="
    rb"|window%b\[|String\.fromCharCode|import%b\(%b['\"`]|onerror%b=%b(?:%b)\b)"
    % ((_S,) * 9 + (_SINK,))
)
# A value that begins with one of the page's objects and does something to it.
# ... `self` is Python's word, too: there what runs must follow.
_ON_PAGE = re.compile(
    rb"[\s;({!]*+(?:document|window|self%b(?=\)?%b[\[/])|top|parent|frames|globalThis|navigator)%b\)?%b"
    rb"(?:\[%b['\"`(]|/\*[^*]{0,40}\*/%b\.|(?:\.%b\w+%b){1,9}(?:\(|=(?!=)|/\*|\[%b['\"]))"
    rb"|[\s;({!]*+self%b\.%b(?:location|on[a-z]+|document|window|top|parent|frames|opener|name|%b)\b"
    % ((_S,) * 11 + (_SINK,))
)
# Calls without parentheses ([].sort.call`${alert}1`), and calls without letters (JSFuck).
_TEMPLATED = re.compile(rb"[\])\w]%b\.%b\w+%b`[^`]{0,200}\$%b\{" % (_S, _S, _S, _S))
# An expression in a template that is not the value's own.
_EMBEDDED = re.compile(rb"\$\{%b(?:%b)%b[(`]" % (_S, _SINK, _S))
_LETTERLESS = re.compile(rb"[\[\](){}!+\s]{24,}+")
_SCHEME = re.compile(rb"[\"'(=/\s]*+(?:java|vb|live|j)script:", re.IGNORECASE)
_BLANKS = bytes(range(0x20)) + b"\x7f"
_RUNS = re.compile(
    rb"[\w\])'\"]\(|`|\\[xu0-7]|%%[0-9a-fA-F]{2}|=\s*['\"\w(]|(?:%b)\s*[(`]|//|\[['\"]" % _SINK
)
_DATA = re.compile(
    rb"\s*data:\s*(?:text/(?:html|xml|javascript)|image/svg\+xml|application/(?:xhtml\+xml|xml|javascript))",
    re.IGNORECASE,
)
_LOUD = re.compile(
    rb"(?:java|vb|live|j)script:%b\(?(?:void\(?|\{)?(?:javascript:){0,3}(?:%b|%b)\b%b[(`.=\[]"
    % (_S, _SINK, _OBJECT, _S),
    re.IGNORECASE,
)
_EXPRESSION = re.compile(rb"expression\s*\(\s*(?:%b|%b)\b" % (_SINK, _OBJECT), re.IGNORECASE)
_COMMENT = re.compile(rb"/\*[^*]*+(?:\*(?!/)[^*]*+)*+\*/")
_SPACED = re.compile(rb"[\s,]|[.;:)]\Z")
_ESCAPE = re.compile(
    rb"(?:\.|\[%b['\"`])constructor%b(?:['\"`]%b\])?%b(?:\.%bconstructor%b)?[(\[`]"
    rb"|\bconstructor%b\.%b(?:constructor|prototype)\b|__(?:define|lookup)[GS]etter__|__proto__%b[\[.=]|\bconstructor\[['\"]?prototype"
    % ((_S,) * 9)
)
_CODE = re.compile(rb"\w%b(?:\(|`)|=|\.\w+\b.*=|\bthrow\b|\blocation\b" % _S)
# What each of the productions needs, in lower case: most values have none of it.
_GATE = re.compile(
    rb"script|data:|constructor|__|pression|\$[\s{]|document|window|self|top|parent|frames|navigator"
    rb"|location|import|onerror|%b" % _SINK.lower()
)
# ECMA-262, 12.10 and 13: nothing joins two identifiers on one line, and no script begins with these
# marks; an early error stops all of a script, what stands before it too.
_LITERALS = re.compile(rb"\"[^\"\n]*+\"|'[^'\n]*+'|`[^`]*+`|/\*.*?\*/|/[^/\n ][^/\n]*/", re.DOTALL)
_TWO_NAMES = re.compile(rb"(?<![\w$.\\])([A-Za-z_]\w*+) ++(?=([A-Za-z_]\w*))")
_JOINING = frozenset(
    b"async await break case catch class const continue default delete do else export extends"
    b" finally for from function get if import in instanceof let new of return set static super"
    b" switch this throw try typeof using var void while with yield".split()
)
_NO_BEGINNING = re.compile(rb"\s*+(?:[,)\]:?|^%>=]|\.[A-Za-z])")


def is_broken(text: bytes) -> bool:
    """Whether a piece of a script has two names in a row outside of strings: no engine runs it."""
    pairs = _TWO_NAMES.findall(_LITERALS.sub(b" 0 ", text))
    return any(a not in _JOINING and b not in _JOINING for a, b in pairs)


def is_stillborn(text: bytes) -> bool:
    """Whether a script that begins so is none: a mark that begins nothing, or two names at once."""
    found = _TWO_NAMES.match(text.lstrip(b" \t\r\n-+!~"))
    return _NO_BEGINNING.match(text) is not None or (
        found is not None and not {found[1], found[2]} & _JOINING
    )


def is_code(value: bytes) -> bool:
    """Whether an attribute's value does something, if it is run."""
    return _CODE.search(value) is not None


def recognise(value: bytes) -> str | None:
    """The production of a script that a value is, or None. Linear, bounded."""
    if b"[]" in value and b"!" in value and (found := _LETTERLESS.search(value)) is not None:
        run = found.group()
        if run.count(b"[]") > 1 and b"!" in run:
            return "letterless"
    if _GATE.search(value.lower()) is None:
        return None
    scheme = _address(value)
    if scheme is not None:
        return scheme
    if _ESCAPE.search(value):
        return "constructor"
    is_call = _WHOLE.match(value) or _ON_PAGE.match(value) or _TEMPLATED.search(value)
    if is_call or (b"${" in value and _EMBEDDED.search(value)):
        return "call"
    return "ended-string" if _ends_string(value) else None


def _ends_string(value: bytes) -> bool:
    """Whether a call follows closely behind the first quotation mark that could end a string."""
    ended = _ENDED.search(value)
    if ended is None:
        return False
    start, end = ended.start(), ended.end() + MAX_REACH
    found = _CALLED.search(value, start, end) or _REACH.search(value, start, end)
    if found is None or is_broken(value[ended.end() : found.start()]):
        return False
    # "`--eval` or `confirm`" are words in Markdown's code; a call in a template has no space there.
    mark, last = ended.group().lstrip(b"\\")[:1], found.end()
    is_span = mark == b"`" == value[last - 1 : last]
    around = value[max(0, start - 1) : found.start()] + value[last : last + 1]
    return not (is_span and _SPACED.search(around))


def _address(value: bytes) -> str | None:
    """A value that is a script's address: `javascript:` with code behind it, or data that runs."""
    if _DATA.match(value):
        return "data"
    bare = value.translate(None, _BLANKS)
    found = _SCHEME.match(bare)
    if found is not None and _RUNS.search(bare, found.end()):
        return "address"
    if b"script" in bare and _LOUD.search(bare.replace(b"  ", b""), 0, MAX_LOUD):
        return "address"
    if b"pression" in value and _EXPRESSION.search(_COMMENT.sub(b"", value)):
        return "expression"
    return None
