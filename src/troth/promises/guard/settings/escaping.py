"""`[guard.escaping]`: where our probe may write, and where what it wrote is shown."""

from typing import Annotated

from msgspec import Meta, Struct

from troth.promises.guard.settings.limits import Path
from troth.promises.guard.settings.login import PathPattern

Value = Annotated[str, Meta(max_length=1024)]


class Step(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A form that is posted as a browser of this site would.

    Where `path` has named segments (`/book/{slot}`), the first link or form of the page `at` that
    is like it says which one. In `fields`, `{plant}` becomes the value that is looked for, and
    `{canary}` this installation's own secret; `{tomorrow}` in `at` is a date, as 2030-12-31.
    """

    path: PathPattern
    at: Annotated[str, Meta(max_length=256)] = ""
    fields: dict[str, Value] = {}


class Escaping(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[guard.escaping]`: a value with markup in it is written, shown, and taken back.

    Args:
        plant: forms that are posted in this order, by one client that keeps its cookies.
        pages: where what was planted is shown to that client.
        reflected: paths whose query is shown by the page itself, with `{plant}` in it.
        undo: forms that take it back.
    """

    plant: Annotated[tuple[Step, ...], Meta(max_length=16)] = ()
    pages: Annotated[tuple[Path, ...], Meta(max_length=16)] = ()
    reflected: Annotated[tuple[Path, ...], Meta(max_length=16)] = ()
    undo: Annotated[tuple[Step, ...], Meta(max_length=16)] = ()
