"""Scans of public logs and of the DNS for what is known of our certificates."""

import hashlib
import re
from datetime import UTC
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from troth.adapters import dns, files
from troth.adapters.vantage import Vantage
from troth.engines.transparency import search as searches
from troth.engines.transparency import stamps as engine
from troth.engines.transparency.errors import TransparencyError
from troth.kernel.evidence import stamp
from troth.kernel.model import Observation
from troth.promises.edge.probe.tls import published
from troth.promises.edge.settings import EdgeSettings

MAX_LIST_BYTES = 4 * 1024 * 1024
MAX_KEYS_BYTES = 1024 * 1024
KEYS = "tls/keys.txt"  # SHA-256 of each public key that this installation has had, one a line
_HASH = re.compile(r"[0-9a-f]{64}")


def stamps(vantage: Vantage, settings: EdgeSettings) -> Observation:
    """The stamps in the certificate of the application's host, against the operator's list.

    Raises:
        TransparencyError: no list is named, or it cannot be read.
    """
    path = settings.transparency.logs
    if not path:
        raise TransparencyError("no list of logs is named", mend="set [edge.transparency] logs")
    logs = engine.read_list(files.read_capped(Path(path), MAX_LIST_BYTES))
    leaf, issuer, *_ = (*vantage.chain(vantage.site.app), b"")
    found = engine.read(leaf, issuer, logs) if issuer else ()
    own = x509.load_der_x509_certificate(leaf)
    life = own.not_valid_after_utc - own.not_valid_before_utc
    return Observation(
        facts={
            "stamps": [
                {"log": each.log, "operator": each.operator, "is_valid": each.is_valid}
                for each in found
            ],
            "life_s": int(life.total_seconds()),
            "listed": stamp(logs.made),
            "at": stamp(vantage.now),
            "logs": len(logs.logs),
        },
        public=frozenset({"listed", "logs"}),
    )


def logs(vantage: Vantage, settings: EdgeSettings) -> Observation:
    """What a search of the logs holds for our hosts, and whose keys those are.

    Raises:
        TransparencyError: no search is named, or it answered something else.
    """
    given = settings.transparency
    if not given.search:
        raise TransparencyError("no search of the logs is named", mend="[edge.transparency] search")
    served = {_key(vantage.chain(url)[0]) for _, url in published(vantage)}
    own = served | set(given.keys) | _kept(vantage)
    hosts = sorted({urlsplit(url).hostname or "" for _, url in published(vantage)})
    found = {
        each
        for host in hosts
        for each in searches.search(given.search, host, ca_file=given.ca_file)
        if each.not_after.astimezone(UTC) > vantage.now
    }
    keys = [each.key_sha256 for each in found]
    return Observation(
        facts={
            "logged": len(found),
            "foreign": sum(key not in own for key in keys),
            "has_served": bool(served & set(keys)),
        },
        public=frozenset({"logged"}),
    )


def _kept(vantage: Vantage) -> set[str]:
    """Keys of earlier certificates, which stay on record; none where we are not on that machine."""
    if vantage.data is None:
        return set()
    try:
        text = files.read_capped(vantage.data / KEYS, MAX_KEYS_BYTES).decode("ascii", "replace")
    except FileNotFoundError:
        return set()
    return {line for line in text.split() if _HASH.fullmatch(line)}


def _key(der: bytes) -> str:
    key = x509.load_der_x509_certificate(der).public_key()
    spki = key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return hashlib.sha256(spki).hexdigest()


def caa(vantage: Vantage, settings: EdgeSettings) -> Observation:
    """CAA of the application's host, or of the first name above it that has any (RFC 8659, 3).

    Raises:
        DnsError: the resolver gave no answer that can be believed.
    """
    given = settings.transparency
    resolver = dns.system_resolver()
    if given.resolver:
        address, _, port = given.resolver.rpartition(":")
        resolver = dns.Resolver(address, int(port))
    name = urlsplit(vantage.site.app).hostname or ""
    exists = dns.query(name, "A", resolver=resolver, rng=vantage.rng).exists
    records: tuple[str, ...] = ()
    while name and not records:
        records = dns.query(name, "CAA", resolver=resolver, rng=vantage.rng).records
        name = name.partition(".")[2]
    return Observation(
        facts={"exists": exists, "records": list(records)}, public=frozenset({"records"})
    )
