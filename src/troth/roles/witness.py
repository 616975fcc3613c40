"""A witness: cosigns what another installation's log grew into, and refuses forks and roll-backs.

It holds one memory for each log it watches: the last tree that it cosigned. Each look fetches the
log's checkpoint and, from the log's tiles, the proof that the new tree begins with the remembered
one. Fails closed: without that proof nothing is signed and nothing is forgotten.
"""

import hashlib
import json
import re
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any

from troth.adapters import files, http, sockets, tcp, tls
from troth.engines.tlog.checkpoint import Checkpoint, check_cosignature, parse_checkpoint
from troth.engines.tlog.errors import LogError
from troth.engines.tlog.merkle import HASH_BYTES, consistency_proof
from troth.engines.tlog.note import (
    MAX_NOTE_BYTES,
    Algorithm,
    Note,
    NoteSigner,
    NoteVerifier,
    format_note,
    open_note,
    parse_note,
    parse_signature,
)
from troth.engines.tlog.tiles import CHECKPOINT, Fetch, perfect_from_tiles
from troth.engines.tlog.witness import Refusal, Witness, request
from troth.kernel.errors import Failure
from troth.prove import keys
from troth.roles.places import Places

TIMEOUT_S = 10.0
TRIES = 3  # a log that grows while it is read may drop a partial tile under our hands


class WitnessError(Failure):
    """A log that cannot be reached or read: nothing is known of it, good or bad."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What one look at a log gave.

    Args:
        before: the last tree that was cosigned; of size 0 when there was none.
        head: the tree that the log shows now.
        note: the log's checkpoint with our cosignature; empty when it was refused.
        refused: why nothing was signed; empty when it was.
        vkey: our key, as readers configure it.
        kept: the file with the cosigned checkpoint, or with the refused one as proof.
    """

    before: Checkpoint
    head: Checkpoint
    note: bytes
    refused: str
    vkey: str
    kept: Path

    def lines(self) -> tuple[str, ...]:
        """As a person reads it; both trees when it was refused."""
        if self.refused:
            return (
                f"REFUSED {self.head.origin}: {self.refused}",
                f"  cosigned before: {_tree(self.before)}",
                f"  shown now:       {_tree(self.head)}",
                f"  what it showed, with its signature: {self.kept}",
            )
        grown = self.head.size - self.before.size
        return (
            f"cosigned {self.head.origin}: {_tree(self.head)}, {grown} more than before",
            f"  kept in {self.kept}",
        )

    def as_json(self) -> dict[str, Any]:
        """As `--json` prints it."""
        return {
            "origin": self.head.origin,
            "size": self.head.size,
            "root": self.head.root.hex(),
            "before": {"size": self.before.size, "root": self.before.root.hex()},
            "refused": self.refused,
            "witness": self.vkey,
            "note": self.note.decode(),
        }


@dataclass(frozen=True, slots=True)
class Watch:
    """One log under one witness's eyes.

    Args:
        places: the witness's data directory.
        name: the witness's own; never changes.
        log: the key of the log, whose name is the log's origin.
    """

    places: Places
    name: str
    log: NoteVerifier

    @property
    def cosigned(self) -> Path:
        """Where the cosigned checkpoint stands: the status role serves it below `/log/`."""
        return self.places.log / "cosignatures" / label(self.log.name)

    @property
    def memory(self) -> Path:
        """The folder of what is remembered of this log."""
        return self.places.data / "witness" / label(self.log.name)

    def look(self, fetch: Fetch, now: datetime) -> Sight:
        """Look once; cosign what grew.

        Raises:
            WitnessError: not reached, or what is there is no checkpoint.
            LogError: our memory is damaged, or our clock went back. FileError, KeyFailure: ours.
        """
        self.places.keys.mkdir(mode=0o700, parents=True, exist_ok=True)
        key = keys.load_or_create(self.places.keys / "witness.key")
        signer = NoteSigner.from_private(self.name, key.private)
        files.make_folder(self.memory.parent, mode=0o700)
        with closing(Witness.open(self.memory, signer, (self.log,))) as witness:
            for _ in range(TRIES - 1):
                try:
                    return self._look(witness, fetch, now)
                except FileNotFoundError:
                    continue  # it grew meanwhile: its newest checkpoint has its tiles
            try:
                return self._look(witness, fetch, now)
            except FileNotFoundError as error:
                raise WitnessError("a tile is missing", where=str(error)) from error

    def _look(self, witness: Witness, fetch: Fetch, now: datetime) -> Sight:
        raw, last = _checkpoint(fetch), witness.latest(self.log.name)
        note, head = _taken_apart(raw)
        told = partial(Sight, before=last, head=head, vkey=witness.vkey)
        try:
            body = request(last.size, self._proof(fetch, raw, last, head), raw)
            line = witness.add_checkpoint(body, now)
        except Refusal as refusal:
            path = self.memory / "refused"  # with the log's signature: proof, until looked into
            files.write_atomic(path, raw)
            return told(note=b"", refused=_why(refusal, last, head), kept=path)
        signed = format_note(note.text, (*note.signatures, parse_signature(line)))
        files.make_folder(self.cosigned.parent)
        files.write_atomic(self.cosigned, signed)
        return told(note=signed, refused="", kept=self.cosigned)

    def _proof(
        self, fetch: Fetch, raw: bytes, last: Checkpoint, head: Checkpoint
    ) -> Sequence[bytes]:
        """That the new tree begins with the old one; none is asked for what the log never said."""
        if not 0 < last.size < head.size or not _is_signed(raw, self.log):
            return ()
        perfect = perfect_from_tiles(_or_wider(fetch), head.size)
        try:
            return consistency_proof(perfect, last.size, head.size)
        except LogError as error:
            raise WitnessError(f"tiles that are none: {error.what}", where=error.where) from error


def from_address(address: str, *, ca_file: str = "") -> Fetch:
    """A log below `address`: an installation's `https://host`, or a log's own folder.

    Args:
        address: `https` or `http`; `/log/` is added unless it ends so.
        ca_file: PEM of the authority; empty for the system's.
    """
    below = re.sub(r"(/log)?/*$", "", address) + "/log/"

    def fetch(path: str, limit: int) -> bytes:
        return _get(below + path, limit, ca_file)

    return fetch


def _get(url: str, limit: int, ca_file: str) -> bytes:
    try:
        answer = http.fetch(url, ca_file=ca_file, timeout_s=TIMEOUT_S, limit_bytes=limit)
    except (http.HttpError, tcp.TcpError, tls.TlsError) as error:
        raise WitnessError(f"not reached: {error.what}", where=url) from error
    except TimeoutError as error:
        raise WitnessError(f"no answer within {TIMEOUT_S:.0f} s", where=url) from error
    if answer.status == HTTPStatus.NOT_FOUND:
        raise FileNotFoundError(url)
    if answer.status != HTTPStatus.OK:
        raise WitnessError(f"answers {answer.status}", where=url)
    return answer.body


def attach(source: str, key: NoteVerifier, places: Places, *, ca_file: str = "") -> Checkpoint:
    """Hand another's cosignature of our own checkpoint to our ledger, which publishes it.

    Args:
        source: a file, or the address where the witness publishes it.
        key: the witness's, of type cosignature.
        places: our data directory, with the running ledger.
        ca_file: PEM of the authority; empty for the system's.

    Returns:
        The checkpoint that now bears it.

    Raises:
        WitnessError: not reached, not that witness's, or the ledger said no: above all when the log
            has grown since the witness looked.
    """
    try:
        if source.startswith(("https://", "http://")):
            raw = _get(source, MAX_NOTE_BYTES, ca_file)
        else:
            raw = files.read_capped(Path(source), MAX_NOTE_BYTES)
    except FileNotFoundError as error:
        raise WitnessError("there is none", where=source) from error
    note, head = _taken_apart(raw)
    mine = [s for s in note.signatures if (s.name, s.key_id) == (key.name, key.key_id)]
    try:
        for signature in mine:
            check_cosignature(note.text, signature, key)
    except LogError as error:
        raise WitnessError(f"refused: {error.what}", where=source) from error
    if not mine:
        raise WitnessError("not cosigned by that witness", where=source)
    lines = [signature.line() for signature in mine]
    asked = {"do": "attach", "lines": lines, "witnesses": [key.vkey]}
    door = places.socket("ledger")
    try:
        answer = json.loads(sockets.ask(door, json.dumps(asked).encode()))
    except (sockets.SocketError, ValueError) as error:
        raise WitnessError("the ledger does not answer", where=str(door)) from error
    if not answer.get("ok"):
        mend = "the log has grown since, perhaps: let the witness look again"
        raise WitnessError(str(answer.get("why", "refused")), where="ledger", mend=mend)
    return head


def label(origin: str) -> str:
    """An origin as a file name: readable, and never two alike."""
    digest = hashlib.sha256(origin.encode()).hexdigest()[:8]
    return f"{re.sub(r'[^a-z0-9.-]+', '-', origin.lower()).strip('-.')[:80]}-{digest}"


def key_of(vkey: str, algorithm: Algorithm) -> NoteVerifier:
    """A key as a person hands it over. Raises WitnessError."""
    wanted = {Algorithm.ED25519: "a log's", Algorithm.COSIGNATURE: "a witness's"}[algorithm]
    mend = f"give {wanted} key as NAME+ID+BASE64"
    try:
        key = NoteVerifier.parse(vkey)
    except LogError as error:
        raise WitnessError(error.what, where="--key", mend=mend) from error
    if key.algorithm is not algorithm:
        raise WitnessError(f"not {wanted} key", where="--key", mend=mend)
    return key


def _checkpoint(fetch: Fetch) -> bytes:
    try:
        return fetch(CHECKPOINT, MAX_NOTE_BYTES)
    except FileNotFoundError as error:
        raise WitnessError("there is no checkpoint", where=str(error)) from error


def _taken_apart(raw: bytes) -> tuple[Note, Checkpoint]:
    try:
        note = parse_note(raw)
        return note, parse_checkpoint(note.text)
    except LogError as error:
        raise WitnessError(f"not a checkpoint: {error.what}", where=error.where) from error


def _is_signed(raw: bytes, key: NoteVerifier) -> bool:
    try:
        open_note(raw, key)
    except LogError:
        return False
    return True


def _or_wider(fetch: Fetch) -> Fetch:
    """The tile, or the beginning of the full one that took its place meanwhile."""

    def wider(path: str, limit: int) -> bytes:
        try:
            return fetch(path, limit)
        except FileNotFoundError:
            whole, dot, width = path.partition(".p/")
            if not dot:
                raise
            return fetch(whole, limit)[: int(width) * HASH_BYTES]

    return wider


def _why(refusal: Refusal, last: Checkpoint, head: Checkpoint) -> str:
    if refusal.status == HTTPStatus.BAD_REQUEST and head.size < last.size:
        return "a roll-back: the log shrank"
    if refusal.status == HTTPStatus.UNPROCESSABLE_ENTITY:
        return f"a fork: the new tree does not begin with the one cosigned ({refusal.what})"
    return refusal.what


def _tree(head: Checkpoint) -> str:
    return f"{head.size} leaves, root {head.root.hex()}"
