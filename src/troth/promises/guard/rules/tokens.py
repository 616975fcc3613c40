"""Texts that nobody else can make: HMAC-SHA256 (RFC 2104) under one of a few keys, one a purpose.

A token ends with the name of the key that sealed it, so that a new key can be taken up while tokens
under older ones still hold. A purpose is part of what is sealed: a token for one thing is worth
nothing for another. Comparisons take the same time whatever is compared.
"""

import base64
import hashlib
import hmac
from dataclasses import dataclass, field

MAX_TOKEN = 1024  # characters; a longer text is none of ours
MAC_BYTES = 24  # 192 bits: far beyond guessing, and short enough for a cookie


@dataclass(frozen=True, slots=True)
class Key:
    """One key.

    Args:
        name: short, plain, unique in its ring.
        secret: 32 random bytes.
    """

    name: str
    secret: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Keyring:
    """The keys in force, newest first: the first seals, all of them open.

    An empty ring seals and opens nothing: what needs it is then not there.
    """

    keys: tuple[Key, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.keys)


def tag(key: Key, purpose: str, text: str, size: int = 12) -> str:
    """A short name for a text, in hex, that only this key gives it: `size` bytes of the HMAC."""
    return _mac(key, purpose, text)[:size].hex()


def sealed(ring: Keyring, purpose: str, payload: str) -> str:
    """The payload, readable, with the newest key's name and seal after it."""
    key = ring.keys[0]
    return f"{payload}.{key.name}.{_written(key, purpose, payload)}"


def opened(ring: Keyring, purpose: str, token: str) -> tuple[Key, str] | None:
    """The key that sealed a token, and its payload; None where no key of the ring did."""
    if len(token) > MAX_TOKEN or not token.isascii():
        return None
    rest, _, mac = token.rpartition(".")
    payload, _, name = rest.rpartition(".")
    for key in ring.keys:
        if key.name == name:
            fits = hmac.compare_digest(mac, _written(key, purpose, payload))
            return (key, payload) if fits else None
    return None


def _mac(key: Key, purpose: str, text: str) -> bytes:
    return hmac.digest(key.secret, f"{purpose}\0{text}".encode("utf-8", "replace"), hashlib.sha256)


def _written(key: Key, purpose: str, payload: str) -> str:
    raw = _mac(key, purpose, payload)[:MAC_BYTES]
    return base64.urlsafe_b64encode(raw).decode()
