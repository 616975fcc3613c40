"""The command line. A command's body is ten lines or fewer: the story stands in a lower room.

Exit codes: 0 as wished, 1 something fails, 2 could not be done or looked at, 130 interrupted.
"""

import sys


def main() -> None:
    """The `troth` program. Loading it takes a while, too: Ctrl-C then is no traceback either."""
    try:
        from troth.cli.program import run  # noqa: PLC0415 -- within reach of `except`

        code = run()
    except KeyboardInterrupt:
        code = 130
    sys.exit(code)
