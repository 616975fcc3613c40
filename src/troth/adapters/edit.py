"""Changing one value of troth.toml for the operator, comments and order kept."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.exceptions import ParseError

from troth.adapters import files
from troth.adapters.config import MAX_BYTES, ConfigError


def set_values(path: Path, values: dict[str, Any]) -> str:
    """Set dotted keys (`edge.hsts.max_age_s`) in a TOML file; tables are made where missing.

    The file is replaced by rename, its mode kept; nothing is checked here: load it afterwards.

    Returns:
        The text as it was, for a way back.

    Raises:
        ConfigError: the file cannot be read or is no TOML.
    """
    old, document = _read(path)
    for dotted, value in values.items():
        place, name = _place(document, dotted)
        place[name] = value
    _write(path, document)
    return old


def add_tables(path: Path, dotted: str, tables: Sequence[Mapping[str, Any]]) -> str:
    """Add `[[dotted]]` tables after those that are there; else as `set_values`."""
    old, document = _read(path)
    place, name = _place(document, dotted)
    for each in tables:
        table = tomlkit.table()
        table.update(each)
        table.add(tomlkit.nl())  # people read it, too
        if name not in place:
            place.add(name, tomlkit.aot())
        place[name].append(table)
    _write(path, document)
    return old


def _read(path: Path) -> tuple[str, tomlkit.TOMLDocument]:
    text = files.read_capped(path, MAX_BYTES).decode("utf-8")
    try:
        return text, tomlkit.parse(text)
    except ParseError as error:
        raise ConfigError(f"not valid TOML: {error}", where=f"{path}:{error.line}") from error


def _place(document: Any, dotted: str) -> tuple[Any, str]:
    """The table that holds a dotted key, made where it is missing, and the key's last part."""
    *tables, name = dotted.split(".")
    for table in tables:
        if table not in document:
            document.add(table, tomlkit.table())
        document = document[table]
    return document, name


def _write(path: Path, document: tomlkit.TOMLDocument) -> None:
    files.write_atomic(path, tomlkit.dumps(document).encode(), mode=path.stat().st_mode & 0o777)
