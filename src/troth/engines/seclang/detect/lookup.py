"""Look-ups in logged text (Log4Shell, Text4Shell): `${jndi:...}` however its letters are hidden.

The language nests: `${prefix:key:-default}`, where prefix, key and default may hold look-ups. They
are evaluated from the inside out, as the library does, with the value each would have for a
visitor: `${lower:J}` is `j`, `${::-n}` and `${env:NOPE:-n}` are `n`, `${date:'d'}` is `d`.

Sources: CVE-2021-44228, CVE-2021-45046, CVE-2022-42889; Apache Log4j 2 manual, "Lookups"; Apache
Commons Text, StringSubstitutor.
"""

import re

from troth.engines.seclang.detect.layers import through

# Each step undoes all innermost look-ups at once. Source: log4j-core's own limit is none; 24 nested
# ones are twice what fits in a request line of usual obfuscations.
MAX_DEPTH = 24
MAX_LOOKUPS = 400

# Look-ups that fetch, run or tell something. `env` and `sys` alone tell an attacker secrets only
# together with one of these; they are the rule's where they stand bare, as `${env:AWS_SECRET}`.
_DANGEROUS = frozenset(
    b"jndi script dns url file xml properties const resourcebundle class".split()
)
_TELLING = frozenset(
    b"env sys java ctx map sd main docker k8s kubernetes spring web log4j bundle marker event"
    b" base64decoder urldecoder localhost".split()
)
_CASES = {b"lower": bytes.lower, b"upper": bytes.upper}
_INNERMOST = re.compile(rb"\$\{([^${}]{0,512})\}|\$\{([^${}]{0,512})$")
# The scheme gives it away, too, where a letter is hidden in a way only some locale undoes.
_JNDI = re.compile(
    rb"(?i:\$\{\s{0,4}(?:jndi\s{0,4}:|[^\s:${}]{1,12}:(?:ldaps?|rmi|dns|nis|nds|iiop|corba)\s{0,4}:/))"
)
_DISGUISED = re.compile(
    rb"(?i:jndi\s{0,4}:\s{0,4}(?:ldaps?|rmi|dns|nis|iiop|corba|nds|https?)\s{0,4}:/)"
)
_PREFIX = re.compile(rb"\s{0,4}([A-Za-z][\w-]{1,24}|)\s{0,4}:")
_DATE = re.compile(rb"'([^']*)'")


def recognise(value: bytes) -> str | None:
    """One form of a value; `find` looks through its encodings as well."""
    if b"${" not in value:
        return None
    if value.count(b"${") > MAX_LOOKUPS:
        return "too-many"
    text = value[value.find(b"${") :].replace(b"\0", b"")
    is_nested = False
    for _ in range(MAX_DEPTH):
        if _JNDI.search(text):
            return "jndi"
        dangerous = _named(text)
        if dangerous is not None:
            return dangerous
        evaluated = _INNERMOST.sub(_evaluate, text)
        if evaluated == text:
            break
        text, is_nested = evaluated, True
        if b"${" not in text:
            break
    else:
        return "too-deep"
    return "jndi" if is_nested and _DISGUISED.search(text) else None


def _named(text: bytes) -> str | None:
    """A look-up that fetches or tells, by its prefix."""
    for found in _INNERMOST.finditer(text):
        body = found.group(1) if found.group(1) is not None else found.group(2)
        prefix = _PREFIX.match(body)
        if prefix is None:
            continue
        name, rest = prefix.group(1).lower(), body[prefix.end() :]
        if name in _DANGEROUS and b":" in rest + (b":" if b"/" in rest else b""):
            return f"lookup:{name.decode()}"
        if name in _TELLING and found.group(2) is None and re.match(rb"[\w.:-]{1,64}$", rest):
            return f"lookup:{name.decode()}" if b":-" not in rest else None
    return None


def _evaluate(found: re.Match[bytes]) -> bytes:
    """What the library would put in a look-up's place."""
    body = found.group(1) if found.group(1) is not None else found.group(2)
    name, colon, rest = body.partition(b":")
    name = name.strip().lower()
    if name in _CASES and colon:
        return _CASES[name](rest)
    if name == b"date":
        return b"".join(_DATE.findall(rest)) or b""
    _, default, value = body.partition(b":-")
    if default:
        return value
    if name in (b"base64", b"base64encoder", b"urlencoder") and colon:
        return rest
    return b""


find = through(recognise)
