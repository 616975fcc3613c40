"""`make foreign`: every application that can be installed here, tried behind Troth.

    make foreign ARGS="wordpress ghost"

Prints a line for each thing tried and a table; exits 1 when something that was tried does not
work. What cannot be installed is named and is no failure. Packages are kept in $TROTH_FOREIGN.
"""

import sys
import time
import traceback

import ghost
import gradio
import nodered
import pretix
import wordpress
from ground import NotHereError

PLAYS = {
    "wordpress": wordpress.run,
    "ghost": ghost.run,
    "pretix": pretix.run,
    "nodered": nodered.run,
    "gradio": gradio.run,
}


def main(names: list[str]) -> int:
    """Try them one after another."""
    table, is_fine = [], True
    for name in names or PLAYS:
        print(f"{name}:", flush=True)
        began = time.monotonic()
        try:
            tried = PLAYS[name]()
        except NotHereError as error:
            print(f"  not here: {error}")
            table.append(f"| {name} | | not installed here |")
            continue
        except Exception:  # noqa: BLE001 -- one application must not stop the others
            traceback.print_exc()
            table.append(f"| {name} | | broke off |")
            is_fine = False
            continue
        good = sum(fine for _, fine, _ in tried.rows)
        took = time.monotonic() - began
        table.append(
            f"| {tried.name} | {tried.version} | {good} of {len(tried.rows)}, {took:.0f} s |"
        )
        is_fine = is_fine and tried.is_fine
    print("\n| application | version | works |\n|---|---|---|")
    print("\n".join(table))
    return 0 if is_fine else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
