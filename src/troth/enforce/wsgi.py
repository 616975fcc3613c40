"""The guard inside a WSGI application (Flask, Django): no edge, the same decisions.

    app = Door(app, keeper)

The same as `asgi`, with what WSGI (PEP 3333) leaves of a request: repeated headers come joined by a
comma, and where the server does not say the path as it was sent (`REQUEST_URI`, `RAW_URI`), it is
written again from the decoded one. Time limits of a body are the server's: a read cannot be ended.
"""

import io
from collections.abc import Callable, Iterable, Iterator
from http import HTTPStatus
from typing import Any, BinaryIO

from troth.adapters.scratch import Scratch
from troth.enforce import within
from troth.enforce.decide import Decision
from troth.enforce.keeper import Keeper, Ruling
from troth.enforce.snapshot import Body
from troth.enforce.wire import Reply
from troth.kernel.request import Request, Response

Environ = dict[str, Any]
StartResponse = Callable[..., Callable[[bytes], object]]
App = Callable[[Environ, StartResponse], Iterable[bytes]]
Pairs = list[tuple[str, str]]

_UNPREFIXED = {"CONTENT_TYPE": b"content-type", "CONTENT_LENGTH": b"content-length"}


class Door(within.Door[App]):
    """One application behind the guard; see `within.Door`."""

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """One request, as the server hands it over."""
        request = self.keeper.recognised(request_of(environ))
        file: BinaryIO | None = None
        try:
            if self.keeper.current.snapshot.body(request) is Body.UPLOAD:
                ruling, file = self._uploaded(request, environ)
            else:
                file = self._body(request, environ)
                request = within.with_body(request, _inspected(file))
                ruling = self.own(request) or self._judge(request)
        except within.Doubt as doubt:
            ruling = self.keeper.refuse(doubt.status, doubt.code, request)
        if ruling.refused is not None:
            _close(file)
            return _say(start_response, ruling.refused, request.method)
        let = _environ(environ, request, ruling.decision, file)
        answer = _Answer(self.keeper, request, ruling.decision, start_response, file)
        return answer.of(self.app, let)

    def _uploaded(self, request: Request, environ: Environ) -> tuple[Ruling, BinaryIO | None]:
        """Judged by its headers before any of it is read, then looked at where it lies."""
        ruling = self._judge(request)
        if ruling.refused is not None:
            return ruling, None
        file = self._body(request, environ)
        if not isinstance(file, _Stored):
            return ruling, file
        more = within.looked(self.keeper, request, file.scratch)
        file.seek(0)
        return (ruling if more.refused is None else more), file

    def _judge(self, request: Request) -> Ruling:
        return self.unread(request) or self.keeper.judge(request)

    def _body(self, request: Request, environ: Environ) -> BinaryIO | None:
        """Where the body lies now; None where none is read. Raises Doubt.

        Without a length there is a body only where the server says that its input ends.
        """
        snapshot = self.keeper.current.snapshot
        kind = snapshot.body(request)
        if kind is Body.UNREAD:
            return None
        limit = within.limit_of(kind, snapshot)
        declared = within.declared(request, limit)
        if declared is None and not environ.get("wsgi.input_terminated"):
            if request.values(b"transfer-encoding"):
                raise within.Doubt(411, "no-length")
            return None
        file = io.BytesIO() if kind is not Body.UPLOAD else _Stored(within.scratch(self.inside))
        try:
            _copy(environ["wsgi.input"], file, declared, limit)
        except OSError as error:
            _close(file)
            raise within.Doubt(400, "cut-short") from error
        except within.Doubt:
            _close(file)
            raise
        file.seek(0)
        return file


class _Stored(io.BufferedReader):
    """An upload on disk as the application reads it; closed, it is gone."""

    def __init__(self, scratch: Scratch) -> None:
        super().__init__(_Raw(scratch), within.CHUNK)
        self.scratch = scratch

    def write(self, piece: Any) -> int:
        """At the end, before anybody reads. Raises Doubt when there is no room."""
        within.stored(self.scratch, piece)
        return len(piece)


class _Raw(io.RawIOBase):
    def __init__(self, scratch: Scratch) -> None:
        self._scratch = scratch
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, to: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._scratch.size}[whence]
        self._at = max(start + to, 0)
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, into: Any) -> int:
        piece = self._scratch.read(self._at, len(into))
        into[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)

    def close(self) -> None:
        self._scratch.close()
        super().close()


def _inspected(file: BinaryIO | None) -> bytes | None:
    return file.getvalue() if isinstance(file, io.BytesIO) else None


def _copy(source: Any, file: BinaryIO, declared: int | None, limit: int) -> None:
    """Copy what was declared, or to the end. Raises Doubt for too much or too little."""
    length, size = limit + 1 if declared is None else declared, 0
    while size < length:
        part = source.read(min(within.CHUNK, length - size))
        if not part:
            break
        size += len(part)
        file.write(part)
    if size > limit:
        raise within.Doubt(413, "too-large")
    if declared is not None and size < declared:
        raise within.Doubt(400, "cut-short")


def _close(file: BinaryIO | None) -> None:
    if file is not None:
        file.close()


class _Answer:
    """The application's answer on its way; looked at where somebody asks, else let go at once."""

    def __init__(
        self,
        keeper: Keeper,
        request: Request,
        decision: Decision,
        start_response: StartResponse,
        file: BinaryIO | None,
    ) -> None:
        self._keeper = keeper
        self._request = request
        self._decision = decision
        self._start_response = start_response
        self._file = file
        self._said: tuple[str, Pairs, tuple[Any, ...]] | None = None
        self._written: list[bytes] = []

    def of(self, app: App, environ: Environ) -> Iterator[bytes]:
        """The body, chunk by chunk; the application's own `close` is called at the end."""
        body: Iterable[bytes] = ()
        try:
            body = app(environ, self._start)
            yield from self._chunks(iter(body))
        finally:
            if hasattr(body, "close"):
                body.close()
            _close(self._file)

    def _start(self, status: str, headers: Pairs, *info: Any) -> Callable[[bytes], None]:
        self._said = status, list(headers), info
        return self._written.append

    def _chunks(self, body: Iterator[bytes]) -> Iterator[bytes]:
        chunk = next(body, None)
        first = [*self._drained(), *([] if chunk is None else [chunk])]
        assert self._said is not None, "the application answered nothing"  # noqa: S101 -- PEP 3333
        status, headers, info = self._said
        raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        whole = None
        code = int(status.split(" ", 1)[0])
        if within.is_looked_at(self._keeper, self._request, self._decision, code, raw):
            said = dict(raw).get(b"content-length", b"")
            length = int(said) if said.isdigit() and self._request.method != b"HEAD" else 0
            while sum(map(len, first)) < length and (chunk := next(body, None)) is not None:
                first += [*self._drained(), chunk]
            whole = b"".join(first)
        response = Response(status=code, headers=tuple(raw), body=whole)
        ruling = self._keeper.answered(self._request, response, self._decision)
        if ruling.refused is not None:
            yield from _say(self._start_response, ruling.refused, self._request.method)
            return
        more = (*self._decision.answer, *ruling.decision.answer)
        self._start_response(status, _text(within.for_visitor(_bytes(headers), more)), *info)
        yield from first
        for later in body:
            yield from self._drained()
            yield later
        yield from self._drained()

    def _drained(self) -> list[bytes]:
        """What the application wrote by the old way (PEP 3333, the write callable) meanwhile."""
        written = list(self._written)
        self._written.clear()
        return written


def _bytes(headers: Pairs) -> list[tuple[bytes, bytes]]:
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]


def _text(headers: Iterable[tuple[bytes, bytes]]) -> Pairs:
    return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers]


def request_of(environ: Environ) -> Request:
    """The request of an environment, without its body."""
    headers = tuple(_headers(environ))
    hosts = [value for name, value in headers if name == b"host"]
    path = str(environ.get("SCRIPT_NAME", "")) + str(environ.get("PATH_INFO", ""))
    raw = str(environ.get("REQUEST_URI") or environ.get("RAW_URI") or "")
    query = str(environ.get("QUERY_STRING", "")).encode("latin-1")
    return within.vouched(
        Request(
            method=str(environ["REQUEST_METHOD"]).encode("latin-1"),
            target=within.target_of(path.encode("latin-1"), query, raw.encode("latin-1")),
            host=hosts[0].lower() if hosts else b"",
            headers=headers,
            client=str(environ.get("REMOTE_ADDR", "")),
            protocol=str(environ.get("SERVER_PROTOCOL", "HTTP/1.1")).encode("latin-1"),
        )
    )


def _headers(environ: Environ) -> Iterator[tuple[bytes, bytes]]:
    for key, value in environ.items():
        if key in _UNPREFIXED:
            if value != "":
                yield _UNPREFIXED[key], str(value).encode("latin-1")
        elif key.startswith("HTTP_"):
            yield key[5:].replace("_", "-").lower().encode("latin-1"), value.encode("latin-1")


def _environ(
    environ: Environ, request: Request, decision: Decision, file: BinaryIO | None
) -> Environ:
    """The environment as the application is to see it."""
    let = {key: value for key, value in environ.items() if not key.startswith("HTTP_")}
    for name, value in within.for_application(request.headers, decision):
        key = name.decode("latin-1").upper().replace("-", "_")
        if key not in _UNPREFIXED:
            let[f"HTTP_{key}"] = value.decode("latin-1")
    if file is not None:
        let["wsgi.input"] = file
        let["wsgi.input_terminated"] = True
        if not let.get("CONTENT_LENGTH"):
            let["CONTENT_LENGTH"] = str(_length(file))
            let.pop("HTTP_TRANSFER_ENCODING", None)
    return let


def _length(file: BinaryIO) -> int:
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    return size


def _say(start_response: StartResponse, reply: Reply, method: bytes) -> list[bytes]:
    status, headers, body = within.page_of(reply, method)
    start_response(f"{status} {HTTPStatus(status).phrase}", _text(headers))
    return [body]
