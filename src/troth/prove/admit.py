"""Which rounds the ledger believes: pure rules over what it knows of a vantage.

Fails closed: a round that is unsigned, replayed, out of order, too old, from the future, about
unknown checks, fresher than its check allows, or that names a person, is refused whole.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from troth.kernel.errors import Failure
from troth.kernel.evidence import EvidenceError, Look, Round, read_round, refuse_personal, unseal
from troth.kernel.model import Check, Method, Verdict
from troth.prove import keys

SKEW = timedelta(seconds=5)  # how far a vantage's clock may be ahead of ours
MAX_AGE = timedelta(minutes=15)  # a drill of ten minutes, and the minute that a worker buffers
MAX_LEAF_BYTES = 65_535  # Source: c2sp.org/tlog-tiles, log entries: a uint16 length
MAX_LOOKS = 500
# An unchanged scan or attack goes into the log whole so often; into every hour's root and counts it
# goes always. A leaf for each time would make 1.3 GB in 90 days out of a hundred checks.
REPEAT = timedelta(hours=6)


class Refused(Failure):
    """A round that is not believed. `code` is for machines: one of `CODES`."""

    def __init__(self, code: str, *, where: str = "") -> None:
        super().__init__(CODES[code], where=where)
        self.code = code


CODES = {
    "not-evidence": "not a round as Troth writes it",
    "unknown-vantage": "no vantage of that name is enrolled",
    "wrong-key": "not signed by that vantage's key",
    "replay": "a sequence number that was used before",
    "unknown-check": "a check that is not in the catalogue, or twice in one round",
    "future": "seen in the future",
    "too-old": "seen too long ago",
    "out-of-order": "older than what this vantage said before",
    "too-fresh": "expires later than its check allows",
    "personal": "names a person, an address or a token",
    "too-long": "too long for the log",
}


@dataclass(slots=True, kw_only=True)
class Known:
    """What is known of a vantage: its key, where its sequence stands, what it said last.

    Args:
        public: its 32 public bytes.
        sequence: of its last round, 0 before the first.
        digest: SHA-256 of that round as sealed.
        newest: when it last saw anything.
        collected: check -> when it last saw it.
        verdicts: check -> what it last said.
        logged: check -> when what stands in the log was seen.
    """

    public: bytes
    sequence: int = 0
    digest: bytes = b""
    newest: datetime | None = None
    collected: dict[str, datetime] = field(default_factory=dict)
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    logged: dict[str, datetime] = field(default_factory=dict)

    def learn(self, seen: Round, raw: bytes, *, in_log: bool) -> None:
        """Take a believed round in."""
        self.sequence, self.digest = seen.sequence, hashlib.sha256(raw).digest()
        for look in seen.looks:
            self.collected[look.check] = look.collected
            self.verdicts[look.check] = look.verdict
            if in_log:
                self.logged[look.check] = look.collected
            if self.newest is None or look.collected > self.newest:
                self.newest = look.collected


@dataclass(frozen=True, slots=True, kw_only=True)
class Admitted:
    """A round that is believed.

    Args:
        seen: the round.
        is_repeat: it is the last one again, byte for byte: say yes and do nothing.
        hole: whether rounds before it never came.
        changed: the looks whose verdict is another than before.
        needs_leaf: whether it goes into the log whole.
    """

    seen: Round
    is_repeat: bool = False
    hole: bool = False
    changed: tuple[Look, ...] = ()
    needs_leaf: bool = False


def admit(
    raw: bytes,
    vantages: Mapping[str, Known],
    checks: Mapping[str, Check],
    now: datetime,
    canaries: Sequence[str] = (),
) -> Admitted:
    """Believe a sealed round, or raise Refused.

    Args:
        raw: as it came.
        vantages: those enrolled, by name.
        checks: of the present catalogue, by id.
        now: aware UTC.
        canaries: mail addresses that may stand in evidence.
    """
    if len(raw) > MAX_LEAF_BYTES:
        raise Refused("too-long", where=f"{len(raw)} bytes")
    try:
        envelope = unseal(raw)
        seen = read_round(envelope.statement)
    except EvidenceError as error:
        raise Refused("not-evidence", where=error.what) from error
    known = vantages.get(str(seen.vantage))  # read_round does not look at types
    if known is None:
        raise Refused("unknown-vantage", where=str(seen.vantage)[:60])
    try:
        keys.verify(envelope, known.public)
    except keys.KeyFailure as error:
        raise Refused("wrong-key", where=seen.vantage) from error
    if isinstance(seen.sequence, bool) or not isinstance(seen.sequence, int):
        raise Refused("not-evidence", where="sequence")
    where = f"{seen.vantage} {seen.sequence}"
    if seen.sequence == known.sequence and known.digest == hashlib.sha256(raw).digest():
        return Admitted(seen=seen, is_repeat=True)
    if seen.sequence <= known.sequence:
        raise Refused("replay", where=f"{where}, expected {known.sequence + 1}")
    _plausible(seen, known, checks, now)
    try:
        refuse_personal([[dict(k.public), k.reason] for k in seen.looks], where, canaries)
    except EvidenceError as error:
        raise Refused("personal", where=where) from error
    changed = tuple(k for k in seen.looks if known.verdicts.get(k.check) is not k.verdict)
    return Admitted(
        seen=seen,
        hole=bool(known.sequence) and seen.sequence > known.sequence + 1,
        changed=changed,
        needs_leaf=bool(changed) or any(_is_owed(k, known, checks[k.check]) for k in seen.looks),
    )


def _plausible(seen: Round, known: Known, checks: Mapping[str, Check], now: datetime) -> None:
    where = f"{seen.vantage} {seen.sequence}"
    names = [str(look.check) for look in seen.looks]
    if not names or len(names) > MAX_LOOKS:
        raise Refused("not-evidence", where=f"{where}: {len(names)} looks")
    if len(set(names)) != len(names) or not checks.keys() >= set(names):
        raise Refused("unknown-check", where=where)
    for look in seen.looks:
        last = known.collected.get(look.check)
        if look.collected > now + SKEW:
            raise Refused("future", where=f"{where}: {look.check}")
        if look.collected < now - MAX_AGE:
            raise Refused("too-old", where=f"{where}: {look.check}")
        if last is not None and look.collected <= last:
            raise Refused("out-of-order", where=f"{where}: {look.check}")
        if not look.collected < look.expires <= look.collected + checks[look.check].ttl:
            raise Refused("too-fresh", where=f"{where}: {look.check}")


def _is_owed(look: Look, known: Known, check: Check) -> bool:
    """Every drill goes into the log; a scan or attack when what stands there is old."""
    if check.method is Method.LOOK:
        return False
    last = known.logged.get(look.check)
    return check.method is Method.DRILL or last is None or look.collected - last >= REPEAT
