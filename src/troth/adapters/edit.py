"""Changing one value of troth.toml for the operator, comments and order kept."""

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
    old = files.read_capped(path, MAX_BYTES).decode("utf-8")
    try:
        document = tomlkit.parse(old)
    except ParseError as error:
        raise ConfigError(f"not valid TOML: {error}", where=f"{path}:{error.line}") from error
    for dotted, value in values.items():
        *tables, name = dotted.split(".")
        place: Any = document
        for table in tables:
            if table not in place:
                place.add(table, tomlkit.table())
            place = place[table]
        place[name] = value
    files.write_atomic(path, tomlkit.dumps(document).encode(), mode=path.stat().st_mode & 0o777)
    return old
