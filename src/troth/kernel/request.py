"""What the guard hands to a check, and what a check may say of it.

Values only: every door (ext_authz, ASGI, WSGI) makes the same `Request`, so every door gives the
same answer. Bytes are kept as they came; nothing is decoded before somebody must compare it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

Headers = tuple[tuple[bytes, bytes], ...]

# Stands on an answer that is the guard's own refusal, with the slug of the promise that refused.
# What the application sends under this name is removed at the edge.
MARKER = b"troth-refused"
# In the query of a page that a probe plants scripts in: what browsers report of it is not learnt.
CANARY = "troth-canary"
CLIENT = b"x-troth-client"  # the visitor's address; the edge writes over what a visitor sent


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request as the edge saw it.

    Args:
        method: as sent; methods are case-sensitive (RFC 9110, 9.1).
        target: path and query as sent; begins with `/`, or is `*`.
        host: the authority it was sent to, lower case, with its port where one was written.
        headers: names in lower case; order and duplicates kept.
        client: the visitor's address as the edge vouches for it; empty when it said none.
        body: None when the edge did not hand it over (a stream, an upload).
    """

    method: bytes
    target: bytes
    host: bytes
    headers: Headers
    client: str = ""
    body: bytes | None = None

    @property
    def path(self) -> bytes:
        """The target without its query."""
        return self.target.partition(b"?")[0]

    def values(self, name: bytes) -> list[bytes]:
        """Every value of a header (name in lower case), in order; two of them are two."""
        return [value for key, value in self.headers if key == name]


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A no: for which promise, why (a code, for events and tests), and with what status."""

    slug: str
    code: str
    status: int = 403


@dataclass(frozen=True, slots=True, kw_only=True)
class Opinion:
    """What one check says of one request.

    Args:
        refusal: None lets it pass, as far as this check goes.
        add: headers that the application is to see (they replace what the visitor sent).
        remove: names of headers that the application must not see.
        counted: a code that is counted; empty when there is nothing to count.
    """

    refusal: Refusal | None = None
    add: Headers = ()
    remove: tuple[bytes, ...] = ()
    counted: str = ""


FINE = Opinion()  # nothing to say

GuardCheck = Callable[[Request, datetime], Opinion]  # pure; fails closed: an exception refuses
