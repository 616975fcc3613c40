"""GraphQL abuse: documents that ask for the schema, or for more than an answer can bear.

A document is read by GraphQL's own tokens (October 2021 specification, 2.1) and counted: depth,
aliases of one field, directives on one field, fragments that lead back to themselves, operations in
one batch. The bounds are far beyond what clients send; introspection is said by its own name, so
that a route may allow it. A value that is not a document is none of this grammar's business.
"""

import re
from collections import Counter

from troth.engines.seclang.detect import layers

MAX_DEPTH = 15
MAX_ALIASES = 50
MAX_DIRECTIVES = 20  # on one field
MAX_TOKENS = 8000
MAX_BATCH = 20

_DOCUMENT = re.compile(
    rb"\s*(?:#[^\n]*\n\s*)*(?:(?:query|mutation|subscription)\b\s*\w*\s*[({@]|fragment\s+\w+\s+on\s+\w+|\{)"
)
_TOKEN = re.compile(
    rb"(?P<string>\"\"\"(?:[^\"]|\"(?!\"\"))*+(?:\"\"\")?|\"(?:[^\"\\\n]|\\.)*+\"?)|(?P<note>#[^\n]*)"
    rb"|(?P<spread>\.\.\.)|(?P<name>[_A-Za-z]\w*)|(?P<mark>[{}()\[\]:!@$=|&])|(?P<number>-?[0-9][\w.+-]*)"
    rb"|[\s,\xef\xbb\xbf]+|(?P<other>.)",
    re.DOTALL,
)
_SCHEMA = frozenset({b"__schema", b"__type"})


class _Document:
    """What counting a document's tokens finds."""

    def __init__(self) -> None:
        self.depth = self.deepest = self.parentheses = self.directives = self.most = 0
        self.aliases: Counter[bytes] = Counter()
        self.operations = 0
        self.fields: set[bytes] = set()
        self.spreads: dict[bytes, set[bytes]] = {}
        self.fragment = b""
        self.is_whole = True

    def take(self, kind: str, text: bytes, before: bytes, second: bytes) -> None:
        """One token, with the two before it."""
        if kind == "mark":
            self._mark(text)
        elif kind == "name" and not self.parentheses:
            if before == b"@":
                self.directives += 1
                self.most = max(self.most, self.directives)
            elif before == b"...":
                self.spreads.setdefault(self.fragment, set()).add(text)
            elif before == b"fragment":
                self.fragment = text
            else:
                self._field(text, before, second)

    def _mark(self, text: bytes) -> None:
        if text == b"{":
            self.depth += not self.parentheses
            self.deepest = max(self.deepest, self.depth)
            self.directives = 0
        elif text == b"}":
            self.depth -= not self.parentheses
            if self.depth == 0:
                self.operations, self.fragment = self.operations + 1, b""
        elif text in b"([":
            self.parentheses += 1
        elif text in b")]":
            self.parentheses = max(0, self.parentheses - 1)

    def _field(self, text: bytes, before: bytes, second: bytes) -> None:
        if not self.depth:
            return
        self.directives = 0
        if before == b":" and second:
            self.aliases[text] += 1
        self.fields.add(text)

    @property
    def is_among_fields(self) -> bool:
        """Whether a field is due, which is a name and never a string."""
        return self.depth > 0 and not self.parentheses

    def is_circular(self) -> bool:
        """Whether a fragment leads back to itself."""
        for name in self.spreads:
            seen, pending = set(), [name] if name else []
            while pending:
                for spread in self.spreads.get(pending.pop(), ()):
                    if spread == name:
                        return True
                    if spread not in seen:
                        seen.add(spread)
                        pending.append(spread)
        return False


def recognise(value: bytes) -> str | None:
    """The production that makes one form of a value an attack, or None. Linear, bounded."""
    if b"{" not in value or _DOCUMENT.match(value) is None:
        return None
    document, before, second = _Document(), b"", b""
    for count, found in enumerate(_TOKEN.finditer(value)):
        kind = found.lastgroup
        if kind == "other" or (kind == "string" and document.is_among_fields):
            return None  # JSON, CSS, a script: not a document
        if count > MAX_TOKENS:
            return "flood"
        if kind is None or kind == "note":
            continue
        text = found.group()
        document.take(kind, text, before, second)
        before, second = text, before
    return _verdict(document)


find = layers.through(recognise)
"""`recognise` over every decoded form of a value."""


def _verdict(document: _Document) -> str | None:
    if document.fields & _SCHEMA:
        return "introspection"
    if document.deepest > MAX_DEPTH:
        return "depth"
    if document.most > MAX_DIRECTIVES:
        return "directives"
    if document.aliases and max(document.aliases.values()) > MAX_ALIASES:
        return "aliases"
    if document.operations > MAX_BATCH:
        return "batch"
    return "circle" if document.is_circular() else None
