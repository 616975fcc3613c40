"""A witness (c2sp.org/tlog-witness): cosigns what it saw another installation's log grow into.

For each log it knows it remembers the last size and root that it cosigned, durably before it
answers. It signs only what provably grew from there: a fork or a roll-back gets no signature.
The machine here is `add-checkpoint` without HTTP: `Refusal.status` and `.body` are what HTTP says.
Fails closed: an unreadable or damaged memory raises LogError, and nothing is cosigned.
"""

import base64
import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from troth.adapters import files
from troth.engines.tlog.checkpoint import Checkpoint, cosign, parse_checkpoint
from troth.engines.tlog.errors import LogError
from troth.engines.tlog.merkle import EMPTY_ROOT, HASH_BYTES, MAX_PROOF, check_consistency
from troth.engines.tlog.note import (
    MAX_NOTE_BYTES,
    Algorithm,
    NoteSigner,
    NoteVerifier,
    decode_base64,
    open_note,
    parse_note,
)
from troth.engines.tlog.recovery import tick

MAX_REQUEST_BYTES = MAX_NOTE_BYTES + 8 * 1024
SIZE_TYPE = "text/x.tlog.size"  # Source: c2sp.org/tlog-witness, the type of a 409's body
_MEMORY = "witness.json"
_MAX_MEMORY_BYTES = 1024 * 1024


class Refusal(LogError):  # noqa: N818 -- the protocol's answer, told apart by its status
    """The witness does not cosign.

    Args:
        status: the HTTP status that c2sp.org/tlog-witness gives to this case.
        body: of the answer; with a 409 the size of the last cosigned checkpoint.
    """

    def __init__(self, status: int, what: str, *, where: str = "", body: str = "") -> None:
        super().__init__(what, where=where)
        self.status = status
        self.body = body


def request(old: int, proof: Sequence[bytes], checkpoint: bytes) -> bytes:
    """The body of an `add-checkpoint` request: what the log's side sends."""
    lines = "".join(base64.b64encode(step).decode() + "\n" for step in proof)
    return f"old {old}\n{lines}\n".encode() + checkpoint


def _parse_request(body: bytes) -> tuple[int, list[bytes], bytes]:
    head, gap, checkpoint = body.partition(b"\n\n")
    if len(body) > MAX_REQUEST_BYTES or not gap:
        raise Refusal(400, "not an add-checkpoint request")
    try:
        first, *rest = head.decode("ascii").split("\n")
        old = re.fullmatch(r"old (0|[1-9][0-9]{0,18})", first)
        proof = [decode_base64(line, "proof") for line in rest[: MAX_PROOF + 1]]
    except (UnicodeDecodeError, LogError) as error:
        raise Refusal(400, "not an add-checkpoint request") from error
    if old is None or len(rest) > MAX_PROOF or any(len(step) != HASH_BYTES for step in proof):
        raise Refusal(400, "not an add-checkpoint request")
    return int(old[1]), proof, checkpoint


class Witness:
    """An open witness, from `Witness.open`. One process has it; not for several threads."""

    def __init__(
        self, directory: Path, key: NoteSigner, logs: Mapping[str, NoteVerifier], lock: files.Lock
    ) -> None:
        self._directory, self._key, self._logs, self._lock = directory, key, logs, lock
        self._seen: dict[str, Checkpoint] = {}
        self._time_ms: dict[str, int] = {}

    @classmethod
    def open(cls, directory: Path, key: NoteSigner, logs: Sequence[NoteVerifier]) -> "Witness":
        """Take the folder and what it remembers.

        Args:
            directory: the witness's memory; created when there is none.
            key: the witness's own; a log's key must not cosign as a witness.
            logs: the keys of the logs it cosigns for; each key's name is its log's origin.

        Raises:
            LogError: the memory is damaged, or was another witness's.
            FileError: it cannot be read, or another process holds it.
        """
        known = {log.name: log for log in logs}
        if len(known) < len(logs) or any(log.public == key.public for log in logs):
            raise LogError("one key for each log, and none of them the witness's own")
        files.make_folder(directory, mode=0o700)
        witness = cls(directory, key, known, files.Lock(directory / "lock"))
        try:
            witness._remember()
        except BaseException:
            witness.close()
            raise
        return witness

    @property
    def vkey(self) -> str:
        """The cosigner's key as readers configure it."""
        return self._key.verifier(Algorithm.COSIGNATURE).vkey

    def latest(self, origin: str) -> Checkpoint:
        """The last checkpoint cosigned of a log; the empty tree when there is none."""
        return self._seen.get(origin, Checkpoint(origin, 0, EMPTY_ROOT))

    def add_checkpoint(self, body: bytes, now: datetime) -> str:
        """Cosign a checkpoint that provably grew from the last one cosigned.

        Args:
            body: `old N`, proof lines, an empty line, the signed checkpoint.
            now: signed with it; never earlier than the last time signed for this log.

        Returns:
            The cosignature's line, without newline. The checkpoint was remembered durably before.

        Raises:
            Refusal: with its HTTP status; nothing was remembered.
            LogError: the clock went back.
        """
        old, proof, raw = _parse_request(body)
        head, text = self._open(raw)
        last = self.latest(head.origin)
        if old > head.size:
            raise Refusal(400, "the old size is over the checkpoint's", where=head.origin)
        if old != last.size:
            raise Refusal(
                409,
                f"the last cosigned size is {last.size}, not {old}",
                where=head.origin,
                body=f"{last.size}\n",
            )
        self._check_growth(last, head, proof)
        time_ms = tick(self._time_ms.get(head.origin, 0), now)
        self._save({**self._seen, head.origin: head}, {**self._time_ms, head.origin: time_ms})
        return cosign(text, self._key, now).line()

    def close(self) -> None:
        """Let go of the folder; fine to call twice."""
        self._lock.release()

    def _open(self, raw: bytes) -> tuple[Checkpoint, str]:
        try:
            text = parse_note(raw).text
            head = parse_checkpoint(text)
        except LogError as error:
            raise Refusal(400, "not a checkpoint") from error
        key = self._logs.get(head.origin)
        if key is None:
            raise Refusal(404, "not a log this witness knows", where=head.origin[:80])
        try:
            open_note(raw, key)
        except LogError as error:
            raise Refusal(403, "not signed by the log's key", where=head.origin) from error
        return head, text

    def _check_growth(self, last: Checkpoint, head: Checkpoint, proof: Sequence[bytes]) -> None:
        try:
            check_consistency(last.size, last.root, head.size, head.root, proof)
        except LogError as error:
            if last.size == head.size and last.root != head.root:
                raise Refusal(
                    409,
                    "a fork: another tree of the size that was cosigned",
                    where=head.origin,
                    body=f"{last.size}\n",
                ) from error
            raise Refusal(422, f"no proof of growth: {error.what}", where=head.origin) from error

    def _save(self, seen: dict[str, Checkpoint], times: dict[str, int]) -> None:
        memory = {
            "vkey": self.vkey,
            "logs": {
                origin: {"size": head.size, "root": head.root.hex(), "time_ms": times[origin]}
                for origin, head in sorted(seen.items())
            },
        }
        data = json.dumps(memory, indent=1, ensure_ascii=False).encode() + b"\n"
        files.write_atomic(self._directory / _MEMORY, data, mode=files.PRIVATE)
        self._seen, self._time_ms = seen, times

    def _remember(self) -> None:
        path = self._directory / _MEMORY
        try:
            raw = files.read_capped(path, _MAX_MEMORY_BYTES)
        except FileNotFoundError:
            self._save({}, {})
            return
        try:
            memory = json.loads(raw)
            is_ours = memory["vkey"] == self.vkey
            for origin, entry in memory["logs"].items():
                root, size, time_ms = bytes.fromhex(entry["root"]), entry["size"], entry["time_ms"]
                if len(root) != HASH_BYTES or type(size) is not int or type(time_ms) is not int:
                    raise LogError("a witness's memory that is damaged", where=str(path))
                self._seen[origin] = Checkpoint(origin, size, root)
                self._time_ms[origin] = time_ms
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise LogError("a witness's memory that is damaged", where=str(path)) from error
        if not is_ours:
            raise LogError("another witness's memory", where=str(path), mend="use its own folder")
