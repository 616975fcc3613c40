"""Who asks when a vantage attacks: a synthetic client, as a header names it that the vantage signs.

On loopback such a client has an address of its own. Elsewhere all that a vantage sends comes from
its one address; so its attacks would be counted against it, and would ban it and each other. The
header `Troth-Probe` says as which address of 127.66.0.0/16 (nobody's on any network) a request is
to be decided: by the same code and limits, only about another one. It is good once, for one host,
and for half a minute:

    v1.<key id>.<seconds since 1970>.<nonce, 32 hex digits>.<address>.<signature, base64url>

The signature is Ed25519 (RFC 8032) over `statement`. The edge takes the header off what goes on to
the application.
"""

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from datetime import datetime, timedelta

HEADER = b"troth-probe"
FRESH = timedelta(seconds=30)  # either way: clocks differ
MAX_BYTES = 256
_FORM = re.compile(
    rb"v1\.([0-9a-f]{32})\.([0-9]{9,12})\.([0-9a-f]{32})\."
    rb"(127\.66\.[0-9]{1,3}\.[0-9]{1,3})\.([A-Za-z0-9_-]{86})"
)
_MAX_PART = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """What a vantage says of one request.

    Args:
        key: `kernel.evidence.key_id` of its public key, without the algorithm.
        at: when, seconds since 1970.
        nonce: 32 hex digits, drawn for this request.
        client: as whom it asks, `127.66.x.y`.
    """

    key: str
    at: int
    nonce: str
    client: str

    def statement(self, host: str) -> bytes:
        """What is signed, for a request to this host (with its port where one is written)."""
        parts = ("troth-probe v1", self.key, str(self.at), self.nonce, self.client, host.lower())
        return "\n".join(parts).encode()

    def written(self, signature: bytes) -> str:
        """The header's value."""
        signed = base64.urlsafe_b64encode(signature).rstrip(b"=").decode()
        return f"v1.{self.key}.{self.at}.{self.nonce}.{self.client}.{signed}"

    def is_fresh(self, now: datetime) -> bool:
        """Whether it was made just now."""
        return abs(now.timestamp() - self.at) <= FRESH.total_seconds()


def synthetic_client(name: str) -> str:
    """The address 127.66.x.y that stands for the name: the same on every run."""
    digest = hashlib.sha256(name.encode()).digest()
    return f"127.66.{digest[0]}.{1 + digest[1] % 254}"


def read(value: bytes) -> tuple[Pass, bytes] | None:
    """A pass and its signature, which nobody has verified; None for anything else."""
    found = _FORM.fullmatch(value) if len(value) <= MAX_BYTES else None
    if found is None:
        return None
    key, at, nonce, client = (part.decode() for part in found.group(1, 2, 3, 4))
    if any(int(part) > _MAX_PART or str(int(part)) != part for part in client.split(".")):
        return None
    try:
        signature = base64.b64decode(found.group(5) + b"==", altchars=b"-_", validate=True)
    except binascii.Error:
        return None
    return Pass(key=key, at=int(at), nonce=nonce, client=client), signature
