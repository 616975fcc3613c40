"""What gives a shell command away wherever it stands, even in the midst of prose.

`mark`: doings that no manual's example shows and no sentence contains. `disguised`: a program's
name that somebody has hidden with quotes, backslashes, carets, empty expansions or wild cards.
"""

import re
from fnmatch import translate

from troth.engines.seclang.detect.linear import Linear
from troth.engines.seclang.detect.programs import KNOWN, PLACES

MAX_DISGUISED = 400
MAX_WILD = 40

_SHELLS = rb"(?:/[\w/.-]{1,30}/)?(?:(?:ba|da|z|k|c|a|tc|fi)?sh|python[23]?|perl|ruby|php|node)"
_FETCH = rb"(?:curl|wget|fetch|lwp-download|tftp)"
_MARKS: tuple[tuple[str, bytes, Linear], ...] = tuple(
    (name, needle, Linear(pattern))
    for name, needle, pattern in (
        ("device", b"/dev/", rb"[<>&]\s{0,2}/dev/(?:tcp|udp)/[\w.$-]{1,80}/"),
        (
            "arithmetic",
            b"$((",
            (
                rb"(?:echo|expr|printf|print)\b[^\n$]{0,40}\$\(\(\s{0,4}\d{1,9}\s{0,4}[-+*]\s{0,4}"
                rb"\d{1,9}\s{0,4}\)\)"
            ),
        ),
        (
            "piped",
            b"|",
            rb"\b(?:base64|openssl|xxd|"
            + _FETCH
            + rb")\s[^\n|;]{0,200}\|\s{0,4}(?:sudo\s)?"
            + _SHELLS
            + rb"(?=\s{0,4}(?:$|[;|&\n`)'\"#]|-))",
        ),
        (
            "downloaded",
            b"://",
            rb"(?:^|[;|&`\n(])\s{0,4}" + _FETCH + rb"\s[^\n;|&]{0,200}(?:https?|ftp)://"
            rb"[^\n;|&]{1,240}[;&|]{1,2}\s{0,4}(?:chmod|sh|bash|perl|python|\./|mv|tar|curl|wget)",
        ),
        (
            "listener",
            b" -",
            (
                rb"(?:^|[^\w.-])(?:nc|ncat|netcat|nc\.traditional)(?:\.exe)?\s[^\n;|]{0,80}"
                rb"-[a-z]{0,6}[ec]\s{1,4}(?:\S{0,40}/)?(?:\w{0,2}sh|cmd(?:\.exe)?|powershell)"
            ),
        ),
        ("interactive", b"sh -i", rb"\b(?:ba|z|k|da)?sh -i\s{0,4}(?:\d?[<>]|[|;&\"'])"),
        (
            "fifo",
            b"mkfifo",
            rb"mkfifo\s{1,4}\S{1,80}\s{0,4}[;&]{1,2}[^\0]{0,200}\b(?:nc|ncat|telnet|openssl|sh)\b",
        ),
        (
            "script",
            b" -",
            (
                rb"(?:^|[;|&`\n('\"])\s{0,4}(?:python[23]?|perl|ruby|php[57]?|node|lua)\s{1,4}-[ecr]\s"
                rb"[^\n]{0,300}?(?:socket|exec|system|popen|spawn|fsockopen|passthru|urlopen|sleep)\b"
            ),
        ),
        (
            "powershell",
            b"",
            (
                rb"(?i:powershell(?:\.exe)?\s[^\n]{0,80}?-(?:e|enc|ec|encodedcommand|nop|noprofile|ep"
                rb"|executionpolicy|w|windowstyle|inputformat|command)\s|\biex\b\s{0,4}\(?\s{0,4}[\"']?(?:\$|\[|new-|iwr|irm|invoke-|curl|wget)"
                rb"|invoke-expression\s{0,4}[($\"']|new-object\s{1,4}(?:system\.)?net\.(?:webclient"
                rb"|sockets)"
                rb"|\.download(?:string|file)\(|certutil(?:\.exe)?\s[^\n]{0,40}-(?:urlcache|decode)"
                rb"|bitsadmin\s{1,4}/transfer|start-sleep\s{1,4}-s)"
            ),
        ),
        (
            "batch",
            b"",
            (
                rb"(?i:\bfor\s{1,20}(?:/[dflr]\s{1,20}){0,3}(?:[^%\n]{0,60}\s)?%{1,2}\S{0,20}"
                rb"\s{1,20}in\s{0,20}\([^\n]{1,200}\)\s{0,4}do\b"
                rb"|\bif(?:/i)?\s{1,20}(?:/i\s{1,20})?(?:not\s{1,20})?"
                rb"(?:[\"'(\[{]?(?:A?%|!\w)[^\s\n]{1,40}\s{0,4}==|\S{1,40}\s{0,20}==\s{0,20}\S{1,40}\s{1,20}@"
                rb"|(?:exist\s{1,20}\S{1,80}|defined\s{1,20}\w{1,40}|errorlevel\s{1,20}\d{1,4}"
                rb"|cmdextversion\s{1,20}\d"
                rb"|\S{1,40}\s{0,20}(?:==|\s(?:equ|neq|lss|leq|gtr|geq)\s)\s{0,20}\S{1,40})\s{1,20}"
                rb"\(?(?:echo|goto|cmd|del|copy|call|start|type|dir|set|exit|md|rd)\b))"
            ),
        ),
        (
            "exfiltration",
            b"",
            (
                rb"\b(?:nslookup|dig|host|ping|curl|wget)\s(?:[^\s;|&]{1,60}\s){0,4}[^\s;|&]{0,80}(?:\$\(|`)\s{0,4}"
                rb"(?:whoami|id|hostname|uname|cat|base64|env)\b"
            ),
        ),
        (
            "decoded",
            b"|",
            (
                rb"(?:\$\(|`)[^()`\n]{1,120}\|\s{0,4}(?:base64\s{1,4}--?d|sh|bash|rev"
                rb"|xxd\s{1,4}-\w*r|openssl|python|perl)\b"
            ),
        ),
        (
            "secrets",
            b"/",
            (
                rb"(?:[;|&]|\$\()\s{0,4}(?:/[\w/]{1,20}/)?(?:cat|tac|nl|less|more|head|tail|od|xxd|base64"
                rb"|strings|sort|rev|cut|cp)\s(?:-\S{1,20}\s|\d{1,4}\s){0,3}[^\s;|&]{0,20}"
                rb"(?:/etc/(?:passwd|shadow|sudoers|hosts)|/proc/(?:self|1)/|/\.ssh/|/\.aws/|/\.env\b)"
                rb"|[;|&]\s{0,4}rm\s{1,4}-\w{0,3}r\w{0,3}\s{1,4}[/~*]"
            ),
        ),
        ("substring", b":~", rb"%[A-Za-z]{3,20}:~-?\d{1,3},-?\d{1,3}%"),
        (
            "assembled",
            b"=",
            (
                rb"(?:^|[;&|\n`(])\s{0,4}(?:\w{1,8}=[\w./]{1,12}[;\s&]{1,3}){1,4}\$\w{1,8}\$?\w{0,8}"
                rb"\s?/?"
                rb"(?:\$|/etc|/bin)"
            ),
        ),
        ("measured", b"${#", rb"\w{1,16}=\$\{#\w{1,16}\}"),
    )
)
# Three of them begin with words of every language: they are looked for where one of these occurs.
RARE = (  # part of the grammar's sign (`signs`)
    rb"(?i:powershell|iex|invoke-|new-object|\.download|certutil|bitsadmin|start-sleep"
    rb"|%\S*\s+in\s*\(|\b(?:exist|defined|errorlevel|cmdextversion|equ|neq|lss|leq"
    rb"|gtr|geq)\s"
    rb"|\bif\s[^\n]+==)|(?:\$\(|`)\s*(?:whoami|id|hostname|uname|cat|base64|env)\b"
)
_RARE = Linear(RARE)
SPLITTER = (  # part of the grammar's sign (`signs`)
    rb"\\\w|''|\"\"|\^\w|\w'\w{1,8}'|'\w{1,8}'\w|\w\"\w{1,8}\"|\"\w{1,8}\"\w|\$[@*0-9{'a-z]"
)
_SPLITTER = Linear(SPLITTER)
_SEPARATED = re.compile(rb"(?<![\w$])(\w{2,12})\$\{?IFS")
_SPLIT = re.compile(
    rb"(?:^|[\s;|&`(/{=,])((?:\w{1,12}|(?:\\(?=\w)))?(?:(?:\\(?=\w)|''|\"\"|\^(?=\w)|'\w{1,8}'"
    rb"|\"\w{1,8}\""
    rb"|\$'\w{1,12}'|\$(?:[@*0-9]|\{[@*0-9a-z]?\})|\$[a-z](?!\w))\w{0,12}){1,12})(?=[\s;"
    rb"|&`)<>,}'\"]|$)"
)
# Two letters are split by chance; these are what attackers split.
_SHORTEST = 2
_SHORT = frozenset((b"id", b"ls", b"sh", b"nc", b"ps", b"rm"))
_UNSPLIT = re.compile(rb"\$(?:[@*0-9]|\{[@*0-9a-z]?\}|[a-z](?!\w))|\$(?=')|['\"\\^]")
_WILD = re.compile(rb"(?:^|[\s;|&`(<>{,])((?:/[\w?*\[\].-]{1,16}){2,4})(?=[\s;|&`)<>,}'\"$]|$)")
_BRACED = re.compile(rb"(?:^|[;|&`(\n\s])\{([\w./]{1,24}),([^{}\n]{1,120})\}")


def mark(value: bytes) -> str | None:
    """The name of what gives it away. For values that hold a separator."""
    is_rare = _RARE.search(value) is not None
    for name, needle, pattern in _MARKS:
        if (needle in value if needle else is_rare) and pattern.search(value):
            return name
    if b"IFS" in value:
        for found in _SEPARATED.finditer(value):
            if found.group(1).lower() in KNOWN:
                return "separator"
    return None


def disguised(value: bytes) -> str | None:
    """A program whose name is not written as it is read."""
    found = _split(value) if _SPLITTER.search(value) else None
    if found is None and (b"?" in value or b"*" in value or b"[" in value):
        found = _wild(value)
    if found is None and b"," in value and b"{" in value:
        found = _braced(value)
    return found


def _split(value: bytes) -> str | None:
    for count, found in enumerate(_SPLIT.finditer(value)):
        raw = found.group(1)
        name = _UNSPLIT.sub(b"", raw).lower()
        is_name = name in KNOWN and (len(name) > _SHORTEST or name in _SHORT)
        if is_name and _is_split(raw, name):
            return f"disguised:{name.decode('latin-1')}"
        if count > MAX_DISGUISED:
            return "disguised:too-many"
    return None


def _wild(value: bytes) -> str | None:
    count = 0
    for found in _WILD.finditer(value):
        count += found.group(1).translate(None, b"?*[") != found.group(1)
        if count > MAX_WILD:
            return "wild-cards"
        if _is_wild(found.group(1)):
            return "wild-card"
    return None


def _braced(value: bytes) -> str | None:
    for found in _BRACED.finditer(value):
        name = found.group(1).rsplit(b"/", 1)[-1].lower()
        if name in KNOWN and found.group(2)[:1] in b"/-$~.\"'%":
            return f"braces:{name.decode('latin-1')}"
    return None


def _is_split(raw: bytes, name: bytes) -> bool:
    """Whether quotes stand within the word; around it they are a sentence's."""
    inner = raw.strip(b"'\"")
    if inner.lower() == name:
        return False
    # `\ls` and `^ls` are how people escape an alias or write a control character.
    return not (inner[:1] in b"\\^$" and inner[1:].lower() == name and inner[:2] != b"$'")


def _is_wild(pattern: bytes) -> bool:
    """Whether a path with wild cards in it finds a program of those that attackers call."""
    last = pattern.rsplit(b"/", 1)[-1]
    if (
        not (b"?" in pattern or b"[" in pattern or re.search(rb"\w\*\w", pattern))
        or b"//" in pattern
    ):
        return False
    if last.strip(b"*") == b"":
        return False
    try:
        expression = re.compile(translate(pattern.decode("latin-1")).encode("latin-1"))
    except re.error:
        return False
    return any(expression.match(place) for place in PLACES)
