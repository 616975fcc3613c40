"""Links that compare one number: `TX:anomaly_score "@ge %{tx.threshold}"`, `&TX:x "@eq 0"`.

They run for every request, so nothing is built for them before they match.
"""

import operator as compare
from collections.abc import Callable, Mapping
from types import MappingProxyType

from troth.engines.seclang import macros
from troth.engines.seclang.dynamic import number
from troth.engines.seclang.model import Link
from troth.engines.seclang.state import State

_COMPARE: Mapping[str, Callable[[int, int], bool]] = MappingProxyType(
    {
        "eq": compare.eq,
        "ge": compare.ge,
        "gt": compare.gt,
        "le": compare.le,
        "lt": compare.lt,
    }
)

Holds = Callable[[State], bool]


def holds_of(link: Link, constants: Mapping[bytes, bytes]) -> Holds | None:
    """Whether a link may match, told cheaply; None for a link of another kind."""
    asked = link.operator
    if asked is None or asked.name not in _COMPARE or len(link.selectors) != 1:
        return None
    selector = link.selectors[0]
    if selector.collection != "TX" or not selector.key or selector.is_pattern:
        return None
    if link.transformations or selector.is_exclusion:
        return None
    key, is_count, is_negated = selector.key.encode(), selector.is_count, asked.is_negated
    compared, text = _COMPARE[asked.name], macros.text_of(asked.argument, constants)
    known = number(text) if isinstance(text, bytes) else None

    def holds(t: State) -> bool:
        value = t.tx.get(key)
        if is_count:
            left = 0 if value is None else 1
        elif value is None:
            return False
        else:
            left = value if isinstance(value, int) else number(value)
        right = number(macros.filled(text, t)) if known is None else known
        return compared(left, right) != is_negated

    return holds
