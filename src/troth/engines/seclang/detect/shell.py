"""Shell commands where an injection puts them: Unix shells, Windows cmd, PowerShell.

A program's name proves nothing ("cat & dog; ls, the list"). It takes three things: a place where a
command begins (after `;`, `|`, `&`, a new line, a backtick, `$(`, or a value's start), a program's
name there, and arguments as the program takes them. How much is asked of them depends on what
stands before: data that breaks out ("8.8.8.8; id") needs least; a whole command line, or a command
in running prose, as people post and manual pages print, passes unless what it does gives it away
(`/dev/tcp/`, `$IFS`, a download piped into `sh`, a word split by quotes): `shell_marks`.

Sources: POSIX.1-2017, Shell Command Language 2.2 (quoting), 2.6 (expansions), 2.9 (commands);
OWASP WSTG-INPV-12; CWE-78; CVE-2014-6271; Microsoft's command reference (`cmd`).
"""

import re
from typing import NamedTuple

from troth.engines.seclang.detect.layers import through
from troth.engines.seclang.detect.linear import Linear
from troth.engines.seclang.detect.programs import (
    BARE,
    BARE_WORDS,
    FIELDS,
    FILE_READERS,
    FILTERS,
    KNOWN,
    PAIRS,
    PROGRAMS,
    RECON,
    TIMED,
    WINDOWS,
    WRAPPERS,
)
from troth.engines.seclang.detect.rooted import rooted
from troth.engines.seclang.detect.shell_marks import disguised, mark

# A value that breaks out of its data and has more command places than this is refused as unread.
MAX_COMMANDS = 600
# An injection is short. In longer values repeated separators are looked at once, and a leading
# empty line breaks out of nothing.
MAX_INJECTED = 600
MAX_INJECTED_LINES = 8
MAX_DATA = 160
MAX_LINES = 2
MAX_PADDED = 1024  # bytes of a whole command with what stands around it, from its first letter
FEW = 3  # words of a language among a program's arguments: that many are a sentence

_META = Linear(
    rb"[;|&`\n\r$]|[<>]\(|\{[a-z/]|\(\)|(?i:new-object|%\S*\s+in\s*\()"
    rb"|(?i:(?:^|\s)if\s[^\n]*(?:==|\s(?:exist|defined|errorlevel|cmdextversion|equ|neq|lss|leq|gtr|geq)\s))"
)
_FIRST = re.compile(rb"[\s\"'(@]{0,8}([^\s;|&`\"')]{1,96})")
# Where a command may begin, and its first word: quotes, backslashes, carets and empty expansions
# may split it. Only what a name can start with is looked at.
_PLACE = re.compile(
    rb"([;|`\n\r](?![;|`\n\r])|&(?!&|(?:lt|gt|amp|quot|nbsp|apos|#\w{1,6});)|[$<>]\()"
    rb"(?:[ \t(!@]|[{]\s){0,8}(?:\w{1,32}=[^\s;|&`]{0,64}\s+){0,3}"
    rb"(?=[A-Za-z/.\\'\"$^{?*\[])"
    rb"((?:[\w./+@^?*\[\]-]|\\[^\n]|'[^'\n]{0,24}'|\"[^\"\n]{0,24}\""
    rb"|\$(?:[@*0-9]|\{[@*0-9]\}|\{[A-Z_]{1,20}(?::[^}\n]{0,16})?\})){1,48})"
)
_REST = re.compile(rb"[^;|&\n\r`]{0,240}")
_STRONG = re.compile(
    rb"--?[A-Za-z][\w-]*(?:=|$)|-[A-Za-z0-9]+$|-[A-Za-z?]|/[A-Za-z?]{1,3}$|(?:~"
    rb"|\.{1,2})?/[\w.*?$\[{~]|/$|\*"
    rb"|[A-Za-z]:\\|%\w+%|\$[\w{(@]|\d?>{1,2}|<|(?:https?|ftp|tftp)://|\d{1,3}(?:\.\d{1,3}){3}"
    rb"|\\\\\w"
)
_FILE = re.compile(rb"[\w*?.-]{1,80}\.[A-Za-z]{2,12}[\"')\]]{0,3}$")
_WORDS = re.compile(rb"[A-Za-z\x80-\xff][a-z\x80-\xff'-]*[.,!?:;]?$")
_NUMBER = re.compile(rb"\d{1,6}[smh]?[\"'#)\\/]{0,3}$")
# What an attacker appends to make the rest a comment, or to close what was open.
_TAILS = frozenset((b"#", b"//", b"--", b"\\\\", b"\\", b"\\n"))
_CLOSERS = b"\"')]}>*,./ \t"
_ALONE = re.compile(rb"[\s\"')\]}.,;]*[^\s]{0,80}[\s\"')\]};|&]*")
_PROMPT = re.compile(rb"\s*(?:[$#>%] |[\w.-]+@[\w.-]+|\[?\w+\]?[$#] )")
_TEST = re.compile(rb"\[{1,2} [^\n\]]{1,80} -(?:eq|ne|lt|gt|le|ge|n|z|f|d|e) ")
_SHOCK = re.compile(rb"\s*\(\s*\)\s*\{[^}\n]{0,200};?\s*\}\s*;|\s*\(\)\s*\{\s*[:_0]?\s*[;<>]")


_BIN = re.compile(rb"(?:^|/)s?bin/[\w.+-]+$|^\.{1,2}/[\w.+-]+$|(?i:system32|^[a-z]:\\)|^[^/]*$")
_REDIRECT = re.compile(rb"[<>]\s{0,2}(?:[\w.~$-]{0,40}/|[\w.-]{1,40}\.\w{1,5}\b)")
_PROSE = re.compile(rb"[^\W\d]{2,20} [^\W\d]{2,20}")
_NAMED = re.compile(rb"(?:~|\.{0,2})/|[A-Za-z]:\\|\$|<|>")
_DATUM = re.compile(rb"[\d\"'=./:@<>\[]")
_TITLE = re.compile(rb"[^\W\d][\w -]+$")
_BREAKS = (b";", b"|", b"&", b"`", b"\n", b"\r", b"$(", b"<(", b">(")
_INLINE = re.compile(_PLACE.pattern.replace(rb"[;|`\n\r](", rb"[;|`](", 1))
_REPEATED = re.compile(rb"([;|&`$<>({])\1{2,}|(\s)\s{2,}")
_REPEATS = Linear(rb"[;|&`$<>({]{3}|\s{3}")
_TABLE = re.compile(rb"\n\s{0,4}\|[^\n]{1,400}\|\s{0,4}\n\s{0,4}\|")
# Markdown (CommonMark 0.31): a fence, a line of its own before code that somebody shows (4.5); the
# list of such names (5.2, 6.1). What a command does may still give it away (`mark`).
_SHOWN = re.compile(
    rb"\s{0,8}(?:`{3,8}[ \t]{0,4}[\w+-]{0,20}[ \t]{0,4}\r?\n"
    rb"|\* `[\w.-]{1,60}`[^`\n]{0,200}\n\s{0,8}\* )"
)

_BLANK = b" \t\r\n\"';&"
_BLANKS = re.compile(rb"[ \t\r\n\"';&]*+")


class _Command(NamedTuple):
    """A program's name where a command may begin; `rest` is what follows, to the next separator."""

    separator: bytes
    name: bytes
    start: int
    is_path: bool
    rest: bytes


def recognise(value: bytes) -> str | None:
    """One form of a value; `find` looks through its encodings as well."""
    if _META.search(value) is None:
        first = _FIRST.match(value)
        if first is None:
            return None
        word = first.group(1).lower()
        if (
            word not in KNOWN
            and word.isalnum()
            and value[first.end() : first.end() + 1] in b" ,.\n"
        ):
            return None
        return _whole(value) or disguised(value)
    return mark(value) or disguised(value) or _commands(value) or _whole(value)


def _commands(value: bytes) -> str | None:
    """Commands behind a separator, judged by what stands before the first one."""
    if _SHOCK.match(value):
        return "function-definition"
    if _SHOWN.match(value):
        return None
    breaks_out = _breaks_out(value)
    places = _PLACE if breaks_out or value.count(b"\n") <= MAX_LINES else _INLINE
    if breaks_out and len(value) > MAX_INJECTED and _REPEATS.search(value):
        value = _REPEATED.sub(_twice, value)
    for count, place in enumerate(places.finditer(value)):
        if not breaks_out and not _is_data(value[: place.start()], place.group(1)):
            return None
        if count == MAX_COMMANDS:
            return None if _TABLE.search(value) else "too-many-commands"
        command = _command(value, place)
        if command is None or not _is_coherent(command):
            continue
        if _is_example(value, place, command, breaks_out=breaks_out):
            continue
        return f"command:{command.name.decode('latin-1')}"
    return "test" if breaks_out and _TEST.search(value) else None


def _breaks_out(value: bytes) -> bool:
    """Whether a value begins with what ends somebody else's command."""
    head = value.lstrip(_CLOSERS)
    is_text = len(value) > MAX_INJECTED or value.count(b"\n") > MAX_INJECTED_LINES
    if is_text and head[:1] in b"\r\n":
        head = head.lstrip(b"\r\n" + _CLOSERS)  # a text that begins with an empty line
    return head.startswith(_BREAKS)


def _twice(run: re.Match[bytes]) -> bytes:
    text = run.group()
    if run.group(1):
        return text[:2]
    return b"\n" if b"\n" in text or b"\r" in text else b" "


def _command(value: bytes, place: re.Match[bytes]) -> _Command | None:
    word, is_path = place.group(2), False
    if b"/" in word or b"\\" in word:
        if not _BIN.search(word):
            return None
        word = re.split(rb"[/\\]", word)[-1]
        is_path = True
    name = word.strip(b"\"'@")
    lowered = name.lower().removesuffix(b".exe")
    # Unix knows upper case from lower; Windows does not.
    if lowered not in KNOWN or (name != lowered and lowered not in WINDOWS):
        return None
    found = _REST.match(value, place.end())
    rest = found.group() if found else b""
    return _Command(place.group(1), lowered, place.start(), is_path, rest)


def _is_coherent(command: _Command) -> bool:
    """Whether the arguments are such as the program takes."""
    name, rest = command.name, command.rest
    if rest and rest[:1] not in b" \t)\"'><$;#}\\,/%+":
        return False
    if command.separator in b"`$(<(>(":
        rest = rest.split(b")")[0]
    words = [word.strip(b"\"'()") for word in rest.split()[:8]]
    tokens = [word for word in words if word and word not in _TAILS]
    if not tokens:
        return name in BARE or (command.is_path and name in PROGRAMS)
    if name in PAIRS:
        return tokens[0].lower() in PAIRS[name]
    if (name in WRAPPERS and tokens[0].lower() in PROGRAMS) or _REDIRECT.search(rest):
        return True
    if command.separator == b"|" and name in FILTERS and not any(map(_NAMED.match, tokens)):
        return False  # it reads what comes through the pipe, which tells an attacker nothing
    return _takes(command, tokens, rest)


def _takes(command: _Command, tokens: list[bytes], rest: bytes) -> bool:
    """The same, for a program that has arguments and takes any."""
    name, first = command.name, tokens[0]
    if name in TIMED and _NUMBER.match(first):
        return len(tokens) == 1 or (len(tokens) <= FEW and not _WORDS.match(tokens[1]))
    words = sum(1 for token in tokens if _WORDS.match(token))
    if _STRONG.match(first) and not (first[:1] == b"*" and len(first) > 1):
        return words < FEW or first[:1] in b"-/"
    if name in PROGRAMS or command.is_path:
        is_file = rest.lstrip()[:1] in b"\"'" or _FILE.match(first) is not None
        return any(_STRONG.match(token) for token in tokens[1:4]) or (is_file and words == 0)
    if name in FILE_READERS:
        return len(tokens) < FEW and _FILE.match(first) is not None
    return name in (b"echo", b"print") and (b"$" in rest or (b">" in rest and words < FEW))


def _is_data(before: bytes, separator: bytes) -> bool:
    """Whether what stands before a separator is one piece of data, and no command line or prose."""
    if len(before) > MAX_DATA or _ALONE.fullmatch(before) is None:
        return False
    word = before.strip(b"\"'`$(; \t\r\n").lower()
    if separator in (b"\r", b"\n") and len(word) > 1 and not _DATUM.search(word.rstrip(b":")):
        return False  # a heading
    if before.rstrip()[-1:] in (b"$", b"#") and before[-1:] == b" ":
        return False  # a prompt
    return word.rsplit(b"/", 1)[-1] not in PROGRAMS or word in BARE


def _is_example(
    value: bytes, place: re.Match[bytes], command: _Command, *, breaks_out: bool
) -> bool:
    """Whether it is in quotes, a word of a list, or a line of a text that goes on behind it."""
    if _is_quoted(value, command):
        return True
    if command.rest.strip()[:1] in b">)]}/," and _is_list(value, command):
        return True
    if breaks_out or command.separator not in (b"\r", b"\n"):
        return False
    return bool(value[place.end() + len(command.rest) :].strip())


def _is_quoted(value: bytes, command: _Command) -> bool:
    """Whether back-ticks are a sentence's quotes: words follow behind the closing one."""
    if command.separator != b"`":
        return False
    closing = value.find(b"`", command.start + 1)
    return closing > 0 and _PROSE.search(value, closing, closing + 200) is not None


def _is_list(value: bytes, command: _Command) -> bool:
    """Whether a bare name is one of several words: a list of tags, the columns of a table."""
    if re.search(rb"[(<\[{][\w.|-]*$", value[max(0, command.start - 80) : command.start]):
        return command.separator == b"|"  # (a|b|c) in a manual, <yes|no>
    parts = [part.strip() for part in re.split(rb"[;|&\n\r]+", value[:2000])]
    parts = [part for part in parts if part.strip(b"\"'`")]
    words = [part for part in parts if part.lower() not in KNOWN and _TITLE.match(part)]
    if len(words) > 1 or any(b" " in part for part in words):
        return True
    return command.name in BARE_WORDS and any(part.lower() in FIELDS for part in words)


def _whole(value: bytes) -> str | None:
    """A value that is a command and nothing else, of those that look around."""
    start = _blank_to(value, 0)
    text = value[start : start + MAX_PADDED].rstrip(_BLANK)
    if len(value) - start > MAX_PADDED and _blank_to(value, start + len(text)) < len(value):
        return None
    return "recon" if len(text) <= MAX_DATA and RECON.fullmatch(text) else None


def _blank_to(value: bytes, start: int) -> int:
    """Where what stands around a command ends; `strip` takes a hundred times as long."""
    found = _BLANKS.match(value, start)
    return found.end() if found else start


find = through(rooted(recognise))
