"""Kinds of values: what a parameter's values have in common, and whether another value fits.

Pure and bounded. A value may be of several kinds (`7` is an integer, a number and a slug); what
many values have in common is what they all are. Whatever is none of them is text: nothing is said.
"""

import re
from dataclasses import dataclass, field

# From narrow to wide: the first that fits is what is proposed.
KINDS: dict[str, re.Pattern[str]] = {
    "boolean": re.compile(r"true|false|on|off|yes|no|0|1", re.IGNORECASE),
    "integer": re.compile(r"[+-]?\d{1,19}", re.ASCII),
    "number": re.compile(r"[+-]?\d{1,19}(\.\d{1,19})?([eE][+-]?\d{1,3})?", re.ASCII),
    "uuid": re.compile(r"[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}", re.IGNORECASE),
    "date": re.compile(r"\d{4}-\d\d-\d\d", re.ASCII),
    "datetime": re.compile(
        r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:?\d\d)?", re.ASCII
    ),
    # Source: HTML standard, valid e-mail address, without quoted local parts; bounded as RFC 5321.
    "email": re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]{1,64}@[A-Za-z0-9.-]{1,255}", re.ASCII),
    "slug": re.compile(r"[A-Za-z0-9]+([._-][A-Za-z0-9]+)*", re.ASCII),
}
MAX_ROUTES, MAX_NAMES = 500, 100
MAX_LENGTH = 4096
_LEFT_OPEN = frozenset(KINDS)
_IDENTIFIER = re.compile(r"\d{1,19}|[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}|[0-9a-f]{16,64}")
_INDEX = re.compile(r"\.\d+(?=\.|$)")


def kinds_of(value: str) -> frozenset[str]:
    """Every kind a value is of; none for text."""
    if len(value) > MAX_LENGTH:
        return frozenset()
    return frozenset(name for name, shape in KINDS.items() if shape.fullmatch(value))


def fits(value: str, kind: str, max_length: int) -> bool:
    """Whether a value is of a kind and not too long; an empty one always fits."""
    return not value or (len(value) <= max_length and KINDS[kind].fullmatch(value) is not None)


def route_of(path: str) -> str:
    """A spelled path with its identifiers named: `/users/17/x` is `/users/{id}/x`."""
    count = 0
    parts = []
    for part in path.split("/"):
        if _IDENTIFIER.fullmatch(part):
            count += 1
            parts.append("{id}" if count == 1 else f"{{id{count}}}")
        else:
            parts.append(part)
    return "/".join(parts)


def name_of(name: str) -> str:
    """A field's name without the places in lists: `items.3.id` is `items.*.id`."""
    return _INDEX.sub(".*", name)


@dataclass(slots=True)
class Seen:
    """What was seen of one parameter: how many values, what they all are, the longest."""

    count: int = 0
    common: frozenset[str] = _LEFT_OPEN
    longest: int = 0

    def add(self, value: str) -> None:
        """Take a value into account; empty ones say nothing."""
        if value:
            self.count += 1
            self.common &= kinds_of(value)
            self.longest = max(self.longest, len(value))

    @property
    def kind(self) -> str:
        """The narrowest kind that all values are of; empty for text."""
        return next((name for name in KINDS if name in self.common), "")


@dataclass(slots=True)
class Learnt:
    """What was seen, by route and name; bounded in both."""

    routes: dict[str, dict[str, Seen]] = field(default_factory=dict)

    def add(self, route: str, name: str, value: str) -> None:
        """Take one value into account, if there is room for its route and name."""
        names = self.routes.get(route)
        if names is None:
            if len(self.routes) >= MAX_ROUTES:
                return
            names = self.routes[route] = {}
        seen = names.get(name)
        if seen is None:
            if len(names) >= MAX_NAMES or len(name) > 128:  # noqa: PLR2004 -- as in settings
                return
            seen = names[name] = Seen()
        seen.add(value)
