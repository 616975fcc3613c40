"""The first bytes of a TLS conversation: what a client of any age says, what a server answers.

Raw bytes, because no TLS library of today can even ask for SSL 2 or 3, and because a refusal is
then the server's and nobody else's. Nothing here is secret and nothing is decrypted: a hello and
the start of its answer are in the clear (Source: RFC 8446 4.1, RFC 5246 7.4, RFC 6101, and for
SSL 2 RFC 6101 appendix E).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile
from struct import pack

from troth.promises.edge.rules.suites import SUITES

SSL2, SSL3, TLS1, TLS1_1, TLS1_2, TLS1_3 = 0x0002, 0x0300, 0x0301, 0x0302, 0x0303, 0x0304
NAMES = {
    SSL2: "SSLv2",
    SSL3: "SSLv3",
    TLS1: "TLSv1.0",
    TLS1_1: "TLSv1.1",
    TLS1_2: "TLSv1.2",
    TLS1_3: "TLSv1.3",
}
RANDOM_BYTES = 32
RENEGOTIATION_INFO = 0xFF01  # Source: RFC 5746, 3.2
ENOUGH_BYTES = 16 * 1024  # a server's first flight; longer ones are cut
ALERTS = {  # Source: IANA, TLS Alerts
    0: "close_notify",
    10: "unexpected_message",
    20: "bad_record_mac",
    21: "decryption_failed",
    22: "record_overflow",
    40: "handshake_failure",
    47: "illegal_parameter",
    50: "decode_error",
    70: "protocol_version",
    71: "insufficient_security",
    80: "internal_error",
    86: "inappropriate_fallback",
    109: "missing_extension",
    112: "unrecognized_name",
}
# Source: IANA, TLS Supported Groups; X25519 comes first, it is the one we bring a share for.
GROUPS = {29: "X25519", 23: "P-256", 24: "P-384", 25: "P-521"}
# ECDSA, PSS, PKCS #1 and Ed25519 of each size, then SHA-1, for servers that know no better.
_SIGNATURES = (0x0403, 0x0503, 0x0603, 0x0804, 0x0805, 0x0806, 0x0401, 0x0501, 0x0601, 0x0807)
_SIGNATURES_OLD = (0x0203, 0x0201, 0x0202)
# Source: RFC 6101, E.2: RC4, RC4 export, RC2, RC2 export, IDEA, DES, 3DES.
_SSL2_CIPHERS = bytes.fromhex("010080020080030080040080050080060040 0700c0")
_CHANGE, _ALERT, _HANDSHAKE, HEARTBEAT = 20, 21, 22, 24
_SERVER_HELLO, _NEW_SESSION_TICKET, _KEY_EXCHANGE = 2, 4, 12
_SSL2_SERVER_HELLO = 4
_SUPPORTED_VERSIONS, _KEY_SHARE = 43, 51
_NAMED_CURVE = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What a server's first bytes mean.

    Args:
        kind: `hello` (a ServerHello), `alert`, `closed` (nothing came) or `other` (no TLS at all).
        version: the version it chose; 0 unless `hello`.
        suite: the cipher suite it chose; 0 unless `hello` (and for SSL 2).
        compression: the compression method it chose; 0 is none.
        session: the session id it sent.
        group: how keys are agreed upon, such as `P-256` or `DH 1024`; empty when not told.
        alert: the alert's name; empty unless `alert`.
        extensions: numbers of the extensions in its hello.
    """

    kind: str
    version: int = 0
    suite: int = 0
    compression: int = 0
    session: bytes = b""
    group: str = ""
    alert: str = ""
    extensions: tuple[int, ...] = ()

    @property
    def is_refusal(self) -> bool:
        """Whether the server said no, by an alert or by hanging up."""
        return self.kind in {"alert", "closed"}


def client_hello(  # noqa: PLR0913 -- each is one thing a client says
    *,
    version: int,
    random: bytes,
    server_name: str = "",
    suites: Sequence[int] = (),
    compressions: bytes = b"\0",
    session: bytes = b"",
    ticket: bytes | None = None,
    beats: bool = False,
) -> bytes:
    """The record with which a client of that version begins.

    Args:
        version: the newest it speaks, `SSL3` to `TLS1_3`; one of TLS 1.3 offers nothing older.
        random: 32 bytes; in TLS 1.3 also the client's X25519 share, which every 32 bytes are.
        server_name: without one, and without a ticket, a client older than TLS 1.2 sends no
            extensions, as real ones did.
        suites: what it offers; every suite of `SUITES` that fits the version when empty.
        compressions: compression methods, best first (0 none, 1 DEFLATE).
        session: id of a session to take up.
        ticket: a session ticket (RFC 5077).
        beats: whether it speaks heartbeats (RFC 6520).
    """
    offered = suites or [n for n, s in SUITES.items() if s.is_tls13 == (version == TLS1_3)]
    extensions = _extensions(version, random, server_name, ticket)
    extensions += pack("!H", 15) + _long(b"\x01") if beats else b""
    body = pack("!H", min(version, TLS1_2)) + random + _short(session)
    body += _long(b"".join(pack("!H", number) for number in offered)) + _short(compressions)
    body += _long(extensions) if extensions else b""
    message = b"\x01" + pack("!I", len(body))[1:] + body
    return pack("!BHH", _HANDSHAKE, min(version, TLS1), len(message)) + message


def ssl2_hello(random: bytes) -> bytes:
    """The record with which a client of SSL 2 begins; 16 of the random bytes are its challenge."""
    challenge = random[:16]
    body = b"\x01" + pack("!HHHH", SSL2, len(_SSL2_CIPHERS), 0, len(challenge))
    body += _SSL2_CIPHERS + challenge
    return pack("!H", 0x8000 | len(body)) + body


def heartbeat() -> bytes:
    """A record that asks for 64 bytes back and brings none: who answers it bleeds (CVE-2014-0160).

    64 bytes show it and tell little.
    """
    return pack("!BHH", HEARTBEAT, TLS1_2, 3) + b"\x01" + pack("!H", 64)


def early_change() -> bytes:
    """Two ChangeCipherSpec before their time: who takes the first cannot read the second.

    Source: CVE-2014-0224; a sound server refuses the first.
    """
    return 2 * (pack("!BHH", _CHANGE, TLS1_2, 1) + b"\x01")


def _extensions(version: int, random: bytes, server_name: str, ticket: bytes | None) -> bytes:
    if version < TLS1_2 and not server_name and ticket is None:
        return b""
    found = []
    if server_name:
        name = b"\0" + _long(server_name.encode("ascii"))
        found.append((0, _long(name)))
    found.append((10, _long(b"".join(pack("!H", group) for group in GROUPS))))
    if version < TLS1_3:
        found += [(11, _short(b"\0")), (23, b""), (RENEGOTIATION_INFO, _short(b""))]
    if ticket is not None:
        found.append((35, ticket))
    if version >= TLS1_2:
        signatures = _SIGNATURES + (() if version == TLS1_3 else _SIGNATURES_OLD)
        found.append((13, _long(b"".join(pack("!H", each) for each in signatures))))
    if version == TLS1_3:
        found.append((_SUPPORTED_VERSIONS, _short(pack("!H", TLS1_3))))
        found.append((_KEY_SHARE, _long(pack("!H", next(iter(GROUPS))) + _long(random))))
    return b"".join(pack("!H", kind) + _long(content) for kind, content in found)


def _short(content: bytes) -> bytes:
    return pack("!B", len(content)) + content


def _long(content: bytes) -> bytes:
    return pack("!H", len(content)) + content


def read_reply(data: bytes) -> Reply:
    """What the server's first bytes mean. Bytes that are cut off are read as far as they go."""
    if not data:
        return Reply(kind="closed")
    if _is_ssl2_hello(data):
        return Reply(kind="hello", version=SSL2)
    if data[0] == _ALERT and len(data) >= 7 and data[1] == SSL3 >> 8:  # noqa: PLR2004 -- header + 2
        return Reply(kind="alert", alert=ALERTS.get(data[6], str(data[6])))
    if data[0] != _HANDSHAKE or data[1:2] != b"\x03":
        return Reply(kind="other")
    messages = dict(_messages(_flight(data)))
    hello = messages.get(_SERVER_HELLO)
    try:
        return _read_hello(hello, messages.get(_KEY_EXCHANGE, b"")) if hello else _OTHER
    except (IndexError, ValueError):
        return _OTHER


_OTHER = Reply(kind="other")


def read_ticket(data: bytes) -> bytes:
    """The session ticket in the clear part of a handshake (RFC 5077, 3.3); empty: none was sent.

    Args:
        data: what the server sent during a handshake of TLS 1.2 or older.
    """
    for kind, content in _messages(_flight(data)):
        if kind == _NEW_SESSION_TICKET:
            size = int.from_bytes(content[4:6], "big")
            return content[6 : 6 + size]
    return b""


def _is_ssl2_hello(data: bytes) -> bool:
    return len(data) > 4 and bool(data[0] & 0x80) and data[2] == _SSL2_SERVER_HELLO  # noqa: PLR2004


def is_whole(data: bytes) -> bool:
    """Whether enough has come to read all that `read_reply` tells."""
    if not data or data[0] != _HANDSHAKE:
        return len(data) >= 7  # noqa: PLR2004 -- an alert's record
    kinds = [kind for kind, _ in _messages(_flight(data))]
    reply = read_reply(data)
    # TLS 1.3 goes on encrypted; up to 1.2 the flight ends with ServerHelloDone (14).
    return reply.version == TLS1_3 or 14 in kinds  # noqa: PLR2004


def records(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The records of a stream, each with its type; the last one may be cut off."""
    while len(data) >= 5:  # noqa: PLR2004 -- a record's header
        size = int.from_bytes(data[3:5], "big")
        yield data[0], data[5 : 5 + size]
        data = data[5 + size :]


def _flight(data: bytes) -> bytes:
    """The handshake messages at the beginning of a stream, up to the first other record."""
    return b"".join(c for _, c in takewhile(lambda each: each[0] == _HANDSHAKE, records(data)))


def alert_in(data: bytes) -> str:
    """The name of the first alert in the clear part of a stream; empty when there is none."""
    for kind, content in records(data):
        if kind == _ALERT and len(content) == len("lc"):
            return ALERTS.get(content[1], str(content[1]))
    return ""


def _messages(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The whole handshake messages."""
    while len(data) >= 4:  # noqa: PLR2004 -- a message's header
        size = int.from_bytes(data[1:4], "big")
        if len(data) < 4 + size:
            return
        yield data[0], data[4 : 4 + size]
        data = data[4 + size :]


def _read_hello(hello: bytes, key_exchange: bytes) -> Reply:
    version = int.from_bytes(hello[:2], "big")
    length = hello[34]
    session, rest = hello[35 : 35 + length], hello[35 + length :]
    suite, compression = int.from_bytes(rest[:2], "big"), rest[2]
    if len(session) != length or version not in NAMES:
        raise ValueError("not a ServerHello")
    group, extensions = "", dict(_read_extensions(rest[3:]))
    for kind, content in extensions.items():
        if kind == _SUPPORTED_VERSIONS:
            version = int.from_bytes(content, "big")
        if kind == _KEY_SHARE:
            group = GROUPS.get(int.from_bytes(content[:2], "big"), "")
    if version < TLS1_3 and key_exchange:
        group = _group(key_exchange, SUITES[suite].name if suite in SUITES else "")
    return Reply(
        kind="hello",
        version=version,
        suite=suite,
        compression=compression,
        session=session,
        group=group,
        extensions=tuple(extensions),
    )


def _read_extensions(data: bytes) -> Iterator[tuple[int, bytes]]:
    data = data[2:]
    while len(data) >= 4:  # noqa: PLR2004 -- an extension's header
        size = int.from_bytes(data[2:4], "big")
        yield int.from_bytes(data[:2], "big"), data[4 : 4 + size]
        data = data[4 + size :]


def _group(key_exchange: bytes, suite: str) -> str:
    """How TLS 1.2 and older agree upon keys: by a named curve or a Diffie-Hellman prime."""
    if suite.startswith("ECDH"):
        number = int.from_bytes(key_exchange[1:3], "big")
        return GROUPS.get(number, f"curve {number}") if key_exchange[0] == _NAMED_CURVE else ""
    size = int.from_bytes(key_exchange[:2], "big")
    prime = int.from_bytes(key_exchange[2 : 2 + size], "big")
    return f"DH {prime.bit_length()}"
