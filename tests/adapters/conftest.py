"""A small authority and real servers on loopback, for the doors that need somebody behind them."""

import socket
import ssl
import threading
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

Handler = Callable[[socket.socket], None]


@dataclass(frozen=True, slots=True)
class Authority:
    """Where the PEM files of a made-up authority and its one leaf are."""

    ca: str
    certificate: str
    key: str

    def context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_ciphers("ALL:@SECLEVEL=0")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version = ssl.TLSVersion.TLSv1
        context.load_cert_chain(self.certificate, self.key)
        return context


def _named(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    folder: Path = tmp_path_factory.mktemp("authority")
    start = datetime.now(UTC) - timedelta(days=1)
    ca_key, leaf_key = (
        ec.generate_private_key(ec.SECP256R1()),
        ec.generate_private_key(ec.SECP256R1()),
    )

    def begin(subject: str, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(_named(subject))
            .issuer_name(_named("Test authority"))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(start + timedelta(days=30))
        )

    ca = (
        begin("Test authority", ca_key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(ca_key, hashes.SHA256())
    )
    names = [x509.DNSName("demo.localhost"), x509.IPAddress(ip_address("127.0.0.1"))]
    leaf = (
        begin("demo.localhost", leaf_key)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    made = Authority(str(folder / "ca.pem"), str(folder / "leaf.pem"), str(folder / "leaf.key"))
    Path(made.ca).write_bytes(ca.public_bytes(serialization.Encoding.PEM))
    Path(made.certificate).write_bytes(leaf.public_bytes(serialization.Encoding.PEM))
    Path(made.key).write_bytes(
        leaf_key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return made


@dataclass(slots=True)
class Server:
    """A listening server: each connection is given to the handler in a thread of its own."""

    port: int
    peers: list[str]


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    doors: list[socket.socket] = []
    threads: list[threading.Thread] = []

    def start(handler: Handler, context: ssl.SSLContext | None = None) -> Server:
        door = socket.create_server(("127.0.0.1", 0))
        doors.append(door)
        server = Server(door.getsockname()[1], [])

        def one(connection: socket.socket) -> None:
            connection.settimeout(10)
            try:
                if context:
                    connection = context.wrap_socket(connection, server_side=True)
                handler(connection)
            except OSError:
                pass  # a client that hung up is what some tests are about
            finally:
                connection.close()

        def accept() -> None:
            while True:
                try:
                    connection, peer = door.accept()
                except OSError:
                    return
                server.peers.append(peer[0])
                thread = threading.Thread(target=one, args=(connection,))
                threads.append(thread)
                thread.start()

        thread = threading.Thread(target=accept)
        threads.append(thread)
        thread.start()
        return server

    yield start
    for door in doors:
        door.shutdown(socket.SHUT_RDWR)
        door.close()
    for thread in threads:
        thread.join(timeout=15)
        assert not thread.is_alive()


def answering(raw: bytes) -> Handler:
    """A handler that reads one request's head and says `raw`."""

    def handle(connection: socket.socket) -> None:
        seen = b""
        while b"\r\n\r\n" not in seen:
            piece = connection.recv(65536)
            if not piece:
                return
            seen += piece
        connection.sendall(raw)

    return handle


@pytest.fixture
def answer() -> Callable[[bytes], Handler]:
    return answering
