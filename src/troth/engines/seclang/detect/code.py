"""Code for an interpreter behind the application: PHP, Node.js, Python, Ruby, Perl, Java.

Prose about code passes, so does code that only computes. An attack opens the language (`<?php`), or
calls what starts a program, evaluates text or reads the interpreter's own data, in the place where
data was expected: at a value's start, behind a quote or a bracket that closes something.

Sources: CWE-94, CWE-95, CWE-96; OWASP WSTG-INPV-11; the languages' own manuals of the functions
named here; CVE-2022-22965 (Spring's class loader); CVE-2017-5638 (OGNL, see `template`).
"""

import re

from troth.engines.seclang.detect.layers import through
from troth.engines.seclang.detect.linear import Linear
from troth.engines.seclang.detect.programs import KNOWN
from troth.engines.seclang.detect.rooted import rooted

MAX_START = 400  # a call begins within the first eighty bytes of a value, see `_is_start`
MAX_GROUPED = 300
MAX_TOLD = 16  # mentions of calls in a text; one with more of them is read no further
MAX_BEFORE = 80
MAX_WORDS = 4  # in a row before it: a sentence
_GATE = re.compile(rb"[(<$][\w?%_'\"(]|\(\)|\w\(|\bclass\.|java\.|\$_|Runtime")
_OPEN = Linear(
    rb"(?i:<\?(?:php\b|=|\s{1,4}(?:\$|echo|print|system|eval|exec|include|require|passthru"
    rb"|phpinfo))"
    rb"|<script\s{1,20}language\s{0,4}=\s{0,4}[\"']?php|\[php\]|<%\s{0,4}(?:eval|execute"
    rb"|response\.write|Runtime|@\s{0,4}page))"
)
_SUPERGLOBAL = Linear(
    rb"\$(?:\{\s{0,4}[\"']?)?_(?:GET|POST|REQUEST|COOKIE|SERVER|FILES|ENV"
    rb"|SESSION)\b\s{0,4}(?:[\"']?\s{0,4}\})?\s{0,4}[\[{]|\$(?:HTTP_(?:GET|POST|COOKIE"
    rb"|RAW)\w{0,20}_?(?:VARS|DATA)|GLOBALS)\b\s{0,4}[\[;]"
)
# Functions that run programs or text. `%s` of them is called, with an argument, as one piece.
NAMES = (  # part of the grammar's sign (`signs`)
    rb"exec|system|passthru|shell_exec|popen|proc_open|pcntl_exec|eval"
    rb"|assert|create_function|call_user_func(?:_array)?"
    rb"|phpinfo|phpversion|php_uname|getcwd|base64_decode|gzinflate|str_rot13|file_get_contents"
    rb"|readfile|highlight_file|show_source|fopen|file_put_contents"
    rb"|fwrite|unlink|include(?:_once)?|require(?:_once)?|preg_replace|array_map|array_filter"
    rb"|usort|ob_start|register_shutdown_function|print_r|var_dump|print|printf|md5|die"
    rb"|sleep|chr|scandir|opendir"
    rb"|get_defined_vars|getenv|putenv|ini_set|set_time_limit|exec_shell|spawn|execfile|compile"
    rb"|__import__|globals|open"
)
_CALL = re.compile(rb"(?i:(?<![\w.>$-])(@?(?:" + NAMES + rb"))\s{0,8}\(\s{0,8}([^\n]{0,200}))")
_RUNS = frozenset(
    b"exec system passthru shell_exec popen proc_open pcntl_exec spawn execfile".split()
)
_EVALUATES = frozenset(
    b"eval assert create_function call_user_func call_user_func_array compile".split()
)
_READS = frozenset(
    b"file_get_contents readfile highlight_file show_source fopen include include_once require"
    b" require_once scandir opendir open".split()
)
_SHOWS = frozenset(
    b"phpinfo phpversion php_uname getcwd get_defined_vars globals __import__".split()
)
_PROOF = re.compile(
    rb"\s{0,4}(?:md5|sha1|str_repeat|base64_decode|hex2bin|chr|strrev|dechex|php_uname"
    rb"|phpversion|getcwd|`[^`]{1,100}`|\d{2,9}\s{0,4}[*+-]\s{0,4}\d{2,9})\s{0,4}[(`)]?"
)
_VARIABLE = re.compile(
    rb"\$\{?[A-Za-z_]\w{0,30}\}?\s{0,4}(?:\[[^\]\n]{0,40}\])?\s{0,4}(?:=\s{0,4}[^=\n][^\n;"
    rb"]{0,100};.{0,100}\$\w{1,30}\s{0,4}\(|\(\s{0,4}[$'\"][^\n]{0,100}\)\s{0,4};?)",
    re.DOTALL,
)
_SUBJECT = re.compile(rb"\)\s{1,4}([A-Za-z\x80-\xff]{2,})\s{1,4}[A-Za-z\x80-\xff]{2,}")
# ... in these; Ruby and Perl take several for calls within calls.
_ONE_NAME = frozenset({"node", "python", "java"})
_GOES_ON = re.compile(
    rb"\w{0,20}(?:\([\w., ]{0,40}\))?`{0,2}\]?(?:\[\])?[ \t]"
    rb"(?!(?:and|or|if|for|is|in|while|as|instanceof|of|else|extends|implements|throws)\b)"
    rb"[A-Za-z\x80-\xff]{2,}[ \t](?!(?:in|of|is|as|instanceof|extends)\b)[A-Za-z\x80-\xff]{2,}"
)
_JOINING = frozenset(b"and or xor if unless for foreach in is while until instanceof as".split())
_CONCATENATED = re.compile(
    rb"\(\s{0,4}['\"][\w.]{1,20}['\"]\s{0,4}(?:\.\s{0,4}['\"][\w.]{0,20}['\"]\s{0,4}){1,12}\)"
    rb"\s{0,4}\(|[\"']\w{2,20}[\"']\s{0,2}\(\s{0,2}[\"'$]|\(\s{0,2}[\"'](?:system|exec"
    rb"|passthru|shell_exec|phpinfo|assert)[\"']\s{0,2}\)\s{0,2}\("
)
# PHP calls what a variable, an element or a method names, whatever stands in it: a value that is
# nothing but such a call (PHP manual, "Variable functions"); and what names a function in pieces.
_C = rb"(?:\s|/\*[^*]{0,40}\*/|(?:\#|//)[^\n]{0,40}\n)*+"
_INDEX = rb"(?:%b(?:\[[^\]\n]{0,40}\]?\]|\{[^}\n]{0,40}\}|(?:->|::)\$?\w{1,40}))" % _C
_PASSED = rb"(?:[\w.]{1,40}|['\"][^'\"\n]{0,100}['\"]|@?\$\w[^()\n]{0,60})?"
_INDIRECT = re.compile(
    rb"\A[\s@;]{0,8}(?:\w{1,30}(?:->|::)(?=\$))?(?:\${1,4}[A-Za-z_]\w{0,30}|\${1,3}\s?\{[^}\n]{1,40}\})"
    rb"%b{0,6}%b(?<!\s)\(%b%b%b\)\s*[;.]?\s*\Z|\A[\s@;]{0,8}\$(?:[A-Za-z_]\w{0,30}|\{[^}\n]{1,40}\})"
    rb"%b{1,6}%b\(%b%b%b\)\s*[;.]?\s*\Z" % ((_INDEX, _C, _C, _PASSED, _C) * 2)
)
_GROUPED = re.compile(
    rb"\A[\s@;]{0,8}(?:\(\s*string\s*\)%b)?[\[(\"'{][^\n]{0,80}[\])\"'}]%b\(%b%b%b\)\s*;?\s*\Z"
    % (_C, _C, _C, _PASSED, _C)
)
_JOINS = re.compile(rb"/\*[^*]{0,40}\*/|['\"]?\s*\.\s*[(]?['\"]?|[\s'\"\[\](){}]")
_RUN_BY_NAME = re.compile(
    rb"(?:string)?(?:system|exec|passthru|shell_exec|popen|proc_open|assert)[0-9]{0,2}"
)
_JOINED_NAME = re.compile(
    rb"['\"](?:s(?:ys?)?|e(?:xe?)?|pass|shell|ass|eva?)\w{0,8}['\"]\s*\.\s*['\"]\w{1,10}['\"][^\n]{0,40}[\])]\s*"
    rb"(?:/\*[^*]{0,40}\*/)?\s*\("
)
_PREFIX = re.compile(
    rb"[^\w\s]{0,12}\s{0,4}(?:[\w.@:-]{1,40}|[^\n]{0,40}[;'\"})=])?[^\w\n]{0,24}(?:(?:return"
    rb"|echo|print|new|and|or|if)\b[\s(!@]{1,4})?"
)
_SURE: tuple[tuple[str, Linear], ...] = tuple(
    (name, Linear(pattern))
    for name, pattern in (
        ("node", (rb"require\s{0,4}\(\s{0,4}[\"'`](?:node:)?(?:child_process|fs|vm|net|os|http"
            rb"|worker_threads|cluster)[\"'`]\s{0,4}\)\s{0,4}(?:\.\w|\))"
                 rb"|child_process[\"'\])}.\s]{1,6}(?:exec|spawn|fork)\w{0,8}\s{0,4}\("
                     rb"|process\.(?:mainModule|binding|dlopen|kill)\b"
                     rb"|global(?:This)?\.process\.\w"
                 rb"|constructor\.constructor\s{0,4}\(|constructor\s{0,2}\(\s{0,2}[\"'`]return"
                     rb"|\.constructor\s{0,4}\(\s{0,4}[\"'`](?:return|process|alert|global)"
                 rb"|new\s{1,4}Function\s{0,4}\(\s{0,4}[\"'`]"
                     rb"|Function\s{0,4}\(\s{0,4}[\"'`]return"
                     rb"|import\s{0,4}\(\s{0,4}[\"'](?:node:)?(?:fs|child_process)"
                     rb"|_\$\$ND_FUNC\$\$_|fs\.(?:readFileSync|writeFileSync|unlinkSync"
                     rb"|readdirSync)\s{0,4}\(|process\.(?:env|argv|cwd"
                     rb"|version)\b[.\w]{0,40}\s{0,4}[;)}\[]|\bexecSync\s{0,4}\("
                     rb"|\bspawnSync\s{0,4}\(")),
        ("python", (rb"__import__\s{0,4}\(\s{0,4}[\"']|os\.(?:system|popen|exec[lv]\w{0,3}"
            rb"|spawn\w{0,4})\s{0,4}\(\s{0,4}\S|subprocess\.(?:call|run|Popen|check_output"
            rb"|check_call|getoutput)\s{0,4}\(\s{0,4}[\[\"']"
                   rb"|(?:eval|exec)\s{0,4}\(\s{0,4}compile\s{0,4}\(|\.__(?:class|globals"
                       rb"|subclasses|builtins|mro|bases?)__\b|__builtins__\b\s{0,2}[\[.]"
                       rb"|getattr\s{0,4}\(\s{0,4}__\w|importlib\.import_module\s{0,4}\(")),
        ("ruby", (rb"\bIO\.(?:popen|read|readlines|binread|sysopen)\s{0,4}\(?\s{0,4}[\"'\[]"
            rb"|\bOpen3\.|\bKernel\.(?:exec|system|open|spawn|`)|%x[({\[<|!][^\n]{1,80}"
            rb"|\bFile\.(?:read|open|write|delete)\s{0,4}\(?[\"']|instance_eval|class_eval"
            rb"|Process\.(?:spawn|exec|daemon)|URI\.open\s{0,2}\(")),
        ("java", (rb"(?i:java\.lang\.(?:Runtime|ProcessBuilder|ProcessImpl|System|Class|Thread"
            rb"|reflect|UNIXProcess)\b[^\n]{0,80}(?:getRuntime|exec|forName|start|<init>"
            rb"|getProperty|getenv|invoke|newInstance|\(|currentThread))"
                 rb"|\bgetRuntime\s{0,4}\(\s{0,4}\)\s{0,4}\.?\s{0,4}(?:exec|load|halt|exit)?"
                     rb"|\bnew\s{1,4}ProcessBuilder\s{0,4}\(|(?:javax\.script"
                     rb"|java\.beans)\.\w+Manager|ScriptEngineManager\s{0,4}\("
                 rb"|\bclass\.module\.classLoader\b|(?:^|[.\[&?])class(?:\.|\[[\"']?)(?:module"
                     rb"|classLoader|protectionDomain)\b|@ognl\.OgnlContext@|#_memberAccess"
                     rb"|T\(java\.lang\.|com\.opensymphony\.xwork2|ognl\.OgnlContext")),
        ("perl", (rb"\bqx\s{0,2}[({/|!][^\n]{1,80}[)}/|!]"
            rb"|\bopen\s{0,4}\(\s{0,4}\w{1,20}\s{0,4},\s{0,4}[\"']?\s{0,2}\|?[^\n]{1,80}\|"
            rb"\s{0,2}[\"']?\s{0,2}\)")),
        ("asp", (rb"(?i:createobject\s{0,4}\(\s{0,4}[\"'](?:wscript\.shell"
            rb"|scripting\.filesystemobject|shell\.application|msxml2\.|adodb\.)"
            rb"|response\.write\s{0,4}\(?\s{0,4}\d{2,9}\s{0,4}\*|<cf(?:execute|file|include|set"
            rb"|query|param)\b|Process\.Start\s{0,4}\()")),
    )
)  # fmt: skip
_SURE_GATE = Linear(
    rb"(?i:require|process|constructor|function|import|execsync|spawnsync|readfile|fs\.|__|os\."
    rb"|subprocess|exec|\bio\.|open|kernel|%x|file\.|_eval|java|runtime"
    rb"|class|ognl|memberaccess|scriptengine|qx|createobject|response\.|<cf|\$\$nd_|uri\.)"
)
_FILE = re.compile(rb"\(?\s{0,4}[\"']?(?:\.{0,2}/|php:|https?:|data:|expect:|\$_|__FILE__)")
_TOKENS = re.compile(rb"[;(){}\[\]'\"$`=]")


# A value that is nothing but the name of a class that runs things: whoever sends it has a program
# load it. In a sentence it is a word.
_CLASS = re.compile(
    rb"(?i:[\s\"']{0,4}(?:[\w$]{1,40}\.){0,8}(?:java\.(?:lang\.)?(?:Runtime|ProcessBuilder|ProcessImpl)"
    rb"|(?:Runtime|ProcessBuilder)(?:\.[\w$]{1,40}){1,6})[\s\"'()]{0,4}$)"
)


def recognise(value: bytes) -> str | None:
    """One form of a value; `find` looks through its encodings as well."""
    if _GATE.search(value) is None:
        return None
    if b"<" in value and _OPEN.search(value):
        return "opened"
    if b"$" in value and _SUPERGLOBAL.search(value):
        return "superglobal"
    start = value.lstrip(b"'\");} ")
    if b"$" in value and (_VARIABLE.match(start) or _INDIRECT.match(value)):
        return "variable-function"
    if (b"untime" in value or b"rocess" in value) and _CLASS.match(value):
        return "class"
    is_odd = _CONCATENATED.match(start) is not None or _is_grouped(value)
    return _called(value) or _sure(value) or ("concatenated" if is_odd else None)


def _is_grouped(value: bytes) -> bool:
    """Whether brackets or pieces of text hold the name of what runs programs, and it is called."""
    if value.rstrip(b" ;")[-1:] != b")":
        return False
    if _JOINED_NAME.search(value) is not None:
        return True
    if len(value) > MAX_GROUPED or _GROUPED.match(value) is None:
        return False
    name = _JOINS.sub(b"", value[: value.rstrip().rfind(b"(")]).lower()
    return _RUN_BY_NAME.fullmatch(name) is not None


def _sure(value: bytes) -> str | None:
    """What only code of one language says."""
    if _SURE_GATE.search(value) is None:
        return None
    for name, pattern in _SURE:
        if _says(name, pattern, value):
            return name
    return None


def _says(name: str, pattern: Linear, value: bytes) -> bool:
    """Whether a value says it as code does; what a sentence goes on behind is passed over."""
    text = value
    for _ in range(MAX_TOLD):
        found = pattern.search(text)
        if found is None:
            return False
        if name not in _ONE_NAME or _GOES_ON.match(text, found.end()) is None:
            return _is_code(text, found.start())
        text = text[found.end() :]
    return True


def _called(value: bytes) -> str | None:
    """A function that runs something, called where data was expected."""
    for call in _CALL.finditer(value, 0, MAX_START):
        before = value[: call.start()]
        if not _is_start(before):
            return None
        name, argument = call.group(1).lower().lstrip(b"@"), call.group(2)
        if _runs(name, argument, before):
            return f"call:{name.decode()}"
    return None


def _runs(name: bytes, argument: bytes, before: bytes) -> bool:
    """Whether a call with this argument runs a program or a text, or tells of the machine."""
    if name in _SHOWS and argument[:1] in b")'\"" and not _is_subject(argument):
        return True
    if name in _RUNS and _names_program(argument, bare=not before):
        return True
    if name in _EVALUATES and (argument[:1] in b"'\"$`(@" or _CALL.match(argument)):
        return True
    if name in _READS and b" = " not in before and _FILE.match(argument):
        return True
    return name not in (b"open", b"compile") and _PROOF.match(argument) is not None


def _is_subject(argument: bytes) -> bool:
    """Whether a sentence goes on behind a call: two names in a row are no code in any language."""
    found = _SUBJECT.match(argument)
    return found is not None and found[1].lower() not in _JOINING


def _names_program(argument: bytes, *, bare: bool) -> bool:
    """Whether what is run is a program's name, or comes from a variable or another call.

    Old PHP takes a name without quotes for text; so do sentences, so only where nothing stands
    before.
    """
    inner = argument.lstrip(b"'\"([ \\")
    if inner[:1] in (b"$", b"`") or b"chr(" in inner or _CALL.match(inner):
        return True
    word = re.match(rb"[\w./]{1,60}", inner)
    if word is None or (argument[:1] not in b"'\"[(\\" and not bare):
        return False
    return word.group().rsplit(b"/", 1)[-1].lower() in KNOWN


def _is_start(before: bytes) -> bool:
    """Whether what stands before is a piece of data that was closed, and no sentence."""
    return len(before) <= MAX_BEFORE and (
        not before.strip() or _PREFIX.fullmatch(before) is not None
    )


def _is_code(value: bytes, start: int) -> bool:
    """Whether a value is a piece of code rather than prose that quotes some."""
    words = re.findall(
        rb"(?<![\w.])[A-Za-z\x80-\xff]{3,20}(?=[ ,.]\s?[A-Za-z\x80-\xff])",
        value[max(0, start - 200) : start],
    )
    return len(words) < MAX_WORDS and (
        len(value) < MAX_START or len(_TOKENS.findall(value[:2000])) * 25 > len(value[:2000])
    )


find = through(rooted(recognise))
