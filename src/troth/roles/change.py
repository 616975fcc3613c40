"""A change of troth.toml by a command: written, checked, and undone when it cannot be served."""

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
    old = edit.set_values(path, values)
    try:
        return check.check(path, data)
    except Failure:
        files.write_atomic(path, old.encode(), mode=path.stat().st_mode & 0o777)
        raise
