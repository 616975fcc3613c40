"""Each variable of a message by name: a list of (name, value).

Source: ModSecurity Reference Manual (v3.x), and what libmodsecurity 3.0.15 answers when asked;
REQUEST_FILENAME and REQUEST_URI are percent-decoded, REQUEST_URI_RAW and QUERY_STRING are not.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from hashlib import sha1
from types import MappingProxyType

from troth.engines.seclang.model import Pairs
from troth.engines.seclang.transform import FUNCTIONS
from troth.engines.seclang.variables.view import View

Values = list[tuple[bytes, bytes]]
Filler = Callable[[View], Values]

_decoded = FUNCTIONS["urldecode"]


def _one(value: bytes) -> Values:
    return [(b"", value)]


def _number(value: int) -> Values:
    return [(b"", b"%d" % value)]


def _names(pairs: Pairs) -> Values:
    return [(name, name) for name, _ in pairs]


def _path(view: View) -> bytes:
    return _percent_decoded(view.raw_path)


def _percent_decoded(value: bytes) -> bytes:
    """Percent signs only: a `+` in a path is a plus."""
    if b"%" not in value:
        return value
    return _decoded(value.replace(b"+", b"%2b"))


def _request_uri(view: View) -> Values:
    uri = view.message.uri.partition(b"#")[0]
    if uri[:1] not in {b"/", b"\\", b"*", b""}:  # absolute form, RFC 9112 section 3.2.2
        scheme, mark, rest = uri.partition(b"://")
        slash = rest.find(b"/")
        if mark and slash >= 0 and b"/" not in scheme and b"?" not in scheme:
            uri = rest[slash:]
    return _one(_percent_decoded(uri))


def _basename(view: View) -> Values:
    path = _path(view)
    slash = max(path.rfind(b"/"), path.rfind(b"\\"))
    return _one(path[slash + 1 :] if slash >= 0 else b"")


def _request_line(view: View) -> Values:
    message = view.message
    return _one(b"%b %b %b" % (message.method, message.uri, message.protocol))


def _arguments(view: View) -> Values:
    return [*view.query_arguments, *view.body_arguments]


def _arguments_size(view: View) -> Values:
    return _number(sum(len(name) + len(value) for name, value in _arguments(view)))


def _body(view: View) -> Values:
    """The raw body, as libmodsecurity 3 shows it, but for XML, unless it is forced.

    There CRS 3.3.4's own tests say that it must not be seen (944100-11), as in ModSecurity 2.
    """
    if view.processor == "XML" and not view.is_body_forced:
        return []
    return _one(view.body)


def _full_request(view: View) -> bytes:
    message = view.message
    lines = [_request_line(view)[0][1], *[b"%b: %b" % pair for pair in message.headers], b"", b""]
    return b"\r\n".join(lines) + view.body


def _server_name(view: View) -> Values:
    host = view.header(b"host") or b""
    name, colon, port = host.rpartition(b":")
    return _one(name if colon and port.isdigit() else host)


def _xml(view: View) -> Values:
    """Text of the whole document as one, as the XPath `/*` gives it."""
    return _one(b"".join(view.parts.xml_text)) if view.parts.xml_text else []


def _files_sizes(view: View) -> Values:
    return [(file.field, b"%d" % len(file.content)) for file in view.parts.files]


def _response_type(view: View) -> bytes:
    for name, value in view.message.response_headers:
        if name.lower() == b"content-type":
            return value.partition(b";")[0].strip()
    return b""


def _response_body(view: View) -> Values:
    """Empty before phase 4, and for types that SecResponseBodyMimeType does not name."""
    shown = view.message.response_body if view.is_response_shown else None
    return _one(shown or b"")


def _flag(name: str) -> Filler:
    return lambda view: _one(view.flag(name))


def _error(view: View) -> Values:
    return _one(b"1" if view.parts.error else b"0")


def _error_text(view: View) -> Values:
    return _one(view.parts.error.encode())


def _unique(view: View) -> Values:
    """No dice in here: a digest of the request stands for an id."""
    message = view.message
    text = b"\0".join((message.client.encode(), message.uri, *map(b":".join, message.headers)))
    return _one(sha1(text, usedforsecurity=False).hexdigest().encode())


def _time(pattern: str) -> Filler:
    def fill(view: View) -> Values:
        moment = datetime.fromtimestamp(view.message.epoch_s, UTC)
        return _one(moment.strftime(pattern).encode())

    return fill


_TIMES = {
    "TIME": "%H:%M:%S",
    "TIME_DAY": "%d",
    "TIME_HOUR": "%H",
    "TIME_MIN": "%M",
    "TIME_MON": "%m",
    "TIME_SEC": "%S",
    "TIME_WDAY": "%w",
    "TIME_YEAR": "%Y",
}
_FLAGS = (
    "MULTIPART_CRLF_LF_LINES MULTIPART_STRICT_ERROR MULTIPART_UNMATCHED_BOUNDARY"
    " MULTIPART_BOUNDARY_QUOTED MULTIPART_BOUNDARY_WHITESPACE MULTIPART_DATA_AFTER"
    " MULTIPART_DATA_BEFORE MULTIPART_FILE_LIMIT_EXCEEDED MULTIPART_HEADER_FOLDING"
    " MULTIPART_INVALID_HEADER_FOLDING MULTIPART_INVALID_PART MULTIPART_INVALID_QUOTING"
    " MULTIPART_LF_LINE MULTIPART_MISSING_SEMICOLON MULTIPART_SEMICOLON_MISSING URLENCODED_ERROR"
).split()

FILLERS: Mapping[str, Filler] = MappingProxyType(
    {
        "ARGS": _arguments,
        "ARGS_GET": lambda view: list(view.query_arguments),
        "ARGS_POST": lambda view: list(view.body_arguments),
        "ARGS_NAMES": lambda view: [(name, name) for name, _ in _arguments(view)],
        "ARGS_GET_NAMES": lambda view: _names(view.query_arguments),
        "ARGS_POST_NAMES": lambda view: _names(view.body_arguments),
        "ARGS_COMBINED_SIZE": _arguments_size,
        "AUTH_TYPE": lambda view: _one((view.header(b"authorization") or b"").partition(b" ")[0]),
        "DURATION": lambda _: _one(b"0"),
        "FILES": lambda view: [(file.field, file.name) for file in view.parts.files],
        "FILES_NAMES": lambda view: [(file.field, file.field) for file in view.parts.files],
        "FILES_SIZES": _files_sizes,
        "FILES_TMPNAMES": lambda _: [],
        "FILES_TMP_CONTENT": lambda view: [(file.field, file.content) for file in view.parts.files],
        "FILES_COMBINED_SIZE": lambda view: _number(
            sum(len(file.content) for file in view.parts.files)
        ),
        "FULL_REQUEST": lambda view: _one(_full_request(view)),
        "FULL_REQUEST_LENGTH": lambda view: _number(len(_full_request(view))),
        "INBOUND_DATA_ERROR": lambda view: _one(b"1" if "body" in view.passed else b"0"),
        "MSC_PCRE_ERROR": lambda _: [],
        "MSC_PCRE_LIMITS_EXCEEDED": lambda _: _one(b"0"),
        "MULTIPART_FILENAME": lambda view: [(file.field, file.name) for file in view.parts.files],
        "MULTIPART_NAME": lambda view: [(file.field, file.field) for file in view.parts.files],
        "MULTIPART_PART_HEADERS": lambda view: list(view.parts.part_headers),
        "OUTBOUND_DATA_ERROR": lambda _: _one(b"0"),
        "PATH_INFO": lambda view: _one(_path(view)),
        "QUERY_STRING": lambda view: _one(view.query),
        "REMOTE_ADDR": lambda view: _one(view.message.client.encode()),
        "REMOTE_HOST": lambda view: _one(view.message.client.encode()),
        "REMOTE_PORT": lambda view: _number(view.message.port),
        "REMOTE_USER": lambda _: [],
        "REQBODY_ERROR": _error,
        "REQBODY_ERROR_MSG": _error_text,
        "REQBODY_PROCESSOR_ERROR": _error,
        "REQBODY_PROCESSOR_ERROR_MSG": _error_text,
        "REQUEST_BASENAME": _basename,
        "REQUEST_BODY": _body,
        "REQUEST_BODY_LENGTH": lambda view: _number(len(view.body)),
        "REQUEST_COOKIES": lambda view: list(view.cookies),
        "REQUEST_COOKIES_NAMES": lambda view: _names(view.cookies),
        "REQUEST_FILENAME": lambda view: _one(_path(view)),
        "REQUEST_HEADERS": lambda view: list(view.message.headers),
        "REQUEST_HEADERS_NAMES": lambda view: _names(view.message.headers),
        "REQUEST_LINE": _request_line,
        "REQUEST_METHOD": lambda view: _one(view.message.method),
        "REQUEST_PROTOCOL": lambda view: _one(view.message.protocol),
        "REQUEST_URI": _request_uri,
        "REQUEST_URI_RAW": lambda view: _one(view.message.uri),
        "RESPONSE_BODY": _response_body,
        "RESPONSE_CONTENT_LENGTH": lambda view: _number(len(view.message.response_body or b"")),
        "RESPONSE_CONTENT_TYPE": lambda view: _one(_response_type(view)),
        "RESPONSE_HEADERS": lambda view: list(view.message.response_headers),
        "RESPONSE_HEADERS_NAMES": lambda view: _names(view.message.response_headers),
        "RESPONSE_PROTOCOL": lambda view: _one(view.message.response_protocol),
        "RESPONSE_STATUS": lambda view: _number(view.message.status or 0),
        "SERVER_ADDR": lambda view: _one(view.message.server.encode()),
        "SERVER_NAME": _server_name,
        "SERVER_PORT": lambda view: _number(view.message.server_port),
        "SESSIONID": lambda _: [],
        "STATUS_LINE": lambda view: _one(b"HTTP/1.1 %d" % (view.message.status or 0)),
        "UNIQUE_ID": _unique,
        "USERAGENT_IP": lambda view: _one(view.message.client.encode()),
        "USERID": lambda _: [],
        "WEBAPPID": lambda _: [],
        "XML": _xml,
        "XML://text()": lambda view: [(b"", text) for text in view.parts.xml_text],
        "XML://@*": lambda view: [(b"", text) for text in view.parts.xml_attributes],
        "TIME_EPOCH": lambda view: _number(view.message.epoch_s),
        **{name: _time(pattern) for name, pattern in _TIMES.items()},
        **{name: _flag(name) for name in _FLAGS},
    }
)
