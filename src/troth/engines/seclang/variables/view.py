"""A message, taken apart as far as rules have asked for it."""

from collections.abc import Callable
from typing import Generic, TypeVar

from troth.engines.seclang.bodies import PROCESSORS
from troth.engines.seclang.detect.escapes import is_beyond
from troth.engines.seclang.model import Limits, Message, Pairs, Parts

_NOTHING = Parts()
_SHORTEST_ESCAPE = 2  # bytes
_NOT_ASCII = bytes(range(0x80, 0x100))
_BY_TYPE = (
    (b"application/x-www-form-urlencoded", "URLENCODED"),
    (b"multipart/form-data", "MULTIPART"),
)


Read = TypeVar("Read")


class _Once(Generic[Read]):
    """A property that is worked out once, as `functools.cached_property`, without its lock.

    A view belongs to one message and one thread; Python 3.11's lock costs more than most of them.
    """

    def __init__(self, work: "Callable[[View], Read]") -> None:
        self._work, self._name = work, work.__name__
        self.__doc__ = work.__doc__

    def __get__(self, view: "View", _owner: type) -> Read:
        found = view.__dict__[self._name] = self._work(view)
        return found


class View:
    """What is read from one message. `processor` may be changed until the body has been parsed.

    Args:
        message: the request, and its response.
        limits: what reading it may cost; passed ones are in `passed`.
    """

    def __init__(self, message: Message, limits: Limits) -> None:
        self.message = message
        self.limits = limits
        self.passed: list[str] = []
        self.is_body_forced = False
        self.body = b""  # as far as it was read; nothing before phase 2
        self.is_body_read: bool | None = None  # what ctl:requestBodyAccess said; None: nothing
        self.is_response_read: bool | None = None
        self.is_response_shown = False  # its body is of a type that rules look into
        self.parts = _NOTHING
        uri = message.uri.partition(b"#")[0]
        # The target before its query and after it, not decoded.
        self.raw_path, _, self.query = uri.partition(b"?")
        # The first Content-Type, as sent.
        self.content_type = self.header(b"content-type") or b""
        # By its beginning, as ModSecurity v3: what servers take for a form is read as one.
        kind = self.content_type.strip().lower()
        self.processor = next((name for begin, name in _BY_TYPE if kind.startswith(begin)), "")

    def header(self, name: bytes) -> bytes | None:
        """The first value of a request header, its name in lower case."""
        size = len(name)
        for key, value in self.message.headers:
            if len(key) == size and key.lower() == name:
                return value
        return None

    @_Once
    def query_arguments(self) -> Pairs:
        """ARGS_GET, the limit on arguments held."""
        parts = self._query_parts
        return parts.arguments[: self.limits.arguments]

    @_Once
    def _query_parts(self) -> Parts:
        if not self.query:
            return _NOTHING
        parts = PROCESSORS["URLENCODED"](self.query, b"", self.limits)
        self._note(parts)
        return parts

    @property
    def has_only_arguments(self) -> bool:
        """Nothing else was read: no file, no part, no XML, no flag, no error."""
        parts = self.parts
        is_more = parts.files or parts.part_headers or parts.xml_text or parts.xml_attributes
        return not (is_more or parts.error or parts.flags)

    def flag(self, name: str) -> bytes:
        """A flag of the body's processor, `URLENCODED_ERROR` of the query too; `0` when unset."""
        said = self.parts.flags.get(name)
        if said is None and name == "URLENCODED_ERROR":
            said = self._query_parts.flags.get(name)
        return said or b"0"

    @_Once
    def cookies(self) -> Pairs:
        """Names and values of every Cookie header; values are not decoded (RFC 6265, 5.4)."""
        found = list[tuple[bytes, bytes]]()
        for name, value in self.message.headers:
            if len(name) == len(b"cookie") and name.lower() == b"cookie":
                for part in value.split(b";"):
                    key, _, text = part.lstrip(b" \t").partition(b"=")
                    if key or text:
                        found.append((key, text))
        if len(found) > self.limits.arguments:
            self.passed.append("cookies")
        return tuple(found[: self.limits.arguments])

    def read_body(self) -> None:
        """Parse the body with the processor chosen by now."""
        body = self.body = self.message.body or b""
        if not body:
            return
        if len(body) > self.limits.body:
            self.passed.append("body")
            body = self.body = body[: self.limits.body]
        processor = PROCESSORS.get(self.processor)
        if processor is None:
            self._count_escapes()
            return
        self.parts = processor(body, self.content_type, self.limits)
        self._note(self.parts)
        room = self.limits.arguments - len(self.query_arguments)
        if len(self.parts.arguments) > room:
            self.passed.append("arguments")
        self._count_escapes()

    def _count_escapes(self) -> None:
        """What takes long to decode is refused before it is decoded; files are not decoded."""
        most = self.limits.escapes
        if len(self.body) <= most * _SHORTEST_ESCAPE:
            return
        if self.processor in PROCESSORS:
            parts = self.parts
            texts = [text for pair in parts.arguments for text in pair]
            text = b"\n".join((*texts, *parts.xml_text, *parts.xml_attributes))
        else:  # read as one value, if at all; it may be an image
            text = self.body.translate(None, _NOT_ASCII)
        if is_beyond(text, most):
            self.passed.append("decode")

    def _note(self, parts: Parts) -> None:
        if parts.limit:
            self.passed.append(parts.limit)
        if len(parts.arguments) > self.limits.arguments:
            self.passed.append("arguments")

    @_Once
    def body_arguments(self) -> Pairs:
        """ARGS_POST; ask only after `read_body`."""
        room = self.limits.arguments - len(self.query_arguments)
        return self.parts.arguments[: max(room, 0)]
