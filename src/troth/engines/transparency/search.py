"""Certificates that public logs hold for a name, from a service that reads all of them.

One machine cannot read every log (hundreds of entries a second), so a search is asked. The shape is
that of SSLMate's Cert Spotter, version 1, which others speak too.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

import msgspec
from msgspec import Struct

from troth.adapters import http
from troth.engines.transparency.errors import TransparencyError

MOST_BYTES = 8 * 1024 * 1024
_KEY = re.compile(r"[0-9a-f]{64}")


class _Issued(Struct):
    dns_names: list[str]
    pubkey_sha256: str
    not_after: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """A certificate on record.

    Args:
        names: what it is for.
        key_sha256: of its public key (DER), hex.
        not_after: aware.
    """

    names: tuple[str, ...]
    key_sha256: str
    not_after: datetime


def search(
    address: str, name: str, *, ca_file: str = "", timeout_s: float = 20
) -> tuple[Issued, ...]:
    """Every certificate for a name or a name below it that is on record and has not expired.

    Args:
        address: of the service, up to its query.
        name: a host.
        ca_file: PEM of a private authority of the service; empty for the system's.
        timeout_s: for all of it.

    Raises:
        TransparencyError: it answered something else.
        HttpError, TcpError, TlsError, TimeoutError: it gave no whole answer.
    """
    query = urlencode({"domain": name, "include_subdomains": "true", "match_wildcards": "true"})
    answer = http.fetch(
        f"{address}?{query}&expand=dns_names",
        timeout_s=timeout_s,
        limit_bytes=MOST_BYTES,
        ca_file=ca_file,
    )
    if answer.status != 200:  # noqa: PLR2004 -- RFC 9110, 15.3.1
        raise TransparencyError(f"the search answered {answer.status}", where=address)
    try:
        told = msgspec.json.decode(answer.body, type=list[_Issued])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise TransparencyError("the search answered something else", where=address) from error
    if any(not _KEY.fullmatch(each.pubkey_sha256) or not each.not_after.tzinfo for each in told):
        raise TransparencyError("the search answered something else", where=address)
    return tuple(
        Issued(names=tuple(each.dns_names), key_sha256=each.pubkey_sha256, not_after=each.not_after)
        for each in told
    )
