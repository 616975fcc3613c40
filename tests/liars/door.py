"""A door in front of the honest edge: it takes the edge's place and lies about TLS by itself.

The edge is moved to another port (`moved`), the door stands at the declared one (`standing`).
"""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from troth.adapters.relay import Interfere, pass_on, relaying
from troth.engines.envoy.resources import Resources
from troth.kernel.site import Site

TLS = "tls"  # the listener's name, as the compiler gives it


class Door:
    """One door: `moved` for a liar's `resources`, `standing` for its `beside`."""

    def __init__(self, interfere: Interfere) -> None:
        self.interfere = interfere
        self.edge = 0

    def moved(self, made: Resources) -> Resources:
        """The edge, listening elsewhere."""
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.edge = int(free.getsockname()[1])
        return replace(made, listeners=tuple(map(self._moved, made.listeners)))

    def _moved(self, listener: Mapping[str, Any]) -> dict[str, Any]:
        if listener["name"] != TLS:
            return dict(listener)
        place = {**listener["address"]["socket_address"], "port_value": self.edge}
        return {**listener, "address": {"socket_address": place}}

    @contextmanager
    def standing(self, _data: Path, site: Site) -> Iterator[None]:
        """The door, open."""
        port = urlsplit(site.app).port or 443
        with relaying("127.0.0.1", self.edge, interfere=self.interfere, listen_on=port):
            yield


class Terminator(Door):
    """A door that speaks TLS itself, as badly as its context says, and passes on what was said."""

    def __init__(self, context: Callable[[Path, Site], ssl.SSLContext]) -> None:
        super().__init__(pass_on)
        self.context = context

    @contextmanager
    def standing(self, data: Path, site: Site) -> Iterator[None]:
        """The door, open."""
        context = self.context(data, site)
        inner = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        inner.check_hostname, inner.verify_mode = False, ssl.CERT_NONE
        host = urlsplit(site.app).hostname or ""
        names: dict[int, str] = {}
        context.sni_callback = lambda door, name, _: names.__setitem__(id(door), name or host)
        is_over = threading.Event()
        listener = socket.create_server(("127.0.0.1", urlsplit(site.app).port or 443))
        listener.settimeout(0.1)

        def serve(client: socket.socket) -> None:
            with suppress(OSError):
                client_address = client.getpeername()[0]
                client.settimeout(5)
                with context.wrap_socket(client, server_side=True) as outside:
                    own = (client_address, 0)  # so that the edge can tell visitors apart
                    plain = socket.create_connection(("127.0.0.1", self.edge), 5, own)
                    name = names.pop(id(outside), host)
                    inside = inner.wrap_socket(plain, server_hostname=name)
                    outside.settimeout(5)
                    back = threading.Thread(target=pump, args=(inside, outside), daemon=True)
                    back.start()
                    pump(outside, inside)
                    back.join()
                    inside.close()

        def pump(source: ssl.SSLSocket, sink: ssl.SSLSocket) -> None:
            with suppress(OSError):
                while piece := source.recv(65536):
                    sink.sendall(piece)
            with suppress(OSError):
                sink.shutdown(socket.SHUT_RDWR)

        def accept() -> None:
            while not is_over.is_set():
                with suppress(TimeoutError):
                    client, _ = listener.accept()
                    threading.Thread(target=serve, args=(client,), daemon=True).start()

        accepting = threading.Thread(target=accept, daemon=True)
        accepting.start()
        try:
            yield
        finally:
            is_over.set()
            accepting.join()
            listener.close()
