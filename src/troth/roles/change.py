"""A change of troth.toml by a command: written, checked, and undone when it cannot be served."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from troth.adapters import edit, files
from troth.kernel.errors import Failure
from troth.roles import check
from troth.roles.check import Checked


def change(path: Path, data: Path, values: dict[str, Any]) -> Checked:
    """Set dotted keys, check the whole. What runs takes it up by itself within a second.

    Raises:
        Failure: it cannot be served; the file is as it was.
    """
    return _checked(path, data, edit.set_values(path, values))


def add(path: Path, data: Path, dotted: str, tables: Sequence[Mapping[str, Any]]) -> Checked:
    """Add `[[dotted]]` tables; otherwise as `change`."""
    return _checked(path, data, edit.add_tables(path, dotted, tables))


def _checked(path: Path, data: Path, old: str) -> Checked:
    try:
        return check.check(path, data)
    except Failure:
        files.write_atomic(path, old.encode(), mode=path.stat().st_mode & 0o777)
        raise
