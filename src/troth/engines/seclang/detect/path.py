"""Paths that leave their directory, or name what no visitor may see; wrappers; foreign scripts.

A value is canonised first, the way sloppy decoders would: every run of escapes and bytes that are
no text (`%c0%af`, `%u2215`, `0x2f`, overlong and broken UTF-8, NUL) becomes one sign that may
stand for any separator. A relative or absolute path in prose passes; a value that *is* a path is
judged: does it climb (`..`), does it end in a file of the system's own, is it a wrapper.

Sources: CWE-22, CWE-23, CWE-36, CWE-98; OWASP WSTG-ATHZ-01, WSTG-INPV-11; CVE-2000-0884 (overlong);
PHP manual, "Supported Protocols and Wrappers"; Filesystem Hierarchy Standard 3.0; Tomcat's `..;/`.
"""

import re

from troth.engines.seclang.detect.layers import through
from troth.engines.seclang.detect.rooted import rooted

MAX_PATH = 4096  # Source: Linux PATH_MAX; what is longer opens no file
MAX_SPACES = 6
_ODD = b"\x1a"  # stands for a run of signs that some decoder may read as a separator

_GATE = re.compile(rb"[/\\%]|0x[25]|[^\x20-\x7e\t\r\n]")
# NUL and its neighbours vanish behind a dot or a separator: C's strings and filters lose them.
_VANISHES = re.compile(rb"(?<=[./\\])(?:%0[01]|[\x00\x01])+")
_RUN = re.compile(
    rb"(?:%[uU][0-9a-fA-F]{4}|%[0-9a-zA-Z]{2}|0[xX][0-9a-fA-F]{2}"
    rb"|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f])+"
)
# Signs that look like or fold to a separator or a dot; broken UTF-8 may be read as anything.
_LOOKALIKES = {
    **dict.fromkeys((0x2044, 0x2215, 0x2216, 0x29F8, 0x29F9, 0xFF0F, 0xFF3C, 0xEFC8, 0xF025), "/"),
    **dict.fromkeys((0xFF0E, 0x2024, 0xFE52), "."),
    0xFFFD: "\x1a",
}
_BEGINS = (b"\xe2", b"\xee", b"\xef")  # of those in UTF-8
# Of these bytes alone `_RUN` finds nothing but `0x..`; nor does `_VANISHES`.
_QUIET = b"\t\n\r" + bytes(byte for byte in range(0x20, 0x100) if byte not in b"%\x7f")
_HERE = re.compile(rb"[/\\\x1a](?:\.?[/\\\x1a])+")
# `..` between separators; Tomcat cuts a parameter off the segment (`..;x=1/`), others read `...`.
_CLIMB = re.compile(rb"(?:^|[/\\\x1a=:;,\s])(?:\.\.|\.{4})(?:;[^/\\]{0,16})?[/\\\x1a](?=.)")
_MANY = re.compile(
    rb"(?:\.{2,4}[/\\\x1a]+){2,}|(?:\.\.[/\\\x1a]+){1,}(?:etc|windows|winnt|proc)[/\\\x1a]"
)
_SEP = rb"[/\\\x1a]+"
_END = rb"(?=$|[\x1a\s?&#;:\"'<>|,)}\]]|\.(?:html?|php|jpe?g|png|gif|txt|bak|old)$)"

# Files that tell of the machine; from the system's layout, not from a list of attacks.
_SYSTEM = (
    rb"(?:etc"
    + _SEP
    + rb"(?:passwd-?|shadow-?|g?shadow|group-?|issue|hosts|hostname|sudoers|fstab|crontab"
    rb"|motd|mtab|resolv\.conf|ssh"
    + _SEP
    + rb"\w+|apache2?"
    + _SEP
    + rb"\S+|httpd"
    + _SEP
    + rb"\S+|nginx"
    + _SEP
    + rb"\S+"
    rb"|my\.cnf|mysql"
    + _SEP
    + rb"\S+|php\S*"
    + _SEP
    + rb"\S+|master\.passwd|security"
    + _SEP
    + rb"\w+|subuid-?|subgid-?)"
    rb"|proc" + _SEP + rb"(?:self|\d{1,7}|version|cmdline|mounts|net|cpuinfo)(?:" + _SEP + rb"\S*)?"
    rb"|(?:windows|winnt)"
    + _SEP
    + rb"(?:(?:system32|repair|debug|system)"
    + _SEP
    + rb"\S+|win\.ini|system\.ini|php\.ini|my\.ini)"
    rb"|boot\.ini|win\.ini|autoexec\.bat|ntuser\.dat|ntldr|bootmgr|pagefile\.sys"
    rb"|var" + _SEP + rb"(?:log|mail|spool|lib" + _SEP + rb"(?:mysql|mlocate|php))" + _SEP + rb"\S+"
    rb"|(?:root|home" + _SEP + rb"[\w.-]+)" + _SEP + rb"\.\w\S*"
    rb"|(?:[\w.-]+"
    + _SEP
    + rb"){0,8}\.(?:ssh"
    + _SEP
    + rb"(?:id_\w+|authorized_keys|known_hosts|config)|aws"
    + _SEP
    + rb"(?:credentials|config)|bash_history|docker"
    + _SEP
    + rb"\S+|kube"
    + _SEP
    + rb"config|git"
    + _SEP
    + rb"(?:config|HEAD|index)|svn"
    + _SEP
    + rb"(?:entries|wc\.db)|htpasswd|htaccess|pgpass|my\.cnf|netrc|history|mysql_history)"
    rb"|(?:[\w.-]+" + _SEP + rb"){0,8}(?:WEB-INF|META-INF)" + _SEP + rb"\S+"
    rb"|sys" + _SEP + rb"(?:class|kernel|devices|block|module)(?:" + _SEP + rb"\S*)?"
    rb"|inetpub"
    + _SEP
    + rb"\S+|(?:[\w. -]+"
    + _SEP
    + rb"){0,8}(?:httpd\.conf|php\.ini|web\.config|wp-config\.php|global\.asa"
    rb"|access[_.]log|error[_.]log))"
)
# The value is such a file: after a drive, a climb, `file:` or signs that stand for one. A plain
# absolute path is what manuals and people write: of these only the one that nobody is sent to.
_WHOLE = re.compile(
    rb"(?i:(?=[^\s]{0,400}(?:\.\.|\?|\x1a|:)|[\\])"
    rb"(?:file:/{0,3}(?:localhost/)?|[a-z]:|[.?/\\\x1a:*~]|\\\\[\w.]{1,40}){0,400}[/\\\x1a]"
    + _SYSTEM
    + _END
    + rb")"
)
_BARE = re.compile(
    rb"(?i:(?:/{0,2}etc/passwd|/proc/self/(?:environ|fd|cmdline|maps)\S*"
    rb"|/?(?:root/|home/\w+/)?\.ssh/\w+|\.aws/credentials|WEB-INF/web\.xml)" + _END + rb")"
)
_AFTER = re.compile(
    rb"(?i:(?:\.{2,4}[/\\\x1a]+){1,40}(?:(?:[\w.-]{1,40}|Program Files)[/\\\x1a]+){0,6}?"
    + _SYSTEM
    + _END
    + rb")"
)
_WRAPPER = re.compile(
    rb"(?i:[\s\"'(=]{0,4}(?:php://\w|expect://\w"
    rb"|(?:phar|zip|zlib|glob|ogg|rar"
    rb"|ssh2(?:\.\w+)?|compress\.\w+|zip|jar:\w+|netdoc)://?|data:[\w/+.-]{0,40};base64,\s*PD9w"
    rb"|data:(?://)?text/plain[;,].{0,60}<\?|file:/(?://|localhost|[\w.~%\\-])|jar:(?:file"
    rb"|https?)!?:|classpath\*?:/|view-source:file))"
)
_SHARE = re.compile(
    rb"(?i:(?:\\\\|//)(?:[\w.-]{1,100}|\[?[0-9a-f:.]{2,45}\]?|\?|\.)[\\/](?:[a-z]|admin|ipc"
    rb"|print|unc)\$?[\\/]\S)"
)
_HIDDEN_SHARE = re.compile(rb"(?i:(?:\\\\|//)[\w.:\[\]-]{1,100}[\\/](?:[a-z]|admin|ipc|print)\$)")
_FOREIGN = re.compile(
    rb"(?i:(?:https?|ftps?)://[^\s?#\"'<>]{3,300}(?:\?{1,2}$|\x00|%00|(?<=\.txt)\?"
    rb"|(?<=\.php)\?(?:cmd|c|exec|act)="
    rb"|(?<=\.gif)\?$|(?<=\.jpg)\?$))"
)
_FOREIGN_HOST = re.compile(
    rb"(?i:(?:https?|ftps?)://\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?/\S{0,200}\.(?:php\d?|txt|inc"
    rb"|phtml|sh|pl)$)"
)
_LINK = re.compile(rb"(?i:https?:/{1,2}[\w.-]{1,253}(?::\d{1,5})?/)")
_NUL = re.compile(rb"[\w/\\.-]\.\w{1,5}\x00|\x00\.\w{1,5}$")


def recognise(value: bytes) -> str | None:
    """One form of a value; `find` looks through its encodings as well."""
    if _GATE.search(value) is None:
        return None
    canonical = canonise(value)
    is_path = _is_path(canonical)
    if b".." in canonical or b"\x1a" in canonical or b"?" in canonical[:2]:
        if is_path and (_CLIMB.search(canonical)):
            return "climbs" if not _is_harmless_link(canonical) else None
        if _AFTER.search(canonical):
            return "climbs-to-system"
    if not is_path:
        return None
    if _WHOLE.match(canonical) or _BARE.match(canonical):
        return "system-file"
    return _scheme(value)


def _scheme(value: bytes) -> str | None:
    if (b":" in value and _WRAPPER.match(value)) or _HIDDEN_SHARE.match(value):
        return "wrapper"
    if b"://" in value and (_FOREIGN.match(value) or _FOREIGN_HOST.match(value)):
        return "foreign-script"
    return "nul" if b"\0" in value and _NUL.search(value) else None


def canonise(value: bytes) -> bytes:
    """Every notation of a separator as one sign, doubled separators and `/./` as one.

    Of more than 8 KB the head and the tail: no path is that long.
    """
    if len(value) > 2 * MAX_PATH:
        value = value[:MAX_PATH] + b" " + value[-MAX_PATH:]
    if not value.isascii():
        value = _folded(value)
    if value.translate(None, _QUIET) or b"0x" in value or b"0X" in value:
        value = _RUN.sub(_ODD, _VANISHES.sub(b"", value))
    is_parted = b"/" in value or b"\\" in value or _ODD in value
    return _HERE.sub(_sole, value) if is_parted else value


def _folded(value: bytes) -> bytes:
    """Lookalikes as what they look like. Most texts that are no ASCII hold none."""
    if not any(begin in value for begin in _BEGINS):
        try:
            value.decode()
        except UnicodeDecodeError:
            pass
        else:
            return value
    return value.decode("utf-8", "replace").translate(_LOOKALIKES).encode()


def _sole(found: re.Match[bytes]) -> bytes:
    return _ODD if _ODD in found.group() else found.group()[-1:]


def _is_path(canonical: bytes) -> bool:
    """Whether a value is one path and nothing else; a few spaces may stand in its names."""
    text = canonical.strip()
    if b"\n" in text:
        return False
    spaces = text.count(b" ")
    return not spaces or (
        spaces <= MAX_SPACES
        and (text[:2] == b".." or (text[:1] in b"/\\\x1a?" and b".." in text[:8]))
    )


def _is_harmless_link(canonical: bytes) -> bool:
    """Whether it is a web address whose `..` stay below its host: browsers resolve them."""
    link = _LINK.match(canonical)
    if link is None:
        return False
    depth = 0
    for segment in re.split(rb"[/\\]", canonical[link.end() :].partition(b"?")[0]):
        depth += -1 if segment == b".." else 1
        if depth < 0:
            return False
    return True


find = through(rooted(recognise))
