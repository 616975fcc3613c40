"""Addresses that a server should never be made to ask: metadata services, itself, odd schemes.

Only a value that is an address is judged, as a whole; a link within a sentence is for people. An
ordinary link to `http://localhost:3000/` passes (developers post them, OAuth clients redirect to
them): a rule on fields that are fetched decides about those. What nobody writes
for people: a loopback or private address in a notation that hides it, a metadata service, a port of
an inner service, a scheme that smuggles another protocol.

Sources: CWE-918; OWASP SSRF Prevention Cheat Sheet; RFC 1918, RFC 3927, RFC 4193, RFC 6598;
WHATWG URL Standard 3.5 (IPv4 in decimal, octal, hexadecimal, one to four parts).
"""

import ipaddress
import re

from troth.engines.seclang.detect.layers import through
from troth.engines.seclang.detect.rooted import rooted

_URL = re.compile(
    rb"[\s\"'(<]{0,4}(?:url[:=])?([A-Za-z][A-Za-z0-9+.-]{1,20}):(?:[/\\]{1,4})((?:[^/\\?#\s@"
    rb"]{0,200}@)?)(\[[0-9A-Za-z:.%]{2,60}\]|[^/\\?#\s:\"'<>]{1,255})"
    rb"(?::(\d{1,5}))?([/?#\\][^\s]{0,2000})?[\s\"')>]{0,4}$"
)
_SCHEMES = frozenset(
    b"gopher dict tftp ldap ldaps jar netdoc sftp imap smtp pop3 telnet rsync rmi".split()
)
_WRAPPED = frozenset(b"gopher dict tftp jar netdoc".split())  # these carry another protocol's bytes
# Source: the providers' documentation. AWS, Azure, GCP, DigitalOcean, Oracle, Alibaba, OpenStack.
_METADATA = frozenset(
    b"metadata.google.internal metadata instance-data metadata.azure.internal metadata.azure.com"
    b" kubernetes.default.svc rancher-metadata metadata.packet.net"
    b" metadata.platformequinix.com".split()
)
_METADATA_ADDRESSES = frozenset(
    ipaddress.ip_address(address)
    for address in (
        "169.254.169.254",
        "100.100.100.200",
        "192.0.0.192",
        "169.254.170.2",
        "169.254.169.253",
        "fd00:ec2::254",
    )
)
# Names that anyone may resolve to an inner address (wild-card DNS services).
_WILDCARD = re.compile(
    rb"(?i:(?:\d{1,3}[.-]){3}\d{1,3}\.(?:nip|sslip|xip)\.io$|(?:^|\.)(?:localtest\.me|lvh\.me"
    rb"|vcap\.me|lacolhost\.com|localh\.st|spoofed\.burpcollaborator\.net)$"
    rb"|\.burpcollaborator\.net$|\.oastify\.com$|\.interact\.sh$|\.oast\.\w+$)"
)
# ssh, telnet, smtp, docker, databases, redis, elasticsearch, memcached, etcd, kubelet, consul.
_PORTS = frozenset(
    b"22 23 25 2375 2376 3306 5432 6379 9200 9300 11211 27017 2379 10250 1433 8500".split()
)
_CRLF = re.compile(rb"%0[adAD]|[\r\n]")
_PARTS, _BYTE = 4, 0xFF  # of an IPv4 address
_LOCAL = frozenset((b"localhost", b"localhost.localdomain", b"ip6-localhost", b"localhost."))
_SERVICE = re.compile(rb"/(?:server-status|latest/meta-data|actuator|\.env|computeMetadata)")
_PART = re.compile(rb"0[xX][0-9a-fA-F]{0,16}|\d{1,16}")
_CIRCLED = str.maketrans(
    {0x2460 + n: str(n + 1) for n in range(9)}
    | {0x24EA: "0", 0x3002: ".", 0xFF0E: ".", 0xFF61: "."}
)
_UNICODE_LETTERS = re.compile(r"[\u24b6-\u24e9]")


def recognise(value: bytes) -> str | None:
    """One form of a value; `find` looks through its encodings as well."""
    if b":/" not in value[:64] and b":\\" not in value[:64]:
        return None
    found = _URL.match(value)
    if found is None:
        return None
    scheme, user, host, port, rest = found.groups(b"")
    scheme, name = scheme.lower(), host.lower()
    if scheme in _SCHEMES:
        is_wrapped = scheme in _WRAPPED and (port or _CRLF.search(rest))
        is_named = name in _LOCAL or _address(name)[0] is not None
        return f"scheme:{scheme.decode()}" if is_wrapped or is_named else None
    if _WILDCARD.search(name):
        return "wildcard-name"
    reason = _host(name) if name not in _LOCAL else "inner"
    if reason != "inner":
        return reason
    is_service = port in _PORTS or (user and name not in _LOCAL) or _SERVICE.match(rest)
    return "inner-service" if is_service else None


def _host(name: bytes) -> str | None:
    """What is odd about a host; `inner` is one that people may well write."""
    if name in _METADATA:
        return "metadata"
    if not name.isascii():
        folded = _folded(name)
        return "hidden-inner" if folded in _LOCAL or _is_inner(folded) else None
    address, is_plain = _address(name)
    if address is None:
        return None
    if address in _METADATA_ADDRESSES:
        return "metadata"
    if not is_plain:
        return "hidden-inner" if _is_private(address) else "hidden-address"
    return "inner" if _is_private(address) else None


def _is_inner(name: bytes) -> bool:
    address, _ = _address(name)
    return address is not None and _is_private(address)


def _is_private(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    mapped = getattr(address, "ipv4_mapped", None) or getattr(address, "sixtofour", None)
    address = mapped or address
    return (
        address.is_private or address.is_loopback or address.is_link_local or address.is_unspecified
    )


def _folded(name: bytes) -> bytes:
    text = name.decode("utf-8", "replace").translate(_CIRCLED)
    text = _UNICODE_LETTERS.sub(
        lambda found: chr(ord("a") + (ord(found.group()) - 0x24B6) % 26), text
    )
    return text.encode()


def _address(name: bytes) -> tuple[ipaddress.IPv4Address | ipaddress.IPv6Address | None, bool]:
    """The address that a host part means, and whether it is written as people write it."""
    if name[:1] == b"[":
        text = name[1:-1].decode("ascii", "replace").partition("%")[0]
        try:
            address = ipaddress.ip_address(text)
        except ValueError:
            return None, True
        # `::1` is how people write it; an IPv4 address in IPv6's clothes is not.
        return address, getattr(address, "ipv4_mapped", None) is None and text != "::"
    parts = name.rstrip(b".").split(b".")
    if len(parts) > _PARTS or not all(_PART.fullmatch(part) for part in parts):
        return None, True
    numbers = [_number(part) for part in parts]
    last = numbers.pop()
    if any(number > _BYTE for number in numbers) or last >= 1 << (8 * (4 - len(numbers))):
        return None, True
    total = last
    for place, number in enumerate(numbers):
        total += number << (8 * (3 - place))
    plain = len(parts) == _PARTS and all(part == b"0" or part[:1] != b"0" for part in parts)
    return ipaddress.IPv4Address(total), plain


def _number(part: bytes) -> int:
    if part[:2].lower() == b"0x":
        return int(part[2:] or b"0", 16)
    if part[:1] == b"0" and len(part) > 1 and not part.strip(b"01234567"):
        return int(part, 8)
    return int(part)


find = through(rooted(recognise))
