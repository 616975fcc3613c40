"""Operators that would need a file system, a network or another program, and so are refused."""

from collections.abc import Mapping

from troth.engines.seclang.model import OperatorFunction

REFUSED = {
    "fuzzyhash": "compares fuzzy hashes, which needs ssdeep",
    "geolookup": "needs a database of places",
    "gsblookup": "needs a database of addresses that is no longer published",
    "inspectfile": "runs another program",
    "rbl": "asks the domain name system while a visitor waits",
    "rsub": "changes bodies; ModSecurity v3 has it not either",
    "validatedtd": "reads a DTD; here XML with one is refused before any rule runs",
    "validatehash": "needs keys that the rules do not hold",
    "validateschema": "needs a schema file; learnt parameter types do that here",
}


def refuse(name: str) -> "OperatorRefusal":
    """A builder that says why there is none."""
    return OperatorRefusal(name)


class OperatorRefusal:
    """Raises ValueError with the reason when a rule asks for the operator."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, _argument: str, _data: Mapping[str, bytes]) -> OperatorFunction:
        """Never answers."""
        raise ValueError(f"@{self.name} is not offered: it {REFUSED[self.name]}")
