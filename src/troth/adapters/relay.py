"""A TCP server on loopback that passes bytes on, or answers in the place of whom it passes them to.

For controls and drills: a server that is open to an attack, made from one that is not.
"""

import contextlib
import selectors
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from troth.adapters import tcp

MOST_AT_ONCE = 32
IDLE_S = 10.0
_LOOK_S = 0.1

# What a client said -> what is passed on, and what is answered at once.
Interfere = Callable[[bytes], tuple[bytes, bytes]]


def pass_on(said: bytes) -> tuple[bytes, bytes]:
    """Interferes with nothing."""
    return said, b""


@contextmanager
def relaying(
    host: str, port: int, *, interfere: Interfere = pass_on, listen_on: int = 0
) -> Iterator[int]:
    """Relay to a host and port until the end of the `with`; yields the port listened on.

    On loopback a client keeps its address, so that whoever is asked can tell clients apart.

    Args:
        host: where bytes go.
        port: where bytes go.
        interfere: sees each piece that a client sends; a fresh one is not made per connection.
        listen_on: a port of 127.0.0.1; 0 lets the system choose.

    Raises:
        TcpError: the port is taken.
    """
    is_over = threading.Event()
    try:
        listener = socket.create_server((tcp.LOOPBACK, listen_on))
    except OSError as error:
        raise tcp.TcpError(f"cannot listen: {error.strerror}", where=str(listen_on)) from error
    listener.settimeout(_LOOK_S)
    room = threading.BoundedSemaphore(MOST_AT_ONCE)
    threads: list[threading.Thread] = []

    def accept() -> None:
        while not is_over.is_set():
            with contextlib.suppress(TimeoutError):
                client, _ = listener.accept()
                if not room.acquire(blocking=False):
                    client.close()
                    continue
                thread = threading.Thread(target=serve, args=(client,), daemon=True)
                threads.append(thread)
                thread.start()

    def serve(client: socket.socket) -> None:
        try:
            source = client.getpeername()[0] if tcp.is_loopback(host) else ""
            with client, tcp.connect(host, port, timeout_s=IDLE_S, source=source) as server:
                _pipe(client, server, interfere, is_over)
        except (OSError, tcp.TcpError):
            pass  # whoever was cut off sees it
        finally:
            room.release()

    accepting = threading.Thread(target=accept, daemon=True)
    accepting.start()
    try:
        yield int(listener.getsockname()[1])
    finally:
        is_over.set()
        accepting.join()
        for thread in threads:
            thread.join()
        listener.close()


def _pipe(
    client: socket.socket,
    server: socket.socket,
    interfere: Interfere,
    is_over: threading.Event,
) -> None:
    """Both directions until either side ends or nothing moves for `IDLE_S`."""
    idle_s = 0.0
    with selectors.DefaultSelector() as selector:
        selector.register(client, selectors.EVENT_READ)
        selector.register(server, selectors.EVENT_READ)
        while not is_over.is_set() and idle_s < IDLE_S:
            ready = selector.select(_LOOK_S)
            idle_s = 0.0 if ready else idle_s + _LOOK_S
            for key, _ in ready:
                source = key.fileobj
                assert isinstance(source, socket.socket)  # noqa: S101 -- only such are registered
                piece = source.recv(tcp.CHUNK_BYTES)
                if not piece:
                    return
                if source is server:
                    client.sendall(piece)
                    continue
                onward, answer = interfere(piece)
                if answer:
                    client.sendall(answer)
                if onward:
                    server.sendall(onward)
