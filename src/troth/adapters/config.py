"""`troth.toml` read strictly: one file, typed, an unknown key is an error that names its place."""

import re
from pathlib import Path
from typing import TypeVar

import msgspec

from troth.kernel.errors import Failure

MAX_BYTES = 1024 * 1024

T = TypeVar("T")


class ConfigError(Failure):
    """A configuration that cannot be used."""


def load(path: Path, shape: type[T]) -> T:
    """Read a TOML file into `shape` (a `msgspec.Struct` that forbids unknown fields).

    Fails closed: raises ConfigError naming file, line and the mend; never a partial reading.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise ConfigError(
            f"cannot be read: {error.strerror}", where=str(path), mend="create it with: troth init"
        ) from error
    return parse(raw, shape, where=str(path))


def parse(raw: bytes, shape: type[T], *, where: str) -> T:
    """As `load`, of bytes; `where` names them in errors."""
    if len(raw) > MAX_BYTES:
        raise ConfigError(f"longer than {MAX_BYTES} bytes", where=where)
    try:
        return msgspec.toml.decode(raw, type=shape, strict=True)
    except msgspec.ValidationError as error:
        key = _key(str(error))
        line = line_of(raw, key)
        place = f"{where}:{line}" if line else where
        raise ConfigError(_say(str(error)), where=place, mend=_mend(str(error))) from error
    except (msgspec.DecodeError, ValueError) as error:
        found = re.search(r"line (\d+)", str(error))
        place = f"{where}:{found.group(1)}" if found else where
        raise ConfigError(f"not valid TOML: {error}", where=place) from error


def _key(message: str) -> str:
    """The dotted key a msgspec message is about: an unknown field is named, others have a path."""
    path = re.search(r"at `\$\.?([^`]*)`", message)
    dotted = re.sub(r"\[\.{3}\]|\[\d+\]", "", path.group(1)) if path else ""
    unknown = re.search(r"unknown field `([^`]+)`", message)
    return ".".join(part for part in (dotted, unknown.group(1) if unknown else "") if part)


def _say(message: str) -> str:
    return message.replace("`$.", "`").replace("Object contains unknown", "unknown")


def _mend(message: str) -> str:
    if "unknown field" in message:
        return "remove it, or see docs/reference for its right name"
    if "missing required field" in message:
        return "add it"
    return "correct the value"


def line_of(raw: bytes, dotted: str) -> int:
    """The line of a dotted key, by its table header and name; 0 when it cannot be told."""
    if not dotted:
        return 0
    *tables, name = dotted.split(".")
    table = ".".join(tables)
    current = ""
    for number, line in enumerate(raw.decode("utf-8", "replace").splitlines(), 1):
        header = re.match(r"\s*\[+\s*([^\]]+?)\s*\]+", line)
        if header:
            current = header.group(1)
            if current == dotted:
                return number
        else:
            found = re.match(r"\s*([\w.\"-]+)\s*=", line)
            if found:
                full = f"{current}.{found.group(1)}" if current else found.group(1)
                if full.replace('"', "") == dotted or (current == table and found.group(1) == name):
                    return number
    return 0
