"""The only door for HTTP requests of ours: one deadline, a size cap, no redirect followed.

Speaks HTTP/1.1 over `tcp` and `tls`, one connection for one request. The parser (llhttp) is
strict: an answer that two readers could read in two ways raises. Fails closed: HttpError,
TcpError, TlsError or TimeoutError, never half an answer.
"""

import re
import socket
import ssl
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

import httptools

from troth.adapters import tcp, tls
from troth.kernel.errors import Failure

LIMIT_BYTES = 2 * 1024 * 1024
MAX_HEAD_BYTES = 128 * 1024
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # Source: RFC 9110, 5.6.2
_DEFAULT_PORTS = {"http": 80, "https": 443}
_NO_CONTENT = (204, 304)
_SWITCHING = 101
_FINAL = 200

Headers = Sequence[tuple[str, str]]


class HttpError(Failure):
    """An answer that is too long, cut off or no HTTP, or a request that cannot be written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """A whole answer.

    Args:
        status: 200 to 599 (or 101).
        reason: the phrase, empty when the server gave none.
        headers: as they came: order, case and duplicates kept.
        body: content without the transfer coding.
        http_version: `1.1` or `1.0`.
        certificate_der: the server's certificate; None over plain HTTP.
        elapsed_s: from the connect to the last byte.
    """

    status: int
    reason: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    http_version: str
    certificate_der: bytes | None
    elapsed_s: float

    def all(self, name: str) -> tuple[str, ...]:
        """Every value of a header, in order; the name in any case."""
        wanted = name.lower()
        return tuple(value for key, value in self.headers if key.lower() == wanted)

    def one(self, name: str) -> str | None:
        """The value of a header that stands there once; None when it is absent or repeated."""
        values = self.all(name)
        return values[0] if len(values) == 1 else None

    @property
    def text(self) -> str:
        """The body as UTF-8, what is not replaced by U+FFFD."""
        return self.body.decode("utf-8", "replace")


def fetch(  # noqa: PLR0913 -- each is one part or one bound of the request
    url: str,
    *,
    method: str = "GET",
    headers: Headers | Mapping[str, str] = (),
    body: bytes = b"",
    timeout_s: float = 10,
    limit_bytes: int = LIMIT_BYTES,
    source: str = "",
    context: ssl.SSLContext | None = None,
    ca_file: str = "",
    server_name: str = "",
    connect_to: tuple[str, int] | None = None,
    target: str = "",
) -> Response:
    """Ask once.

    Args:
        url: `http` or `https`, absolute, no user information.
        method: any token.
        headers: added to Host, User-Agent, Accept, Content-Length and Connection; one of the same
            name replaces ours, an empty Host leaves it out.
        body: sent with its length.
        timeout_s: for all of it, from the connect to the last byte.
        limit_bytes: of the body; a longer one raises.
        source: local address to come from.
        context: what to offer and trust (`tls.client_context`); made from `ca_file` if not given.
        ca_file: PEM of the authority; empty for the system's.
        server_name: SNI and the name to verify, if not the URL's.
        connect_to: host and port to connect to instead of the URL's.
        target: the request target, if not the URL's path and query.

    Raises:
        HttpError, tcp.TcpError, tls.TlsError, TimeoutError: no whole answer.
    """
    parts = _split(url)
    host, port = parts.hostname or "", parts.port or _DEFAULT_PORTS[parts.scheme]
    request = write(parts, method=method, headers=headers, body=body, target=target)
    began = time.monotonic()
    deadline = began + timeout_s
    to_host, to_port = connect_to or (host, port)
    door = tcp.connect(to_host, to_port, timeout_s=timeout_s, source=source)
    certificate = None
    if parts.scheme == "https":
        context = context or tls.client_context(ca_file=ca_file, alpn=("http/1.1",))
        secured = tls.wrap(door, context, server_name=server_name or host, where=url)
        certificate = secured.getpeercert(binary_form=True)
        door = secured
    reader = _Reader(url, is_head=method == "HEAD", limit_bytes=limit_bytes)
    with door:
        try:
            door.sendall(request)
        except TimeoutError:
            raise
        except OSError:
            pass  # a server may answer (413) before it has read all; what it said decides
        reader.read(door, deadline)
    return Response(
        status=reader.status,
        reason=reader.reason,
        headers=tuple(reader.headers),
        body=bytes(reader.body),
        http_version=reader.version,
        certificate_der=certificate,
        elapsed_s=time.monotonic() - began,
    )


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise HttpError(f"not an address: {error}", where=url[:200]) from error
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname or "@" in parts.netloc:
        raise HttpError("not an absolute http or https address", where=url[:200])
    if port == 0:
        raise HttpError("no such port", where=url[:200])
    return parts


def write(
    parts: SplitResult,
    *,
    method: str,
    headers: Headers | Mapping[str, str],
    body: bytes,
    target: str,
) -> bytes:
    """The bytes of a request. Raises HttpError for what would be two requests to some reader."""
    path = target or (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    given = list(headers.items() if isinstance(headers, Mapping) else headers)
    names = {name.lower() for name, _ in given}
    ours = [
        ("Host", parts.netloc),
        ("User-Agent", "troth"),
        ("Accept", "*/*"),
        ("Connection", "close"),
    ]
    if body or method not in {"GET", "HEAD", "OPTIONS", "TRACE"}:
        ours.append(("Content-Length", str(len(body))))
    lines = [(name, value) for name, value in ours if name.lower() not in names]
    lines += [(name, value) for name, value in given if (name.lower(), value) != ("host", "")]
    if not _TOKEN.fullmatch(method):
        raise HttpError("not a method", where=method[:40])
    if re.search(r"[\x00-\x20\x7f]", path):
        raise HttpError("a space or control character in the target", where=path[:80])
    for name, value in lines:
        if not _TOKEN.fullmatch(name) or re.search(r"[\x00-\x08\x0a-\x1f\x7f]", value):
            raise HttpError("not a header", where=name[:80])
    head = "".join(f"{name}: {value}\r\n" for name, value in lines)
    try:
        return f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode("latin-1") + body
    except UnicodeEncodeError as error:
        raise HttpError("beyond latin-1", where=path[:80], mend="percent-encode it") from error


class _Reader:
    """llhttp's callbacks, and the loop that feeds it until one final answer is whole."""

    def __init__(self, where: str, *, is_head: bool, limit_bytes: int) -> None:
        self._where, self._is_head, self._limit = where, is_head, limit_bytes
        self._parser = httptools.HttpResponseParser(self)
        self._head_bytes = 0
        self._is_done = False
        self.status, self.reason, self.version = 0, "", ""
        self.headers: list[tuple[str, str]] = []
        self.body = bytearray()

    def read(self, door: socket.socket, deadline: float) -> None:
        """Read one final answer. Raises HttpError, TimeoutError."""
        while not self._is_done:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError(f"{self._where}: no whole answer in time")
            door.settimeout(left)
            try:
                piece = door.recv(tcp.CHUNK_BYTES)
            except TimeoutError:
                raise TimeoutError(f"{self._where}: no whole answer in time") from None
            except OSError as error:
                raise HttpError(f"broken off: {error}", where=self._where) from error
            if not piece:
                self._end()
                return
            self._feed(piece)

    def _feed(self, piece: bytes) -> None:
        try:
            self._parser.feed_data(piece)
        except httptools.HttpParserUpgrade:
            self._is_done = True
        except httptools.HttpParserCallbackError as error:
            if isinstance(error.__context__, HttpError):
                raise error.__context__ from None
            raise
        except httptools.HttpParserError as error:
            if not self._is_done:  # what follows a whole answer is not looked at
                raise HttpError(f"not an HTTP answer: {error}", where=self._where) from error

    def _end(self) -> None:
        """The peer closed: fine only where the body has no other end (RFC 9112, 6.3)."""
        names = {name.lower() for name, _ in self.headers}
        if not self.version or names & {"content-length", "transfer-encoding"}:
            raise HttpError("an answer that was cut off", where=self._where)

    def on_message_begin(self) -> None:
        if self._is_done:
            return
        self.status, self.reason, self.version = 0, "", ""
        self.headers.clear()
        self.body.clear()

    def on_status(self, status: bytes) -> None:
        self._count(status)
        self.reason += status.decode("latin-1")

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._is_done:
            return
        self._count(name + value)
        self.headers.append((name.decode("latin-1"), value.decode("latin-1")))

    def on_headers_complete(self) -> None:
        if self._is_done:
            return
        self.status = self._parser.get_status_code()
        self.version = self._parser.get_http_version()
        self._is_done = self.status == _SWITCHING or (
            self.status >= _FINAL and (self._is_head or self.status in _NO_CONTENT)
        )

    def on_body(self, body: bytes) -> None:
        if self._is_done:
            return
        self.body += body
        if len(self.body) > self._limit:
            raise HttpError(f"an answer longer than {self._limit} bytes", where=self._where)

    def on_message_complete(self) -> None:
        if self.status >= _FINAL:
            self._is_done = True

    def _count(self, piece: bytes) -> None:
        self._head_bytes += len(piece)
        if self._head_bytes > MAX_HEAD_BYTES:
            raise HttpError(f"headers longer than {MAX_HEAD_BYTES} bytes", where=self._where)
