"""`@rxGlobal`: every place where a pattern matches."""

from collections.abc import Mapping
from itertools import islice

from troth.engines.seclang.model import Found, OperatorFunction
from troth.engines.seclang.scan import pattern, text, tree
from troth.engines.seclang.scan.rx import compiled

_CAPTURES = 10  # TX:0 to TX:9


def rx_global(argument: str, _data: Mapping[str, bytes]) -> OperatorFunction:
    """Matches and their groups one after the other, as many as there is room for.

    Raises:
        ValueError: no pattern, or one that looks around or back.
    """
    node = pattern.read(argument)
    if not tree.is_regular(node):
        raise ValueError("looks around or back, which @rxGlobal does not")
    finditer = compiled(text.regular(node)).finditer

    def find(value: bytes) -> Found | None:
        found: list[bytes] = []
        for match in islice(finditer(value), _CAPTURES):
            found.extend((match[0], *match.groups(b"")))
        return tuple(found[:_CAPTURES]) or None

    return find
