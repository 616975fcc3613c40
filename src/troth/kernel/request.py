"""What the guard hands to a check, and what a check may say of it.

Values only: every door (ext_authz, ASGI, WSGI) makes the same `Request`, so every door gives the
same answer. Bytes are kept as they came; nothing is decoded before somebody must compare it.
"""

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from troth.kernel.trail import Look, Note, Trails

Headers = tuple[tuple[bytes, bytes], ...]

# Stands on an answer that is the guard's own refusal, with the slug of the promise that refused.
# What the application sends under this name is removed at the edge.
MARKER = b"troth-refused"
# In the query of a page that a probe plants scripts in: what browsers report of it is not learnt.
CANARY = "troth-canary"
CLIENT = b"x-troth-client"  # the visitor's address; the edge writes over what a visitor sent
# Under which the guard waits for what the application answers; the edge keeps it to itself.
AWAITED = b"x-troth-awaited"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request as the edge saw it.

    Args:
        method: as sent; methods are case-sensitive (RFC 9110, 9.1).
        target: path and query as sent; begins with `/`, or is `*`.
        host: the authority it was sent to, lower case, with its port where one was written.
        headers: names in lower case; order and duplicates kept.
        client: the visitor's address as the edge vouches for it; empty when it said none.
        protocol: the version the visitor spoke, as `HTTP/1.1`, `HTTP/2`, `HTTP/3`.
        body: None when the edge did not hand it over (a stream, an upload).
    """

    method: bytes
    target: bytes
    host: bytes
    headers: Headers
    client: str = ""
    protocol: bytes = b"HTTP/1.1"
    body: bytes | None = None

    @property
    def path(self) -> bytes:
        """The target without its query."""
        return self.target.partition(b"?")[0]

    def values(self, name: bytes) -> list[bytes]:
        """Every value of a header (name in lower case), in order; two of them are two."""
        return [value for key, value in self.headers if key == name]


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """What the application answered, as far as the guard is shown it.

    Args:
        status: of the answer.
        headers: names in lower case; order and duplicates kept.
        body: None where it is not shown: a stream, compressed, longer than the cap, no reader.
    """

    status: int
    headers: Headers
    body: bytes | None = None

    def values(self, name: bytes) -> list[bytes]:
        """Every value of a header (name in lower case), in order."""
        return [value for key, value in self.headers if key == name]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One counter to be taken from: a rate by GCRA (ITU-T I.371, the virtual scheduling form).

    Args:
        key: which counter; holds no secret (what is secret is hashed before).
        limit: how many in a period; 1 or more.
        period: of the limit.
        burst: how many may come at once; between 1 and `limit`.
        cost: how many this one is; 0 only looks.
    """

    key: str
    limit: int
    period: timedelta
    burst: int
    cost: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What a counter answered.

    Args:
        is_over: there was no room; then nothing was taken.
        remaining: how many more may come at once.
        reset: until the counter is as if nobody had asked.
        retry_after: until there is room for one such request; zero when there is.
    """

    is_over: bool
    remaining: int
    reset: timedelta
    retry_after: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked of counters and trails that are elsewhere, in one question."""

    asks: tuple[Ask, ...]
    looks: tuple[Look, ...]


@dataclass(frozen=True, slots=True)
class Taken:
    """What was answered to that: tallies by key, and the trails that were looked at."""

    tallies: Mapping[str, Tally]
    trails: Trails


@dataclass(frozen=True, slots=True, kw_only=True)
class Ban:
    """Somebody is kept out for a while.

    Args:
        subject: `rules.client_key` of an address, so that an IPv6 client is its /64.
        cause: a code, with the promise's slug before a colon.
        since, until: in UTC; `until` is when it ends by itself.
        times: the how-manieth in a row it is (the escalation).
    """

    subject: str
    cause: str
    since: datetime
    until: datetime
    times: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Strike:
    """What happened is counted against somebody; when the counter is over, they are banned.

    Args:
        ask: taken from after the decision.
        subject: who is banned when it is over; empty: the counter alone is what is wanted.
        cause: as in Ban.
        length: of a first ban; each further one in a row is longer, by the rules' escalation.
    """

    ask: Ask
    subject: str = ""
    cause: str = ""
    length: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What a check may know besides the request: one moment's view, read only.

    Args:
        now: the moment, in UTC.
        bans: by subject; expired ones may still be there.
        lists: by name: who is on a blocklist (asked with `Request.client`).
        tallies: of the counters asked for, by their key.
        remembered: small facts that outlive a request, by key (a known device, a learnt type).
        trails: what was marked of somebody in the last while, by key; `trail.ELSEWHERE` until
            somebody looked at those that are shared.
    """

    now: datetime
    bans: Mapping[str, Ban] = field(default_factory=dict)
    lists: Mapping[str, Container[str]] = field(default_factory=dict)
    tallies: Mapping[str, Tally] = field(default_factory=dict)
    remembered: Mapping[str, str] = field(default_factory=dict)
    trails: Trails = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A rule that matched, where, and on what.

    Args:
        rule: its id.
        place: the variable and its name, as `ARGS:message`.
        value: decoded as the rule saw it, clipped to 256 bytes. May be a secret: never in a log.
        message: what the rule says of it.
        score: what it added.
    """

    rule: str
    place: str
    value: bytes
    message: str
    score: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A no: for which promise, why (a code, for events and tests), and with what status.

    `headers` go to the visitor (`Retry-After`, `RateLimit`).
    """

    slug: str
    code: str
    status: int = 403
    headers: Headers = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Opinion:
    """What one check says of one request.

    Args:
        refusal: None lets it pass, as far as this check goes.
        add: headers that the application is to see (they replace what the visitor sent).
        remove: names of headers that the application must not see.
        answer: headers that the visitor is to see on the answer (`RateLimit`).
        counted: a code that is counted; empty when there is nothing to count.
        hits: rules that matched, whether it is refused for them or only watched.
        strikes: to be counted after the decision.
        notes: to be marked on trails; of a check that let it pass only when all others did, too.
        awaits: what is to be said of the answer to a request that passed, where the door is told.
    """

    refusal: Refusal | None = None
    add: Headers = ()
    remove: tuple[bytes, ...] = ()
    answer: Headers = ()
    counted: str = ""
    hits: tuple[Hit, ...] = ()
    strikes: tuple[Strike, ...] = ()
    notes: tuple[Note, ...] = ()
    awaits: tuple["Awaited", ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Awaited:
    """A check that saw the request waits for the application's answer.

    Args:
        ask: pure; what is said of the answer. Holds no secret of the request, it may lie a while.
        reads_body: the answer's first bytes are wanted, too.
        looks: which trails `ask` will read, where they are elsewhere; None: it reads none.
    """

    ask: Callable[[Response, Known], Opinion]
    reads_body: bool = False
    looks: Callable[[Response, Known], Look] | None = None


FINE = Opinion()  # nothing to say

GuardCheck = Callable[[Request, Known], Opinion]  # pure; fails closed: an exception refuses
GuardAsks = Callable[[Request, Known], tuple[Ask, ...]]  # pure: the counters a request concerns
# pure: the trails that the check of that topic will read; None where it will read none
GuardLooks = Callable[[Request, Known], Look | None]
# pure: what is said of an answer (a leak, a failed login); a refusal takes the answer's place
ResponseCheck = Callable[[Request, Response, Known], Opinion]
# pure: what the guard answers below Troth's prefix; the text is 128 fresh random bits in hex
GuardOwn = Callable[[Request, datetime, str], Response]
