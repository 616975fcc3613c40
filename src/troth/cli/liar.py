"""`troth liar`."""

import sys
from pathlib import Path

import click

from troth.adapters import process
from troth.kernel.errors import Failure

MATRIX = Path("tests") / "liars" / "matrix.py"


@click.command()
@click.argument("slug")
def liar(*, slug: str) -> None:
    """Build a system that breaks this promise, in every way we know, and see its probe turn red.

    Liars are part of the repository, not of the installed package.
    """
    script = Path(__file__).parents[3] / MATRIX
    if not script.is_file():
        mend = f"clone the repository, then: make liars ARGS={slug}"
        raise Failure("liars are not part of the installed package", where=slug, mend=mend)
    process.become([sys.executable, script, slug])
