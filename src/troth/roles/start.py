"""How every role begins: its arguments, its settings, and one line when they are wrong."""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from troth.adapters import config as configuration
from troth.catalogue import Settings
from troth.kernel.errors import Failure
from troth.roles.places import Places
from troth.roles.supervisor import CONFIGURATION_ERROR


def arguments(role: str) -> argparse.ArgumentParser:
    """A parser that knows `--config` and `--data`; a role adds its own."""
    parser = argparse.ArgumentParser(prog=f"troth.roles.{role}")
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    return parser


def given(known: argparse.Namespace) -> tuple[Settings, Places]:
    """The settings and the data directory that the arguments name. Raises ConfigError."""
    return configuration.load(known.config, Settings), Places(known.data)


def guarded(
    body: Callable[[Sequence[str]], int], argv: Sequence[str], *expected: type[Failure]
) -> int:
    """Run a role's body; what a person must mend becomes one line on standard error.

    Args:
        body: the role.
        argv: its arguments.
        expected: failures that starting again may cure (code 1); all others are the settings'.
    """
    try:
        return body(argv)
    except expected as failure:
        print(failure.hint(), file=sys.stderr, flush=True)  # noqa: T201 -- the role's last word
        return 1
    except Failure as failure:
        print(failure.hint(), file=sys.stderr, flush=True)  # noqa: T201 -- the role's last word
        return CONFIGURATION_ERROR
