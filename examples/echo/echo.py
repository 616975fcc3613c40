"""An upstream that tells what it received: for tests of whatever stands in front of it.

`python echo.py --unix PATH` or `--port N` (0 picks one). Once it listens it prints one line:
`listening` and the path or the port.

- `/ws`: a WebSocket that sends every message back, its kind kept (text, binary).
- `/sse?events=3&pause=0.2`: server-sent events in a chunked stream, each sent in its time.
- anything else, any method: JSON with `method`, `path`, `headers` (a list of pairs, as received)
  and `body` (`bytes`, `sha256`). Shaped by the query: `status=503`, `header=Name: value`
  (repeatable), `text=...` (sent instead of the JSON).
"""

import argparse
import asyncio
import hashlib
import json
import signal
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.server import ServerProtocol

_HEAD_BYTES = 65_536
_BODY_BYTES = 64 << 20
_EVENTS = 100
_PAUSE_S = 5.0
_IDLE_S = 60.0

Headers = list[tuple[str, str]]


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer one connection: one request, then close (or a WebSocket's whole life)."""
    try:
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), _IDLE_S)
        first, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
        method, target, _ = first.split(" ")
        pairs = [line.split(":", 1) for line in lines]
        headers = [(name, value.strip()) for name, value in pairs]
        path = urlsplit(target).path
        if path == "/ws":
            await _websocket(head, reader, writer)
        elif path == "/sse":
            await _events(target, writer)
        else:
            await _tell(method, target, headers, reader, writer)
    except (
        asyncio.IncompleteReadError,
        asyncio.LimitOverrunError,
        ValueError,
        OSError,
        TimeoutError,
    ):
        pass  # a broken or vanished client gets no answer
    finally:
        writer.close()


async def _websocket(
    head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    protocol = ServerProtocol()
    data = head
    while True:
        protocol.receive_data(data) if data else protocol.receive_eof()
        for event in protocol.events_received():
            if isinstance(event, Request):
                protocol.send_response(protocol.accept(event))
            elif not isinstance(event, Frame):
                continue
            elif event.opcode is Opcode.TEXT:
                protocol.send_text(event.data, fin=event.fin)
            elif event.opcode is Opcode.BINARY:
                protocol.send_binary(event.data, fin=event.fin)
            elif event.opcode is Opcode.CONT:
                protocol.send_continuation(event.data, fin=event.fin)
        for chunk in protocol.data_to_send():
            writer.write(chunk)
        await writer.drain()
        if not data or protocol.close_expected():
            return
        data = await asyncio.wait_for(reader.read(65_536), _IDLE_S)


async def _events(target: str, writer: asyncio.StreamWriter) -> None:
    query = parse_qs(urlsplit(target).query)
    events = min(int(query.get("events", ["3"])[0]), _EVENTS)
    pause = min(float(query.get("pause", ["0.2"])[0]), _PAUSE_S)
    head = ("Content-Type: text/event-stream", "Cache-Control: no-cache", "Connection: close")
    lines = ("HTTP/1.1 200 OK", *head, "Transfer-Encoding: chunked", "", "")
    writer.write("\r\n".join(lines).encode())
    for number in range(events):
        event = f"id: {number}\ndata: event {number}\n\n".encode()
        writer.write(b"%x\r\n%b\r\n" % (len(event), event))
        await writer.drain()
        if number < events - 1:
            await asyncio.sleep(pause)
    writer.write(b"0\r\n\r\n")
    await writer.drain()


async def _tell(
    method: str,
    target: str,
    headers: Headers,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
) -> None:
    size, digest = await _body(headers, reader, writer)
    query = parse_qs(urlsplit(target).query)
    seen = {
        "method": method,
        "path": target,
        "headers": headers,
        "body": {"bytes": size, "sha256": digest},
    }
    told = query["text"][0] if "text" in query else json.dumps(seen)
    extra = [pair.replace("\r", "").replace("\n", "") for pair in query.get("header", [])]
    if not any(pair.lower().startswith("content-type:") for pair in extra):
        kind = "text/html; charset=utf-8" if "text" in query else "application/json"
        extra.append(f"Content-Type: {kind}")
    status = int(query.get("status", ["200"])[0])
    answer = told.encode()
    bodyless = method == "HEAD" or status in {204, 304}
    if status not in {204, 304}:
        extra.append(f"Content-Length: {len(answer)}")
    lines = [f"HTTP/1.1 {status} Told", *extra, "Connection: close", "", ""]
    writer.write("\r\n".join(lines).encode("latin-1") + (b"" if bodyless else answer))
    await writer.drain()


async def _body(
    headers: Headers, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> tuple[int, str]:
    """Read the request's body and return its size in bytes and its SHA-256; never keeps it."""
    given = {name.lower(): value for name, value in headers}
    if given.get("expect", "").lower() == "100-continue":
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        await writer.drain()
    digest, size = hashlib.sha256(), 0
    chunked = given.get("transfer-encoding", "").lower() == "chunked"
    while True:
        line = await reader.readuntil(b"\r\n") if chunked else b""
        left = int(line.split(b";")[0], 16) if chunked else int(given.get("content-length", "0"))
        if size + left > _BODY_BYTES:
            raise ValueError("more than 64 MiB")
        size, last = size + left, not chunked or left == 0
        while left:
            data = await asyncio.wait_for(reader.read(min(left, 65_536)), _IDLE_S)
            if not data:
                raise asyncio.IncompleteReadError(data, left)
            digest.update(data)
            left -= len(data)
        if chunked:
            await reader.readuntil(b"\r\n")
        if last:
            return size, digest.hexdigest()


async def main() -> None:
    """Listen until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="echo", description="Tells what it received.")
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--unix", type=Path, metavar="PATH")
    where.add_argument("--port", type=int)
    chosen = parser.parse_args()
    stop = asyncio.Event()
    for wish in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(wish, stop.set)
    if chosen.unix:
        server = await asyncio.start_unix_server(serve, chosen.unix, limit=_HEAD_BYTES)
        chosen.unix.chmod(0o660)
        place = str(chosen.unix)
    else:
        server = await asyncio.start_server(serve, "127.0.0.1", chosen.port, limit=_HEAD_BYTES)
        place = str(server.sockets[0].getsockname()[1])
    print(f"listening {place}", flush=True)  # noqa: T201  # whoever started it waits for this line
    await stop.wait()
    server.close()
    if chosen.unix:
        chosen.unix.unlink(missing_ok=True)


if __name__ == "__main__":
    asyncio.run(main())
