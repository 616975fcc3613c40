"""A public world in small: two logs that stamp, a search that reads them, a resolver.

What a closed machine cannot see of the real ones; an installation may declare it, and lie about it.
"""

import base64
import hashlib
import json
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID, ObjectIdentifier

from troth.adapters import clock
from troth.engines.certificates import authority
from troth.engines.transparency.stamps import covered

STAMPS = ObjectIdentifier("1.3.6.1.4.1.11129.2.4.2")  # Source: RFC 6962, 3.3
CAA, A = 257, 1


def spki(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


@dataclass
class Log:
    """A log that stamps whatever it is given."""

    name: str
    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )

    def stamp(self, body: bytes, issuer: bytes, now: datetime, *, is_forged: bool = False) -> bytes:
        """One timestamp, as it stands in a certificate (RFC 6962, 3.2)."""
        at = int(now.timestamp() * 1000)
        signed = covered(timestamp_ms=at, body=body, issuer_hash=issuer, extensions=b"")
        signature = self.key.sign(signed + b"!" * is_forged, ec.ECDSA(hashes.SHA256()))
        head = b"\0" + hashlib.sha256(spki(self.key.public_key())).digest()
        head += struct.pack("!QH", at, 0) + b"\4\3"
        return head + struct.pack("!H", len(signature)) + signature


def log_list(logs: list[Log], made: datetime) -> bytes:
    """The list that names them, version 3; each has an operator of its own."""
    operators = [
        {
            "name": f"operator of {log.name}",
            "logs": [
                {
                    "description": log.name,
                    "key": base64.b64encode(spki(log.key.public_key())).decode(),
                    "state": {"usable": {}},
                }
            ],
        }
        for log in logs
    ]
    stamp = made.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return json.dumps(
        {"version": "1", "log_list_timestamp": stamp, "operators": operators}
    ).encode()


@dataclass(frozen=True)
class Pair:
    """A chain and its key, PEM, and the SHA-256 of the leaf's public key."""

    chain: bytes
    key: bytes
    key_sha256: str


def stamped(
    root: authority.Authority,
    hosts: tuple[str, ...],
    logs: list[Log],
    *,
    is_forged: bool = False,
    life: timedelta = timedelta(days=90),
) -> Pair:
    """A leaf of the authority with a stamp of each log."""
    key = ec.generate_private_key(ec.SECP384R1())
    now = clock.now()
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, hosts[0])]))
        .issuer_name(root.certificate.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now - timedelta(hours=1) + life)
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts]), critical=False
        )
    )
    body = builder.sign(root.key, hashes.SHA256()).tbs_certificate_bytes
    issuer = hashlib.sha256(spki(root.certificate.public_key())).digest()
    each = [log.stamp(body, issuer, now, is_forged=is_forged) for log in logs]
    listed = b"".join(struct.pack("!H", len(stamp)) + stamp for stamp in each)
    whole = struct.pack("!H", len(listed)) + listed
    if logs:
        size = len(whole)
        long = b"\x81" + bytes((size & 0xFF,)) if size < 256 else b"\x82" + struct.pack("!H", size)
        head = b"\x04" + (bytes((size,)) if size < 128 else long)
        builder = builder.add_extension(
            x509.UnrecognizedExtension(STAMPS, head + whole), critical=False
        )
    leaf = builder.sign(root.key, hashes.SHA256())
    return Pair(
        leaf.public_bytes(serialization.Encoding.PEM) + root.pem,
        authority.pem_of_key(key),
        hashlib.sha256(spki(key.public_key())).hexdigest(),
    )


def entry(key_sha256: str, *names: str, days: int = 60) -> dict[str, object]:
    """A certificate on record, as the search tells it."""
    until = clock.now() + timedelta(days=days)
    return {
        "id": "1",
        "dns_names": list(names),
        "pubkey_sha256": key_sha256,
        "not_after": until.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


@contextmanager
def searching(entries: list[dict[str, object]], status: int = 200) -> Iterator[str]:
    """The search: its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps(entries).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/v1/issuances"
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def resolving(caa: dict[str, list[bytes]], *, exists: bool = True) -> Iterator[str]:
    """A resolver that knows every name and these CAA records: its `address:port`."""
    door = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    door.bind(("127.0.0.1", 0))
    door.settimeout(0.1)
    is_over = threading.Event()

    def answer(raw: bytes) -> bytes:
        end = raw.index(b"\0", 12) + 5
        labels, place = [], 12
        while raw[place]:
            labels.append(raw[place + 1 : place + 1 + raw[place]].decode())
            place += 1 + raw[place]
        kind = int.from_bytes(raw[end - 4 : end - 2], "big")
        data = {A: [socket.inet_aton("127.0.0.1")], CAA: caa.get(".".join(labels), [])}
        records = data.get(kind, []) if exists else []
        body = b"".join(
            b"\xc0\x0c" + struct.pack(">HHIH", kind, 1, 60, len(each)) + each for each in records
        )
        flags = 0x8180 if exists else 0x8183
        return raw[:2] + struct.pack(">5H", flags, 1, len(records), 0, 0) + raw[12:end] + body

    def serve() -> None:
        while not is_over.is_set():
            with suppress(TimeoutError):
                raw, peer = door.recvfrom(4096)
                door.sendto(answer(raw), peer)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield "{}:{}".format(*door.getsockname())
    finally:
        is_over.set()
        thread.join()
        door.close()


def issue(value: str) -> bytes:
    """A CAA record that lets one authority issue (RFC 8659, 4.1)."""
    return b"\0\5issue" + value.encode()


def write(folder: Path, pair: Pair) -> tuple[Path, Path]:
    """Chain and key as files."""
    chain, key = folder / "public.pem", folder / "public.key"
    chain.write_bytes(pair.chain)
    key.write_bytes(pair.key)
    key.chmod(0o600)
    return chain, key
