"""The only door to TLS: what we trust, what we offer, and what a server agreed to.

Clients here offer at OpenSSL's security level 0, so that a refusal is the server's and not our
own. Verification is on unless a probe says otherwise, and then what was seen says so.
"""

import socket
import ssl
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from OpenSSL import SSL

from troth.adapters import tcp
from troth.kernel.errors import Failure

_MAX_FLIGHT_BYTES = 256 * 1024  # a chain of certificates has some kilobytes
EVERYTHING = "ALL:COMPLEMENTOFALL:@SECLEVEL=0"  # Source: openssl-ciphers(1)


class TlsError(Failure):
    """A handshake that was refused or that failed, or a certificate that is not trusted.

    `alert` is OpenSSL's reason, such as `TLSV1_ALERT_PROTOCOL_VERSION`; empty when there is none.
    `is_peers` tells that the server said no by an alert of its own.
    """

    def __init__(self, what: str, *, where: str = "", mend: str = "", alert: str = "") -> None:
        super().__init__(what, where=where, mend=mend)
        self.alert = alert
        self.is_peers = "ALERT" in alert


class Version(Enum):
    """Protocol versions by the names that handshakes report."""

    TLS1 = "TLSv1"
    TLS1_1 = "TLSv1.1"
    TLS1_2 = "TLSv1.2"
    TLS1_3 = "TLSv1.3"

    @property
    def number(self) -> ssl.TLSVersion:
        """For a context's bounds."""
        return {
            Version.TLS1: ssl.TLSVersion.TLSv1,
            Version.TLS1_1: ssl.TLSVersion.TLSv1_1,
            Version.TLS1_2: ssl.TLSVersion.TLSv1_2,
            Version.TLS1_3: ssl.TLSVersion.TLSv1_3,
        }[self]


@dataclass(frozen=True, slots=True, kw_only=True)
class Handshake:
    """What both sides agreed to.

    Args:
        version: `TLSv1.2` and the like.
        cipher: OpenSSL's name.
        bits: of the symmetric key.
        alpn: the protocol chosen, empty when none was.
        certificate: the server's own, DER.
        is_verified: whether the chain and the name were checked and trusted.
        has_resumed: whether an earlier session was taken up.
    """

    version: str
    cipher: str
    bits: int
    alpn: str
    certificate: bytes
    is_verified: bool
    has_resumed: bool


def client_context(  # noqa: PLR0913 -- each is one thing a client offers
    *,
    ca_file: str = "",
    verify: bool = True,
    minimum: Version = Version.TLS1_2,
    maximum: Version = Version.TLS1_3,
    ciphers: str = EVERYTHING,
    alpn: tuple[str, ...] = (),
    group: str = "",
) -> ssl.SSLContext:
    """What a client offers.

    Args:
        ca_file: PEM of the authority to trust instead of the system's; empty for the system's.
        verify: check chain and name.
        minimum: oldest version offered.
        maximum: newest version offered.
        ciphers: OpenSSL cipher string for TLS 1.2 and older.
        alpn: protocols offered, best first.
        group: the one key exchange group offered (`prime256v1`, `X25519`); empty for the usual.

    Raises:
        TlsError: the file cannot be used, or this OpenSSL knows no such cipher or group.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = verify
    context.verify_mode = ssl.CERT_REQUIRED if verify else ssl.CERT_NONE
    try:
        context.set_ciphers(ciphers if "@SECLEVEL" in ciphers else f"{ciphers}:@SECLEVEL=0")
        _bound(context, minimum, maximum)
        if verify and ca_file:
            context.load_verify_locations(ca_file)
        elif verify:
            context.load_default_certs(ssl.Purpose.SERVER_AUTH)
        if alpn:
            context.set_alpn_protocols(list(alpn))
        if group:
            context.set_ecdh_curve(group)
    except (OSError, ValueError) as error:
        raise TlsError(f"cannot be offered or trusted: {error}", where=ca_file or group) from error
    return context


def _bound(context: ssl.SSLContext, minimum: Version, maximum: Version) -> None:
    # Python warns of the old versions, which is right for everybody but a probe of them.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version, context.maximum_version = minimum.number, maximum.number


def server_context(
    certificate: str, key: str, *, alpn: tuple[str, ...] = ("http/1.1",)
) -> ssl.SSLContext:
    """TLS 1.2 and 1.3 with forward secrecy and AEAD only, for what a role serves by itself.

    Source: RFC 9325, 3.1.1 and 4.2. Raises TlsError when the PEM files cannot be used.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("ECDHE+AESGCM:ECDHE+CHACHA20:!aNULL")
    # One group is all that this ssl module lets us name, and without one OpenSSL takes X448 and
    # P-521 too, which Mozilla's intermediate profile refuses. Every client speaks P-256.
    context.set_ecdh_curve("prime256v1")
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    context.options |= ssl.OP_CIPHER_SERVER_PREFERENCE
    context.set_alpn_protocols(list(alpn))
    try:
        context.load_cert_chain(certificate, key)
    except (OSError, ValueError) as error:
        raise TlsError(f"certificate or key cannot be used: {error}", where=certificate) from error
    return context


def wrap(
    door: socket.socket, context: ssl.SSLContext, *, server_name: str, where: str
) -> ssl.SSLSocket:
    """Shake hands on a connected socket, which is closed on failure.

    Raises:
        TlsError: refused, failed or not trusted. TimeoutError: too slow.
    """
    try:
        return context.wrap_socket(door, server_hostname=server_name)
    except TimeoutError:
        door.close()
        raise
    except ssl.SSLCertVerificationError as error:
        door.close()
        reason = error.verify_message or str(error)
        raise TlsError(f"certificate not trusted: {reason}", where=where) from error
    except ssl.SSLError as error:
        door.close()
        alert = error.reason or ""
        raise TlsError(f"handshake failed: {alert or error}", where=where, alert=alert) from error
    except (OSError, ValueError) as error:
        door.close()
        raise TlsError(f"handshake broken off: {error}", where=where) from error


def handshake(
    host: str,
    port: int,
    *,
    context: ssl.SSLContext,
    server_name: str = "",
    timeout_s: float = 5,
    source: str = "",
) -> Handshake:
    """Connect, shake hands, hang up; what was agreed to.

    Raises:
        TlsError: the server refused (`is_peers`), or it failed, or it is not trusted.
        TcpError: not reached. TimeoutError: too slow.
    """
    where = f"{host}:{port}"
    door = tcp.connect(host, port, timeout_s=timeout_s, source=source)
    with wrap(door, context, server_name=server_name or host, where=where) as secured:
        name, _, bits = secured.cipher() or ("", "", 0)
        return Handshake(
            version=secured.version() or "",
            cipher=name,
            bits=bits or 0,
            alpn=secured.selected_alpn_protocol() or "",
            certificate=secured.getpeercert(binary_form=True) or b"",
            is_verified=context.verify_mode is ssl.CERT_REQUIRED,
            has_resumed=bool(secured.session_reused),
        )


def exchange(  # noqa: PLR0913 -- each is one bound of the conversation
    host: str,
    port: int,
    payload: bytes,
    *,
    context: ssl.SSLContext,
    server_name: str = "",
    timeout_s: float = 5,
    limit_bytes: int = tcp.CHUNK_BYTES,
    source: str = "",
    is_enough: Callable[[bytes], bool] = lambda _: False,
) -> bytes:
    """As `tcp.exchange`, inside TLS: for requests that no decent client sends."""
    where = f"{host}:{port}"
    deadline = time.monotonic() + timeout_s
    door = tcp.connect(host, port, timeout_s=timeout_s, source=source)
    with wrap(door, context, server_name=server_name or host, where=where) as secured:
        try:
            secured.sendall(payload)
            return tcp.drain(
                secured, deadline=deadline, limit_bytes=limit_bytes, is_enough=is_enough
            )
        except TimeoutError:
            raise
        except ssl.SSLError as error:
            raise TlsError(f"broken off: {error}", where=where, alert=error.reason or "") from error
        except OSError as error:
            raise tcp.TcpError("reset without an answer", where=where) from error


def group(
    host: str, port: int, *, server_name: str = "", timeout_s: float = 5, source: str = ""
) -> str:
    """The TLS 1.3 key exchange group that a modern client and the server agree to.

    The client is OpenSSL as `cryptography` brings it (4.0), which offers X25519MLKEM768 first, as
    browsers do. Nothing is verified: only the group is asked for. Upper case, as IANA writes it.

    Raises:
        TlsError: no TLS 1.3 handshake. TcpError: not reached. TimeoutError: too slow.
    """
    with _opened(
        host, port, server_name=server_name, timeout_s=timeout_s, source=source, is_modern=True
    ) as connection:
        return str(connection.get_group_name() or "").upper()


def chain(
    host: str, port: int, *, server_name: str = "", timeout_s: float = 5, source: str = ""
) -> tuple[bytes, ...]:
    """Every certificate that the server sends (DER), its own first. Nothing is verified.

    Raises:
        TlsError: no handshake. TcpError: not reached. TimeoutError: too slow.
    """
    with _opened(
        host, port, server_name=server_name, timeout_s=timeout_s, source=source, is_modern=False
    ) as connection:
        sent = connection.get_peer_cert_chain(as_cryptography=True) or []
        return tuple(each.public_bytes(serialization.Encoding.DER) for each in sent)


def transcript(
    host: str,
    port: int,
    *,
    context: ssl.SSLContext,
    server_name: str = "",
    timeout_s: float = 5,
    source: str = "",
) -> bytes:
    """Every byte that the server sends during a whole handshake, as it stood on the wire.

    Raises:
        TlsError: refused or failed. TcpError: not reached. TimeoutError: too slow.
    """
    where = f"{host}:{port}"
    deadline = time.monotonic() + timeout_s
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    session = context.wrap_bio(incoming, outgoing, server_hostname=server_name or host)
    gathered = bytearray()
    with tcp.connect(host, port, timeout_s=timeout_s, source=source) as door:
        try:
            while True:
                try:
                    session.do_handshake()
                    door.sendall(outgoing.read())
                    return bytes(gathered)
                except ssl.SSLWantReadError:
                    door.sendall(outgoing.read())
                door.settimeout(max(deadline - time.monotonic(), 0.001))
                piece = door.recv(tcp.CHUNK_BYTES)
                gathered += piece
                if not piece or len(gathered) > _MAX_FLIGHT_BYTES:
                    raise TlsError("handshake broken off", where=where)
                incoming.write(piece)
        except ssl.SSLError as error:
            raise TlsError(f"handshake failed: {error.reason or error}", where=where) from error
        except TimeoutError:
            raise
        except OSError as error:
            raise TlsError(f"handshake broken off: {error}", where=where) from error


@contextmanager
def _opened(
    host: str, port: int, *, server_name: str, timeout_s: float, source: str, is_modern: bool
) -> Iterator[SSL.Connection]:
    """A connection of pyOpenSSL after its handshake, unverified; `is_modern`: TLS 1.3 only."""
    where = f"{host}:{port}"
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    if is_modern:
        context.set_min_proto_version(SSL.TLS1_3_VERSION)
    else:
        context.set_cipher_list(EVERYTHING.encode())
    context.set_verify(SSL.VERIFY_NONE, lambda *_: True)
    context.set_timeout(int(timeout_s) or 1)
    with tcp.connect(host, port, timeout_s=timeout_s, source=source) as door:
        # pyOpenSSL does not wait on a socket with a timeout; memory buffers leave waiting to us.
        connection = SSL.Connection(context, None)
        connection.set_tlsext_host_name((server_name or host).encode("idna"))
        connection.set_connect_state()
        deadline = time.monotonic() + timeout_s
        try:
            _shake(connection, door, deadline)
        except SSL.Error as error:
            raise TlsError(f"handshake failed: {error}", where=where) from error
        except TimeoutError:
            raise
        except OSError as error:
            raise TlsError(f"handshake broken off: {error}", where=where) from error
        yield connection


def _shake(connection: SSL.Connection, door: socket.socket, deadline: float) -> None:
    while True:
        try:
            connection.do_handshake()
        except SSL.WantReadError:
            _flush(connection, door)
            door.settimeout(max(deadline - time.monotonic(), 0.001))
            piece = door.recv(tcp.CHUNK_BYTES)
            if not piece:
                raise ConnectionResetError("the server closed") from None
            connection.bio_write(piece)
        else:
            _flush(connection, door)
            return


def _flush(connection: SSL.Connection, door: socket.socket) -> None:
    try:
        while True:
            door.sendall(connection.bio_read(tcp.CHUNK_BYTES))
    except SSL.WantReadError:
        return


def certificate_names(der: bytes) -> tuple[str, ...]:
    """The DNS names and addresses that a certificate is for. Raises TlsError when it is none."""
    try:
        certificate = x509.load_der_x509_certificate(der)
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (ValueError, x509.ExtensionNotFound) as error:
        raise TlsError(f"not a certificate with names: {error}") from error
    return tuple(str(name.value) for name in names)
