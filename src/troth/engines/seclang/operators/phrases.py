"""`@pm` and `@pmFromFile`: any of many phrases, whatever the case of ASCII letters."""

import re
from collections.abc import Iterable, Mapping

from troth.engines.seclang.model import Found, OperatorFunction
from troth.engines.seclang.operators.text import argument_bytes
from troth.engines.seclang.scan.rx import compiled

_BLANK = b" \t\r\n"
_SPECIAL = re.compile(rb"[^A-Za-z0-9_]")


def phrases_of(argument: str) -> list[bytes]:
    """The phrases of `@pm`, parted by white space."""
    return argument_bytes(argument).split()


def phrases_from(argument: str, data: Mapping[str, bytes]) -> list[bytes]:
    """The phrases of the named files: a line each; blank lines and those of `#` are none.

    Raises:
        ValueError: a file is not among the data.
    """
    phrases: list[bytes] = []
    for name in argument.split():
        content = data.get(name.rpartition("/")[2])
        if content is None:
            raise ValueError(f"no data file {name!r}")
        lines = (line.strip(_BLANK) for line in content.splitlines())
        phrases.extend(line for line in lines if line and not line.startswith(b"#"))
    return phrases


def pm(argument: str, _data: Mapping[str, bytes]) -> OperatorFunction:
    """Phrases in the argument."""
    return _any_of(phrases_of(argument))


def pm_from_file(argument: str, data: Mapping[str, bytes]) -> OperatorFunction:
    """Phrases in files."""
    return _any_of(phrases_from(argument, data))


def _any_of(phrases: Iterable[bytes]) -> OperatorFunction:
    distinct = sorted({phrase.lower() for phrase in phrases})
    if not distinct:
        return lambda _value: None
    # Folding the value ourselves keeps it to ASCII: RE2 would fold Latin-1 as well.
    search = compiled(b"|".join(_quoted(phrase) for phrase in distinct)).search

    def find(value: bytes) -> Found | None:
        found = search(value.lower())
        return (value[found.start() : found.end()],) if found else None

    return find


def _quoted(phrase: bytes) -> bytes:
    return _SPECIAL.sub(lambda found: b"\\x%02x" % found[0][0], phrase)
