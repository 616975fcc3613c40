"""A request as bytes on the wire: what an HTTP server makes of it before any rule sees it.

Strict where servers are (RFC 9112; Apache's HttpProtocolOptions Strict): what it refuses by itself
gets a status here, and still a message where rules would see one.
"""

import re
from dataclasses import dataclass

from troth.engines.seclang.model import Message, Pairs

_BAD_REQUEST, _NOT_FOUND = 400, 404
_TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_VERSION = re.compile(rb"HTTP/1\.[01]")
_HOST = re.compile(rb"[A-Za-z0-9._~\-\[\]:]+")
_TARGET = re.compile(rb"[!-~\x80-\xff]+")
_AUTHORITY = re.compile(rb"[^/?#@]+:\d{1,5}")
_BAD_VALUE = re.compile(rb"[\x00\r\n]")
_SIMPLE = 2  # words of an HTTP/0.9 request line
_MAX_CHUNKS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """What a server makes of bytes.

    Args:
        message: what the rules see; None when nothing reaches them.
        status: what it answers by itself; None when it asks the application.
        is_unanswered: it waits for more, or answers in a way that is no HTTP/1 response.
    """

    message: Message | None
    status: int | None = None
    is_unanswered: bool = False


def read(raw: bytes, *, client: str = "", server_port: int = 80) -> Received:
    """Take a request apart."""
    head, mark, rest = raw.partition(b"\r\n\r\n")
    if not mark:
        head, mark, rest = raw.partition(b"\n\n")
    lines = re.split(rb"\r?\n", head)
    while lines and not lines[0]:  # RFC 9112 section 2.2: an empty line before is skipped
        lines.pop(0)
    if not lines:
        return Received(message=None, is_unanswered=True)
    method, target, version, is_well = _request_line(lines[0])
    headers, is_fine = _headers(lines[1:])
    body, missing, is_framed = _body(headers, rest)
    message = Message(
        method=method,
        uri=target,
        protocol=version,
        headers=_left(headers),
        body=body,
        client=client,
        server_port=server_port,
    )
    path = target.partition(b"?")[0].lower()
    is_asked = method != b"CONNECT" or _AUTHORITY.fullmatch(target) is not None
    status = None
    if not (is_well and is_fine and is_framed and is_asked and _is_hosted(version, headers)):
        status = _BAD_REQUEST
    elif b"%2f" in path or b"%00" in path:
        status = _NOT_FOUND  # Apache's AllowEncodedSlashes Off, which is the default
    return Received(
        message=message,
        status=status,
        is_unanswered=missing or not version,
    )


def _request_line(line: bytes) -> tuple[bytes, bytes, bytes, bool]:
    words = line.strip(b" \t").split(b" ")
    method = words[0]
    if len(words) <= _SIMPLE and not line.endswith(b" "):
        return method, words[1] if len(words) == _SIMPLE else b"", b"", len(words) == _SIMPLE
    version = words[-1] if len(words) > _SIMPLE else b""
    target = b" ".join(words[1:-1]) if version else b" ".join(words[1:])
    is_well = (
        line[:1] not in {b" ", b"\t"}
        and _TOKEN.fullmatch(method) is not None
        and _TARGET.fullmatch(target) is not None
        and (_VERSION.fullmatch(version) is not None or not version)
        and (target[:1] == b"/" or target == b"*" or b"://" in target or method == b"CONNECT")
        and b"#" not in target
    )
    return method, target, version, is_well


def _headers(lines: list[bytes]) -> tuple[Pairs, bool]:
    found, is_fine = list[tuple[bytes, bytes]](), True
    for line in lines:
        name, colon, value = line.partition(b":")
        if not colon or _TOKEN.fullmatch(name) is None or _BAD_VALUE.search(value):
            is_fine = False
        if colon:
            found.append((name.strip(), value.strip(b" \t")))
    return tuple(found), is_fine


def _left(headers: Pairs) -> Pairs:
    """RFC 9112 section 6.3: a Content-Length beside Transfer-Encoding is taken away."""
    if not any(name.lower() == b"transfer-encoding" for name, _ in headers):
        return headers
    return tuple(pair for pair in headers if pair[0].lower() != b"content-length")


def _is_hosted(version: bytes, headers: Pairs) -> bool:
    """RFC 9112 section 3.2: one Host in HTTP/1.1, and a valid one."""
    hosts = [value for name, value in headers if name.lower() == b"host"]
    if version == b"HTTP/1.1" and len(hosts) != 1:
        return False
    return all(not host or _HOST.fullmatch(host) for host in hosts)


def _body(headers: Pairs, rest: bytes) -> tuple[bytes | None, bool, bool]:
    """The body, whether more of it should come, and whether its framing can be read."""
    lengths = [value for name, value in headers if name.lower() == b"content-length"]
    codings = [value.lower() for name, value in headers if name.lower() == b"transfer-encoding"]
    if codings and codings[-1].endswith(b"chunked"):
        body = _unchunked(rest)
        return (rest if body is None else body), False, body is not None
    if not lengths:
        return rest or None, False, True
    if not all(length.isdigit() for length in lengths) or len(set(lengths)) > 1:
        return rest or None, False, False
    length = int(lengths[0][:18])
    return rest[:length] or None, len(rest) < length, True


def _unchunked(rest: bytes) -> bytes | None:
    parts = list[bytes]()
    for _ in range(_MAX_CHUNKS):
        line, mark, rest = rest.partition(b"\r\n")
        size = line.partition(b";")[0].strip()
        if not mark or re.fullmatch(rb"[0-9A-Fa-f]{1,8}", size) is None:
            return None
        length = int(size, 16)
        if length == 0:
            return b"".join(parts)
        if rest[length : length + 2] != b"\r\n":
            return None
        parts.append(rest[:length])
        rest = rest[length + 2 :]
    return None
