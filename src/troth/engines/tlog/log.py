"""The log's one writer: durable when it returns, whole after `kill -9` at any instruction.

The order of an append is the whole safety:

1. the leaves go into the journal, fsync: from here on they are in the log for ever;
2. bundles and tiles are put in place, each by rename (the journal can make them again);
3. the checkpoint is signed, fsynced and renamed last: only now readers see the leaves;
4. the caller gets the range: acknowledged implies checkpointed implies journalled.

Opening replays the journal and must arrive at the signed root; it recomputes every published tile
and refuses any difference. Nothing that a checkpoint covered is ever written again. Fails closed: a
damaged log, another key, a clock that went back raise LogError, and no published file changes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from troth.adapters import files
from troth.engines.tlog import journal as journals
from troth.engines.tlog.checkpoint import Checkpoint, check_cosignature, sign_checkpoint
from troth.engines.tlog.edge import Edge
from troth.engines.tlog.errors import LogError
from troth.engines.tlog.merkle import leaf_hash
from troth.engines.tlog.note import (
    Algorithm,
    NoteSigner,
    NoteVerifier,
    Signature,
    parse_note,
    parse_signature,
)
from troth.engines.tlog.recovery import OWN, Found, grow, look, milliseconds, moment_of, tick
from troth.engines.tlog.shelf import Shelf
from troth.engines.tlog.tiles import CHECKPOINT, WIDTH, pack, unpack

_OWN_SIGNATURES = 2  # the note's and the timestamp; see `checkpoint`


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """What a log may take on disk beside its leaves.

    Args:
        journal_bytes: after which the journal begins anew; less is more fsyncs.
        kept_partials: forms of an unfinished tile that are kept, 2 or more. None keeps all, as
            c2sp.org/tlog-tiles asks: then up to 255 copies of the tail stand there. A reader needs
            the one of the checkpoint that it has just fetched.
    """

    journal_bytes: int = journals.ROTATE_BYTES
    kept_partials: int | None = None


AMPLE = Room()


class Log:
    """An open log, from `Log.open`. Not for several threads; `close` it, or let the process die."""

    def __init__(
        self, directory: Path, key: NoteSigner, lock: files.Lock, room: Room = AMPLE
    ) -> None:
        self._directory, self._key, self._lock = directory, key, lock
        self._room = room
        self._shelf = Shelf(directory, room.kept_partials)
        self._edge = Edge()
        self._tail: list[bytes] = []  # the packed entries of the unfinished bundle
        self._time_ms = 0
        self._digest = b""
        self._appender: files.Appender | None = None
        self._head = Checkpoint(key.name, 0, self._edge.root())
        self._signed = b""

    @classmethod
    def open(cls, directory: Path, key: NoteSigner, *, now: datetime, room: Room = AMPLE) -> "Log":
        """Take the writer's lock, recover, and publish what the journal knows.

        Args:
            directory: served as the log's prefix; created when there is nothing.
            key: its name is the log's origin.
            now: not earlier than anything in the log.
            room: what it may take on disk beside its leaves.

        Raises:
            LogError: damaged, signed by another key, or the clock went back; nothing was changed.
            FileError: cannot be read or written, or another writer holds it.
        """
        files.make_folder(directory)
        files.make_folder(directory / OWN, mode=0o700)
        lock = files.Lock(directory / OWN / "lock", mend="one log has one writer")
        log = cls(directory, key, lock, room)
        try:
            found = look(directory, key.verifier(), now)
            if found is None:
                log._begin(now)
            else:
                log._go_on(found, now)
        except BaseException:
            log.close()
            raise
        return log

    @property
    def size(self) -> int:
        """How many leaves are published."""
        return self._head.size

    @property
    def root(self) -> bytes:
        """The published root."""
        return self._head.root

    def checkpoint(self) -> bytes:
        """The signed checkpoint as published."""
        return self._signed

    def append(self, leaves: Sequence[bytes], now: datetime) -> range:
        """Add leaves, durably and published when this returns; one call is one group commit.

        Args:
            leaves: 65,535 bytes each at most; 65,536 of them and 16 MiB in all at most.
            now: recorded with them.

        Returns:
            Their indices.

        Raises:
            ValueError: too long or too many; nothing was written.
            LogError: the clock went back; nothing was written.
            FileError: the disk refused. The leaves may or may not be in the log; open it again.
        """
        first = self._edge.size
        if not leaves:
            return range(first, first)
        appender = self._writable()
        packed = [pack(leaf) for leaf in leaves]
        batch = journals.Batch(
            first=first,
            time_ms=tick(self._time_ms, now),
            count=len(packed),
            payload=b"".join(packed),
        )
        raw, digest = journals.record(self._digest, batch)
        self._appender = None  # until all is done: a failure half-way leaves the log closed
        appender.append(raw)
        self._digest, self._time_ms = digest, batch.time_ms
        tiles = grow(self._edge, self._tail, packed, [leaf_hash(leaf) for leaf in leaves])
        for tile in tiles:
            self._shelf.put(tile)
        self._publish()
        for tile in tiles:
            self._shelf.drop_older(tile)
        self._appender = appender
        if appender.size > self._room.journal_bytes:
            self._rotate()
        return range(first, first + len(packed))

    def attach(self, lines: Sequence[str], witnesses: Sequence[NoteVerifier]) -> None:
        """Publish witnesses' cosignatures of the present checkpoint beside our own signatures.

        Lines of unknown keys are passed over. Raises LogError when a known key's line does not
        verify (as when the log has grown meanwhile); nothing was changed.
        """
        self._writable()
        note = parse_note(self._signed)
        known = {(w.name, w.key_id): w for w in witnesses if w.algorithm is Algorithm.COSIGNATURE}
        kept = {(s.name, s.key_id): s for s in note.signatures[_OWN_SIGNATURES:]}
        for line in lines:
            signature = parse_signature(line)
            key = known.get((signature.name, signature.key_id))
            if key is not None and key.name != self._key.name:
                check_cosignature(note.text, signature, key)
                kept[(signature.name, signature.key_id)] = signature
        self._publish(tuple(kept.values()))

    def read(self, index: int) -> bytes:
        """A published leaf. Raises LogError when there is none."""
        if not 0 <= index < self.size:
            raise LogError("no such leaf", where=f"index {index} of {self.size}")
        number, offset = divmod(index, WIDTH)
        width = min(WIDTH, self.size - number * WIDTH)
        return unpack(self._shelf.bundle(number, width), width, f"bundle {number}")[offset]

    def close(self) -> None:
        """Let go of files and lock; fine to call twice. What was acknowledged stays."""
        if self._appender is not None:
            self._appender.close()
            self._appender = None
        self._lock.release()

    def _begin(self, now: datetime) -> None:
        """A log that was never begun, or whose beginning a crash cut short."""
        self._time_ms = milliseconds(now)
        self._start_journal()
        self._publish()

    def _go_on(self, found: Found, now: datetime) -> None:
        """Do what a crash left undone: nothing, after a clean end."""
        self._edge, self._tail = found.edge, found.tail
        self._head, self._signed = found.head, found.signed
        self._shelf.base = found.base
        self._digest, self._time_ms = found.digest, found.time_ms
        appender = files.Appender(self._directory / OWN / "journal")
        if found.journal_bytes < appender.size:
            appender.cut(found.journal_bytes)
        for tile in found.tiles:
            if not self._shelf.stands(tile):
                self._shelf.put(tile)
        if self._edge.size > self.size:
            files.sync_files([appender.path], root=self._directory)
            self._time_ms = tick(self._time_ms, now)
            self._publish()
        for tile in found.tiles:
            self._shelf.drop_older(tile)
        self._appender = appender

    def _writable(self) -> files.Appender:
        if self._appender is None:
            raise LogError(
                "the log is closed, or an append failed",
                where=str(self._directory),
                mend="open it again",
            )
        return self._appender

    def _publish(self, cosignatures: Sequence[Signature] = ()) -> None:
        head = Checkpoint(self._key.name, self._edge.size, self._edge.root())
        signed = sign_checkpoint(head, self._key, moment_of(self._time_ms), cosignatures)
        files.write_atomic(self._directory / CHECKPOINT, signed)
        self._head, self._signed = head, signed

    def _rotate(self) -> None:
        """Hand all published files to the disk; then the journal may start afresh."""
        appender = self._writable()
        self._appender = None
        self._shelf.sync()
        appender.close()
        self._start_journal()

    def _start_journal(self) -> None:
        path = self._directory / OWN / "journal"
        start = journals.begin(self._edge, self._time_ms)
        files.write_atomic(path, start, mode=files.PRIVATE)
        self._digest = start[-journals.DIGEST_BYTES :]
        self._appender = files.Appender(path)
        self._shelf.base = self._edge.size
