"""XML 1.0 as text and attribute values, by expat.

What `XML:/*` and `XML://@*` see: all character data in order, and the values of attributes other
than namespace declarations. A document type with an internal subset or an external one is an
error, so that no entity is ever declared, expanded or fetched.
"""

import re
from xml.parsers import expat

from troth.engines.seclang.bodies import charset
from troth.engines.seclang.model import Limits, Parts

# Elements cost time and yield no argument of their own.
ELEMENTS_PER_ARGUMENT = 10
_BUFFER_BYTES = 1 << 16
_DECLARED = re.compile(r"<\?xml[^>]{0,200}?encoding[ \t\r\n]*=[ \t\r\n]*[\"']([^\"'>]{0,60})")
_UTF16 = re.compile(r"utf-?(?:8|16)")


class _Stop(Exception):  # noqa: N818 -- never leaves this file
    """Enough was seen: a limit by name, or what is wrong."""

    def __init__(self, *, limit: str = "", error: str = "") -> None:
        super().__init__(limit or error)
        self.limit = limit
        self.error = error


class _Collector:
    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.depth = 0
        self.left = limits.arguments * ELEMENTS_PER_ARGUMENT
        self.text: list[str] = []
        self.attributes: list[str] = []

    def start(self, _name: str, attributes: list[str]) -> None:
        self.depth += 1
        self.left -= 1
        if attributes:
            self.add(attributes)
        if self.depth > self.limits.depth:
            raise _Stop(limit="depth")
        if self.left < 0:
            raise _Stop(limit="arguments")

    def add(self, attributes: list[str]) -> None:
        for name, value in zip(attributes[::2], attributes[1::2], strict=True):
            if name != "xmlns" and not name.startswith("xmlns:"):
                self.attributes.append(value)
        if len(self.attributes) > self.limits.arguments:
            del self.attributes[self.limits.arguments :]
            raise _Stop(limit="arguments")

    def end(self, _name: str) -> None:
        self.depth -= 1

    def doctype(self, _name: str, system: str | None, public: str | None, inner: int) -> None:
        if inner or system or public:
            raise _Stop(error="XML: a document type with a subset")


def parse(body: bytes, content_type: bytes, limits: Limits) -> Parts:
    """Character data and attribute values of a document."""
    if len(body) > limits.body:
        return Parts(limit="body")
    seen = _Collector(limits)
    limit = error = ""
    try:
        error = _read(body, content_type, seen)
    except _Stop as stop:
        limit, error = stop.limit, stop.error
    except expat.ExpatError as wrong:
        error = f"XML: {expat.ErrorString(wrong.code)} at {wrong.lineno}:{wrong.offset}"
    return Parts(
        xml_text=tuple([text.encode() for text in seen.text]),
        xml_attributes=tuple([value.encode() for value in seen.attributes]),
        error=error,
        limit=limit,
    )


def _read(body: bytes, content_type: bytes, seen: _Collector) -> str:
    text = _decoded(body)
    parser = expat.ParserCreate("utf-8")  # what it is told here outranks the declaration
    parser.buffer_text = True
    parser.buffer_size = _BUFFER_BYTES
    parser.ordered_attributes = True
    parser.StartElementHandler = seen.start
    parser.EndElementHandler = seen.end
    parser.CharacterDataHandler = seen.text.append
    parser.StartDoctypeDeclHandler = seen.doctype
    parser.Parse(text.encode("utf-8", "replace"), True)
    return charset.complaint(content_type, is_wide=charset.wide_name(body)[0] != "utf-8")


def _decoded(body: bytes) -> str:
    name, mark = charset.wide_name(body)
    head = body[mark : mark + 1200].decode(name, "replace")
    declared = _DECLARED.match(head)
    said = declared[1].lower() if declared else name
    if name == "utf-8" and not mark and charset.is_plain(said):
        name = said
    elif not _UTF16.match(said) and said != name:
        raise _Stop(error=f"XML: a declared encoding that is not read here: {said[:40]}")
    try:
        text = charset.decoded(body[mark:], name)
    except LookupError:
        text = None
    if text is None:
        raise _Stop(error=f"XML: not {name}")
    return text
