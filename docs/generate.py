"""Writes docs/reference/settings.md from the settings' own types: `make docs`; a test compares."""

import inspect
import sys
from pathlib import Path
from typing import Any

import msgspec
from msgspec import inspect as types

from troth.catalogue import Settings

HEAD = """# Settings

Every key of `troth.toml`. An unknown key, a wrong unit or a value out of range is an error that
names file, line and mend. Written by `make docs` from the types themselves.
"""


def shape(kind: types.Type) -> str:  # noqa: PLR0911 -- one a kind
    """A type in words: what may be written."""
    match kind:
        case types.IntType():
            low, high = kind.ge, kind.le
            return f"whole number, {low} to {high}" if low is not None else "whole number"
        case types.StrType():
            return f"text like `{kind.pattern}`".replace("|", "\\|") if kind.pattern else "text"
        case types.BoolType():
            return "true or false"
        case types.DateType():
            return "date"
        case types.LiteralType():
            return " or ".join(f'`"{value}"`' for value in kind.values)
        case types.VarTupleType():
            return f"list of: {shape(kind.item_type)}"
        case types.UnionType():
            return " or ".join(
                shape(one) for one in kind.types if not isinstance(one, types.NoneType)
            )
        case _:
            return "table"


def tables(cls: type[Any], path: str) -> list[str]:
    """One section a table, depth first."""
    info = types.type_info(cls)
    assert isinstance(info, types.StructType)
    rows: list[str] = []
    below: list[str] = []
    for field in info.fields:
        inner = field.type
        name = f"{path.strip('[]')}.{field.encode_name}" if path else field.encode_name
        if isinstance(inner, types.UnionType):
            inner = next((t for t in inner.types if isinstance(t, types.StructType)), inner)
        if isinstance(inner, types.DictType) and isinstance(inner.value_type, types.StructType):
            below += tables(inner.value_type.cls, f"{name}.<slug>")
        elif isinstance(inner, types.StructType):
            below += tables(inner.cls, name)
        else:
            rows.append(f"| `{field.encode_name}` | {shape(field.type)} | {default(field)} |")
            if isinstance(inner, types.VarTupleType):
                each = inner.item_type
                if isinstance(each, types.StructType):
                    below += tables(each.cls, f"[{name}]")
    text = inspect.cleandoc(cls.__doc__ or "").removeprefix(f"`[{path}]`: ")
    head = [f"\n## `[{path}]`\n", text, ""] if path else []
    table = ["| key | may be | unless set |", "|---|---|---|", *rows] if rows else []
    return [*head, *table, *below]


def default(field: types.Field) -> str:
    """What holds when the key is not there."""
    if field.default is msgspec.NODEFAULT and field.default_factory is msgspec.NODEFAULT:
        return "**required**"
    value = field.default if field.default is not msgspec.NODEFAULT else field.default_factory()
    return f"`{msgspec.json.encode(value).decode()}`"


def text() -> str:
    """The whole page."""
    return "\n".join([HEAD, *tables(Settings, "")]) + "\n"


if __name__ == "__main__":
    target = Path(__file__).parent / "reference" / "settings.md"
    target.write_text(text(), "utf-8")
    sys.exit(0)
