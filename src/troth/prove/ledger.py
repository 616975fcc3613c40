"""The story of the one writer: what vantages say is believed or refused, kept, and logged.

The log is the truth. The order of a submission is: leaf into the log if it needs one, then the
round into the ring, then yes. Killed between any two, the ledger finds at the next start what is
missing and puts it there; a vantage that heard no answer says the same round again, and that is
known by its digest. So nothing acknowledged is lost and nothing is logged twice.
"""

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from troth.engines.tlog.errors import LogError
from troth.engines.tlog.log import Log, Room
from troth.engines.tlog.note import NoteSigner, NoteVerifier
from troth.engines.tlog.read import iter_entries
from troth.kernel.errors import Failure
from troth.kernel.evidence import key_id, read_round, stamp, unseal
from troth.kernel.model import Attestation, Check, Verdict, Waiver
from troth.prove import leaves
from troth.prove.admit import Admitted, Known, admit
from troth.prove.keys import Key
from troth.prove.leaves import Book
from troth.prove.ring import BEGINNING, KEEP, Ring, read, segments

SILENCE = timedelta(seconds=60)
HOUR = timedelta(hours=1)
MAX_VANTAGES = 64
ROOM = Room(journal_bytes=2 * 1024 * 1024, kept_partials=8)  # docs/why/0032-the-logs-room.md
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,38}")


class LedgerError(Failure):
    """Something that the ledger cannot do or will not record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A verdict that is another than the vantage's last one; opens or closes a finding."""

    vantage: str
    check: str
    before: Verdict | None
    after: Verdict
    reason: str
    collected: datetime
    source: str


Told = Callable[[Change], None]


class Ledger:
    """The open ledger, from `Ledger.open`. One thread; `close` it, or let the process die."""

    def __init__(self, log: Log, ring: Ring, key: Key, book: Book, *, opened: datetime) -> None:
        self._log, self._ring, self._key, self._book = log, ring, key, book
        self._opened = opened
        self._checks: Mapping[str, Check] = {}
        self._folder = Path()
        self._origin = ""
        self._canaries: tuple[str, ...] = ()
        self._told: Told = lambda _change: None

    @classmethod
    def open(cls, directory: Path, ring: Path, key: Key, *, origin: str, now: datetime) -> "Ledger":
        """Open log and ring, remember what they say, and mend what a crash left undone.

        Args:
            directory: of the log.
            ring: of the newest rounds.
            key: the ledger's own; signs checkpoints and its leaves.
            origin: the log's name; never changes.
            now: not earlier than anything in the log.

        Raises:
            LogError, FileError, EvidenceError: damaged, another's, or the clock went back.
        """
        signer = NoteSigner.from_private(origin, key.private)
        log = Log.open(directory, signer, now=now, room=ROOM)
        try:
            book = Book()
            for _, leaf in iter_entries(directory):
                book.read(leaf)
            ledger = cls(log, Ring(ring), key, book, opened=now)
            ledger._folder, ledger._origin = ring, origin
            ledger._recall(now)
            if not log.size:
                ledger._append("key", ledger._own_key(now), now)
        except BaseException:
            log.close()
            raise
        return ledger

    @property
    def size(self) -> int:
        """How many leaves the log has."""
        return self._log.size

    @property
    def checkpoint(self) -> bytes:
        """The log's signed checkpoint."""
        return self._log.checkpoint()

    def tell(self, told: Told) -> None:
        """Have every change of verdict told, after it was recorded."""
        self._told = told

    def knows(self, name: str) -> bool:
        """Whether a key is enrolled for a vantage of that name."""
        return name in self._book.vantages

    def enrol(self, name: str, public: bytes, now: datetime) -> int:
        """Let a vantage's key count, and say where its sequence stands.

        The first key of a name is taken and logged; another one is refused until the operator
        retires the first.

        Raises:
            LedgerError: not a name, another key is enrolled, or there are too many vantages.
        """
        known = self._book.vantages.get(name)
        if known is not None:
            if known.public != public:
                raise LedgerError(
                    "another key is enrolled for this vantage",
                    where=name,
                    mend="retire that key, or give the vantage another name",
                )
            return known.sequence
        if public in self._book.retired:
            raise LedgerError("a retired key", where=name, mend="make a new one")
        if not _NAME.fullmatch(name):
            raise LedgerError("not a vantage's name", where=name[:60])
        if len(self._book.vantages) >= MAX_VANTAGES:
            raise LedgerError(f"more than {MAX_VANTAGES} vantages", where=name)
        self._append("key", leaves.key_body(name, public, key_id(public), "vantage", now), now)
        return 0

    def retire(self, name: str, now: datetime) -> None:
        """Let a vantage's key count no more. Raises LedgerError when there is none."""
        known = self._book.vantages.get(name)
        if known is None:
            raise LedgerError("no vantage of that name is enrolled", where=name[:60])
        body = leaves.key_body(name, known.public, key_id(known.public), "vantage", now)
        self._append("key", body | {"retired": True}, now)

    def declare(
        self,
        entries: Sequence[Mapping[str, Any]],
        checks: Mapping[str, Check],
        *,
        config: str,
        version: str,
        now: datetime,
        canaries: Sequence[str] = (),
    ) -> bool:
        """Take a catalogue; whether it is another than the log's newest.

        Args:
            entries: `leaves.promise_entry` of each promise.
            checks: by id, those that rounds may speak of.
            config: digest of the operator's configuration.
            version: of Troth.
            now: aware UTC.
            canaries: mail addresses that may stand in evidence (the published contact).
        """
        self._checks, self._canaries = checks, tuple(canaries)
        bodies = leaves.catalogue_bodies(entries, config, version, now)
        if leaves.catalogue_digest(bodies) == self._book.catalogue:
            return False
        self._append_all([("catalogue", body) for body in bodies], now)
        return True

    def submit(self, raw: bytes, now: datetime) -> str:
        """Believe and keep a sealed round; where it stands (`log:<index>`, `looks:<v>:<n>`).

        Raises:
            Refused: not believed; nothing was kept.
        """
        admitted = admit(raw, self._book.vantages, self._checks, now, self._canaries)
        seen = admitted.seen
        source = f"looks:{seen.vantage}:{seen.sequence}"
        if admitted.is_repeat:
            return source
        known = self._book.vantages[seen.vantage]
        gap = self._gap(admitted, known, now)
        new = [leaves.sealed("gap", gap, self._origin, self._key.signer)] if gap else []
        if admitted.needs_leaf:
            new.append(raw)
        if new:
            index = self._log.append(new, now)[-1]
            source = f"log:{index}" if admitted.needs_leaf else source
        self._ring.add(raw, now)
        self._book.quiet.discard(seen.vantage)
        changes = [
            Change(
                vantage=seen.vantage,
                check=look.check,
                before=known.verdicts.get(look.check),
                after=look.verdict,
                reason=look.reason,
                collected=look.collected,
                source=source,
            )
            for look in admitted.changed
        ]
        known.learn(seen, raw, in_log=admitted.needs_leaf)
        for change in changes:
            self._told(change)
        return source

    def attest(self, signed: Attestation, now: datetime) -> bool:
        """Record a person's statement; False when the same one is on record already."""
        return self._once("attestation", leaves.attestation_body(signed, now), now)

    def waive(self, waiver: Waiver, now: datetime) -> bool:
        """Record a waiver; False when the same one is on record already."""
        return self._once("waiver", leaves.waiver_body(waiver, now), now)

    def restored(self, what: str, now: datetime) -> None:
        """Record that something was restored from a backup."""
        self._append("restored", {"what": what, "at": stamp(now)}, now)

    def attach(self, lines: Sequence[str], witnesses: Sequence[NoteVerifier]) -> None:
        """Publish witnesses' cosignatures of the present checkpoint (`Log.attach`)."""
        self._log.attach(lines, witnesses)

    def tick(self, now: datetime) -> None:
        """What time itself brings: silences on record, the hour closed, old rounds let go."""
        for name, known in self._book.vantages.items():
            heard = max(known.newest or self._opened, self._opened)
            if known.sequence and now - heard > SILENCE and name not in self._book.quiet:
                since = known.newest or heard
                self._append("gap", leaves.gap_body(name, since, now, "silent", now), now)
        self._close_hours(now)

    def close(self) -> None:
        """Let go of log and ring; fine to call twice."""
        self._log.close()
        self._ring.close()

    def _close_hours(self, now: datetime) -> None:
        """One `rounds` leaf for each hour that is over and whose rounds are still here."""
        hour = _hour_of(now)
        if self._book.closed_until is not None and self._book.closed_until >= hour:
            return
        for start in sorted({_hour_of(begun) for begun, _ in segments(self._folder)}):
            closed = self._book.closed_until
            if start < hour and (closed is None or start >= closed):
                rounds = list(read(self._folder, start, start + HOUR))
                if rounds:
                    body = leaves.rounds_body(rounds, start, start + HOUR, now)
                    self._append("rounds", body, now)
        self._book.closed_until = hour
        self._ring.prune(now - KEEP)

    def _gap(self, admitted: Admitted, known: Known, now: datetime) -> dict[str, Any] | None:
        """What is missing between this round and the vantage's last one, if anything."""
        newest = max(look.collected for look in admitted.seen.looks)
        if known.newest is None:
            return None
        if admitted.hole:
            reason = "hole"
        elif newest - known.newest > SILENCE:
            reason = "returned"
        else:
            return None
        until = max(newest, known.newest)
        return leaves.gap_body(admitted.seen.vantage, known.newest, until, reason, now)

    def _recall(self, now: datetime) -> None:
        """Learn what the ring says beyond the log, and put there what only the log has."""
        here: dict[str, int] = {}
        for raw in read(self._folder, BEGINNING):
            seen = read_round(unseal(raw).statement)
            here[seen.vantage] = max(seen.sequence, here.get(seen.vantage, 0))
            known = self._book.vantages.get(seen.vantage)
            if known is not None and seen.sequence > known.sequence:
                known.learn(seen, raw, in_log=False)
        for name, sequence in self._book.sequences.items():
            known = self._book.vantages.get(name)
            if known is not None and sequence > known.sequence:
                known.sequence, known.digest = sequence, b""  # its rounds are gone, its number not
        for name, raw in self._book.last_rounds.items():
            known = self._book.vantages.get(name)
            if known is None or known.newest is None or now - known.newest > HOUR:
                continue
            if read_round(unseal(raw).statement).sequence > here.get(name, 0):
                self._ring.add(raw, now)
        if self._book.ledgers and key_id(self._key.public) not in self._book.ledgers:
            raise LogError("a log that another ledger's key began", where=self._origin)

    def _own_key(self, now: datetime) -> dict[str, Any]:
        public = self._key.public
        return leaves.key_body(self._origin, public, key_id(public), "ledger", now)

    def _once(self, kind: str, body: dict[str, Any], now: datetime) -> bool:
        if leaves.digest_of(body) in self._book.signed:
            return False
        self._append(kind, body, now)
        return True

    def _append(self, kind: str, body: dict[str, Any], now: datetime) -> None:
        self._append_all([(kind, body)], now)

    def _append_all(self, bodies: Sequence[tuple[str, dict[str, Any]]], now: datetime) -> None:
        new = [leaves.sealed(kind, body, self._origin, self._key.signer) for kind, body in bodies]
        self._log.append(new, now)
        for leaf in new:
            self._book.read(leaf)


def _hour_of(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def config_digest(raw: bytes) -> str:
    """SHA-256 hex of the operator's configuration, as rounds and catalogue name it."""
    return hashlib.sha256(raw).hexdigest()
