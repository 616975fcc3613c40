"""Set-Cookie: what a browser makes of it (Source: RFC 6265bis)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cookie:
    """A cookie as a browser stores it: its name, and attributes by lower-case name.

    An attribute without a value (`Secure`) has the empty value. The cookie's value is not kept.
    """

    name: str
    attributes: Mapping[str, str]

    @property
    def is_host_only(self) -> bool:
        """Whether it returns to the very host that set it only (no Domain attribute)."""
        return not self.attributes.get("domain")

    @property
    def path(self) -> str:
        """Its Path; empty when it has none and the browser derives one (RFC 6265bis, 5.1.4)."""
        given = self.attributes.get("path", "")
        return given if given.startswith("/") else ""


def parse_cookie(value: str) -> Cookie | None:
    """The cookie of one Set-Cookie field; None when a browser drops it (no name).

    Of an attribute given twice the last counts (RFC 6265bis, 5.6).
    """
    pair, *rest = value.split(";")
    name, equals, _ = pair.partition("=")
    if not equals or not name.strip():
        return None
    attributes = {}
    for part in rest:
        key, _, given = part.partition("=")
        if key.strip():
            attributes[key.strip().lower()] = given.strip()
    return Cookie(name.strip(), attributes)


def is_named(name: str, names: Iterable[str]) -> bool:
    """Whether an operator's list names a cookie; `*` at an entry's end stands for any rest."""
    return any(
        name == each or (each.endswith("*") and name.startswith(each[:-1])) for each in names
    )
