"""The only door to DNS: a stub's question to one resolver, bounded and read strictly.

UDP first, TCP when the answer was cut off (RFC 1035, 4.2; RFC 7766). One question, one answer: the
id, the question and the address it came from must be those we sent. A name that does not exist or
has no such record is an empty answer; whatever else keeps us from knowing raises DnsError.
"""

import ipaddress
import random
import re
import socket
import struct
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from troth.kernel.errors import Failure

# Source: IANA, DNS resource record types.
TYPES: Mapping[str, int] = {
    "A": 1,
    "NS": 2,
    "CNAME": 5,
    "MX": 15,
    "TXT": 16,
    "AAAA": 28,
    "CAA": 257,
}
MAX_UDP_BYTES = 1232  # Source: DNS flag day 2020, the largest that is not fragmented
MAX_TCP_BYTES = 65_535
MAX_POINTERS = 64
MAX_RECORDS = 200
_OPT = 41
_IN = 1
_NO_ERROR, _NO_NAME = 0, 3  # Source: RFC 1035, 4.1.1
_RESPONSE, _CUT_OFF, _AUTHENTIC = 0x8000, 0x0200, 0x0020
_ASKED = 0x0120  # recursion desired; AD: tell us whether it was authenticated (RFC 6840, 5.7)
_HEADER = struct.Struct(">6H")
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")


class DnsError(Failure):
    """A question that got no answer that can be believed."""


@dataclass(frozen=True, slots=True)
class Resolver:
    """Whom to ask."""

    address: str
    port: int = 53


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a name has.

    Args:
        exists: whether the name exists at all.
        records: as text: an address; a name without its last dot; `10 mail.example`;
            the strings of a TXT joined; `0 issue "ca.example"`.
        is_authentic: the resolver says that DNSSEC proved it; worth what the way to it is worth.
    """

    exists: bool
    records: tuple[str, ...]
    is_authentic: bool


def system_resolver(path: Path = Path("/etc/resolv.conf")) -> Resolver:
    """The first `nameserver` of resolv.conf(5). Raises DnsError when there is none."""
    try:
        lines = path.read_text("utf-8", "replace").splitlines()
    except OSError as error:
        raise DnsError(f"cannot be read: {error.strerror}", where=str(path)) from error
    for line in lines:
        match line.split():
            case ["nameserver", address, *_]:
                return Resolver(address)
    raise DnsError("no nameserver is named", where=str(path))


def query(
    name: str, kind: str, *, resolver: Resolver, rng: random.Random, timeout_s: float = 3
) -> Answer:
    """Ask once over UDP (twice if unheard), over TCP when the answer was cut off.

    Args:
        name: a host name; letters, digits, hyphen, underscore.
        kind: one of `TYPES`.
        resolver: whom to ask.
        rng: unguessable, for the question's id.
        timeout_s: for all of it.

    Raises:
        DnsError: no answer in time, refused, failed, or not an answer to this question.
    """
    question = _question(name, TYPES[kind])
    where = f"{name} {kind} at {resolver.address}"
    deadline = time.monotonic() + timeout_s
    id_ = rng.getrandbits(16)
    try:
        raw = _over_udp(_ask(id_, question), resolver, id_, question, deadline)
        if struct.unpack_from(">H", raw, 2)[0] & _CUT_OFF:
            raw = _over_tcp(_ask(id_, question), resolver, deadline)
    except OSError as error:
        raise DnsError(f"no answer: {error}", where=where) from error
    try:
        return _read(raw, id_, question, kind)
    except (IndexError, struct.error, UnicodeDecodeError, ValueError) as error:
        raise DnsError("not an answer as DNS writes it", where=where) from error


def _question(name: str, kind: int) -> bytes:
    labels = name.lower().rstrip(".").split(".")
    if not all(_LABEL.fullmatch(label) for label in labels):
        raise DnsError("not a host name", where=name[:80])
    wire = b"".join(bytes([len(label)]) + label.encode() for label in labels) + b"\0"
    if len(wire) > 255:  # noqa: PLR2004 -- RFC 1035, 2.3.4
        raise DnsError("not a host name", where=name[:80])
    return wire + struct.pack(">HH", kind, _IN)


def _ask(id_: int, question: bytes) -> bytes:
    size = b"\0" + struct.pack(">HHIH", _OPT, MAX_UDP_BYTES, 0, 0)  # EDNS(0), RFC 6891, 6.1.2
    return _HEADER.pack(id_, _ASKED, 1, 0, 0, 1) + question + size


def _over_udp(
    message: bytes, resolver: Resolver, id_: int, question: bytes, deadline: float
) -> bytes:
    family = socket.AF_INET6 if ":" in resolver.address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as door:
        door.connect((resolver.address, resolver.port))  # the kernel drops what others send
        for share in (0.4, 1.0):
            until = time.monotonic() + (deadline - time.monotonic()) * share
            door.send(message)
            while (left := until - time.monotonic()) > 0:
                door.settimeout(left)
                try:
                    raw = door.recv(MAX_TCP_BYTES)
                except TimeoutError:
                    break
                if raw[:2] == id_.to_bytes(2, "big") and question in raw.lower():
                    return raw
    raise TimeoutError("in time")


def _over_tcp(message: bytes, resolver: Resolver, deadline: float) -> bytes:
    place = (resolver.address, resolver.port)
    with socket.create_connection(place, max(deadline - time.monotonic(), 0.001)) as door:
        door.sendall(len(message).to_bytes(2, "big") + message)
        size = int.from_bytes(_exactly(door, 2, deadline), "big")
        return _exactly(door, size, deadline)


def _exactly(door: socket.socket, size: int, deadline: float) -> bytes:
    got = b""
    while len(got) < size:
        door.settimeout(max(deadline - time.monotonic(), 0.001))
        piece = door.recv(size - len(got))
        if not piece:
            raise ConnectionResetError("cut off")
        got += piece
    return got


def _read(raw: bytes, id_: int, question: bytes, kind: str) -> Answer:
    found_id, flags, asked, answers, _, _ = _HEADER.unpack_from(raw)
    end = _HEADER.size + len(question)
    if found_id != id_ or not flags & _RESPONSE or asked != 1 or answers > MAX_RECORDS:
        raise ValueError("not an answer to this question")
    if raw[_HEADER.size : end].lower() != question:
        raise ValueError("an answer to another question")
    code = flags & 0x000F
    if code not in (_NO_ERROR, _NO_NAME):
        raise DnsError(f"the resolver failed with code {code}", where=kind)
    records = []
    for _ in range(answers):
        _, end = _name(raw, end)
        found, _, _, size = struct.unpack_from(">HHIH", raw, end)
        start, end = end + 10, end + 10 + size
        if end > len(raw):
            raise ValueError("a record that is cut off")
        if found == TYPES[kind]:
            records.append(_text(raw, start, end, kind))
    is_authentic = bool(flags & _AUTHENTIC)
    return Answer(exists=code == _NO_ERROR, records=tuple(records), is_authentic=is_authentic)


def _text(raw: bytes, start: int, end: int, kind: str) -> str:
    data = raw[start:end]
    if kind in {"A", "AAAA"}:
        return str(ipaddress.ip_address(data))
    if kind == "MX":
        return f"{int.from_bytes(data[:2], 'big')} {_name(raw, start + 2)[0]}"
    if kind == "TXT":
        pieces, at = [], 0
        while at < len(data):
            size = data[at]
            pieces.append(data[at + 1 : at + 1 + size])
            at += 1 + size
        if at != len(data):
            raise ValueError("a string that is cut off")
        return b"".join(pieces).decode("utf-8", "backslashreplace")
    if kind == "CAA":
        size = data[1]
        tag, value = data[2 : 2 + size].decode("ascii"), data[2 + size :].decode("ascii")
        return f'{data[0]} {tag.lower()} "{value}"'
    return _name(raw, start)[0]


def _name(raw: bytes, at: int) -> tuple[str, int]:
    """A name that may be compressed (RFC 1035, 4.1.4), and where it ends. Bounded."""
    labels: list[str] = []
    end = 0
    for _ in range(MAX_POINTERS + 128):
        size = raw[at]
        if size & 0xC0 == 0xC0:  # noqa: PLR2004 -- a pointer
            end = end or at + 2
            to = int.from_bytes(raw[at : at + 2], "big") & 0x3FFF
            if to >= at:
                raise ValueError("a pointer that does not go back")
            at = to
        elif size & 0xC0:
            raise ValueError("a label of a kind that is not spoken here")
        elif size:
            labels.append(raw[at + 1 : at + 1 + size].decode("ascii", "backslashreplace"))
            at += 1 + size
        else:
            return ".".join(labels).lower(), end or at + 1
    raise ValueError("a name without an end")
