"""What a grammar cannot do without: one expression each, so that one scan asks all of them at once.

`SIGNS[topic]` matches each form of a value in which `detect.<topic>.recognise` finds anything, in
Hyperscan's notation, bytes, `^` at lines. It says too much, never too little: a value in none
of whose forms (`layers.forms`) it matches need not be asked. HTML and shell also refuse floods of
what is ordinary (equals signs, separators): whoever asks counts those (`layers.MANY`). A test over
attacks, words and noise holds it; who widens a grammar widens its sign.
"""

import re
from collections.abc import Mapping

from troth.engines.seclang.detect import code, htmlwords, layers, shell_marks, sqlwords
from troth.engines.seclang.detect.programs import KNOWN, RECON

_GAP = rb"[\x00-\x20\x7f]*"


def _any(*alternatives: bytes) -> bytes:
    return b"(?:" + b"|".join(alternatives) + b")"


def _class(members: bytes) -> bytes:
    return b"[" + b"".join(b"\\x%02x" % byte for byte in members) + b"]"


def _apart(word: bytes) -> bytes:
    """A word whose letters may have blanks between them."""
    return _GAP.join(bytes((letter,)) for letter in word)


_SINK = _any(*htmlwords.SINKS)
# Behind a name that runs: quotes, brackets, a comment, and `.call`.
_CALLED = rb"\W*(?:(?:call|apply|bind)\W*)?(?:[(`]|/\*)"
_NAME = _any(*map(re.escape, sorted(KNOWN)))
# Verbs, and the clauses that tell by themselves; a call, a comment or a conjunction is the rest.
_SQL_VERBS = sqlwords.STATEMENTS | frozenset(
    b"union intersect except minus into from where having procedure order group case".split()
)
_DECODED = bytes(byte for byte in range(256) if byte not in layers.PLAIN)

SIGNS: Mapping[str, bytes] = {
    "sql": _any(
        rb"['\"`]|--|#|/\*|@@|::|\|\||&&|(?i:(?:and|or|xor)(?:[^a-zA-Z]|\z))",
        rb"(?i:" + _any(*sorted(_SQL_VERBS)) + rb"(?:[^a-zA-Z_]|\z))",
        rb"(?i:"
        + _any(*sorted(sqlwords.EFFECTS | sqlwords.FUNCTIONS))
        + rb"[\x00-\x20\xa0\xc2]*\()",
        rb"(?i:" + _any(*map(re.escape, sqlwords.EFFECT_PREFIXES)) + rb")",
        rb"(?i:(?:out|dump)file|information_schema|drop\s)",
    ),
    "html": _any(
        rb"<[a-zA-Z!?/]",
        rb"\x00",
        rb"(?i:(?:on|style|srcdoc|attributename|v-|ng-|x-|hx-|@|\*ng|bind|\[)[^=]*=)",
        rb"(?i:" + _any(*map(_apart, (b"script", b"mocha", b"data"))) + _GAP + rb":)",
        rb"\[\]",
        rb"(?i:constructor|__(?:define|lookup|proto)|pression|" + _SINK + _CALLED + rb")",
        rb"(?i:\A[\s;({!]*(?:document|window|self|top|parent|frames|globalthis|navigator))",
        rb"`[^`]*\$|(?i:document\s*[./]|location|window\s*[/\[]|string\.from|import\W*\(|onerror)",
    ),
    "shell": _any(
        rb"(?i:[;|&`\n\r(](?:[^;|&\n\r]*\W)?" + _NAME + rb"(?:\.exe)?(?:\W|\z))",
        rb"/dev/(?:tcp|udp)/|\$\(\(|sh -i|mkfifo|:~|=[^\n]*\$\w|\$\{#|IFS",
        rb"\(\s*\)\s*\{|\[ [^\n\]]* -",
        rb"/(?:etc|proc)/|/\.(?:ssh|aws|env)|rm\s+-",
        rb"(?i:(?:base64|openssl|xxd|curl|wget|fetch|lwp-download|tftp)\s)|(?:\$\(|`)[^()`\n]+\|",
        rb"(?:nc|ncat|netcat|nc\.traditional)(?:\.exe)?\s[^\n;|]*-[a-z]*[ec]\s",
        rb"(?:python[23]?|perl|ruby|php[57]?|node|lua)\s{1,4}-[ecr]\s",
        shell_marks.RARE,
        shell_marks.SPLITTER,
        rb"/[\w*\].-]*[?*\[]",
        rb"\{[\w./]{1,24},",
        RECON.pattern,
    ),
    "path": _any(
        rb"\.\.|%|0[xX][0-9a-fA-F]|[^\x20-\x7e\t\r\n]|\\",
        rb"(?i:\A(?:file:|[a-z]:|[.?/:*~]\S*[:?]|[?:]))|://(?:\d|\S*[?\x00%])|//\S*\$",
        rb"(?i:etc/|proc/|\.ssh/|\.aws/|web-inf/)",
        rb"(?i:(?:php|expect|phar|zip|zlib|glob|ogg|rar|ssh2|compress|netdoc|jar|data|file"
        rb"|classpath\*?|view-source)[:.])",
    ),
    "template": _any(
        rb"\{\{|\{%|<%|\[\[|\{#|[$#*@%~^]\{|\$\(|@\(|#\(|<!--|<esi:|<#|<@",
        rb"\{(?:php|system|fetch|include|math|\$)",
        rb"#(?:set|evaluate|include|parse|import)|\$\w+\.",
    ),
    "xml": rb"<!|nclude|<\?xml-s|<xsl:",
    "ssrf": rb":[/\\]",
    "deserial": _any(
        rb"\xac\xed|aced0005|rO0AB|AAEAAAD|[OC]:\+?\d{1,4}:\"|ND_FUNC|__proto__|prototype",
        rb"c(?:os|posix|nt|subprocess|sys|builtins|__builtin__|commands|pty|socket|shutil"
        rb"|importlib|runpy|operator|functools)\n",
        rb"(?:os|posix|nt|subprocess|builtins|__builtin__)[\x94\x8c]",
        rb"(?:^|[=;,:\"'\s/])(?:gA[JNRSWE]|BAh|/w[A-Z]|KGRw|Y29z|Y3Bv|Y19f|KGx|gASV)",
        rb"(?i:\$type|ObjectData|TypeConfuse|org\.|com\.sun|TemplatesImpl|ysoserial)",
        rb"@(?:type|class|c)[\"']?\s*:|\[\s*\"(?:java|com|org|ch|javax)",
        rb"<(?:java|dynamic|sorted-set|tree-map|jdk|object|void)",
        rb"!(?:[!<]|ruby|python|java|com\.|org\.)",
    ),
    "lookup": rb"\$\{",
    "mail": _any(
        rb"HTTP/|[\r\n]|\\n|\xe5\x98|(?i:body(?:\.peek)?\[)",
        rb"(?i:[a-z]\d{1,5}\s{1,4}(?:capability|login|logout|authenticate|select|examine|create"
        rb"|delete|rename|subscribe|list|lsub|status|append|check|close|expunge|search|fetch|store"
        rb"|copy|uid|noop|starttls|idle|unselect))",
    ),
    "code": _any(
        rb"(?i:" + _any(code.NAMES, rb"require|function|import|createobject") + rb"\s{0,8}\()",
        rb"\$[{A-Za-z_]|<\?|<%|<script|\[php\]",
        rb"\(\s{0,4}['\"]|[\"']\w{2,20}[\"']\s{0,2}\(",
        rb"[\])}]\s*\(|\*/\s*\(|['\"]\s*\.\s*['\"]",
        rb"(?i:runtime|processbuilder|processimpl|child_process|process\.|constructor|nd_func|fs\.)",
        rb"(?i:__|os\.|subprocess|import_module|\bio\.|open3|kernel|%x|file\.|_eval|uri\.open)",
        rb"(?i:java\.|javax\.|scriptengine|class[.\[]|ognl|memberaccess|xwork2|qx\s{0,2}[({/|!])",
        rb"(?i:response\.write|<cf|execsync|spawnsync)",
    ),
    "nosql": _any(
        rb"\$[a-zA-Z]|==|[\r\n][ \t]{0,2}(?i:\*[0-9]|config|slaveof|replicaof|flushall|eval|module"
        rb"|set\s|debug)",
        rb"this[.\[]|(?:sleep|while|for)\s*[(/]|Date|emit\(|tojson|printjson|db\.|mapReduce"
        rb"|function|;[\s/*\w-]{0,80}return",
    ),
    "ldap": rb"\*\)|\*\(\||\)\s*[&|!]?\s*[(\x00]|\(\s*[&|!]\s*\(",
    "graphql": rb"\{",
    "budget": _class(_DECODED),  # unpacked forms that unfold further have one of these, too
}
"""By the topic's name."""
