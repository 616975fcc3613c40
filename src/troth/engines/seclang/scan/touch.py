"""Which bytes a transformation may change a value for.

A value that holds none of them comes out as it went in, so it need not go in. Checked by property
tests against the functions themselves. Those not named here may change any value.
"""

from collections.abc import Mapping

from troth.engines.seclang.scan import tree

_BLANK = b"\t\n\x0b\x0c\r \x85\xa0\xc2"
_NOT_ASCII = tree.members(tree.span(0x80, 0xFF))

_PATH = b"/\\"

# Of two names for one thing, the one that stands for both.
SAME: Mapping[str, str] = {"normalisepath": "normalizepath", "normalisepathwin": "normalizepathwin"}

# These try every value that ends so: `..` and the like are paths without a slash.
ENDING = b"."
BY_ENDING = frozenset({"normalizepath", "normalizepathwin"})

TOUCHED: Mapping[str, bytes] = {
    "lowercase": tree.members(tree.UPPER),
    "uppercase": tree.members(tree.LOWER),
    "urldecode": b"%+",
    "urldecodeuni": b"%+",
    "htmlentitydecode": b"&",
    "jsdecode": b"\\",
    "cssdecode": b"\\",
    "escapeseqdecode": b"\\",
    "removenulls": b"\0",
    "replacenulls": b"\0",
    "compresswhitespace": _BLANK,
    "removewhitespace": _BLANK,
    "trim": _BLANK + b"\0",
    "trimleft": _BLANK + b"\0",
    "trimright": _BLANK + b"\0",
    "replacecomments": b"*",  # a comment begins with a slash and this
    "removecomments": b"/*-#<!>",
    "removecommentschar": b"/*-#<!>",
    "normalizepath": b"/",
    "normalizepathwin": _PATH,
    "cmdline": _BLANK + b"\"'\\^,;/(" + tree.members(tree.UPPER),
    "utf8tounicode": _NOT_ASCII + b"\0",
}


def chain_of(names: tuple[str, ...]) -> tuple[str, ...]:
    """A chain with one name for each thing."""
    return tuple(SAME.get(name, name) for name in names)
