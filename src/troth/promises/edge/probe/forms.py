"""What a probe fills into the application's forms: dice, and the canary's own secret."""

import os
from contextlib import suppress
from pathlib import Path

from troth.adapters import files
from troth.adapters.vantage import Vantage
from troth.promises.edge.settings import Form

_LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"
_LENGTH = 24
_MAX_BYTES = 256


def filled(form: Form, vantage: Vantage) -> dict[str, str]:
    """The form's fields, `{random}` and `{canary}` replaced."""
    canary = _canary(vantage) if any("{canary}" in value for value in form.fields.values()) else ""
    return {
        name: value.replace("{random}", _letters(vantage)).replace("{canary}", canary)
        for name, value in form.fields.items()
    }


def _letters(vantage: Vantage) -> str:
    return "".join(vantage.rng.choices(_LETTERS, k=_LENGTH))


def _canary(vantage: Vantage) -> str:
    """The secret that this installation's canary account logs in with; made on first use, 0600.

    A vantage that is not on the installation's machine does not know it and gets dice.
    """
    if vantage.data is None:
        return _letters(vantage)
    path: Path = vantage.data / "keys" / "canary"
    with suppress(FileExistsError):
        made = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(made, "w") as stream:
            stream.write(_letters(vantage))
    return files.read_capped(path, _MAX_BYTES).decode("ascii")
