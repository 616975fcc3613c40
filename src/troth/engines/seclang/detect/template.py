"""Template expressions that compute or reach further than a placeholder.

`{{ first_name }}` and `${order.total}` are what people write in a mail's template: a name, a path
of names, a filter. An attack needs more: arithmetic that proves it runs (`{{7*7}}`), reflection
(`__class__`, `getClass`), a way out (`T(java.lang.Runtime)`, `?new()`, `popen`). So an expression
is cut out by its template's brackets, and then read. Server-side includes are told by their verb.

Sources: OWASP WSTG-INPV-18 (SSTI), WSTG-INPV-08 (SSI); CWE-1336, CWE-917, CWE-97; the manuals of
Jinja2, Twig, Freemarker, Velocity, Thymeleaf, ERB, Smarty, Handlebars; Struts S2-045 (OGNL).
"""

import re

from troth.engines.seclang.detect.layers import through
from troth.engines.seclang.detect.linear import Linear
from troth.engines.seclang.detect.rooted import rooted

MAX_EXPRESSIONS = 300
MAX_OPENINGS = 2500
MAX_EXPRESSION = 400  # bytes

_GATE = Linear(
    rb"[{<\[(][{%#$=!*@?(]|[$#%*@~^]\{|\{\w|#\w+\s?\(|\$\w+\.\w|@\w+\.\w|<\w?%"
    rb"|<esi:|\(#|@\("
)
# Where an expression begins, and what ends it.
_OPENING = re.compile(
    rb"\{\{|\{%|<%[=#@!-]?|\[\[(?=[$#*@])|\{(?=(?:php|system|fetch|include|math|\$smarty)\b)|\{#"
    rb"|[$#*@%~^]\{|\$\((?=\d)|@\(|#\("
)
_CLOSING = {
    b"{{": ("double", b"}}"),
    b"{%": ("block", b"%}"),
    b"{#": ("note", b"#}"),
    b"[[": ("inline", b"]]"),
    b"{": ("smarty", b"}"),
    b"$(": ("paren", b")"),
    b"@(": ("razor", b")"),
    b"#(": ("hash", b")"),
}
_OTHERS = (("brace", b"}"), ("erb", b"%>"))
_ARITHMETIC = re.compile(
    rb"\s{0,8}[-(]{0,4}['\"]?\d{1,12}['\"]?\s{0,4}\)?\s{0,4}(?:[*/%+-]"
    rb"|\*\*)\s{0,4}\(?\s{0,4}['\"]?\d{1,12}['\"]?\s{0,4}[)\]]{0,4}\s{0,4}(?:[-+*/"
    rb"|;%].{0,60})?$"
)
_REACH = Linear(
    rb"__\w{3,24}__|\\x5f\\x5f|\b_self\b|\bself\._|\.__|\bgetClass\b|\.class\b|\bforName\b"
    rb"|\bgetRuntime\b"
    rb"|\bgetDeclared\w|\bgetMethod|\bnewInstance\b|\bclassLoader\b|\bClassPath\b"
    rb"|\bT\s{0,4}\(\s{0,4}[\w.]+\s{0,4}\)|\bnew\s{1,4}(?:java|javax|freemarker|org|com|sun)\."
    rb"|@[\w.]{1,80}@|#_memberAccess|#context\b|#application\b|#session\b|#request\b|#attr\b"
    rb"|#parameters\b|#\w{1,24}\s{0,4}="
    rb"|\bRuntime\b|\bProcessBuilder\b|java\.(?:lang|io|util|net)\b|javax\.script|freemarker\."
    rb"|ScriptEngine"
    rb"|\?\s{0,4}(?:new|api|eval|interpret)\b|\bconstructor\b|\bprototype\b|__proto__"
    rb"|\b(?:system|exec|shell_exec|passthru|popen|proc_open|eval|spawn|execSync|spawnSync|fork"
    rb"|check_output|Popen)\s{0,4}\("
    rb"|(?:filter|map|sort|reduce|find)\s{0,4}\(\s{0,4}['\"](?:system|exec|passthru|shell_exec"
    rb"|popen|assert|phpinfo|call_user_func|file_\w+)"
    rb"|\|\s{0,4}(?:attr|pprint|forceescape|debug|tojson\s*\|)\s{0,4}\(?|`[^`]{1,80}`|%x[({\[]"
    rb"|\bIO\.|\bFile\.|\bDir\.|\bKernel\b|\bOpen3\b|\bENV\[|\bprocess\.|\bglobal\."
    rb"|\brequire\s{0,4}\("
    rb"|\b(?:config|settings|app|request|self|url_for|lipsum|cycler|joiner|namespace"
    rb"|get_flashed_messages|current_app|g)\s{0,4}"
    rb"(?:\.(?:items|from_object|environ|application|_|config|secret|SECRET|__|mysql"
    rb"|query_string|pop|init)|\[|\|\s{0,4}attr)"
    rb"|\bSECRET_KEY\b|\bimport\s{1,4}\w|\bos\.(?:system|popen|environ|listdir)|\bsubprocess\b"
    rb"|\bopen\s{0,4}\(\s{0,4}['\"]"
    rb"|\bdump\s{0,4}\(\s{0,4}(?:app|\)|_)|app\.request|\.env\b.{0,40}(?:Filter|Cache|register)"
    rb"|source\s{0,4}\(\s{0,4}['\"]/|file_excerpt|include\s{0,4}\(?\s{0,4}['\"][./]"
    rb"|\b(?:pageContext|applicationScope|sessionScope|requestScope|servletContext|facesContext"
    rb"|initParam)\b|\.getServletContext"
    rb"|\bphpinfo\b|\bphpversion\b|\bfile_get_contents\b|\bSmarty_Internal|\$smarty\b"
    rb"|\bwriteFile\b|\bself::"
    rb"|\#root\b|\bthis\.(?:get|push|pop|constructor|env)|string\.sub\b|lookup\s{1,4}string"
    rb"|#with|#each.{0,40}constructor|\bdebug\b\s{0,2}$"
    rb"|\[\s{0,4}['\"]\w{1,20}['\"]\s{0,4}[+~]\s{0,4}['\"]|\bgetattr\b|\.getInputStream"
    rb"|\bchr\(\d|\.popen|\bxstream\b|\bReader\b.{0,20}\("
)
# What a template engine puts there by itself, and what tells all when it is printed.
_WHOLE_OBJECTS = frozenset(b"config settings self request app g dump() _self _context this".split())
_VELOCITY = Linear(
    rb"#set\s{0,4}\(\s{0,4}\$\w{1,30}\s{0,4}=\s{0,4}(?:\$?['\"\w.]{0,80}\.(?:getClass|class"
    rb"|forName)|['\"]{2}|\d{1,6}\s{0,4}\*\s{0,4}\d{1,6}|\$\w{1,20}\.\w)"
    rb"|\$class\.(?:inspect|type)|\$\w{1,30}\.(?:getClass|class)\b|#(?:evaluate|include"
    rb"|parse)\s{0,4}\(\s{0,4}[\"'$]"
)
_FREEMARKER = Linear(
    rb"<#(?:assign|import|include)\s[^>]{0,200}(?:\?\s{0,4}(?:new|api)|freemarker\.|[\"']/)"
    rb"|<@\w{1,20}\s{1,4}[\"']?\w"
)
_SSI = Linear(
    rb"(?i:<!--\s{0,4}#\s{0,4}(?:exec|include|echo|config|set|printenv|fsize|flastmod|if|elif"
    rb"|odbc)\b|<esi:(?:include|inline|debug|vars|remove|assign)\b)"
)
_MAKO = Linear(
    rb"\$\{\s{0,4}(?:self|context|x)\.(?:module|write|_)|<%[!\s]{1,4}import\s|<%def"
    rb"|#import\s{1,4}\w"
)


_OWN_SYNTAX = (("velocity", _VELOCITY), ("freemarker", _FREEMARKER), ("mako", _MAKO))


def recognise(value: bytes) -> str | None:
    """One form of a value; `find` looks through its encodings as well."""
    if _GATE.search(value) is None:
        return None
    if (b"<!--" in value or b"<esi:" in value) and _SSI.search(value):
        return "include"
    found = _expression(value)
    if found or not (b"#" in value or b"$" in value or b"<%" in value):
        return found
    for name, pattern in _OWN_SYNTAX:
        if pattern.search(value):
            return name
    return None


def _expression(value: bytes) -> str | None:
    """The first expression between a template's brackets that does more than show a value."""
    count = 0
    for openings, opening in enumerate(_OPENING.finditer(value)):
        kind, closing = _CLOSING.get(opening.group(), _OTHERS[opening.group()[:1] == b"<"])
        start = opening.end()
        end = value.find(closing, start, start + MAX_EXPRESSION)
        is_closed = end >= 0 or (kind == "brace" and len(value) - start <= MAX_EXPRESSION)
        count += is_closed
        if openings == MAX_OPENINGS or count > MAX_EXPRESSIONS:
            return "too-many"
        reason = _reads(kind, value[start : end if end >= 0 else None]) if is_closed else None
        if reason:
            return f"{kind}:{reason}"
    return None


def _reads(kind: str, body: bytes) -> str | None:
    """What an expression does beyond showing a value."""
    if kind == "smarty":
        return "smarty" if not body[:8].isalpha() else None
    body = body.strip(b"$#*@%{} \t")
    if _ARITHMETIC.match(body):
        return None if kind == "note" else "arithmetic"
    if kind == "double" and body in _WHOLE_OBJECTS:
        return "object"
    return "reach" if _REACH.search(body) else None


find = through(rooted(recognise))
